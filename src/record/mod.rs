//! 5. RECORD: what happened, read back.
//!
//! Rows are written together with the change they tell of (`queue`, `dispatch`); this module only
//! reads them: the history of one alert, and the ledger of attempts over all alerts.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    alert::{
        Address, Alert, AlertId, AlertState, AttemptRow, ContactName, Entry, Fate, FoldRow, Notified, Row,
        Severity, Topic, Transport,
    },
    store::{AlertFilter, Store, StoreError},
};

pub const ATTEMPTS_PER_PAGE_MAX: usize = 500;
/// Most alerts read for one page of the ledger.
const ALERTS_PER_PAGE_MAX: usize = 500;

/// An alert with everything that happened to it.
pub struct AlertHistory {
    pub alert: Alert,
    pub notifications: Vec<NotificationView>,
    pub journal: Vec<Row>,
}

/// `None` if there is no such alert; one that is only noted is none yet.
pub async fn read(store: &dyn Store, id: AlertId) -> Result<Option<AlertHistory>, StoreError> {
    let stored = store.get(id).await?.filter(|stored| stored.alert.state != AlertState::Noted);
    let Some(alert) = stored.map(|stored| stored.alert) else { return Ok(None) };
    let journal = history(store, &alert).await?;
    let notifications = notifications(&alert, &journal);
    Ok(Some(AlertHistory { alert, notifications, journal }))
}

/// Every journal row of an alert, oldest first.
pub async fn history(store: &dyn Store, alert: &Alert) -> Result<Vec<Row>, StoreError> {
    let mut rows = if alert.rows_moved == 0 { Vec::new() } else { store.moved_rows(alert.id).await? };
    rows.extend(alert.rows.iter().cloned());
    Ok(rows)
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerLine {
    pub alert_id: AlertId,
    pub title: String,
    #[serde(flatten)]
    pub attempt: AttemptRow,
}

/// One page of the ledger: the newest alerts first, the attempts of each in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LedgerPage {
    pub attempts: Vec<LedgerLine>,
    /// Where the next page continues.
    pub next: Option<AlertId>,
}

/// Attempts of the alerts that `filter` admits; `filter.limit` counts alerts. Pages end between
/// alerts, so a page may hold more than `attempts` lines when its last alert has many.
pub async fn ledger(
    store: &dyn Store,
    mut filter: AlertFilter,
    attempts: usize,
) -> Result<LedgerPage, StoreError> {
    filter.limit = ALERTS_PER_PAGE_MAX;
    let page = store.list(&filter).await?;
    let mut lines = Vec::new();
    for stored in &page.alerts {
        if attempts <= lines.len() {
            return Ok(LedgerPage { attempts: lines, next: filter.cursor });
        }
        for row in history(store, &stored.alert).await? {
            if let Entry::Attempt(attempt) = row.entry {
                let title = stored.alert.title.clone();
                lines.push(LedgerLine { alert_id: stored.alert.id, title, attempt });
            }
        }
        filter.cursor = Some(stored.alert.id);
    }
    Ok(LedgerPage { attempts: lines, next: page.next })
}

/// An alert that a digest counts, and how it stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CountedView {
    pub alert_id: AlertId,
    /// Shortened.
    pub title: String,
    /// As it was when the alert was held back.
    pub severity: Severity,
    /// `None` if its history is not kept any more.
    pub state: Option<AlertState>,
}

/// The alerts that a digest counts, at most `limit`: the most severe first, the oldest first among equals.
pub async fn counted(
    store: &dyn Store,
    digest: AlertId,
    limit: usize,
) -> Result<Vec<CountedView>, StoreError> {
    let mut rows = store.folds(digest).await?;
    rows.sort_by_key(|row| (Reverse(row.severity), row.at, row.alert_id));
    rows.truncate(limit);
    let mut views = Vec::with_capacity(rows.len());
    for FoldRow { alert_id, title, severity, .. } in rows {
        let state = store.get(alert_id).await?.map(|stored| stored.alert.state);
        views.push(CountedView { alert_id, title, severity, state });
    }
    Ok(views)
}

