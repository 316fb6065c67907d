//! An alert as the API shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    alert::{
        Acknowledgement, Alert, AlertId, AlertState, ContactName, Digest, Kind, Named, Resolution, Severity,
    },
    web::Context,
};

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

impl AlertView {
    pub(super) fn new(context: &Context, alert: Alert) -> Self {
        let alert = context.queue.with_seen(alert);
        Self {
            url: context.alert_url(alert.id),
            digest: alert.digest.map(DigestView::from),
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
            test: alert.kind.is_test(),
            told_once: alert.kind == Kind::Occurrence,
            acknowledged: alert.conversation.acknowledged,
            resolved: alert.resolved.map(|Resolution { by, at, note, .. }| ResolutionView {
                by: by.describe().to_owned(),
                at,
                note,
            }),
        }
    }
}

impl From<Digest> for DigestView {
    fn from(Digest { contact, due_at, counted, .. }: Digest) -> Self {
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
