//! How things stand: heartbeats for operators; alive, ready, figures and the contract for machines.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

use crate::{
    telemetry::Figures,
    watch::{BeatState, HeartbeatStatus},
    web::{Context, Viewer},
};

#[derive(Serialize)]
pub(super) struct HeartbeatList {
    heartbeats: Vec<HeartbeatStatus>,
}

/// `GET /v1/heartbeats`: looking is not calling.
pub(super) async fn heartbeats(_: Viewer, State(context): State<Context>) -> Json<HeartbeatList> {
    Json(HeartbeatList { heartbeats: context.heartbeats.all().collect() })
}

/// `GET /healthz`: the process answers. Point load balancers here: what comes in can be kept.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 503 if alerts cannot be kept, or if an open alert could reach nobody.
pub(super) async fn readyz(State(context): State<Context>) -> Response {
    let health = context.store.health().await;
    let unreached = context.vitals.unreached();
    let ready = health.writable && unreached == 0;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": ready,
        "store": { "writable": health.writable, "problem": health.problem, "free_bytes": health.free_bytes },
        "alerts_unreached": unreached,
        "storm": context.vitals.storm(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    (status, Json(body)).into_response()
}

pub(super) async fn metrics(State(context): State<Context>) -> Response {
    let health = context.store.health().await;
    for heartbeat in context.heartbeats.all() {
        let is_late = heartbeat.state == BeatState::Late;
        context.metrics.heartbeat(&heartbeat.name, is_late, heartbeat.last_call_at);
    }
    let text = context.metrics.render(Figures {
        writable: health.writable,
        scheduled: health.scheduled,
        unreached: context.vitals.unreached(),
        storm_contacts: context.vitals.storm().contacts,
    });
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
        .into_response()
}

pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/yaml")], include_str!("../../openapi.yaml")).into_response()
}
