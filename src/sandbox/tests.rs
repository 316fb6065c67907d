use std::collections::HashMap;

use aws_lc_rs::hmac;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::*;
use crate::clock::ManualClock;

/// A sandbox, its clock, and a sender that behaves.
struct World {
    sandbox: Sandbox,
    clock: Arc<ManualClock>,
    client: reqwest::Client,
    stop: CancellationToken,
    tasks: TaskTracker,
}

type Reply = (u16, HashMap<String, String>, String);

impl World {
    async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    #[expect(clippy::disallowed_methods, reason = "the sandbox is tested without the sender it serves")]
    async fn start_with(options: Options) -> Self {
        let clock = ManualClock::at("2026-11-22T01:02:03Z".parse().expect("an instant"));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let sandbox = Sandbox::start(options, clock.clone(), &tasks, stop.clone()).await.expect("starts");
        let mut client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        if let Some(pem) = sandbox.ca_pem() {
            client = client.tls_certs_only([reqwest::Certificate::from_pem(pem.as_bytes()).expect("PEM")]);
        }
        let client = client.build().expect("a client");
        Self { sandbox, clock, client, stop, tasks }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url())
    }

    async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Reply, reqwest::Error> {
        let mut request = self.client.post(self.url(path)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send().await?).await
    }

    async fn get(&self, path: &str) -> Reply {
        let response = self.client.get(self.url(path)).send().await.expect("an answer");
        read(response).await.expect("a body")
    }

    async fn exchange(&self, change: impl FnOnce(&mut Value)) -> Reply {
        let file: Value = serde_json::from_str(&self.sandbox.service_account_json()).expect("JSON");
        self.exchange_with(file["private_key"].as_str().expect("a key"), change).await
    }

    async fn exchange_with(&self, pem: &str, change: impl FnOnce(&mut Value)) -> Reply {
        let file: Value = serde_json::from_str(&self.sandbox.service_account_json()).expect("JSON");
        let now = self.clock.now().as_second();
        let mut claims = json!({
            "iss": file["client_email"], "aud": file["token_uri"], "iat": now - 10, "exp": now + 3590,
            "scope": "https://www.googleapis.com/auth/firebase.messaging",
        });
        change(&mut claims);
        let mut header = Header::new(Algorithm::RS256);
        header.kid = file["private_key_id"].as_str().map(str::to_owned);
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).expect("an RSA key");
        let assertion = jsonwebtoken::encode(&header, &claims, &key).expect("signs");
        let form =
            format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.post("/token", &headers, form).await.expect("an answer")
    }

    async fn access_token(&self) -> String {
        let (status, _, body) = self.exchange(|_| {}).await;
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3600)));
        body["access_token"].as_str().expect("a token").to_owned()
    }

    async fn push(&self, token: &str, message: &Value) -> Result<Reply, reqwest::Error> {
        self.push_to(PROJECT, token, json!({ "message": message }).to_string()).await
    }

    async fn push_to(&self, project: &str, token: &str, body: String) -> Result<Reply, reqwest::Error> {
        let path = format!("/v1/projects/{project}/messages:send");
        let headers = [("authorization", &*format!("Bearer {token}")), ("content-type", "application/json")];
        self.post(&path, &headers, body).await
    }

    async fn text(&self, body: &Value) -> Reply {
        let headers = [("content-type", "application/json")];
        self.post("/sms/send", &headers, body.to_string()).await.expect("an answer")
    }

    async fn solapi(&self, date: Timestamp, salt: &str, message: &Value) -> Reply {
        let sms = self.sandbox.sms();
        let (api_key, secret) = sms.solapi_credentials();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{date}{salt}").as_bytes());
        let signature: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let authorization =
            format!("HMAC-SHA256 apiKey={api_key}, date={date}, salt={salt}, signature={signature}");
        let headers = [("authorization", &*authorization), ("content-type", "application/json")];
        let body = json!({ "messages": [message], "showMessageList": true }).to_string();
        self.post("/messages/v4/send-many/detail", &headers, body).await.expect("an answer")
    }
}

