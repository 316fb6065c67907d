//! `GET /v1/heartbeats`: how each is. Looking is not calling.

use axum::{Json, extract::State};
use serde::Serialize;

use crate::{
    watch::HeartbeatStatus,
    web::{Context, Viewer},
};

#[derive(Serialize)]
pub(super) struct HeartbeatList {
    heartbeats: Vec<HeartbeatStatus>,
}

pub(super) async fn list(_: Viewer, State(context): State<Context>) -> Json<HeartbeatList> {
    Json(HeartbeatList { heartbeats: context.heartbeats.all().collect() })
}
