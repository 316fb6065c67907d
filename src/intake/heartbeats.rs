//! `GET|POST /v1/heartbeats/{name}`: a monitor says that it is there.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Uri},
};

use crate::{
    watch::HeartbeatStatus,
    web::{Context, Name, Problem},
};

/// Any integration's key will do, an operator's token will not: who opens this in a browser is no monitor. The body
/// is not read.
pub(super) async fn call(
    State(context): State<Context>,
    Name(name): Name,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Json<HeartbeatStatus>, Problem> {
    if context.keys.integration_with_key(&headers, &uri, |_| true).is_none() {
        context.metrics.refused("wrong_key");
        if context.heartbeats.knows(&name) {
            context.senders.wrong_key_for_heartbeat(&name).await?;
        }
        return Err(Problem::unauthorized("the key of an [[integration]] is needed, whichever"));
    }
    match context.heartbeats.call(&name).await? {
        Some(status) => Ok(Json(status)),
        None => {
            context.metrics.refused("unknown_heartbeat");
            Err(Problem::unknown("heartbeat", "unknown_heartbeat", &name))
        }
    }
}
