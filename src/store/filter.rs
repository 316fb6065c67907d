//! Which alerts a listing shows.

use jiff::Timestamp;

use super::{StoreError, Stored};
use crate::alert::{Alert, AlertId, AlertState, Severity};

/// Most documents that one call of [`list`](super::Store::list) reads: a rare word in a long history
/// must not hold a worker for seconds.
pub const LIST_DOCUMENTS_READ_MAX: usize = 2_000;

#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// Any of these states; empty = every state.
    pub states: Vec<AlertState>,
    pub severity_at_least: Option<Severity>,
    pub severity: Option<Severity>,
    pub integration: Option<String>,
    /// Text within title, body, dedup key or a label value, in any case.
    pub text: Option<String>,
    /// Opened at or after.
    pub since: Option<Timestamp>,
    /// Opened before.
    pub until: Option<Timestamp>,
    /// Only alerts below this id.
    pub cursor: Option<AlertId>,
    pub limit: usize,
}

#[derive(Clone, Debug, Default)]
pub struct AlertPage {
    pub alerts: Vec<Stored>,
    /// Where the next page continues, if there may be one; also after a short or empty page, since one call
    /// reads at most [`LIST_DOCUMENTS_READ_MAX`] documents.
    pub next: Option<AlertId>,
}

impl AlertFilter {
    /// Makes a page of alerts that come newest first, of which `read` reads each one it needs.
    pub(super) fn page(
        &self,
        ids: impl Iterator<Item = Result<AlertId, StoreError>>,
        read: impl Fn(AlertId) -> Result<Option<Stored>, StoreError>,
    ) -> Result<AlertPage, StoreError> {
        let limit = self.limit.clamp(1, LIST_DOCUMENTS_READ_MAX);
        let (mut page, mut last) = (AlertPage::default(), None);
        for (looked, id) in ids.enumerate() {
            if page.alerts.len() == limit || looked == LIST_DOCUMENTS_READ_MAX {
                page.next = last;
                break;
            }
            let id = id?;
            last = Some(id);
            page.alerts.extend(read(id)?.filter(|stored| self.admits(&stored.alert)));
        }
        Ok(page)
    }

    /// Whether the alert belongs in the listing; cursor and limit aside.
    pub fn admits(&self, alert: &Alert) -> bool {
        let text = self.text.as_ref().map(|text| text.to_lowercase());
        alert.state != AlertState::Noted
            && (self.states.is_empty() || self.states.contains(&alert.state))
            && self.severity_at_least.is_none_or(|least| least <= alert.severity)
            && self.severity.is_none_or(|severity| severity == alert.severity)
            && self.integration.as_ref().is_none_or(|name| *name == alert.integration)
            && self.since.is_none_or(|since| since <= alert.opened_at)
            && self.until.is_none_or(|until| alert.opened_at < until)
            && text.is_none_or(|text| mentions(alert, &text))
    }
}

/// Whether the alert may be forgotten, its due time aside: it is over, and all of it lies before
/// `before`.
pub(super) fn is_purgeable(alert: &Alert, before: Timestamp) -> bool {
    let over_at = match alert.state {
        AlertState::Noted => Some(alert.close_at),
        AlertState::Resolved => Some(alert.resolved.as_ref().map_or(alert.last_seen_at, |end| end.at)),
        AlertState::Triggered | AlertState::Acknowledged => None,
    };
    alert.opened_at < before && over_at.is_some_and(|over_at| over_at < before)
}

fn mentions(alert: &Alert, text: &str) -> bool {
    [&alert.title, &alert.body]
        .into_iter()
        .chain(alert.labels.values())
        .map(String::as_str)
        .chain([alert.dedup_key.as_str()])
        .any(|field| field.to_lowercase().contains(text))
}
