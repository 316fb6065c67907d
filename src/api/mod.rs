//! API: JSON for operators, probes and figures for machines. `openapi.yaml` is the contract.

mod alerts;
mod attempts;
mod dead_letters;
mod listing;
mod probes;
mod view;

use axum::{
    Router,
    routing::{get, post},
};

use self::alerts::act;
use crate::{
    queue::Action::{Acknowledge, Resolve, Unacknowledge},
    web::Context,
};

/// While what is kept is being read.
pub fn router_at_start(context: Context) -> Router {
    Router::new().route("/readyz", get(probes::readyz_at_start)).with_state(context)
}

pub fn router(context: Context) -> Router {
    Router::new()
        .route("/v1/alerts", get(alerts::list))
        .route("/v1/alerts/{id}", get(alerts::show))
        .route("/v1/alerts/{id}/acknowledge", post(|context, by, id| act(context, by, id, Acknowledge)))
        .route("/v1/alerts/{id}/unacknowledge", post(|context, by, id| act(context, by, id, Unacknowledge)))
        .route("/v1/alerts/{id}/resolve", post(|context, by, id| act(context, by, id, Resolve)))
        .route("/v1/alerts/{id}/notes", post(alerts::note))
        .route("/v1/attempts", get(attempts::list))
        .route("/v1/dead-letters", get(dead_letters::list))
        .route("/v1/dead-letters/{id}/seen", post(dead_letters::seen))
        .route("/v1/dead-letters/{id}/retry", post(dead_letters::retry))
        .route("/v1/heartbeats", get(probes::heartbeats))
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/metrics", get(probes::metrics))
        .route("/openapi.yaml", get(probes::openapi))
        .with_state(context)
}
