//! A stand-in for an SMS company on 127.0.0.1, and the things tests send through it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::{
    alert::{PhoneNumber, Severity},
    clock::ManualClock,
    config::{self, GatewayProvider, Network},
    deliver::{SmsText, SmsTransport, Text},
};

use super::{Encoding, Fitted};

pub(crate) const NOW: &str = "2026-11-22T10:00:00Z";

pub(crate) fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

pub(crate) fn clock() -> Arc<ManualClock> {
    ManualClock::at(now())
}

pub(crate) fn text_to(number: &str) -> Text {
    Text {
        to: PhoneNumber::parse(number).expect("well formed"),
        fitted: Fitted::verbatim("[재난] 서버실 온도 45℃ 초과", Encoding::Ucs2),
        alert_id: "019b0000-0000-7000-8000-000000000001".parse().expect("an id"),
        attempt: 3,
        severity: Severity::Disaster,
        report_url: "https://alerts.example.org/v1/sms/reports/gw?text=TOKEN".to_owned(),
    }
}

/// These words and this link, as `gateway` takes them.
pub(crate) fn fitted(gateway: &dyn SmsTransport, to: &str, words: &str, link: &str) -> Text {
    let text = text_to(to);
    let says = SmsText { words: words.to_owned(), link: link.to_owned() };
    Text { fitted: gateway.fit(&text.to, &says), ..text }
}

/// One gateway named `gw` with a timeout long enough for a busy machine.
pub(crate) fn gateway(
    provider: GatewayProvider,
    from: Option<&str>,
    clock: &Arc<ManualClock>,
) -> Result<Arc<dyn SmsTransport>, super::SmsSetupError> {
    gateway_within(SignedDuration::from_secs(30), provider, from, clock)
}

pub(crate) fn gateway_within(
    timeout: SignedDuration,
    provider: GatewayProvider,
    from: Option<&str>,
    clock: &Arc<ManualClock>,
) -> Result<Arc<dyn SmsTransport>, super::SmsSetupError> {
    let gateway = config::Gateway {
        name: "gw".into(),
        from: from.map(str::to_owned),
        per_day: None,
        timeout,
        network: Network::default(),
        max_segments: 3,
        provider,
    };
    let sms = config::Sms {
        always_at: None,
        fallback_at: None,
        resolved: false,
        budget: Vec::new(),
        disaster_budget: Vec::new(),
        gateways: vec![gateway],
    };
    super::gateways(&sms, clock.clone()).map(|mut gateways| gateways.remove(0))
}

/// A request as the company saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a readable header"))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn new(status: u16, body: &(impl ToString + ?Sized)) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = self.body.into_response();
        *response.status_mut() = StatusCode::from_u16(self.status).expect("a status");
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value.parse().expect("a header value"));
        }
        response
    }
}

type Answering = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// Listens until the test's runtime ends.
pub(crate) struct Company {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Company {
    pub(crate) async fn answering(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let state: (Answering, _) = (Arc::new(answer), Arc::clone(&seen));
        let router = Router::new().fallback(take).with_state(state);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        TaskTracker::new().spawn(async move { axum::serve(listener, router).await });
        Self { address, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test thread panicked").clone()
    }
}

async fn take(
    State((answer, seen)): State<(Answering, Arc<Mutex<Vec<Seen>>>)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let request = Seen { method, uri, headers, body: String::from_utf8(body.to_vec()).expect("UTF-8") };
    let reply = answer(&request);
    seen.lock().expect("no test thread panicked").push(request);
    reply
}
