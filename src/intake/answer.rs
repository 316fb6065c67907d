//! The answer to senders: one result for each event, in order.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use crate::{
    alert::{Admission, AlertId, IgnoreReason},
    queue::Admitted,
    web::Context,
};

#[derive(Serialize)]
struct Answer {
    results: Vec<EventResult>,
}

#[derive(Serialize)]
struct EventResult {
    alert_id: Option<AlertId>,
    dedup_key: String,
    admission: Admission,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<IgnoreReason>,
    url: Option<String>,
}

/// 202 with what became of each event, which is counted here.
pub(super) fn accepted(context: &Context, integration: &str, admitted: Vec<Admitted>) -> Response {
    let result = |admitted: Admitted| {
        context.metrics.admitted(integration, admitted.admission);
        EventResult {
            alert_id: admitted.alert_id,
            dedup_key: admitted.dedup_key.to_string(),
            admission: admitted.admission,
            reason: admitted.reason,
            url: admitted.alert_id.map(|id| context.alert_url(id)),
        }
    };
    let results = admitted.into_iter().map(result).collect();
    (StatusCode::ACCEPTED, Json(Answer { results })).into_response()
}