/// What was held back from one contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoldedView {
    pub contact: ContactName,
    pub digest: AlertId,
    /// Some message of that digest was accepted.
    pub is_told: bool,
}

/// What the journal of an alert says was held back. Of several digests for one contact the last counts.
pub async fn folded(store: &dyn Store, journal: &[Row]) -> Result<Vec<FoldedView>, StoreError> {
    let mut digests = BTreeMap::new();
    for row in journal {
        if let Entry::Folded { contact, digest: Some(digest), .. } = &row.entry {
            digests.insert(contact.clone(), *digest);
        }
    }
    let mut views = Vec::new();
    for (contact, digest) in digests {
        let stored = store.get(digest).await?;
        let told = stored.as_ref().and_then(|stored| stored.alert.progress.contacts.get(&contact));
        let is_told = told.is_some_and(|told| told.notified() == Notified::Yes);
        views.push(FoldedView { contact, digest, is_told });
    }
    Ok(views)
}

/// What became of one notification: one contact, one address, one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotificationView {
    pub contact: ContactName,
    pub transport: Transport,
    /// A device or gateway; empty for a text that no gateway has taken yet.
    pub destination: String,
    pub subject: Topic,
    /// `in_flight`, `waiting`, `delivered` or `failed` by the provider's report, or the last outcome.
    pub state: &'static str,
    /// Answered so far.
    pub attempts: u32,
    /// When the next attempt, or the end of waiting for an answer, is due.
    pub next_at: Option<Timestamp>,
}

/// The notifications of an alert: those answered, from its history, and those still open.
pub fn notifications(alert: &Alert, history: &[Row]) -> Vec<NotificationView> {
    let mut views = Vec::new();
    for row in history {
        if let Entry::Attempt(AttemptRow { contact, address, subject, outcome, .. }) = &row.entry {
            let view = view(&mut views, contact, *subject, Some(address));
            view.attempts += 1;
            view.state = outcome.as_str();
        }
        if let Entry::Reported { contact, destination, subject, fate, .. } = &row.entry {
            let about = |view: &&mut NotificationView| {
                view.transport == Transport::Sms && view.contact == *contact && view.subject == *subject
            };
            // What an earlier gateway failed to deliver says nothing of a later one.
            let counts = |view: &&mut NotificationView| match fate {
                Fate::Delivered => true,
                Fate::Failed { .. } => view.destination == destination.as_str(),
                Fate::NotThere | Fate::Taken | Fate::Unclear { .. } => false,
            };
            if let Some(view) = views.iter_mut().find(about).filter(counts) {
                view.state = fate.as_str();
            }
        }
    }
    for (name, contact) in &alert.progress.contacts {
        for notification in &contact.notifications {
            for (pending, address) in notification.waiting(alert.taken()) {
                // A text may still go through another gateway.
                let device = address.filter(|address| address.transport() == Transport::Push);
                let view = view(&mut views, name, notification.subject.topic(), device.as_ref());
                view.next_at = pending.wakes_at();
                view.state = if pending.is_in_flight() { "in_flight" } else { "waiting" };
            }
        }
    }
    views
}

/// The view of this notification, added if it is not there; a text if it has no address yet.
fn view<'v>(
    views: &'v mut Vec<NotificationView>,
    contact: &ContactName,
    subject: Topic,
    address: Option<&Address>,
) -> &'v mut NotificationView {
    let transport = address.map_or(Transport::Sms, Address::transport);
    let destination = address.map(Address::to_string);
    let same = |view: &NotificationView| {
        view.contact == *contact
            && view.transport == transport
            && view.subject == subject
            // A text may go through several gateways and is still one notification.
            && (transport == Transport::Sms || Some(&view.destination) == destination.as_ref())
    };
    let position = views.iter().position(same).unwrap_or_else(|| {
        let contact = contact.clone();
        let destination = String::new();
        views.push(NotificationView {
            contact,
            transport,
            destination,
            subject,
            state: "",
            attempts: 0,
            next_at: None,
        });
        views.len() - 1
    });
    let view = views.get_mut(position).expect("found or just pushed");
    if let Some(destination) = destination {
        view.destination = destination;
    }
    view
}
