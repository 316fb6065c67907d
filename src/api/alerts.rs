//! Alerts for operators: list, show, act.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::HeaderMap,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    alert::{Acknowledgement, Alert, AlertId, AlertState, ContactName, Digest, Named, Row, Severity},
    queue::{Action, ActionError},
    receive::NOTE_BYTES_MAX,
    record::{self, NotificationView},
    store::AlertFilter,
    web::{Actor, Context, Id, Problem, Viewer, body},
};

const LIMIT_DEFAULT: usize = 50;

const LIMIT_MAX: usize = 500;

/// Largest body of an action, in bytes.
const ACTION_BODY_BYTES_MAX: usize = 16 * 1024;

#[derive(Serialize)]
pub(super) struct AlertView {
    id: AlertId,
    state: AlertState,
    severity: Severity,
    title: String,
    body: String,
    integration: String,
    dedup_key: String,
    round: u32,
    labels: BTreeMap<String, String>,
    source_url: Option<String>,
    starts_at: Timestamp,
    opened_at: Timestamp,
    last_seen_at: Timestamp,
    count: u64,
    test: bool,
    told_once: bool,
    acknowledged: Option<Acknowledgement>,
    resolved: Option<ResolutionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<DigestView>,
    url: String,
}

#[derive(Serialize)]
struct ResolutionView {
    by: String,
    at: Timestamp,
    note: Option<String>,
}

/// What a digest counts; nothing yet while it collects.
#[derive(Serialize)]
struct DigestView {
    contact: ContactName,
    due_at: Timestamp,
    count: u32,
    by_severity: BTreeMap<Severity, u32>,
    resolved: u32,
    unreachable: u32,
    worst: Vec<Named>,
}

impl DigestView {
    fn new(digest: Digest) -> Self {
        let Digest { contact, due_at, counted, .. } = digest;
        let counted = counted.unwrap_or_default();
        Self {
            contact,
            due_at,
            count: counted.total(),
            by_severity: counted.by_severity,
            resolved: counted.resolved,
            unreachable: counted.unreachable,
            worst: counted.worst,
        }
    }
}

impl AlertView {
    fn new(context: &Context, alert: Alert) -> Self {
        let alert = context.queue.with_seen(alert);
        Self {
            url: context.alert_url(alert.id),
            digest: alert.digest.map(DigestView::new),
            id: alert.id,
            state: alert.state,
            severity: alert.severity,
            title: alert.title,
            body: alert.body,
            integration: alert.integration,
            dedup_key: alert.dedup_key.to_string(),
            round: alert.round,
            labels: alert.labels,
            source_url: alert.source_url,
            starts_at: alert.starts_at,
            opened_at: alert.opened_at,
            last_seen_at: alert.last_seen_at,
            count: alert.count,
            test: alert.test,
            told_once: alert.told_once,
            acknowledged: alert.acknowledged,
            resolved: alert.resolved.map(|resolution| ResolutionView {
                by: resolution.by.describe().to_owned(),
                at: resolution.at,
                note: resolution.note,
            }),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    state: Option<String>,
    severity: Option<String>,
    integration: Option<String>,
    q: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    pub(super) limit: Option<usize>,
    cursor: Option<String>,
    pub(super) format: Option<String>,
    /// Authentication; not a filter.
    #[serde(rename = "key")]
    _key: Option<String>,
}

impl ListQuery {
    pub(super) fn filter(&self) -> Result<AlertFilter, Problem> {
        let bad = |name: &str, expected: &str| {
            Problem::bad_request("bad_parameter", format!("`{name}`: {expected}"))
        };
        let states =
            self.state.as_deref().map(|words| words.split(',').map(|word| state(word.trim())).collect());
        let (least, exactly) = match self.severity.as_deref().map(str::trim) {
            None => (None, None),
            Some(word) => match word.strip_prefix(">=") {
                Some(word) => {
                    (Some(word.trim().parse().map_err(|e| bad("severity", &format!("{e}")))?), None)
                }
                None => (None, Some(word.parse().map_err(|e| bad("severity", &format!("{e}")))?)),
            },
        };
        let cursor = self.cursor.as_deref().map(str::parse).transpose();
        Ok(AlertFilter {
            states: states.unwrap_or(Ok(Vec::new()))?,
            severity_at_least: least,
            severity: exactly,
            integration: self.integration.clone(),
            text: self.q.clone(),
            since: self.since,
            until: self.until,
            cursor: cursor.map_err(|_| bad("cursor", "expected the `next` of an earlier page"))?,
            limit: match self.limit {
                None => LIMIT_DEFAULT,
                Some(limit) if (1..=LIMIT_MAX).contains(&limit) => limit,
                Some(_) => return Err(bad("limit", &format!("expected 1 to {LIMIT_MAX}"))),
            },
        })
    }
}

fn state(word: &str) -> Result<AlertState, Problem> {
    match word {
        "triggered" => Ok(AlertState::Triggered),
        "acknowledged" => Ok(AlertState::Acknowledged),
        "resolved" => Ok(AlertState::Resolved),
        _ => Err(Problem::bad_request(
            "bad_parameter",
            "`state`: expected triggered, acknowledged or resolved",
        )),
    }
}

/// The query, or a problem that says which parameter is wrong.
pub(super) fn query(query: Result<Query<ListQuery>, QueryRejection>) -> Result<ListQuery, Problem> {
    query.map(|Query(query)| query).map_err(|error| Problem::bad_request("bad_parameter", error.body_text()))
}

#[derive(Serialize)]
pub(super) struct Page {
    alerts: Vec<AlertView>,
    next: Option<AlertId>,
}

pub(super) async fn list(
    State(context): State<Context>,
    _: Viewer,
    parameters: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Page>, Problem> {
    let parameters = query(parameters)?;
    if parameters.format.is_some() {
        return Err(Problem::bad_request(
            "bad_parameter",
            "`format`: only /v1/attempts has another than JSON",
        ));
    }
    let page = context.store.list(&parameters.filter()?).await?;
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

pub(super) async fn acknowledge(
    State(context): State<Context>,
    Actor(by): Actor,
    Id(id): Id,
) -> Result<Json<AlertView>, Problem> {
    act(&context, id, &Action::Acknowledge, &by).await
}

pub(super) async fn unacknowledge(
    State(context): State<Context>,
    Actor(by): Actor,
    Id(id): Id,
) -> Result<Json<AlertView>, Problem> {
    act(&context, id, &Action::Unacknowledge, &by).await
}

pub(super) async fn resolve(
    State(context): State<Context>,
    Actor(by): Actor,
    Id(id): Id,
) -> Result<Json<AlertView>, Problem> {
    act(&context, id, &Action::Resolve, &by).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    text: String,
}

/// `POST /v1/alerts/{id}/notes`: JSON `{"text": …}` or plain text.
pub(super) async fn note(
    State(context): State<Context>,
    Actor(by): Actor,
    Id(id): Id,
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
    act(&context, id, &Action::Comment(text), &by).await
}

async fn act(context: &Context, id: AlertId, action: &Action, by: &str) -> Result<Json<AlertView>, Problem> {
    let alert = context.queue.act(id, action, by).await.map_err(|error| match error {
        ActionError::NotFound(_) => Problem::alert_not_found(error.to_string()),
        ActionError::AlreadyResolved(_) => Problem::alert_resolved(error.to_string()),
        ActionError::Store(error) => error.into(),
    })?;
    Ok(Json(AlertView::new(context, alert)))
}
