use super::*;
use crate::sandbox::google::ServiceAccount;

#[tokio::test]
async fn a_push_with_a_signed_assertion_is_accepted_and_recorded() {
    let scene = Scene::start().await;
    let token = scene.access_token().await;
    let (status, headers, body) = scene.push(&token, &disk_full("phone-1")).await.expect("an answer");
    assert_eq!(status, 200, "{body}");
    assert_eq!(headers["content-type"], "application/json; charset=UTF-8");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert!(body["name"].as_str().expect("a name").starts_with("projects/bongsu-sandbox/messages/0:"));

    let pushes = scene.sandbox.fcm().wait_for_pushes(1).await;
    let [push] = pushes.as_slice() else { panic!("{pushes:?}") };
    assert_eq!((push.at, &*push.target, push.answered), (scene.clock.now(), "phone-1", 200));
    assert_eq!(push.data("title"), "disk <full>");
    assert_eq!(push.message, disk_full("phone-1"));
    assert_eq!(scene.sandbox.fcm().accepted_counts(), HashMap::from([("0193".to_owned(), 1)]));
    assert_eq!(scene.sandbox.fcm().refusals(), []);
}

#[tokio::test]
async fn http2_over_tls_is_negotiated_and_trusted_through_the_authority() {
    let scene = Scene::start_with(Options { tls: true, ..Options::default() }).await;
    let token = scene.access_token().await;
    let url = scene.url("/v1/projects/bongsu-sandbox/messages:send");
    let body = json!({ "message": disk_full("phone-1") }).to_string();
    let request =
        scene.client.post(url).bearer_auth(token).header("content-type", "application/json").body(body);
    let response = request.send().await.expect("an answer");
    assert_eq!((response.status().as_u16(), response.version()), (200, reqwest::Version::HTTP_2));
    assert_eq!(scene.sandbox.connections(), 1);

    // A cut line takes a request over HTTP/2 with it as well, and the next one finds a new line.
    scene.sandbox.fcm().script([Answer::Reset]);
    let token = scene.access_token().await;
    assert!(scene.push(&token, &disk_full("phone-1")).await.is_err());
    assert_eq!(scene.push(&token, &disk_full("phone-1")).await.expect("an answer").0, 200);
}

#[tokio::test]
async fn an_assertion_that_google_would_refuse_gets_googles_words() {
    let scene = Scene::start().await;
    let now = scene.clock.now().as_second();
    for (claim, words, value) in [
        ("iss", "account not found", json!("other@bongsu-sandbox.iam.gserviceaccount.com")),
        ("aud", "audience", json!("https://oauth2.googleapis.com/token")),
        ("scope", "scope", json!("https://www.googleapis.com/auth/drive")),
        ("iat", "reasonable timeframe", json!(now - 11)),
        ("exp", "reasonable timeframe", json!(now - 20)),
    ] {
        let (status, _, body) = scene.exchange(|claims| claims[claim] = value.clone()).await;
        assert_eq!(status, 400, "{claim}: {body}");
        assert!(body.contains(words), "{claim}: {body}");
    }
    let other = ServiceAccount::generate("http://127.0.0.1:1").expect("a key");
    let file: Value = serde_json::from_str(&other.file).expect("JSON");
    let (status, _, body) = scene.exchange_with(file["private_key"].as_str().expect("a key"), |_| {}).await;
    assert_eq!((status, body.contains("Invalid JWT Signature.")), (400, true), "{body}");
    assert_eq!(scene.sandbox.token().issued(), 0);
    assert_eq!(scene.sandbox.token().refusals().len(), 6);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_refused_and_google_says_what_time_it_is() {
    let scene = Scene::start().await;
    scene.sandbox.token().run_ahead(SignedDuration::from_hours(2));
    let (status, headers, body) = scene.exchange(|_| {}).await;
    assert_eq!(status, 400);
    assert!(body.contains("reasonable timeframe"), "{body}");
    assert_eq!(headers["date"], "Sun, 22 Nov 2026 03:02:03 GMT");
}

#[tokio::test]
async fn the_token_endpoint_follows_its_script() {
    let scene = Scene::start().await;
    scene.sandbox.token().script([Answer::invalid_grant(), Answer::clock_skew(), Answer::silent_503()]);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(scene.exchange(|_| {}).await.0);
    }
    assert_eq!(statuses, [400, 400, 503, 200]);
    assert_eq!(scene.sandbox.token().issued(), 1);
}