async fn read(response: reqwest::Response) -> Result<Reply, reqwest::Error> {
    let status = response.status().as_u16();
    let named = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap_or_default().to_owned())
    };
    let headers = response.headers().iter().map(named).collect();
    Ok((status, headers, response.text().await?))
}

fn disk_full(target: &str) -> Value {
    json!({
        "token": target,
        "data": {
            "alert_id": "0193", "state": "triggered", "severity": "disaster", "title": "disk <full>", "body": "on db1",
            "integration": "zabbix", "url": "https://alerts.example.org/alerts/0193",
            "ack_url": "javascript:alert(1)", "tag": "t1",
        },
        "android": { "priority": "HIGH", "ttl": "3600s" },
    })
}

fn error_of(body: &str) -> Value {
    serde_json::from_str::<Value>(body).expect("JSON")["error"].clone()
}

#[tokio::test]
async fn a_push_with_a_signed_assertion_is_accepted_and_recorded() {
    let world = World::start().await;
    let token = world.access_token().await;
    let (status, headers, body) = world.push(&token, &disk_full("phone-1")).await.expect("an answer");
    assert_eq!(status, 200, "{body}");
    assert_eq!(headers["content-type"], "application/json; charset=UTF-8");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert!(body["name"].as_str().expect("a name").starts_with("projects/bongsu-sandbox/messages/0:"));

    let pushes = world.sandbox.fcm().wait_for_pushes(1).await;
    let [push] = pushes.as_slice() else { panic!("{pushes:?}") };
    assert_eq!((push.at, &*push.target, push.answered), (world.clock.now(), "phone-1", 200));
    assert_eq!(push.data("title"), "disk <full>");
    assert_eq!(push.message, disk_full("phone-1"));
    assert_eq!(world.sandbox.fcm().accepted_counts(), HashMap::from([("0193".to_owned(), 1)]));
    assert_eq!(world.sandbox.fcm().refusals(), []);
}

#[tokio::test]
async fn http2_over_tls_is_negotiated_and_trusted_through_the_authority() {
    let world = World::start_with(Options { tls: true, ..Options::default() }).await;
    let token = world.access_token().await;
    let url = world.url("/v1/projects/bongsu-sandbox/messages:send");
    let body = json!({ "message": disk_full("phone-1") }).to_string();
    let request =
        world.client.post(url).bearer_auth(token).header("content-type", "application/json").body(body);
    let response = request.send().await.expect("an answer");
    assert_eq!((response.status().as_u16(), response.version()), (200, reqwest::Version::HTTP_2));
    assert_eq!(world.sandbox.connections(), 1);

    // A cut line takes a request over HTTP/2 with it as well, and the next one finds a new line.
    world.sandbox.fcm().script([Answer::Reset]);
    let token = world.access_token().await;
    assert!(world.push(&token, &disk_full("phone-1")).await.is_err());
    assert_eq!(world.push(&token, &disk_full("phone-1")).await.expect("an answer").0, 200);
}

