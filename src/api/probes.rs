//! How things stand: heartbeats for operators; alive, ready, figures and the contract for machines.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    store::Health,
    telemetry::Figures,
    watch::{self, BeatState, Condition},
    web::{Context, Problem, Shared, Viewer},
};

/// `GET /v1/heartbeats`: looking is not calling.
pub(super) async fn heartbeats(_: Viewer, State(context): State<Context>) -> Response {
    let heartbeats: Vec<_> = context.heartbeats.all().collect();
    Json(BTreeMap::from([("heartbeats", heartbeats)])).into_response()
}

/// `GET /healthz`: 503 unless an event would be accepted. Point load balancers here.
pub(super) async fn healthz(State(context): State<Context>) -> Result<&'static str, Problem> {
    let health = watch::health(context.store.as_ref(), context.clock.as_ref()).await;
    if watch::accepts(&context.vitals, &health) {
        return Ok("ok\n");
    }
    let detail = "an event would not be accepted: /readyz says why";
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail))
}

/// `GET /readyz`: 503 while the promise does not hold.
pub(super) async fn readyz(State(context): State<Context>) -> Response {
    let health = watch::health(context.store.as_ref(), context.clock.as_ref()).await;
    readiness(&context, &health)
}

/// As [`readyz`], before an event is accepted.
pub(super) async fn readyz_at_start(State(context): State<Context>) -> Response {
    let mut health = watch::health(context.store.as_ref(), context.clock.as_ref()).await;
    health.problem.get_or_insert_with(|| "Bongsu is starting".to_owned());
    readiness(&context, &health)
}

fn readiness(context: &Context, health: &Health) -> Response {
    let condition = Condition::of(&context.vitals, health, context.dead_letters.unseen());
    let ready = condition.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": ready,
        // With an embedded store, whoever has its folder.
        "lead": true,
        "reasons": condition.reasons,
        "notices": condition.notices,
        "store": { "writable": health.is_writable(), "problem": health.problem, "free_bytes": health.free_bytes },
        "alerts_unreached": context.vitals.unreached(),
        "storm": context.vitals.storm(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    (status, Json(body)).into_response()
}

pub(super) async fn metrics(State(context): State<Context>) -> Response {
    let Shared { store, clock, vitals, dead_letters, heartbeats, metrics, .. } = &*context;
    let health = watch::health(store.as_ref(), clock.as_ref()).await;
    for heartbeat in heartbeats.all() {
        let is_late = heartbeat.state == BeatState::Late;
        metrics.heartbeat(&heartbeat.name, is_late, heartbeat.last_call_at);
    }
    let standstills = vitals.standstills();
    for (part, ends) in vitals.ends() {
        let stands = standstills.iter().any(|standstill| standstill.part == part);
        metrics.part(part, stands, ends);
    }
    let text = metrics.render(Figures {
        writable: health.is_writable(),
        scheduled: health.scheduled,
        unreached: vitals.unreached(),
        storm_contacts: vitals.storm().contacts,
        dead_letters: dead_letters.unseen().in_all(),
    });
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
        .into_response()
}

pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/yaml")], include_str!("../../openapi.yaml")).into_response()
}
