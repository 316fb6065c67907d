//! WEB: what every handler stands on: the context, who asks, bounded bodies, problem answers, and the layer around.

mod extract;
mod keys;
mod problem;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tracing::debug;

pub(crate) use self::extract::{Actor, BodyError, Id, Name, Viewer, body, text_of};
pub use self::{keys::Keys, problem::Problem};
use crate::{
    alert::AlertId,
    clock::Clock,
    config::Config,
    queue::Queue,
    signing::SigningKey,
    store::Store,
    telemetry::Metrics,
    watch::{DeadLetters, Heartbeats, Senders, Vitals},
};

const PATH_CHARS_MAX: usize = 200;

pub type Context = Arc<Shared>;

/// What all handlers share.
pub struct Shared {
    pub config: Config,
    pub keys: Keys,
    pub clock: Arc<dyn Clock>,
    pub store: Arc<dyn Store>,
    pub queue: Arc<Queue>,
    pub heartbeats: Arc<Heartbeats>,
    pub senders: Senders,
    pub metrics: Arc<Metrics>,
    pub vitals: Arc<Vitals>,
    pub dead_letters: Arc<DeadLetters>,
    /// Signs the addresses that gateways report to.
    pub signing_key: SigningKey,
}

impl Shared {
    /// Over an open store; the queue, and all that watches senders, are made here.
    pub fn new(
        config: Config,
        clock: Arc<dyn Clock>,
        store: Arc<dyn Store>,
        signing_key: SigningKey,
    ) -> Context {
        let queue = Arc::new(Queue::new(store.clone(), clock.clone()));
        let heartbeats = Heartbeats::new(&config, store.clone(), queue.clone(), clock.clone());
        Arc::new(Self {
            keys: Keys::new(&config),
            heartbeats: Arc::new(heartbeats),
            senders: Senders::new(queue.clone(), clock.clone()),
            metrics: Arc::default(),
            vitals: Arc::new(Vitals::new(clock.clone())),
            dead_letters: Arc::new(DeadLetters::new(store.clone(), clock.clone())),
            config,
            clock,
            store,
            queue,
            signing_key,
        })
    }

    pub fn alert_url(&self, id: AlertId) -> String {
        format!("{}/alerts/{id}", self.config.public_url)
    }
}

/// An unknown path or a wrong method is a problem document, nothing is sniffed or cached, and each answer is a log
/// line at `debug`, without the query: a key may be in it.
pub fn around(context: Context, routes: Router) -> Router {
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(context, headers_and_log))
}

async fn headers_and_log(State(context): State<Context>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let began = context.clock.now();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let took = context.clock.now().duration_since(began).as_millis();
    let status = response.status().as_u16();
    debug!(http.status = status, took_ms = took, "{method} {path} answered {status} in {took} ms");
    response
}

async fn not_found(method: Method, request: Request) -> Response {
    Problem::not_found(format!("there is no {method} {}", path(&request))).into_response()
}

async fn method_not_allowed(method: Method, request: Request) -> Response {
    let detail = format!("{} does not take {method}", path(&request));
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).into_response()
}

fn path(request: &Request) -> String {
    request.uri().path().chars().take(PATH_CHARS_MAX).collect()
}
