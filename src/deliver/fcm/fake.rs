//! A stand-in for Google's token server and FCM on 127.0.0.1, scripted per test.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock},
};

use aws_lc_rs::{
    encoding::AsDer,
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    alert::{AlertId, PushTarget, Severity},
    config,
    deliver::{Push, PushMessage},
};

pub(super) const PROJECT: &str = "bongsu-test";

struct Keys {
    private_pem: String,
    public_pem: String,
}

fn pem(kind: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("base64")).collect();
    format!("-----BEGIN {kind} KEY-----\n{}\n-----END {kind} KEY-----\n", lines.join("\n"))
}

/// One key for all tests: making one takes a while.
fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        Keys {
            private_pem: pem("PRIVATE", pair.as_der().expect("PKCS#8").as_ref()),
            public_pem: pem("PUBLIC", pair.public_key().as_der().expect("X.509").as_ref()),
        }
    })
}

pub(super) fn private_pem() -> &'static str {
    &keys().private_pem
}

pub(super) fn public_pem() -> &'static str {
    &keys().public_pem
}

pub(super) fn key_file(token_uri: &str) -> Value {
    json!({
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "key-1",
        "private_key": private_pem(),
        "client_email": "bongsu@bongsu-test.iam.gserviceaccount.com",
        "token_uri": token_uri,
    })
}

pub(super) fn key_json(token_uri: &str) -> String {
    key_file(token_uri).to_string()
}

pub(super) fn message() -> PushMessage {
    PushMessage {
        alert_id: AlertId::new(Timestamp::constant(1_789_999_000, 0), [7; 10]),
        state: "triggered",
        severity: Severity::Disaster,
        title: "[재난] 서버실 온도 45℃ 초과".into(),
        body: "db-1: \"temp\" > 40\n00:03 since".into(),
        integration: "zabbix".into(),
        starts_at: Timestamp::constant(1_789_998_900, 0),
        url: "https://alerts.example.org/alerts/1".into(),
        ack_url: "https://alerts.example.org/a/AbC".into(),
        receipt_url: String::new(),
        tag: "0123456789abcdef0123456789abcdef".into(),
        written: OnceLock::new(),
    }
}

pub(super) fn push_to(token: &str) -> Push {
    Push { target: PushTarget::Token(token.into()), message: Arc::new(message()) }
}

/// What the fake answers next.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Json(u16, Value),
    Headers(u16, &'static str, String, Value),
    /// Never.
    Hang,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// Answers from the script, then as a working Google would.
#[derive(Debug, Default)]
pub(super) struct Google {
    pub(super) tokens: Mutex<Side>,
    pub(super) sends: Mutex<Side>,
}

#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) script: VecDeque<Reply>,
    pub(super) seen: Vec<Seen>,
}

impl Google {
    /// Serves on a port of its own.
    pub(super) async fn start() -> (Arc<Self>, String) {
        let google = Arc::new(Self::default());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&google));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        #[expect(clippy::disallowed_methods, reason = "the fake dies with the test's runtime")]
        tokio::spawn(axum::serve(listener, router).into_future());
        (google, format!("http://{address}"))
    }

    pub(super) fn next_token(&self, reply: Reply) {
        self.tokens.lock().expect("not poisoned").script.push_back(reply);
    }

    pub(super) fn next_send(&self, reply: Reply) {
        self.sends.lock().expect("not poisoned").script.push_back(reply);
    }

    pub(super) fn token_requests(&self) -> Vec<Seen> {
        self.tokens.lock().expect("not poisoned").seen.clone()
    }

    pub(super) fn send_requests(&self) -> Vec<Seen> {
        self.sends.lock().expect("not poisoned").seen.clone()
    }
}

async fn answer(State(google): State<Arc<Google>>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let is_token = uri.path() == "/token";
    let (reply, count) = {
        let side = if is_token { &google.tokens } else { &google.sends };
        let mut side = side.lock().expect("not poisoned");
        side.seen.push(Seen { path: uri.path().to_owned(), headers, body });
        (side.script.pop_front(), side.seen.len())
    };
    let usual = if is_token {
        json!({"access_token": format!("ya29.token-{count}"), "expires_in": 3_599, "token_type": "Bearer"})
    } else {
        json!({"name": format!("projects/{PROJECT}/messages/{count}")})
    };
    match reply.unwrap_or(Reply::Json(200, usual)) {
        Reply::Json(status, body) => (code(status), body.to_string()).into_response(),
        Reply::Headers(status, name, value, body) => {
            (code(status), [(name, value)], body.to_string()).into_response()
        }
        Reply::Hang => std::future::pending().await,
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a status")
}

pub(super) fn config(base_url: &str) -> config::Fcm {
    config::Fcm {
        key_path: "firebase.json".into(),
        key_json: key_json(&format!("{base_url}/token")).into(),
        base_url: base_url.to_owned(),
        network: config::Network::default(),
        accept_within: SignedDuration::from_secs(20),
        ttl: SignedDuration::from_hours(1),
        android: config::Android::Data,
        per_device: Vec::new(),
    }
}
