use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use super::{
    fake::{Google, Reply, config, message, public_pem, push_to},
    *,
};
use crate::{
    alert::{DeferCause, RejectCause},
    clock::ManualClock,
};

const START: Timestamp = Timestamp::constant(1_790_000_000, 0);

struct Rig {
    google: Arc<Google>,
    clock: Arc<ManualClock>,
    fcm: Arc<FcmTransport>,
}

impl Rig {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut config::Fcm)) -> Self {
        Self::patient_for(REQUEST_TIMEOUT, change).await
    }

    async fn patient_for(timeout: Duration, change: impl FnOnce(&mut config::Fcm)) -> Self {
        let (google, base_url) = Google::start().await;
        let mut config = config(&base_url);
        change(&mut config);
        let clock = ManualClock::at(START);
        let fcm = transport(&config, &clock, timeout);
        Self { google, clock, fcm }
    }

    async fn send(&self) -> Outcome {
        self.fcm.send(push_to("TOKEN")).await
    }

    fn wait(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

const AN_INSTANT: Duration = Duration::from_millis(200);

fn transport(config: &config::Fcm, clock: &Arc<ManualClock>, timeout: Duration) -> Arc<FcmTransport> {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let fcm = FcmTransport::new(config, clock, TaskTracker::new()).expect("a transport");
    Arc::new(FcmTransport { timeout, ..fcm })
}

fn fcm_error(status: &str, code: &str) -> Value {
    json!({"error": {"status": status, "message": "no", "details": [{
        "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]}})
}

fn unauthenticated() -> Reply {
    Reply::Json(401, json!({"error": {"status": "UNAUTHENTICATED", "message": "bad token"}}))
}

/// Cause and wait in seconds of a deferral.
fn deferral(outcome: &Outcome) -> Option<(DeferCause, Option<i64>)> {
    match outcome {
        Outcome::Deferred { cause, retry_after, .. } => {
            Some((*cause, retry_after.map(|wait| wait.as_secs())))
        }
        Outcome::Accepted { .. } | Outcome::Rejected { .. } | Outcome::Unknown { .. } => None,
    }
}

fn assert_accepted(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_push_is_one_request_with_the_token_and_the_message() {
    let rig = Rig::start().await;
    let outcome = rig.send().await;
    assert_eq!(outcome, Outcome::Accepted { provider_id: Some("projects/bongsu-test/messages/1".into()) });
    let requests = rig.google.send_requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].path, "/v1/projects/bongsu-test/messages:send");
    assert_eq!(requests[0].headers["authorization"], "Bearer ya29.token-1");
    assert_eq!(requests[0].headers["content-type"], "application/json");
    let body: Value = serde_json::from_str(&requests[0].body).expect("JSON");
    assert_eq!(body["message"]["token"], "TOKEN");
    assert_eq!(body["message"]["data"]["title"], message().title);
}

#[tokio::test]
async fn the_assertion_is_signed_by_the_key_and_says_who_for_what_and_how_long() {
    let rig = Rig::start().await;
    rig.send().await;
    let request = rig.google.token_requests().remove(0);
    let form: Vec<(String, String)> = serde_urlencoded::from_str(&request.body).expect("a form");
    assert_eq!(form[0], ("grant_type".into(), "urn:ietf:params:oauth:grant-type:jwt-bearer".into()));
    let assertion = &form[1].1;
    assert_eq!(decode_header(assertion).expect("a header").kid.as_deref(), Some("key-1"));
    let mut rules = Validation::new(Algorithm::RS256);
    rules.validate_exp = false;
    rules.validate_aud = false;
    let key = DecodingKey::from_rsa_pem(public_pem().as_bytes()).expect("a key");
    let claims = decode::<Value>(assertion, &key, &rules).expect("a valid signature").claims;
    let audience = rig.fcm.endpoint.join("/token").expect("a URL");
    assert_eq!(
        claims,
        json!({
            "iss": "bongsu@bongsu-test.iam.gserviceaccount.com",
            "scope": "https://www.googleapis.com/auth/firebase.messaging",
            "aud": audience.as_str(),
            "iat": START.as_second() - 10,
            "exp": START.as_second() - 10 + 3_600,
        })
    );
}

#[tokio::test]
async fn fifty_pushes_at_once_fetch_one_token() {
    let rig = Rig::start().await;
    let sends = TaskTracker::new();
    let handles: Vec<_> = (0..50)
        .map(|n| {
            let fcm = Arc::clone(&rig.fcm);
            sends.spawn(async move { fcm.send(push_to(&format!("TOKEN-{n}"))).await })
        })
        .collect();
    for handle in handles {
        assert_accepted(&handle.await.expect("no panic"));
    }
    assert_eq!(rig.google.token_requests().len(), 1);
    assert_eq!(rig.google.send_requests().len(), 50);
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_push_sent_again() {
    let rig = Rig::start().await;
    rig.google.next_send(unauthenticated());
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::Credential, Some(0))));
    assert_accepted(&rig.send().await);
    let bearers: Vec<_> =
        rig.google.send_requests().iter().map(|request| request.headers["authorization"].clone()).collect();
    assert_eq!(bearers, ["Bearer ya29.token-1", "Bearer ya29.token-2"]);
}

#[tokio::test]
async fn a_second_refusal_of_a_fresh_token_is_a_fault_of_the_project() {
    let rig = Rig::start().await;
    rig.google.next_send(unauthenticated());
    rig.google.next_send(unauthenticated());
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::Credential, Some(0))));
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::ProjectFault, Some(60))));
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::ProjectFault, Some(60))), "without asking");
    assert_eq!(rig.google.send_requests().len(), 2);
    assert_eq!(rig.fcm.breaker().open_until(), Some(START + SignedDuration::from_secs(60)));
    rig.wait(60);
    assert_accepted(&rig.send().await);
    assert_eq!(rig.fcm.breaker().open_until(), None);
}

