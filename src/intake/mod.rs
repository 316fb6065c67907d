//! INTAKE: what comes in over HTTP: events of senders, alerts by hand, calls of heartbeats, reports of SMS gateways.
//!
//! Whatever is answered with 2xx is durable.

mod events;
mod heartbeats;
mod manual;
mod reports;
mod signature;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde::Serialize;

use crate::{
    config::Integration,
    queue::Admitted,
    web::{Context, Name, Problem},
};

pub fn router(context: Context) -> Router {
    Router::new()
        .route("/v1/events/{integration}", post(events::post_events))
        .route("/v1/events/{integration}/api/v2/alerts", post(events::post_prometheus))
        .route("/v1/alerts", post(manual::post_alert))
        .route("/v1/heartbeats/{name}", get(heartbeats::call).post(heartbeats::call))
        .route("/v1/sms/reports/{gateway}", get(reports::kannel).post(reports::twilio))
        .with_state(context)
}

/// The integration `{integration}` of the path, for which the request may post.
struct Sender(Arc<Integration>);

impl FromRequestParts<Context> for Sender {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Problem> {
        let Ok(Name(name)) = Name::from_request_parts(parts, context).await;
        match context.keys.integration(&name, parts) {
            Some((integration, true)) => Ok(Self(integration.clone())),
            Some((_, false)) => {
                let detail = format!("this is not the key of integration `{name}`");
                Err(refuse_key(context, &name, detail).await)
            }
            None => {
                context.metrics.refused("unknown_integration");
                Err(Problem::unknown("integration", "unknown_integration", &name))
            }
        }
    }
}

/// Counts a wrong key or signature, and tells people of repeated ones.
async fn refuse_key(context: &Context, integration: &str, detail: String) -> Problem {
    context.metrics.refused("wrong_key");
    match context.senders.wrong_key(integration).await {
        Ok(()) => Problem::unauthorized(detail),
        Err(error) => error.into(),
    }
}

#[derive(Serialize)]
struct Answer {
    results: Vec<EventResult>,
}

#[derive(Serialize)]
struct EventResult {
    #[serde(flatten)]
    admitted: Admitted,
    url: Option<String>,
}

/// 202 with what became of each event, which is counted here.
fn accepted(context: &Context, integration: &str, admitted: Vec<Admitted>) -> Response {
    let result = |admitted: Admitted| {
        context.metrics.admitted(integration, admitted.admission);
        EventResult { url: admitted.alert_id.map(|id| context.alert_url(id)), admitted }
    };
    let results = admitted.into_iter().map(result).collect();
    (StatusCode::ACCEPTED, Json(Answer { results })).into_response()
}
