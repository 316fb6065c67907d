//! Over the wire, against a stand-in that checks what the real one checks.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::config::Encoding;
use crate::{
    alert::Outcome,
    clock::{Clock, ManualClock},
    config::GatewayProvider,
    deliver::{
        SmsTransport,
        sms::{
            encoding::width,
            testing::{Company, NOW, Reply, Seen, clock, fitted, gateway, gateway_within, now, text_to},
        },
    },
};

const API_KEY: &str = "NCSEXAMPLEKEY001";
const SECRET: &str = "EXAMPLESECRETEXAMPLESECRET000001";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireBody {
    messages: Vec<WireMessage>,
    #[expect(dead_code, reason = "only its name and type are checked")]
    allow_duplicates: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireMessage {
    to: String,
    from: String,
    text: String,
    #[serde(rename = "type")]
    kind: String,
    subject: Option<String>,
    country: Option<String>,
    custom_fields: std::collections::BTreeMap<String, String>,
}

/// Checks signature, date, reuse and body, and takes the message.
fn strict(clock: Arc<dyn Clock>) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    let used = Mutex::new(HashSet::new());
    move |seen| {
        let refused = |code: &str| {
            let date = jiff::fmt::rfc2822::to_string(&clock.now().to_zoned(jiff::tz::TimeZone::UTC))
                .expect("a date");
            Reply::new(403, &json!({ "errorCode": code, "errorMessage": "refused" })).with("date", &date)
        };
        let fields = seen.header("authorization").strip_prefix("HMAC-SHA256 ").expect("the scheme");
        let fields: Vec<_> = fields.split(", ").filter_map(|field| field.split_once('=')).collect();
        let [("apiKey", key), ("date", date), ("salt", salt), ("signature", signature)] = fields[..] else {
            panic!("unexpected credentials");
        };
        let signing = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        if key != API_KEY {
            return refused("InvalidAPIKey");
        }
        if signature != hex(hmac::sign(&signing, format!("{date}{salt}").as_bytes()).as_ref()) {
            return refused("SignatureDoesNotMatch");
        }
        let date: Timestamp = date.parse().expect("ISO 8601");
        if SignedDuration::from_mins(15) < clock.now().duration_since(date).abs() {
            return refused("RequestTimeTooSkewed");
        }
        if !(12..=64).contains(&salt.len()) || !used.lock().expect("unpoisoned").insert(signature.to_owned())
        {
            return refused("DuplicatedSignature");
        }
        taken(seen)
    }
}

fn taken(seen: &Seen) -> Reply {
    assert_eq!((seen.method.as_str(), seen.uri.path()), ("POST", PATH));
    assert_eq!(seen.header("content-type"), "application/json");
    let body: WireBody = serde_json::from_str(&seen.body).expect("only documented fields");
    for message in &body.messages {
        assert!(message.to.bytes().chain(message.from.bytes()).all(|b| b.is_ascii_digit()), "digits only");
        let room = match (message.kind.as_str(), &message.country) {
            ("SMS", None) => 90,
            ("LMS", None) => 2_000,
            _ => 70,
        };
        let encoding = if message.country.is_none() { Encoding::EucKr } else { Encoding::Ucs2 };
        assert!(message.text.chars().all(|c| encoding.width(c).is_some()), "{}", message.text);
        assert!(width(&message.text, encoding) <= room, "{}", message.text);
        assert_eq!(message.subject.is_some(), message.kind == "LMS");
        assert!(message.subject.as_deref().is_none_or(|subject| width(subject, Encoding::EucKr) <= 40));
        assert_eq!(message.custom_fields["alert_id"], "019b0000-0000-7000-8000-000000000001");
    }
    Reply::new(
        200,
        &json!({
            "groupInfo": { "count": { "total": 1, "registeredSuccess": 1, "registeredFailed": 0 }, "groupId": "G4V1" },
            "failedMessageList": [],
        }),
    )
}

fn account(company: &Company, secret: &str, clock: &Arc<ManualClock>) -> Arc<dyn SmsTransport> {
    gateway(provider(&company.url(), secret), Some("02-930-2266"), clock).expect("a good configuration")
}

fn provider(base_url: &str, secret: &str) -> GatewayProvider {
    GatewayProvider::Solapi {
        base_url: base_url.to_owned(),
        api_key: API_KEY.to_owned(),
        api_secret: SecretString::from(secret),
    }
}