#[tokio::test]
async fn one_device_that_is_refused_with_a_token_that_works_neither_drops_it_nor_stops_the_others() {
    let rig = Rig::start().await;
    rig.google.next_send(unauthenticated());
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::Credential, Some(0))));
    assert_accepted(&rig.send().await);
    rig.google.next_send(unauthenticated());
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::Credential, Some(60))));
    assert_accepted(&rig.send().await);
    assert_eq!(rig.google.token_requests().len(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_while_the_old_one_serves_and_outlives_a_failed_renewal() {
    let rig = Rig::start().await;
    assert_accepted(&rig.send().await);
    rig.wait(3_599 - 240);
    rig.google.next_token(Reply::Json(503, json!({})));
    assert_accepted(&rig.send().await);
    until(|| rig.fcm.tokens.last_failure().is_some()).await;
    assert_accepted(&rig.send().await);
    assert_eq!(rig.google.token_requests().len(), 2, "left alone for a while after a failure");
    rig.wait(5);
    assert_accepted(&rig.send().await);
    until(|| rig.fcm.tokens.last_failure().is_none()).await;
    assert_accepted(&rig.send().await);
    assert_eq!(rig.google.token_requests().len(), 3);
    assert_eq!(rig.google.send_requests()[4].headers["authorization"], "Bearer ya29.token-3");
}

#[tokio::test]
async fn a_token_without_a_lifetime_does_not_make_every_push_fetch_one() {
    let rig = Rig::start().await;
    rig.google.next_token(Reply::Json(200, json!({"access_token": "a", "expires_in": 0})));
    for _ in 0..5 {
        assert_accepted(&rig.send().await);
    }
    assert_eq!(rig.google.token_requests().len(), 1);
}

#[tokio::test]
async fn a_revoked_key_is_a_fault_of_the_project_and_google_is_not_asked_again_and_again() {
    let rig = Rig::start().await;
    for _ in 0..2 {
        let body = json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."});
        rig.google.next_token(Reply::Json(400, body));
    }
    let outcome = rig.send().await;
    assert_eq!(deferral(&outcome), Some((DeferCause::ProjectFault, Some(60))));
    assert!(outcome.detail().contains("Invalid JWT Signature."), "{outcome:?}");
    for _ in 0..5 {
        assert_eq!(deferral(&rig.send().await), Some((DeferCause::ProjectFault, Some(60))));
    }
    assert_eq!(rig.google.token_requests().len(), 2, "a signature is tried twice, then the breaker is open");
    assert_eq!(rig.google.send_requests().len(), 0);
}

#[tokio::test]
async fn a_signature_refused_by_mistake_costs_one_more_request_and_no_push() {
    let rig = Rig::start().await;
    let body = json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."});
    rig.google.next_token(Reply::Json(400, body));
    assert_accepted(&rig.send().await);
}

#[tokio::test]
async fn a_wrong_clock_is_allowed_for_by_googles_date() {
    let rig = Rig::start().await;
    let words = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.";
    let body = json!({"error": "invalid_grant", "error_description": words});
    let google_now = START + SignedDuration::from_hours(3);
    let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&google_now).expect("a date");
    rig.google.next_token(Reply::Headers(400, "date", date.clone(), body.clone()));
    assert_accepted(&rig.send().await);
    let second = rig.google.token_requests().remove(1);
    let form: Vec<(String, String)> = serde_urlencoded::from_str(&second.body).expect("a form");
    let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(&form[1].1).expect("a token").claims;
    assert_eq!(claims["iat"], google_now.as_second() - 10);
    let push: Value = serde_json::from_str(&rig.google.send_requests().remove(0).body).expect("a push");
    let expires: i64 = push["message"]["apns"]["headers"]["apns-expiration"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    assert!(google_now.as_second() < expires, "Apple would not keep it for a phone that is off");

    let hopeless = Rig::start().await;
    for _ in 0..2 {
        hopeless.google.next_token(Reply::Headers(400, "date", date.clone(), body.clone()));
    }
    let outcome = hopeless.send().await;
    assert_eq!(deferral(&outcome), Some((DeferCause::ProjectFault, Some(60))));
    assert!(outcome.detail().contains("clock is 180 min behind Google's"), "{outcome:?}");
}

#[tokio::test]
async fn without_a_token_for_a_passing_reason_the_push_waits() {
    let rig = Rig::start().await;
    rig.google.next_token(Reply::Json(500, json!({})));
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::Credential, Some(5))));
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::Credential, Some(5))), "without asking");
    assert_eq!(rig.google.token_requests().len(), 1);
    rig.wait(5);
    assert_accepted(&rig.send().await);
}

