//! `GET|POST /v1/heartbeats/{name}`: a monitor says that it is there. `GET /v1/heartbeats`: which do.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, Uri},
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Context, Problem, extract::Viewer, told};
use crate::{
    alert::Severity,
    watch::{BeatState, Glance},
};

/// A heartbeat as the API shows it.
#[derive(Serialize)]
pub(super) struct HeartbeatView {
    name: String,
    every: String,
    grace: String,
    severity: Severity,
    state: BeatState,
    first_call_at: Option<Timestamp>,
    last_call_at: Option<Timestamp>,
    late_at: Option<Timestamp>,
}

#[derive(Serialize)]
pub(super) struct HeartbeatList {
    heartbeats: Vec<HeartbeatView>,
}

impl HeartbeatView {
    fn new(glance: Glance<'_>) -> Self {
        Self {
            name: glance.rule.name.clone(),
            every: written(glance.rule.every),
            grace: written(glance.rule.grace),
            severity: glance.rule.severity,
            state: glance.state,
            first_call_at: glance.calls.map(|calls| calls.first),
            last_call_at: glance.calls.map(|calls| calls.last),
            late_at: glance.late_at,
        }
    }
}

/// As the configuration would write it.
fn written(duration: SignedDuration) -> String {
    humantime::format_duration(duration.unsigned_abs()).to_string()
}

/// `GET /v1/heartbeats`: looking is not calling.
pub(super) async fn list(_: Viewer, State(context): State<Context>) -> Json<HeartbeatList> {
    Json(HeartbeatList { heartbeats: context.heartbeats.all().map(HeartbeatView::new).collect() })
}

/// `GET|POST /v1/heartbeats/{name}`: any integration's key will do, an operator's token will not:
/// who opens this in a browser is no monitor. The body is not read.
pub(super) async fn call(
    State(context): State<Context>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Json<HeartbeatView>, Problem> {
    // A name that is no UTF-8 is nobody's.
    let name = name.map(|Path(name)| name).unwrap_or_default();
    if context.keys.any_integration(&headers, &uri).is_none() {
        context.metrics.refused("wrong_key");
        told::wrong_key_for_heartbeat(&context, &name).await?;
        return Err(Problem::unauthorized("the key of an [[integration]] is needed, whichever"));
    }
    let called = context.heartbeats.call(&name, &context.queue).await?;
    let Some(glance) = called else {
        context.metrics.refused("unknown_heartbeat");
        return Err(Problem::unknown_heartbeat(&name));
    };
    Ok(Json(HeartbeatView::new(glance)))
}