fn accepted() -> Outcome {
    Outcome::Accepted { provider_id: Some("G4V1".to_owned()) }
}

#[tokio::test]
async fn a_signed_text_is_accepted_and_every_attempt_is_signed_anew() {
    let clock = clock();
    let company = Company::answering(strict(clock.clone())).await;
    let gateway = account(&company, SECRET, &clock);
    for _ in 0..3 {
        assert_eq!(gateway.send(text_to("+821012345678")).await, accepted());
    }
    let seen = company.seen();
    assert_eq!(seen.len(), 3);
    let body: serde_json::Value = serde_json::from_str(&seen[0].body).expect("JSON");
    insta::assert_json_snapshot!(body, @r#"
    {
      "allowDuplicates": true,
      "messages": [
        {
          "customFields": {
            "alert_id": "019b0000-0000-7000-8000-000000000001",
            "attempt": "3"
          },
          "from": "029302266",
          "text": "[재난] 서버실 온도 45℃ 초과",
          "to": "01012345678",
          "type": "SMS"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn a_text_of_any_length_and_any_characters_is_one_that_carriers_take() {
    let clock = clock();
    let company = Company::answering(strict(clock.clone())).await;
    let gateway = account(&company, SECRET, &clock);
    let link = "https://a.example.org/alerts/7";
    for (to, words, kind, country, sent) in [
        ("+821012345678", "가".repeat(29), "SMS", None, "가".repeat(29) + " " + link),
        ("+821012345678", "가".repeat(300), "LMS", None, "가".repeat(300) + " " + link),
        ("+821012345678", "가".repeat(3_000), "LMS", None, "가".repeat(983) + "… " + link),
        ("+821012345678", "🔥 화재 — 1층".to_owned(), "SMS", None, format!("화재 - 1층 {link}")),
        ("+14155550100", "🔥 fire".to_owned(), "SMS", Some("1"), format!("🔥 fire {link}")),
        ("+14155550100", "가".repeat(300), "SMS", Some("1"), "가".repeat(38) + "… " + link),
    ] {
        assert_eq!(gateway.send(fitted(&*gateway, to, &words, link)).await, accepted());
        let seen = company.seen();
        let body: WireBody = serde_json::from_str(&seen[seen.len() - 1].body).expect("documented fields");
        let message = &body.messages[0];
        assert_eq!((message.kind.as_str(), message.country.as_deref()), (kind, country));
        assert_eq!(message.text, sent);
    }
}

#[tokio::test]
async fn a_wrong_secret_is_our_fault_and_closes_the_gateway_for_a_minute() {
    let clock = clock();
    let company = Company::answering(strict(clock.clone())).await;
    let gateway = account(&company, "another secret", &clock);
    let outcome = gateway.send(text_to("+821012345678")).await;
    assert_eq!(outcome.cause(), Some("project_fault"));
    assert_eq!(outcome.detail(), "answered 403: SignatureDoesNotMatch refused");
    clock.advance(SignedDuration::from_secs(18));
    let Outcome::Deferred { cause, retry_after, detail } = gateway.send(text_to("+821012345678")).await
    else {
        panic!("not asked is deferred");
    };
    assert_eq!((cause, retry_after), (DeferCause::ProjectFault, Some(SignedDuration::from_secs(42))));
    assert!(detail.contains("SignatureDoesNotMatch"), "{detail}");
    assert_eq!(company.seen().len(), 1, "nothing is asked while the breaker is open");
    clock.advance(SignedDuration::from_secs(42));
    gateway.send(text_to("+821012345678")).await;
    assert_eq!(company.seen().len(), 2, "one probe");
}

#[tokio::test]
async fn a_wrong_clock_is_measured_and_the_next_text_goes_out() {
    for minutes in [20, -300] {
        let ours = clock();
        let theirs = ManualClock::at(now() + SignedDuration::from_mins(minutes));
        let company = Company::answering(strict(theirs)).await;
        let gateway = account(&company, SECRET, &ours);
        let outcome = gateway.send(text_to("+821012345678")).await;
        assert_eq!(outcome.cause(), Some("project_fault"));
        let says = if minutes == 20 { "1200 s behind" } else { "18000 s ahead of" };
        assert!(outcome.detail().contains(says), "{}", outcome.detail());
        assert_eq!(gateway.send(text_to("+821012345678")).await, accepted());
    }
}

#[tokio::test]
async fn a_date_that_is_refused_although_it_is_theirs_opens_the_breaker() {
    let clock = clock();
    let company = Company::answering(|_| {
        Reply::new(403, r#"{"errorCode":"RequestTimeTooSkewed"}"#)
            .with("date", "Sun, 22 Nov 2026 10:00:00 GMT")
    });
    let company = company.await;
    assert!(NOW.starts_with("2026-11-22T10:00:00"));
    let gateway = account(&company, SECRET, &clock);
    for _ in 0..2 {
        assert_eq!(gateway.send(text_to("+821012345678")).await.cause(), Some("project_fault"));
    }
    assert_eq!(company.seen().len(), 1);
}

#[tokio::test]
async fn a_text_is_surely_not_sent_without_a_connection_and_unknown_without_an_answer() {
    let clock = clock();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    // The system accepts the connection for us; nobody ever answers on it.
    let short = SignedDuration::from_secs(1);
    let gateway = gateway_within(short, provider(&url, SECRET), Some("029302266"), &clock).expect("good");
    assert_eq!(
        gateway.send(text_to("+821012345678")).await,
        Outcome::Unknown { detail: "no answer in time".to_owned() }
    );
    drop(listener);
    let held = tokio::net::TcpSocket::new_v4().expect("a socket");
    held.bind(([127, 0, 0, 1], 0).into()).expect("a port that nobody else gets, and nobody listens on");
    let url = format!("http://{}", held.local_addr().expect("bound"));
    let gateway = self::gateway(provider(&url, SECRET), Some("029302266"), &clock).expect("good");
    let outcome = gateway.send(text_to("+821012345678")).await;
    assert_eq!(outcome.cause(), Some("unreachable"), "{outcome:?}");
    assert!(!outcome.detail().contains("http"), "{}", outcome.detail());
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_leaves_the_text_unknown() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let tracker = tokio_util::task::TaskTracker::new();
    tracker.spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut byte = [0; 1];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut byte).await.expect("a request");
    });
    let gateway = gateway(provider(&url, SECRET), Some("029302266"), &clock()).expect("good");
    let outcome = gateway.send(text_to("+821012345678")).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let company =
        Company::answering(|_| Reply::new(200, &format!("{{\"x\":\"{}\"}}", "x".repeat(1_000_000)))).await;
    let outcome = account(&company, SECRET, &clock()).send(text_to("+821012345678")).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
}

#[test]
fn a_configuration_that_cannot_work_is_named_at_start() {
    let clock = clock();
    for (from, api_key, base_url, says) in [
        (None, API_KEY, "https://api.solapi.com", "`from` is missing"),
        (Some("sender"), API_KEY, "https://api.solapi.com", "`from` holds no digits"),
        (Some("029302266"), "two words", "https://api.solapi.com", "`api_key`"),
        (Some("029302266"), API_KEY, "api.solapi.com", "`base_url`"),
    ] {
        let provider = GatewayProvider::Solapi {
            base_url: base_url.to_owned(),
            api_key: api_key.to_owned(),
            api_secret: SecretString::from(SECRET),
        };
        let error = gateway(provider, from, &clock).err().expect("refused").to_string();
        assert!(error.contains(says) && error.contains("`gw`"), "{error}");
    }
}

#[test]
fn senders_are_written_as_they_are_registered() {
    for from in ["029302266", "02-930-2266", "+82 2 930 2266"] {
        assert_eq!(number::registered_sender(Some(from)).expect("digits"), "029302266");
    }
}

#[tokio::test]
async fn a_lost_text_is_asked_about_by_number_and_found_by_its_fields() {
    let company = Company::answering(|seen| {
        assert_eq!((seen.method.as_str(), seen.uri.path()), ("GET", "/messages/v4/list"));
        assert!(seen.header("authorization").starts_with("HMAC-SHA256 apiKey="));
        let fields = json!({ "alert_id": "019b0000-0000-7000-8000-000000000001", "attempt": "3" });
        Reply::new(200, &json!({ "messageList": { "M1": { "statusCode": "4000", "customFields": fields } } }))
    })
    .await;
    let fate = account(&company, SECRET, &clock()).ask(text_to("+821012345678"), now()).await;
    assert_eq!(fate, Fate::Delivered);
    assert_eq!(company.seen()[0].uri.query(), Some("to=01012345678&limit=100"));
}
