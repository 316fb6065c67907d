//! No secret gets out: not into a log line, a figure, an error or a page, and what an alert says only
//! to those who may read it.

#![expect(clippy::indexing_slicing, reason = "a part that is not there fails the test, as it should")]

use std::{
    collections::BTreeMap,
    io,
    sync::{LazyLock, Mutex, Once, PoisonError},
};

use bongsu::sandbox::Answer;
use serde_json::json;
use tracing_subscriber::EnvFilter;

use crate::harness::{GENERIC_KEY, Harness, JIN, OPERATOR, Setting, VIEWER, ZABBIX_KEY, problem};

const TOKEN: &str = "fX-Secret_Device:APA91b-8sW2nXk3vQ0pLr7tYz1uHcE5gJ4mBoD6aF9iKxNqR";
const PHONE: &str = "+821098765432";
const WRONG_KEY: &str = "zabbix-key-0123456780-mistyped";
const PASSWORD: &str = "hunter2-of-a-sender";
const GATEWAY_KEY: &str = "s3cr3t-of-the-gateway";
/// What an alert says is not for the log.
const BODY: &str = "patient records of ward 7";

static LOG: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(Mutex::default);

struct Tap;

impl io::Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From here on everything that this program logs is kept, whichever test it comes from.
fn keep_the_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("bongsu=trace"))
            .with_ansi(false)
            .with_writer(|| Tap)
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody else sets one");
    });
}

fn log() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

/// What must be nowhere, by the name it has for a reader of a failed test.
fn secrets(service_account: &str) -> BTreeMap<&'static str, String> {
    let account: serde_json::Value = serde_json::from_str(service_account).expect("a key file is JSON");
    let key = account["private_key"].as_str().expect("a private key");
    let line = key.lines().nth(5).expect("a line in the middle of the key").to_owned();
    let plain = [
        ("an integration's key", ZABBIX_KEY),
        ("another integration's key", GENERIC_KEY),
        ("an operator's token", OPERATOR),
        ("a viewer's token", VIEWER),
        ("a wrong key, which may be nearly right", WRONG_KEY),
        ("a device token", TOKEN),
        ("the usual device token", JIN),
        ("a phone number without its country", "1098765432"),
        ("a phone number in groups", "9876-5432"),
        ("the usual phone number", "1012345678"),
        ("a password in a body", PASSWORD),
        ("a gateway's key", GATEWAY_KEY),
        ("an access token", "ya29."),
        ("the name of the account's key", account["private_key_id"].as_str().expect("a name")),
    ];
    let plain = plain.into_iter().map(|(name, secret)| (name, secret.to_owned()));
    plain.chain([("the account's private key", line)]).collect()
}

fn assert_silent(place: &str, text: &str, secrets: &BTreeMap<&str, String>) {
    for (name, secret) in secrets {
        if let Some(at) = text.find(secret.as_str()) {
            let from = text.floor_char_boundary(at.saturating_sub(300));
            let to = text.ceil_char_boundary((at + 100).min(text.len()));
            panic!("{name} in {place}: …{}…", &text[from..to]);
        }
    }
}

/// Google repeats what it was sent.
fn echo(status: u16, code: &str) -> Answer {
    let access = format!("ya29.{}", "k".repeat(120));
    let message =
        format!("token {TOKEN} of '{TOKEN}' with \"{access}\" for {BODY}, Authorization: Bearer {access}");
    Answer::json(status, &json!({ "error": { "code": status, "message": message, "status": code } }))
}

/// So does the SMS company.
fn echo_of_text(status: u16) -> Answer {
    let message = format!("to {PHONE} 010-9876-5432 01098765432 +82 10 9876 5432: {BODY}");
    Answer::json(status, &json!({ "ok": false, "code": message, "id": PHONE, "message": message }))
}

/// Every way in which Google says no.
fn pushes_fail() -> Vec<Answer> {
    vec![
        Answer::unregistered(),
        Answer::unavailable(Some(3)),
        Answer::internal(),
        Answer::quota(None),
        Answer::html_502(),
        Answer::html_404(&format!("/v1/projects/x/{TOKEN}")),
        Answer::invalid_argument(),
        Answer::invalid_token(),
        Answer::sender_id_mismatch(),
        Answer::third_party_auth(),
        Answer::service_disabled(),
        Answer::unauthorized(),
        Answer::unauthenticated(),
        Answer::Reset,
        echo(400, "INVALID_ARGUMENT"),
        echo(401, "UNAUTHENTICATED"),
        echo(404, "NOT_FOUND"),
        echo(503, "UNAVAILABLE"),
    ]
}

/// Every way in which Google gives no access token.
fn tokens_fail() -> Vec<Answer> {
    let echo = json!({ "error": "invalid_grant", "error_description": format!("ya29.{}", "k".repeat(120)) });
    vec![
        Answer::invalid_grant(),
        Answer::clock_skew(),
        Answer::account_not_found(),
        Answer::silent_503(),
        Answer::Reset,
        Answer::json(400, &echo),
        Answer::json(200, &echo),
    ]
}

/// Every way in which the SMS company says no.
fn texts_fail() -> Vec<Answer> {
    let mut answers = vec![Answer::text_refused("bad_number"), Answer::silent_503(), Answer::Reset];
    answers.extend([200, 302, 400, 401, 404, 429, 500].map(echo_of_text));
    answers
}