#[tokio::test]
async fn a_missing_wrong_expired_or_revoked_token_is_unauthenticated() {
    let scene = Scene::start().await;
    let token = scene.access_token().await;
    let unauthorized = |reply: Reply| (reply.0, error_of(&reply.2)["status"].clone());
    let expected = (401, json!("UNAUTHENTICATED"));
    assert_eq!(unauthorized(scene.push("wrong", &disk_full("a")).await.expect("an answer")), expected);
    let path = "/v1/projects/bongsu-sandbox/messages:send";
    assert_eq!(unauthorized(scene.post(path, &[], "{}".into()).await.expect("an answer")), expected);

    scene.clock.advance(SignedDuration::from_secs(3600));
    assert_eq!(unauthorized(scene.push(&token, &disk_full("a")).await.expect("an answer")), expected);
    let token = scene.access_token().await;
    assert_eq!(scene.push(&token, &disk_full("a")).await.expect("an answer").0, 200);
    scene.sandbox.token().revoke_all();
    assert_eq!(unauthorized(scene.push(&token, &disk_full("a")).await.expect("an answer")), expected);
    assert_eq!(scene.sandbox.fcm().refusals().len(), 4);
    assert_eq!(scene.sandbox.fcm().pushes().len(), 1);
}

#[tokio::test]
async fn another_project_and_another_path_get_googles_html() {
    let scene = Scene::start().await;
    let token = scene.access_token().await;
    let wrong_project = scene.push_to("other", &token, "{}".into()).await.expect("an answer");
    let wrong_path = scene.get("/v1/projects/<b>/messages").await;
    for (status, headers, body) in [wrong_project, wrong_path] {
        assert_eq!((status, &*headers["content-type"]), (404, "text/html; charset=UTF-8"));
        assert!(body.contains("Error 404") && !body.contains("<b>/messages"), "{body}");
    }
}

#[tokio::test]
async fn a_malformed_message_is_refused_in_googles_shape() {
    let scene = Scene::start().await;
    let token = scene.access_token().await;
    let big = "x".repeat(4097);
    for (message, has_details, words) in [
        (
            json!({ "token": "a", "to": "b" }),
            true,
            "Unknown name \\\"to\\\" at 'message': Cannot find field.",
        ),
        (json!({ "token": "a", "data": { "n": 1 } }), true, "message.data[0].value"),
        (json!({ "data": {} }), true, "Recipient of the message is not set."),
        (json!({ "token": "a b" }), true, "message.token"),
        (json!({ "token": "a", "data": { "k": big } }), false, "Request contains an invalid argument."),
    ] {
        let (status, _, body) = scene.push(&token, &message).await.expect("an answer");
        let error = error_of(&body);
        assert_eq!((status, &error["status"]), (400, &json!("INVALID_ARGUMENT")), "{body}");
        assert_eq!(error["details"].is_array(), has_details, "{body}");
        assert!(body.contains(words), "{body}");
    }
    let (status, ..) = scene.push_to(PROJECT, &token, "{".into()).await.expect("an answer");
    assert_eq!(status, 400);
    assert_eq!(scene.sandbox.fcm().counts(), Counts { malformed: 6, ..Counts::default() });
}

