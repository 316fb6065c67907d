//! Alerts for operators: list, show, act.

use axum::{
    Json,
    body::Body,
    extract::{FromRequestParts, State},
    http::{HeaderMap, StatusCode, request::Parts},
};
use serde::{Deserialize, Serialize};

use super::{
    listing::{Listing, bad},
    view::AlertView,
};
use crate::{
    alert::{AlertId, Row},
    queue::{Action, ActionError},
    receive::NOTE_BYTES_MAX,
    record::{self, NotificationView},
    web::{Actor, Context, Id, Problem, Viewer, body},
};

const ACTION_BODY_BYTES_MAX: usize = 16 * 1024;

#[derive(Serialize)]
pub(super) struct Page {
    alerts: Vec<AlertView>,
    next: Option<AlertId>,
}

pub(super) async fn list(
    State(context): State<Context>,
    _: Viewer,
    listing: Listing,
) -> Result<Json<Page>, Problem> {
    if listing.format.is_some() {
        return Err(bad("format", "only /v1/attempts has another than JSON"));
    }
    let page = context.store.list(&listing.filter()?).await?;
    let alerts = page.alerts.into_iter().map(|stored| AlertView::new(&context, stored.alert)).collect();
    Ok(Json(Page { alerts, next: page.next }))
}

#[derive(Serialize)]
pub(super) struct AlertHistory {
    #[serde(flatten)]
    alert: AlertView,
    notifications: Vec<NotificationView>,
    journal: Vec<Row>,
}

pub(super) async fn show(
    State(context): State<Context>,
    _: Viewer,
    Id(id): Id,
) -> Result<Json<AlertHistory>, Problem> {
    let history = record::read(context.store.as_ref(), id).await?;
    let history = history.ok_or_else(|| Problem::alert_not_found(format!("there is no alert {id}")))?;
    let record::AlertHistory { alert, notifications, journal } = history;
    Ok(Json(AlertHistory { alert: AlertView::new(&context, alert), notifications, journal }))
}

pub(super) struct Acting {
    context: Context,
    by: String,
    id: AlertId,
}

impl FromRequestParts<Context> for Acting {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Problem> {
        let Actor(by) = Actor::from_request_parts(parts, context).await?;
        let Id(id) = Id::from_request_parts(parts, context).await?;
        Ok(Self { context: context.clone(), by, id })
    }
}

impl Acting {
    /// The alert as it is afterwards.
    async fn act(self, action: Action) -> Result<Json<AlertView>, Problem> {
        let Self { context, by, id } = self;
        let alert = context.queue.act(id, &action, &by).await.map_err(|error| match error {
            ActionError::NotFound(_) => Problem::alert_not_found(error.to_string()),
            ActionError::AlreadyResolved(_) => {
                Problem::new(StatusCode::CONFLICT, "alert_resolved", error.to_string())
            }
            ActionError::Store(error) => error.into(),
        })?;
        Ok(Json(AlertView::new(&context, alert)))
    }
}

pub(super) async fn acknowledge(acting: Acting) -> Result<Json<AlertView>, Problem> {
    acting.act(Action::Acknowledge).await
}

pub(super) async fn unacknowledge(acting: Acting) -> Result<Json<AlertView>, Problem> {
    acting.act(Action::Unacknowledge).await
}

pub(super) async fn resolve(acting: Acting) -> Result<Json<AlertView>, Problem> {
    acting.act(Action::Resolve).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    text: String,
}

/// `POST /v1/alerts/{id}/notes`: JSON `{"text": …}` or plain text.
pub(super) async fn note(
    acting: Acting,
    headers: HeaderMap,
    request: Body,
) -> Result<Json<AlertView>, Problem> {
    let bytes = body(&headers, request, ACTION_BODY_BYTES_MAX, "a note may be").await?;
    let text = match serde_json::from_slice::<Note>(&bytes) {
        Ok(note) => note.text,
        Err(error) if bytes.trim_ascii_start().starts_with(b"{") => {
            return Err(Problem::bad_request("bad_note", format!("expected {{\"text\": …}}: {error}")));
        }
        Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
    };
    let mut text: String =
        text.trim().chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    text.truncate(text.floor_char_boundary(NOTE_BYTES_MAX));
    if text.is_empty() {
        return Err(Problem::bad_request("bad_note", "the note is empty"));
    }
    acting.act(Action::Comment(text)).await
}
