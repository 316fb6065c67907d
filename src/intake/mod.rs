//! INTAKE: what comes in over HTTP: events of senders, alerts by hand, calls of heartbeats, reports of SMS gateways.
//!
//! Whatever is answered with 2xx is durable.

mod answer;
mod events;
mod heartbeats;
mod manual;
mod reports;
mod sender;
mod signature;
mod watchdog;

use axum::{
    Router,
    routing::{get, post},
};

use crate::web::Context;

pub fn router(context: Context) -> Router {
    Router::new()
        .route("/v1/events/{integration}", post(events::post_events))
        .route("/v1/events/{integration}/api/v2/alerts", post(events::post_prometheus))
        .route("/v1/alerts", post(manual::post_alert))
        .route("/v1/heartbeats/{name}", get(heartbeats::call).post(heartbeats::call))
        .route("/v1/sms/reports/{gateway}", get(reports::kannel).post(reports::twilio))
        .with_state(context)
}