#[tokio::test]
async fn an_assertion_that_google_would_refuse_gets_googles_words() {
    let world = World::start().await;
    let now = world.clock.now().as_second();
    let mut changes: Vec<(&str, &str, Value)> = vec![
        ("iss", "account not found", json!("other@bongsu-sandbox.iam.gserviceaccount.com")),
        ("aud", "audience", json!("https://oauth2.googleapis.com/token")),
        ("scope", "scope", json!("https://www.googleapis.com/auth/drive")),
        ("iat", "reasonable timeframe", json!(now - 11)),
        ("exp", "reasonable timeframe", json!(now - 20)),
        ("iat", "malformed", Value::Null),
    ];
    changes.pop();
    for (claim, words, value) in changes {
        let (status, _, body) = world.exchange(|claims| claims[claim] = value.clone()).await;
        assert_eq!(status, 400, "{claim}: {body}");
        assert!(body.contains(words), "{claim}: {body}");
    }
    let other = ServiceAccount::generate("http://127.0.0.1:1").expect("a key");
    let file: Value = serde_json::from_str(other.file()).expect("JSON");
    let (status, _, body) = world.exchange_with(file["private_key"].as_str().expect("a key"), |_| {}).await;
    assert_eq!((status, body.contains("Invalid JWT Signature.")), (400, true), "{body}");
    assert_eq!(world.sandbox.token().issued(), 0);
    assert_eq!(world.sandbox.token().refusals().len(), 6);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_refused_and_google_says_what_time_it_is() {
    let world = World::start().await;
    world.sandbox.token().run_ahead(SignedDuration::from_hours(2));
    let (status, headers, body) = world.exchange(|_| {}).await;
    assert_eq!(status, 400);
    assert!(body.contains("reasonable timeframe"), "{body}");
    assert_eq!(headers["date"], "Sun, 22 Nov 2026 03:02:03 GMT");
}

#[tokio::test]
async fn the_token_endpoint_follows_its_script() {
    let world = World::start().await;
    world.sandbox.token().script([Answer::invalid_grant(), Answer::clock_skew(), Answer::silent_503()]);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(world.exchange(|_| {}).await.0);
    }
    assert_eq!(statuses, [400, 400, 503, 200]);
    assert_eq!(world.sandbox.token().issued(), 1);
}

#[tokio::test]
async fn a_missing_wrong_expired_or_revoked_token_is_unauthenticated() {
    let world = World::start().await;
    let token = world.access_token().await;
    let unauthorized = |reply: Reply| (reply.0, error_of(&reply.2)["status"].clone());
    let expected = (401, json!("UNAUTHENTICATED"));
    assert_eq!(unauthorized(world.push("wrong", &disk_full("a")).await.expect("an answer")), expected);
    let path = "/v1/projects/bongsu-sandbox/messages:send";
    assert_eq!(unauthorized(world.post(path, &[], "{}".into()).await.expect("an answer")), expected);

    world.clock.advance(SignedDuration::from_secs(3600));
    assert_eq!(unauthorized(world.push(&token, &disk_full("a")).await.expect("an answer")), expected);
    let token = world.access_token().await;
    assert_eq!(world.push(&token, &disk_full("a")).await.expect("an answer").0, 200);
    world.sandbox.token().revoke_all();
    assert_eq!(unauthorized(world.push(&token, &disk_full("a")).await.expect("an answer")), expected);
    assert_eq!(world.sandbox.fcm().refusals().len(), 4);
    assert_eq!(world.sandbox.fcm().pushes().len(), 1);
}

#[tokio::test]
async fn another_project_and_another_path_get_googles_html() {
    let world = World::start().await;
    let token = world.access_token().await;
    let wrong_project = world.push_to("other", &token, "{}".into()).await.expect("an answer");
    let wrong_path = world.get("/v1/projects/<b>/messages").await;
    for (status, headers, body) in [wrong_project, wrong_path] {
        assert_eq!((status, &*headers["content-type"]), (404, "text/html; charset=UTF-8"));
        assert!(body.contains("Error 404") && !body.contains("<b>/messages"), "{body}");
    }
}

#[tokio::test]
async fn a_malformed_message_is_refused_in_googles_shape() {
    let world = World::start().await;
    let token = world.access_token().await;
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
        let (status, _, body) = world.push(&token, &message).await.expect("an answer");
        let error = error_of(&body);
        assert_eq!((status, &error["status"]), (400, &json!("INVALID_ARGUMENT")), "{body}");
        assert_eq!(error["details"].is_array(), has_details, "{body}");
        assert!(body.contains(words), "{body}");
    }
    let (status, ..) = world.push_to(PROJECT, &token, "{".into()).await.expect("an answer");
    assert_eq!(status, 400);
    assert_eq!(world.sandbox.fcm().counts(), Counts { malformed: 6, ..Counts::default() });
}

