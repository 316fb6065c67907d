//! HTTP: events in, the API for operators, probes. `openapi.yaml` is the contract.

mod alerts;
mod attempts;
mod auth;
mod events;
mod extract;
mod heartbeats;
mod probes;
mod problem;
mod signature;
mod told;
mod watchdog;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tracing::debug;

pub(crate) use alerts::{AlertHistory, AlertView, history};
pub use auth::{Keys, Seat, Shown};
pub use problem::Problem;

use crate::{clock::Clock, config::Config, queue::Queue, telemetry::Metrics, watch::Heartbeats};

/// What every handler can reach.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

/// The parts of [`Context`].
pub struct Inner {
    /// Alerts.
    pub queue: Arc<Queue>,
    /// What must keep calling.
    pub heartbeats: Arc<Heartbeats>,
    /// The configuration.
    pub config: Config,
    /// Who may do what.
    pub keys: Keys,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Words about senders that misbehave.
    told: told::Misbehaviour,
}

impl std::ops::Deref for Context {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Context {
    /// The context of a running program.
    pub fn new(queue: Queue, config: Config, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> Self {
        let (queue, keys) = (Arc::new(queue), Keys::new(&config));
        let heartbeats = Arc::new(Heartbeats::new(&config, clock.clone()));
        let told = told::Misbehaviour::default();
        Self(Arc::new(Inner { queue, heartbeats, config, keys, metrics, clock, told }))
    }

    /// The page of an alert here.
    pub fn alert_url(&self, id: crate::alert::AlertId) -> String {
        format!("{}/alerts/{id}", self.config.public_url)
    }
}

/// Every route of the API. Pages are added by `console`.
pub fn router(context: Context) -> Router {
    Router::new()
        .route("/v1/events/{integration}", post(events::post_events))
        .route("/v1/events/{integration}/api/v2/alerts", post(events::post_prometheus))
        .route("/v1/alerts", get(alerts::list).post(events::post_alert))
        .route("/v1/alerts/{id}", get(alerts::show))
        .route("/v1/alerts/{id}/acknowledge", post(alerts::acknowledge))
        .route("/v1/alerts/{id}/unacknowledge", post(alerts::unacknowledge))
        .route("/v1/alerts/{id}/resolve", post(alerts::resolve))
        .route("/v1/alerts/{id}/notes", post(alerts::note))
        .route("/v1/attempts", get(attempts::list))
        .route("/v1/heartbeats", get(heartbeats::list))
        .route("/v1/heartbeats/{name}", get(heartbeats::call).post(heartbeats::call))
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/metrics", get(probes::metrics))
        .route("/openapi.yaml", get(probes::openapi))
        .fallback(not_found)
        .with_state(context)
}

/// What holds for every answer, pages included: a wrong method is a problem document, no sniffing, no
/// caching, and a log line at `debug`
/// without the query (a key may be in it).
pub fn around(context: Context, router: Router) -> Router {
    // Here and not in `router`, which knows only its own routes.
    let router = router.method_not_allowed_fallback(method_not_allowed);
    router.layer(middleware::from_fn_with_state(context, headers_and_log))
}

async fn headers_and_log(State(context): State<Context>, request: Request, next: Next) -> Response {
    let (method, path, began) =
        (request.method().clone(), request.uri().path().to_owned(), context.clock.now());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    headers.entry(axum::http::header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let took = context.clock.now().duration_since(began).as_millis();
    let status = response.status().as_u16();
    debug!(http.status = status, took_ms = took, "{method} {path} answered {status} in {took} ms");
    response
}

async fn not_found(method: Method, request: Request) -> Response {
    let path = request.uri().path().chars().take(200).collect::<String>();
    Problem::not_found(format!("there is no {method} {path}")).into_response()
}

async fn method_not_allowed(method: Method, request: Request) -> Response {
    let path = request.uri().path().chars().take(200).collect::<String>();
    Problem::method_not_allowed(format!("{path} does not take {method}")).into_response()
}