#[tokio::test]
async fn a_token_server_that_hangs_leaves_the_push_unsent() {
    let rig = Rig::start().await;
    rig.google.next_token(Reply::Hang);
    let (outcome, ()) = tokio::join!(rig.send(), async { rig.wait(5) });
    assert_eq!(deferral(&outcome).map(|(cause, _)| cause), Some(DeferCause::Credential));
    assert_eq!(rig.google.send_requests().len(), 0);
}

#[tokio::test]
async fn a_request_without_an_answer_is_unknown() {
    let rig = Rig::patient_for(AN_INSTANT, |_| {}).await;
    rig.google.next_send(Reply::Hang);
    let outcome = rig.send().await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert!(!outcome.detail().contains("TOKEN"), "{outcome:?}");
}

#[tokio::test]
async fn a_refused_connection_is_a_push_not_sent() {
    let (_held, closed) = closed_port();
    let rig = Rig::with(|config| config.base_url = closed.clone()).await;
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::Unreachable, None)));

    let clock = ManualClock::at(START);
    let no_token_server = transport(&config(&closed), &clock, REQUEST_TIMEOUT);
    let outcome = no_token_server.send(push_to("TOKEN")).await;
    assert_eq!(deferral(&outcome), Some((DeferCause::Unreachable, Some(5))));
}

#[tokio::test]
async fn answers_become_outcomes() {
    let rig = Rig::start().await;
    rig.google.next_send(Reply::Json(404, fcm_error("NOT_FOUND", "UNREGISTERED")));
    let outcome = rig.send().await;
    assert_eq!(
        outcome,
        Outcome::Rejected { cause: RejectCause::DeviceGone, detail: "UNREGISTERED: no".into() }
    );
    rig.google.next_send(Reply::Headers(503, "retry-after", "30".into(), json!({})));
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::Unavailable, Some(30))));
    rig.google.next_send(Reply::Json(401, fcm_error("UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR")));
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::PlatformFault, Some(60))));
    assert_accepted(&rig.send().await);
    assert_eq!(rig.google.token_requests().len(), 1, "Apple's credential is no reason to drop ours");
}

#[tokio::test]
async fn a_project_at_fault_is_left_alone_and_probed_by_one_push() {
    let rig = Rig::start().await;
    rig.google
        .next_send(Reply::Json(403, json!({"error": {"status": "PERMISSION_DENIED", "message": "no"}})));
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::ProjectFault, Some(60))));
    rig.wait(45);
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::ProjectFault, Some(15))));
    rig.wait(15);
    rig.google
        .next_send(Reply::Json(403, json!({"error": {"status": "PERMISSION_DENIED", "message": "no"}})));
    assert_eq!(deferral(&rig.send().await), Some((DeferCause::ProjectFault, Some(120))));
    assert_eq!(rig.google.send_requests().len(), 2);
}

#[tokio::test]
async fn a_dry_run_sends_nothing_to_anybody() {
    let rig = Rig::start().await;
    assert_accepted(&rig.fcm.dry_run().await);
    let body: Value = serde_json::from_str(&rig.google.send_requests()[0].body).expect("JSON");
    assert_eq!(body["validate_only"], true);
}

#[tokio::test]
async fn nothing_secret_is_shown() {
    let rig = Rig::start().await;
    rig.send().await;
    let shown = format!("{:?} {:?}", rig.fcm, rig.fcm.tokens.last_failure());
    assert!(!shown.contains("ya29") && !shown.contains("PRIVATE KEY"), "{shown}");
}

#[test]
fn the_endpoint_keeps_the_path_of_the_base_url() {
    let at = |base| endpoint(base, "p").map(String::from);
    assert_eq!(
        at("https://fcm.googleapis.com").as_deref(),
        Some("https://fcm.googleapis.com/v1/projects/p/messages:send")
    );
    assert_eq!(
        at("http://127.0.0.1:1/x/").as_deref(),
        Some("http://127.0.0.1:1/x/v1/projects/p/messages:send")
    );
    assert_eq!(at("fcm.googleapis.com"), None);
    assert_eq!(at("mailto:a@b"), None);
}

/// Gives other tasks turns until it is so.
async fn until(is_so: impl Fn() -> bool) {
    let patience = tokio::time::timeout(Duration::from_secs(10), async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    });
    patience.await.expect("it became so in time");
}

/// Bound, so that nobody else gets it, but not listening.
fn closed_port() -> (tokio::net::TcpSocket, String) {
    let held = tokio::net::TcpSocket::new_v4().expect("a socket");
    held.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let url = format!("http://{}", held.local_addr().expect("bound"));
    (held, url)
}
