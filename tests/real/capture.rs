//! A stand-in for Bongsu that writes down what it is sent and answers as it is told.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

/// What the stand-in does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// 202 with one result.
    Result(Value),
    /// A status with a body.
    Status(u16, String),
    /// 302 to there.
    Redirect(String),
    /// Nothing, for longer than anybody waits.
    Hang,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Received {
    /// A field of the flat body; empty where it is missing.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }
}

/// The stand-in; stops listening when dropped.
pub(crate) struct Capture {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

struct Shared {
    received: Mutex<Vec<Received>>,
    next: Mutex<VecDeque<Answer>>,
    otherwise: Mutex<Answer>,
}

impl Capture {
    /// Listens on a free port of the loopback interface.
    pub(crate) async fn start() -> Self {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Listens there.
    pub(crate) async fn start_on(address: SocketAddr) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            next: Mutex::default(),
            otherwise: Mutex::new(Answer::Result(opened())),
        });
        let router = Router::new().fallback(receive).with_state(Arc::clone(&shared));
        let serving = async move { axum::serve(listener, router).await.unwrap() };
        Self { address, shared, server: TaskTracker::new().spawn(serving) }
    }

    /// Where the media type posts to.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1/events/zabbix", self.address)
    }

    /// Answers the next requests so, in this order.
    pub(crate) fn answer_next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.next.lock().unwrap().extend(answers);
    }

    /// Answers all other requests so.
    pub(crate) fn answer(&self, answer: Answer) {
        *self.shared.otherwise.lock().unwrap() = answer;
    }

    /// What came so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits for the `n`th request, counted from 1.
    pub(crate) async fn nth(&self, n: usize, within: Duration) -> Received {
        let what = format!("request {n} at {}", self.address);
        super::until(&what, within, async || self.received().get(n - 1).cloned()).await
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What Bongsu answers to a problem that it had not heard of.
pub(crate) fn opened() -> Value {
    let id = "01970000-0000-7000-8000-000000000001";
    json!({"alert_id": id, "dedup_key": "12", "admission": "opened", "url": format!("http://127.0.0.1:18080/alerts/{id}")})
}

/// What Bongsu answers to a recovery of something that it never heard of.
pub(crate) fn unknown_alert() -> Value {
    json!({"alert_id": null, "dedup_key": "12", "admission": "ignored", "reason": "unknown_alert", "url": null})
}

/// What Bongsu answers to a wrong key.
pub(crate) fn wrong_key() -> Answer {
    let problem = json!({"type": "about:blank", "status": 401, "title": "Unauthorized", "code": "wrong_key",
        "detail": "the key is not the key of integration `zabbix`"});
    Answer::Status(401, problem.to_string())
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let received = Received { method, path: uri.path().to_owned(), headers, body };
    shared.received.lock().unwrap().push(received);
    let answer = shared.next.lock().unwrap().pop_front();
    let answer = answer.unwrap_or_else(|| shared.otherwise.lock().unwrap().clone());
    match answer {
        Answer::Result(result) => {
            (StatusCode::ACCEPTED, json!({"results": [result]}).to_string()).into_response()
        }
        Answer::Status(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Answer::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Answer::Hang => std::future::pending().await,
    }
}