/// jin with a telling token and number, and a gateway in front that cannot be reached.
async fn start() -> Harness {
    let more = format!(
        "[[sms.gateway]]\nname = \"far\"\nprovider = \"http\"\nurl = \"http://127.0.0.1:1/{GATEWAY_KEY}?pw={GATEWAY_KEY}\"\n\
         headers = {{ Authorization = \"Bearer {GATEWAY_KEY}\" }}\nbody_type = \"raw\"\nbody = '{{{{to}}}} {{{{text}}}}'\n"
    );
    let contacts = format!("[[contact]]\nname = \"jin\"\nphone = \"{PHONE}\"\ndevices = [\"{TOKEN}\"]\n");
    Harness::with(Setting { contacts, more, ..Setting::default() }).await
}

/// What an alert brings about, with texts as well.
async fn alarm(h: &Harness) {
    let body = problem("disk full").severity(5).set("alert_message", BODY);
    h.zabbix(body).await;
    h.settled().await;
    h.pass(90).await;
}

/// Everything that can be read, by whoever may; the public part on its own.
async fn all_pages(h: &Harness) -> (String, String) {
    let mut public = String::new();
    for path in ["/metrics", "/readyz", "/healthz", "/openapi.yaml", "/v1/alerts", "/v1/nothing"] {
        public += &h.get_as(path, "").await.1.to_string();
    }
    let listing = h.get("/v1/alerts").await;
    let mut private = listing.to_string();
    for alert in listing["alerts"].as_array().expect("alerts") {
        let id = alert["id"].as_str().expect("an id");
        private += &h.get(&format!("/v1/alerts/{id}")).await.to_string();
        private += &h.get_as(&format!("/alerts/{id}"), VIEWER).await.1.to_string();
        public += &h.get_as(&format!("/alerts/{id}"), WRONG_KEY).await.1.to_string();
    }
    private += &h.get("/v1/attempts").await.to_string();
    private += &h.get_as("/v1/attempts?format=csv", VIEWER).await.1.to_string();
    (public, private)
}

async fn assert_nothing_gets_out(h: &Harness) {
    let secrets = secrets(&h.sandbox.service_account_json());
    let (public, private) = all_pages(h).await;
    assert_silent("an answer to somebody who may read", &private, &secrets);
    assert!(private.contains(BODY), "who may read the alert reads it");
    let mut secrets = secrets;
    secrets.insert("what an alert says", BODY.to_owned());
    assert_silent("a public answer", &public, &secrets);
    assert_silent("the log", &log(), &secrets);
}

#[tokio::test]
async fn whatever_google_answers_no_secret_gets_out() {
    keep_the_log();
    for answer in pushes_fail() {
        let h = start().await;
        h.sandbox.fcm().always(answer);
        alarm(&h).await;
        assert_ne!(h.sandbox.fcm().counts().seen, 0);
        assert_nothing_gets_out(&h).await;
    }
}

#[tokio::test]
async fn without_an_access_token_no_secret_gets_out() {
    keep_the_log();
    for answer in tokens_fail() {
        let h = start().await;
        h.sandbox.token().always(answer);
        alarm(&h).await;
        assert_eq!(h.sandbox.fcm().counts().accepted, 0);
        assert_nothing_gets_out(&h).await;
    }
    assert!(log().contains("could not refresh the FCM access token"), "the log is kept");
}

#[tokio::test]
async fn whatever_the_sms_company_answers_no_secret_gets_out() {
    keep_the_log();
    for answer in texts_fail() {
        let h = start().await;
        h.sandbox.sms().always(answer);
        alarm(&h).await;
        assert_ne!(h.sandbox.sms().counts().seen, 0);
        assert_nothing_gets_out(&h).await;
    }
}

#[tokio::test]
async fn wrong_keys_and_unreadable_bodies_leave_no_trace_of_a_secret() {
    keep_the_log();
    let h = start().await;
    let body = problem("disk full").set("alert_message", BODY).to_string();
    let mut answers = String::new();
    for path in ["/v1/events/zabbix", "/v1/events/nobody", "/v1/alerts", "/v1/nothing"] {
        for query in [String::new(), format!("?key={WRONG_KEY}"), format!("?x={ZABBIX_KEY}&key={WRONG_KEY}")]
        {
            answers += &h.post(&format!("{path}{query}"), WRONG_KEY, &body).await.1.to_string();
            h.post_basic(&format!("{path}{query}"), WRONG_KEY, &body).await;
            answers += &h.get_as(&format!("{path}{query}"), WRONG_KEY).await.1.to_string();
        }
    }
    h.post(&format!("/v1/events/zabbix?key={ZABBIX_KEY}"), "", &body).await;
    for unreadable in [
        format!("{{\"password\": \"{PASSWORD}\", \"event_id\": "),
        format!("{{\"password\": \"{PASSWORD}\"}}"),
        format!("password={PASSWORD}&bongsu_key={ZABBIX_KEY}"),
        format!("[\"https://zabbix:{PASSWORD}@z.example/\"]"),
        format!("{{\"bongsu_key\": \"{ZABBIX_KEY}\", \"Authorization\": \"Bearer {OPERATOR}\"}}"),
    ] {
        answers += &h.post("/v1/events/zabbix", ZABBIX_KEY, &unreadable).await.1.to_string();
        h.settled().await;
        h.pass(3_700).await;
    }
    let secrets = secrets(&h.sandbox.service_account_json());
    assert_silent("an answer to a sender", &answers, &secrets);
    let told: String = h.sandbox.fcm().pushes().iter().map(|push| push.message["data"].to_string()).collect();
    assert!(
        told.contains("unreadable event from zabbix") && told.contains("wrong keys for zabbix"),
        "{told}"
    );
    assert_silent("a push", &told, &secrets);
    assert_silent("a text", &h.texts().join("\n"), &secrets);
    assert!(log().contains("unreadable event from zabbix"), "the log is kept");
    assert_nothing_gets_out(&h).await;
}