#[tokio::test]
async fn a_dry_run_is_judged_but_reaches_no_phone() {
    let scene = Scene::start().await;
    let token = scene.access_token().await;
    let body = json!({ "validate_only": true, "message": disk_full("a") }).to_string();
    let (status, _, body) = scene.push_to(PROJECT, &token, body).await.expect("an answer");
    assert_eq!((status, body.contains("messages/fake_message_id")), (200, true));
    assert_eq!(scene.sandbox.fcm().counts(), Counts::default());
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_script_then_as_usual() {
    let scene = Scene::start().await;
    let (token, fcm) = (scene.access_token().await, scene.sandbox.fcm());
    fcm.answer_for_token("dead", Answer::unregistered());
    fcm.script([Answer::unavailable(Some(30)), Answer::quota(None), Answer::html_502()]);
    let mut seen = Vec::new();
    for target in ["a", "dead", "a", "a", "a"] {
        let (status, headers, body) = scene.push(&token, &disk_full(target)).await.expect("an answer");
        assert_eq!(headers.get("retry-after").map(String::as_str), (status == 503).then_some("30"), "{body}");
        seen.push(status);
    }
    assert_eq!(seen, [503, 404, 429, 502, 200]);
    fcm.always(Answer::internal());
    assert_eq!(scene.push(&token, &disk_full("a")).await.expect("an answer").0, 500);
    let answered: Vec<u16> = fcm.pushes().iter().map(|push| push.answered).collect();
    assert_eq!(answered, [503, 404, 429, 502, 200, 500]);
    assert_eq!(fcm.counts(), Counts { seen: 6, accepted: 1, refused: 5, ..Counts::default() });
}

#[test]
fn every_answer_of_google_carries_its_code() {
    for (answer, status, code) in [
        (Answer::unregistered(), 404, "UNREGISTERED"),
        (Answer::unavailable(None), 503, "UNAVAILABLE"),
        (Answer::internal(), 500, "INTERNAL"),
        (Answer::quota(Some(5)), 429, "QUOTA_EXCEEDED"),
        (Answer::html_502(), 502, "Error 502"),
        (Answer::invalid_argument(), 400, "INVALID_ARGUMENT"),
        (Answer::invalid_token(), 400, "message.token"),
        (Answer::sender_id_mismatch(), 403, "SENDER_ID_MISMATCH"),
        (Answer::third_party_auth(), 401, "THIRD_PARTY_AUTH_ERROR"),
        (Answer::service_disabled(), 403, "SERVICE_DISABLED"),
        (Answer::unauthorized(), 401, "UNAUTHENTICATED"),
    ] {
        let Answer::Status { status: found, body, .. } = answer else { panic!("{code} has a status") };
        assert_eq!((found, body.contains(code)), (status, true), "{body}");
    }
}

#[tokio::test]
async fn a_request_that_hangs_is_accepted_when_released() {
    let scene = Scene::start().await;
    let (token, fcm) = (scene.access_token().await, scene.sandbox.fcm());
    fcm.script([Answer::Hang]);
    let message = disk_full("a");
    let release = async {
        let pushes = fcm.wait_for_pushes(1).await;
        assert_eq!((pushes[0].answered, fcm.counts().unanswered), (0, 1));
        fcm.release();
    };
    let (reply, ()) = tokio::join!(scene.push(&token, &message), release);
    assert_eq!(reply.expect("an answer").0, 200);
    assert_eq!(fcm.pushes()[0].answered, 200);
    assert_eq!(fcm.counts(), Counts { seen: 1, accepted: 1, ..Counts::default() });
}

#[tokio::test]
async fn a_shutdown_cuts_what_hangs() {
    let scene = Scene::start().await;
    let (token, fcm) = (scene.access_token().await, scene.sandbox.fcm());
    fcm.break_with(Breakage::Hanging);
    let message = disk_full("a");
    let stop = async {
        fcm.wait_for_pushes(1).await;
        scene.stop.cancel();
        scene.tasks.close();
        scene.tasks.wait().await;
    };
    let (reply, ()) = tokio::join!(scene.push(&token, &message), stop);
    assert!(reply.is_err(), "{reply:?}");
}

#[tokio::test]
async fn a_slow_acceptance_reaches_the_phone_before_the_sender_knows() {
    let scene = Scene::start().await;
    let (token, fcm) = (scene.access_token().await, scene.sandbox.fcm());
    fcm.script([Answer::SlowOk(Duration::from_secs(20))]);
    let message = disk_full("a");
    let wait = async {
        assert!(fcm.wait_for_pushes(1).await[0].accepted);
        scene.clock.advance(SignedDuration::from_secs(20));
    };
    let (reply, ()) = tokio::join!(scene.push(&token, &message), wait);
    assert_eq!(reply.expect("an answer").0, 200);
}

#[tokio::test]
async fn a_cut_line_and_refused_connections_are_errors_of_the_connection() {
    let scene = Scene::start().await;
    let (token, fcm) = (scene.access_token().await, scene.sandbox.fcm());
    fcm.script([Answer::Reset]);
    let error = scene.push(&token, &disk_full("a")).await.expect_err("no answer");
    assert!(!error.is_connect(), "the request was sent: {error:?}");
    assert_eq!(fcm.pushes()[0].answered, 0);

    scene.sandbox.refuse_connections(true);
    assert!(scene.push(&token, &disk_full("a")).await.is_err());
    assert_eq!(fcm.counts().seen, 1, "nothing arrives while connections are refused");
    scene.sandbox.refuse_connections(false);
    assert_eq!(scene.push(&token, &disk_full("a")).await.expect("an answer").0, 200);
}

#[tokio::test]
async fn counting_keeps_no_message() {
    let scene = Scene::start_with(Options { record: Record::CountsOnly, ..Options::default() }).await;
    let (token, fcm) = (scene.access_token().await, scene.sandbox.fcm());
    for target in ["a", "b"] {
        scene.push(&token, &disk_full(target)).await.expect("an answer");
    }
    assert_eq!(fcm.pushes(), []);
    assert_eq!(fcm.accepted_counts(), HashMap::from([("0193".to_owned(), 2)]));
    assert!(scene.get("/").await.2.contains("only counts"));
}