#[tokio::test]
async fn a_dry_run_is_judged_but_reaches_no_phone() {
    let world = World::start().await;
    let token = world.access_token().await;
    let body = json!({ "validate_only": true, "message": disk_full("a") }).to_string();
    let (status, _, body) = world.push_to(PROJECT, &token, body).await.expect("an answer");
    assert_eq!((status, body.contains("messages/fake_message_id")), (200, true));
    assert_eq!(world.sandbox.fcm().counts(), Counts::default());
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_script_then_as_usual() {
    let world = World::start().await;
    let (token, fcm) = (world.access_token().await, world.sandbox.fcm());
    fcm.answer_for_token("dead", Answer::unregistered());
    fcm.script([Answer::unavailable(Some(30)), Answer::quota(None), Answer::html_502()]);
    let mut seen = Vec::new();
    for target in ["a", "dead", "a", "a", "a"] {
        let (status, headers, body) = world.push(&token, &disk_full(target)).await.expect("an answer");
        assert_eq!(headers.get("retry-after").map(String::as_str), (status == 503).then_some("30"), "{body}");
        seen.push(status);
    }
    assert_eq!(seen, [503, 404, 429, 502, 200]);
    fcm.always(Answer::internal());
    assert_eq!(world.push(&token, &disk_full("a")).await.expect("an answer").0, 500);
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
    let world = World::start().await;
    let (token, fcm) = (world.access_token().await, world.sandbox.fcm());
    fcm.script([Answer::Hang]);
    let message = disk_full("a");
    let release = async {
        let pushes = fcm.wait_for_pushes(1).await;
        assert_eq!((pushes[0].answered, fcm.counts().unanswered), (0, 1));
        fcm.release();
    };
    let (reply, ()) = tokio::join!(world.push(&token, &message), release);
    assert_eq!(reply.expect("an answer").0, 200);
    assert_eq!(fcm.pushes()[0].answered, 200);
    assert_eq!(fcm.counts(), Counts { seen: 1, accepted: 1, ..Counts::default() });
}

#[tokio::test]
async fn a_shutdown_cuts_what_hangs() {
    let world = World::start().await;
    let (token, fcm) = (world.access_token().await, world.sandbox.fcm());
    fcm.break_with(Breakage::Hanging);
    let message = disk_full("a");
    let stop = async {
        fcm.wait_for_pushes(1).await;
        world.stop.cancel();
        world.tasks.close();
        world.tasks.wait().await;
    };
    let (reply, ()) = tokio::join!(world.push(&token, &message), stop);
    assert!(reply.is_err(), "{reply:?}");
}

#[tokio::test]
async fn a_slow_acceptance_reaches_the_phone_before_the_sender_knows() {
    let world = World::start().await;
    let (token, fcm) = (world.access_token().await, world.sandbox.fcm());
    fcm.script([Answer::SlowOk(Duration::from_secs(20))]);
    let message = disk_full("a");
    let wait = async {
        assert!(fcm.wait_for_pushes(1).await[0].accepted);
        world.clock.advance(SignedDuration::from_secs(20));
    };
    let (reply, ()) = tokio::join!(world.push(&token, &message), wait);
    assert_eq!(reply.expect("an answer").0, 200);
}

#[tokio::test]
async fn a_cut_line_and_refused_connections_are_errors_of_the_connection() {
    let world = World::start().await;
    let (token, fcm) = (world.access_token().await, world.sandbox.fcm());
    fcm.script([Answer::Reset]);
    let error = world.push(&token, &disk_full("a")).await.expect_err("no answer");
    assert!(!error.is_connect(), "the request was sent: {error:?}");
    assert_eq!(fcm.pushes()[0].answered, 0);

    world.sandbox.refuse_connections(true);
    assert!(world.push(&token, &disk_full("a")).await.is_err());
    assert_eq!(fcm.counts().seen, 1, "nothing arrives while connections are refused");
    world.sandbox.refuse_connections(false);
    assert_eq!(world.push(&token, &disk_full("a")).await.expect("an answer").0, 200);
}

#[tokio::test]
async fn counting_keeps_no_message() {
    let world = World::start_with(Options { record: Record::CountsOnly, ..Options::default() }).await;
    let (token, fcm) = (world.access_token().await, world.sandbox.fcm());
    for target in ["a", "b"] {
        world.push(&token, &disk_full(target)).await.expect("an answer");
    }
    assert_eq!(fcm.pushes(), []);
    assert_eq!(fcm.accepted_counts(), HashMap::from([("0193".to_owned(), 2)]));
    assert!(world.get("/").await.2.contains("only counts"));
}

#[tokio::test]
async fn a_text_is_taken_strictly() {
    let world = World::start().await;
    let sms = world.sandbox.sms();
    let (status, _, body) =
        world.text(&json!({ "to": "+821012345678", "text": "서버실 온도", "alert_id": "0193" })).await;
    assert_eq!((status, body.contains("\"ok\":true")), (200, true), "{body}");
    let texts = sms.wait_for_texts(1).await;
    assert_eq!((&*texts[0].text, texts[0].provider, texts[0].answered), ("서버실 온도", "http", 200));
    for (body, code) in [
        (json!({ "to": "+821012345678", "text": "x", "subject": "y" }), "bad_request"),
        (json!({ "to": "+821012345678", "text": 1 }), "bad_request"),
        (json!({ "to": "+821012345678" }), "bad_request"),
        (json!({ "to": "+821012345678", "text": "" }), "bad_request"),
        (json!({ "to": "jin", "text": "x" }), "bad_number"),
        (json!({ "to": "+821012345678", "text": "가".repeat(1001) }), "too_long"),
    ] {
        let (status, _, reply) = world.text(&body).await;
        assert_eq!(status, 400, "{body}");
        assert!(reply.contains(code), "{body}: {reply}");
    }
    sms.script([Answer::text_refused("bad_number")]);
    assert_eq!(world.text(&json!({ "to": "+821012345678", "text": "x" })).await.0, 400);
    assert_eq!(sms.accepted_counts(), HashMap::from([("0193".to_owned(), 1)]));
    assert_eq!(sms.counts(), Counts { seen: 2, accepted: 1, refused: 1, unanswered: 0, malformed: 6 });
}

#[tokio::test]
async fn solapi_wants_a_fresh_signature_each_time() {
    let world = World::start().await;
    let (now, sms) = (world.clock.now(), world.sandbox.sms());
    let message = json!({ "to": "01012345678", "from": "029302266", "text": "x", "customFields": { "alert_id": "0193" } });
    let (status, _, body) = world.solapi(now, "salt-of-12-b", &message).await;
    assert_eq!((status, body.contains("\"registeredSuccess\":1")), (200, true), "{body}");
    let late = now.saturating_add(SignedDuration::from_mins(16)).expect("in range");
    for (date, salt, code) in [
        (now, "salt-of-12-b", "DuplicatedSignature"),
        (now, "short", "ValidationError"),
        (late, "another-salt", "RequestTimeTooSkewed"),
    ] {
        let (status, _, body) = world.solapi(date, salt, &message).await;
        assert!(status != 200 && body.contains(code), "{status} {body}");
    }
    let authorization = "HMAC-SHA256 apiKey=x, date=2026-11-22T01:02:03Z, salt=another-salt, signature=00";
    let reply =
        world.post("/messages/v4/send-many/detail", &[("authorization", authorization)], String::new()).await;
    assert!(reply.expect("an answer").2.contains("InvalidAPIKey"));
    let texts = sms.texts();
    assert_eq!((texts.len(), &*texts[0].alert_id, texts[0].provider), (1, "0193", "solapi"));
}

#[tokio::test]
async fn solapi_refuses_content_inside_a_200() {
    let world = World::start().await;
    let now = world.clock.now();
    for (index, (text, kind, code)) in
        [("fire 🔥", "SMS", "1029"), (&*"x".repeat(91), "SMS", "1031")].into_iter().enumerate()
    {
        let message = json!({ "to": "01012345678", "from": "029302266", "text": text, "type": kind });
        let (status, _, body) = world.solapi(now, &format!("salt-number-{index}"), &message).await;
        assert_eq!(status, 200);
        assert!(body.contains(&format!("\"statusCode\":\"{code}\"")), "{body}");
    }
    assert_eq!(world.sandbox.sms().counts().accepted, 0);
}

#[tokio::test]
async fn the_switch_breaks_a_company_and_repairs_it() {
    let world = World::start().await;
    let token = world.access_token().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let switch = async |body: &str| world.post("/switch", &form, body.into()).await.expect("an answer").0;
    assert_eq!(switch("road=fcm&state=unavailable").await, 303);
    let (status, _, body) = world.push(&token, &disk_full("a")).await.expect("an answer");
    assert_eq!((status, &error_of(&body)["status"]), (503, &json!("UNAVAILABLE")));
    assert_eq!(world.text(&json!({ "to": "+821012345678", "text": "x" })).await.0, 200);
    assert_eq!(switch("road=sms&state=unavailable").await, 303);
    assert_eq!(world.text(&json!({ "to": "+821012345678", "text": "x" })).await.0, 503);
    assert!(world.get("/").await.2.contains("road broken"));

    assert_eq!(switch("road=fcm&state=working").await, 303);
    assert_eq!(world.push(&token, &disk_full("a")).await.expect("an answer").0, 200);
    assert_eq!(switch("road=fcm&state=on_fire").await, 422);
    assert_eq!(switch("road=pigeon&state=working").await, 422);
    let elsewhere = [form[0], ("sec-fetch-site", "cross-site")];
    assert_eq!(
        world.post("/switch", &elsewhere, "road=sms&state=working".into()).await.expect("an answer").0,
        403
    );
}

#[tokio::test]
async fn the_page_shows_the_phones_and_runs_nothing_from_a_message() {
    let phones =
        vec![Phone { name: "jin".into(), addresses: vec!["phone-1".into(), "+821012345678".into()] }];
    let hint = "curl -d 'title=<hello>' …".to_owned();
    let world = World::start_with(Options { hint, phones, ..Options::default() }).await;
    let (status, headers, empty) = world.get("/").await;
    assert_eq!(status, 200);
    assert!(headers["content-security-policy"].starts_with("default-src 'none'; script-src 'self'"));
    assert!(empty.contains("No message yet.") && empty.contains("title=&lt;hello&gt;"), "{empty}");

    let token = world.access_token().await;
    for target in ["phone-1", "phone-1", "phone-2"] {
        world.push(&token, &disk_full(target)).await.expect("an answer");
    }
    world.text(&json!({ "to": "+821012345678", "text": "디스크 부족" })).await;
    let (_, _, page) = world.get("/").await;
    assert!(page.contains("disk &lt;full&gt;") && !page.contains("disk <full>"), "{page}");
    assert!(page.contains("https:&#x2f;&#x2f;alerts.example.org") && !page.contains("javascript:"), "{page}");
    assert!(page.contains("ringing") && page.contains("×2") && page.contains("디스크 부족"), "{page}");

    let state: Value = serde_json::from_str(&world.get("/state.json").await.2).expect("JSON");
    let phones = state["phones"].as_array().expect("phones");
    let shown: Vec<_> = phones
        .iter()
        .map(|phone| (phone["name"].as_str(), phone["messages"].as_array().map(Vec::len)))
        .collect();
    assert_eq!(shown, [(Some("jin"), Some(2)), (Some("A device"), Some(1))]);
    world.clock.advance(SignedDuration::from_secs(6));
    assert!(!world.get("/board").await.2.contains("ringing"), "phones stop ringing");
    for path in ["/phones.css", "/phones.js"] {
        assert_eq!(world.get(path).await.0, 200);
    }
}

#[tokio::test]
async fn a_browser_that_waits_hears_of_the_next_message() {
    let world = World::start().await;
    let token = world.access_token().await;
    let version = |body: &str| {
        serde_json::from_str::<Value>(body).expect("JSON")["version"].as_u64().expect("a version")
    };
    let before = version(&world.get("/state.json").await.2);
    let (path, message) = (format!("/state.json?after={before}"), disk_full("a"));
    let (news, pushed) = tokio::join!(world.get(&path), world.push(&token, &message));
    assert_eq!(pushed.expect("an answer").0, 200);
    assert!(before < version(&news.2));
}
