//! The deduplicated, stateful thing that people deal with.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    AlertId, ContactName, Counted, DedupKey, Digest, Entry, Event, Openings, Row, Severity, Tag, Telling,
    ThreadKey, Told,
};

/// The integration of alerts that we open ourselves about ourselves; no sender may have this name.
pub const HOUSE: &str = "bongsu";

/// One round of one dedup key. This is the stored document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its name in URLs.
    pub id: AlertId,
    /// The integration that posted it.
    pub integration: String,
    /// Its identity within the integration.
    pub dedup_key: DedupKey,
    /// Lives of this dedup key, counted from 1.
    pub round: u32,
    /// Where it is in its life.
    pub state: AlertState,
    /// How grave, now.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// Details; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Whatever else the sender said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The sender's own page about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_url: Option<String>,
    /// When the condition began, as the sender tells it, else when we heard of it.
    pub starts_at: Timestamp,
    /// When we opened it.
    pub opened_at: Timestamp,
    /// When the last event about it came (saved at most once a minute).
    pub last_seen_at: Timestamp,
    /// Events that joined it (saved at most once a minute).
    pub count: u64,
    /// Who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledgement>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolution>,
    /// When it resolves itself because no recovery ever came; for a noted one, when it is dropped.
    pub close_at: Timestamp,
    /// A Test button: push only, resolves itself.
    #[serde(default)]
    pub test: bool,
    /// It happened rather than lasts (a host registered itself): told once, ends without a word.
    #[serde(default)]
    pub told_once: bool,
    /// Our own word about a sender (an unreadable body): told once, ends without a word.
    #[serde(default)]
    pub house: bool,
    /// By which roads it may be told.
    #[serde(default, skip_serializing_if = "Roads::is_all")]
    pub roads: Roads,
    /// It counts alerts that a budget held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Recent openings of its dedup key.
    #[serde(default, skip_serializing_if = "Openings::is_first")]
    pub openings: Openings,
    /// Tell only these contacts; empty = whoever the policy names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<ContactName>,
    /// The `Idempotency-Key` that opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The number of the last attempt made.
    #[serde(default)]
    pub attempts: u32,
    /// The open work.
    #[serde(default)]
    pub telling: Telling,
    /// Journal rows already moved out of this document into chunks.
    #[serde(default)]
    pub rows_moved: u32,
    /// The newest journal rows.
    #[serde(default)]
    pub rows: Vec<Row>,
}

/// By which roads an alert may be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roads {
    /// Push and text.
    #[default]
    All,
    /// Not worth a text: it is about texts themselves.
    PushOnly,
}

impl Roads {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_all(&self) -> bool {
        *self == Self::All
    }
}

/// Where an alert is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Not an alert yet: an update came before its problem. Never listed, nobody is told.
    Noted,
    /// Nobody has taken it.
    Triggered,
    /// Somebody has.
    Acknowledged,
    /// The condition is over.
    Resolved,
}

impl AlertState {
    /// The word in the API, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Noted => "noted",
            Self::Triggered => "triggered",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// Who took an alert, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// A name: an operator here, or a user of the sender.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// How an alert ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// Who or what ended it.
    pub by: ResolvedBy,
    /// When.
    pub at: Timestamp,
    /// How, where it is not plain recovery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When the condition ended, as the sender tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// Who or what resolved an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolvedBy {
    /// The sender said so.
    Sender,
    /// An operator.
    Operator(String),
    /// Nobody said anything for `close_after`.
    Silence,
    /// It was a test.
    Test,
    /// It was a digest, and has been told.
    Told,
}

impl ResolvedBy {
    /// For people.
    pub fn describe(&self) -> &str {
        match self {
            Self::Sender => "sender",
            Self::Operator(name) => name,
            Self::Silence => "close_after",
            Self::Test => "test",
            Self::Told => "told",
        }
    }
}

impl Alert {
    /// The first round of what `event` tells, heard by `integration` at `now`.
    pub fn opened(id: AlertId, integration: &str, event: &Event, now: Timestamp) -> Self {
        Self {
            id,
            integration: integration.to_owned(),
            dedup_key: event.dedup_key.clone(),
            round: 1,
            state: AlertState::Triggered,
            severity: event.severity.or(event.severity_at_start).unwrap_or_default(),
            title: event.title.clone(),
            body: event.body.clone(),
            labels: event.labels.clone(),
            source_url: event.source_url.clone(),
            starts_at: event.starts_at.unwrap_or(now),
            opened_at: now,
            last_seen_at: now,
            count: 1,
            acknowledged: None,
            resolved: None,
            close_at: Timestamp::MAX,
            test: event.test,
            told_once: event.told_once,
            house: false,
            roads: event.roads,
            digest: None,
            openings: Openings::default(),
            to: event.to.clone(),
            idempotency_key: event.idempotency_key.clone(),
            attempts: 0,
            telling: Telling::default(),
            rows_moved: 0,
            rows: vec![Row { at: now, entry: Entry::Opened }],
        }
    }

    /// A digest for one contact, which counts from `digest.due_at` on. It closes itself when it is told,
    /// and at `close_at` in any case.
    pub fn opened_digest(id: AlertId, digest: Digest, now: Timestamp, close_at: Timestamp) -> Self {
        let title = format!("Alerts held back from {}", digest.contact);
        let event = Event {
            severity: Some(match digest.lane {
                super::DigestLane::Disaster => Severity::Disaster,
                super::DigestLane::Other => Severity::NotClassified,
            }),
            to: vec![digest.contact.clone()],
            ..Event::firing(DedupKey::new(format!("digest:{id}")), title)
        };
        Self { house: true, close_at, digest: Some(digest), ..Self::opened(id, HOUSE, &event, now) }
    }

    /// This digest counts now.
    pub fn count(&mut self, counted: Counted) {
        if let Some(digest) = &mut self.digest {
            (self.title, self.severity) = (counted.words(), counted.severity());
            digest.counted = Some(counted);
        }
    }

    /// Triggered or acknowledged.
    pub fn is_open(&self) -> bool {
        matches!(self.state, AlertState::Triggered | AlertState::Acknowledged)
    }

    /// Open, somebody's last road has failed, and nobody was reached for certain.
    pub fn reaches_nobody(&self) -> bool {
        let mut contacts = self.telling.contacts.values();
        self.is_open()
            && contacts.clone().any(|contact| contact.unreachable.is_some())
            && contacts.all(|contact| contact.told != Told::Yes)
    }

    /// Identity of all rounds.
    pub fn thread(&self) -> ThreadKey {
        ThreadKey::new(&self.integration, &self.dedup_key)
    }

    /// What phones fold duplicates by.
    pub fn tag(&self) -> Tag {
        Tag::new(&self.integration, &self.dedup_key, self.round)
    }
}
