//! The deduplicated, stateful thing that people deal with.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    AlertId, AlertState, ContactName, Conversation, Counted, DOUBT_LASTS, DedupKey, Digest, Entry, Event,
    FoldRow, Folded, Heard, KeptEvent, Kind, Milestone, Openings, Progress, Row, Severity, Successor, Tag,
    ThreadKey, Tier, Transports, digest::TITLE_CHARS_MAX, is_default,
};

/// An alert that has reached nobody for this long is not on its way any more.
const REACHED_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// The integration of alerts that we open about ourselves; no sender may have this name.
pub const OURS: &str = "bongsu";

/// One round of one dedup key. This is the stored document. What hardly ever changes comes first: a store need not write it
/// again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub id: AlertId,
    pub integration: String,
    pub dedup_key: DedupKey,
    /// Of this dedup key, counted from 1.
    pub round: u32,
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_url: Option<String>,
    /// When the condition began, as the sender tells it, else the time of its first message, else when we heard of it.
    /// Never in the future.
    pub starts_at: Timestamp,
    pub opened_at: Timestamp,
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: Kind,
    #[serde(default, skip_serializing_if = "is_default")]
    pub transports: Transports,
    /// Tell only these contacts; empty = whoever the policy names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<ContactName>,
    /// The `Idempotency-Key` that opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// It is the problem of the round before, which goes on: this end of that round is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_back: Option<Resolution>,
    pub severity: Severity,
    pub state: AlertState,
    #[serde(default, skip_serializing_if = "is_default")]
    pub openings: Openings,
    #[serde(default, skip_serializing_if = "is_default")]
    pub heard: Heard,
    /// When it resolves itself because no recovery ever came; for a noted one, when it is dropped.
    pub close_at: Timestamp,
    /// Saved at most once a minute, as `count`.
    pub last_seen_at: Timestamp,
    /// Events that joined it.
    pub count: u64,
    pub conversation: Conversation,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolution>,
    /// It counts alerts that a budget held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// It fires with nothing new to say after its end: a late copy, or the end is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Box<KeptEvent>>,
    /// The end of a problem that has not come yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_end: Option<Box<KeptEvent>>,
    pub attempts: u32,
    pub progress: Progress,
    /// Journal rows already moved out of this document into chunks.
    pub rows_moved: u32,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    pub by: ResolvedBy,
    pub at: Timestamp,
    /// How, where it is not plain recovery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When the condition ended, as the sender tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl Resolution {
    pub fn by(by: ResolvedBy, at: Timestamp) -> Self {
        Self { by, at, note: None, ended_at: None }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolvedBy {
    Sender,
    Operator(String),
    /// Its sender stopped following it, which is no recovery.
    Cancelled,
    /// Nobody said anything for `close_after`.
    Silence,
    Test,
    /// It was a digest, and has been told.
    Told,
    /// The next round began before anybody said that this one was over.
    Superseded,
}

impl ResolvedBy {
    pub fn describe(&self) -> &str {
        match self {
            Self::Sender | Self::Cancelled => "sender",
            Self::Operator(name) => name,
            Self::Silence => "close_after",
            Self::Test => "test",
            Self::Told => "told",
            Self::Superseded => "superseded",
        }
    }
}

/// A contact who could not be notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenUp<'a> {
    pub contact: &'a ContactName,
    pub reason: &'a str,
    /// The others have been notified of it.
    pub is_told: bool,
}

impl Alert {
    /// The first round of what `event` tells, heard by `integration` at `now`.
    pub fn opened(id: AlertId, integration: &str, event: &Event, now: Timestamp) -> Self {
        let mut heard = Heard::default();
        heard.hear(event, now);
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
            starts_at: event.starts_at.or(event.said_at).unwrap_or(now).min(now),
            opened_at: now,
            last_seen_at: now,
            count: 1,
            conversation: Conversation::default(),
            resolved: None,
            close_at: Timestamp::MAX,
            kind: event.kind,
            transports: event.transports,
            digest: None,
            openings: Openings::default(),
            heard,
            doubt: None,
            early_end: None,
            taken_back: None,
            to: event.to.clone(),
            idempotency_key: event.idempotency_key.clone(),
            attempts: 0,
            progress: Progress::default(),
            rows_moved: 0,
            rows: vec![Row { at: now, entry: Entry::Opened }],
        }
    }

    /// A digest for one contact, which counts from `digest.due_at` on. It closes itself when it is told.
    pub fn opened_digest(id: AlertId, digest: Digest, now: Timestamp) -> Self {
        let title = format!("Alerts held back from {}", digest.contact);
        let event = Event {
            severity: Some(match digest.tier {
                Tier::Disaster => Severity::Disaster,
                Tier::Ordinary => Severity::NotClassified,
            }),
            kind: Kind::Own,
            to: vec![digest.contact.clone()],
            ..Event::firing(DedupKey::new(format!("digest:{id}")), title)
        };
        Self { digest: Some(digest), ..Self::opened(id, OURS, &event, now) }
    }

    pub fn count(&mut self, counted: Counted) {
        if let Some(digest) = &mut self.digest {
            (self.title, self.severity) = (counted.words(), counted.severity());
            digest.counted = Some(counted);
        }
    }

    pub fn resolve(&mut self, resolution: Resolution) {
        let by = resolution.by.describe().to_owned();
        let entry = Entry::Resolved { by, note: resolution.note.clone() };
        self.rows.push(Row { at: resolution.at, entry });
        self.state = AlertState::Resolved;
        self.resolved = Some(resolution);
    }

    /// What a clock that ran ahead dated counts as heard of at `now`, and it closes itself as long after that as it
    /// would have.
    pub fn pull_back_heard(&mut self, now: Timestamp) {
        if now < self.last_seen_at {
            let ahead = self.last_seen_at.duration_since(now);
            self.close_at = self.close_at.saturating_sub(ahead).unwrap_or(now);
            self.last_seen_at = now;
        }
        self.heard.pull_back(now);
        for kept in [&mut self.early_end, &mut self.doubt].into_iter().flatten() {
            kept.arrived = kept.arrived.min(now);
        }
    }

    /// When what fires after its end counts in any case.
    pub fn doubt_ends_at(&self) -> Option<Timestamp> {
        let end = self.resolved.as_ref().filter(|_| self.doubt.is_some())?;
        Some(end.at.saturating_add(DOUBT_LASTS).unwrap_or(Timestamp::MAX))
    }

    /// What a digest keeps of it.
    pub fn fold_row(&self, folded: &Folded) -> FoldRow {
        FoldRow {
            alert_id: self.id,
            word: folded.word,
            severity: self.severity,
            title: self.title.chars().take(TITLE_CHARS_MAX).collect(),
            at: folded.at,
            text: folded.text,
            missed: folded.missed,
            unreached: folded.unreached.clone(),
        }
    }

    /// What it is, as the latest round, to one before it. If that was more severe, or for others, there is something
    /// left to tell.
    pub fn as_successor(&self, before: &Self) -> Successor {
        let is_told = self.progress.planned.contains(&Milestone::Opened);
        let is_quiet = !is_told && self.openings.is_quiet(self.severity);
        let is_over = before.progress.planned.contains(&Milestone::Resolved);
        let before_as = if is_over { before.told_as() } else { before.told_as().max(before.severity) };
        let is_milder = self.told_as() < before_as;
        if is_quiet || is_milder || self.is_for_others(before) {
            Successor::IsQuiet
        } else {
            Successor::Tells
        }
    }

    /// It is not told to all whom that round was for.
    pub fn is_for_others(&self, before: &Self) -> bool {
        let is_for_all_of_them = before.to.iter().all(|name| self.to.contains(name)) && !before.to.is_empty();
        !self.to.is_empty() && !is_for_all_of_them
    }

    /// As how severe it was told, or is to be.
    pub fn told_as(&self) -> Severity {
        self.progress.notified_as.unwrap_or(self.severity)
    }

    /// As how severe people are to hear of it before others: what it is, what it was told as, or, of a digest that still
    /// collects, the gravest that it may come to count.
    pub fn urgency(&self) -> Severity {
        match &self.digest {
            Some(Digest { counted: None, tier: Tier::Disaster, .. }) => Severity::Disaster,
            Some(Digest { counted: None, tier: Tier::Ordinary, .. }) => Severity::High,
            Some(_) | None => self.told_as().max(self.severity),
        }
    }

    /// It comes and goes since that round, or longer.
    pub fn flaps_since(&self, before: &Self) -> bool {
        self.openings.flapping().is_some_and(|rounds| self.round.saturating_sub(before.round) < rounds)
    }

    pub fn is_open(&self) -> bool {
        matches!(self.state, AlertState::Triggered | AlertState::Acknowledged)
    }

    /// From when on nobody has it, and nobody was reached for certain: for [`REACHED_WITHIN`], or every channel of a
    /// contact has failed.
    pub fn reaches_nobody_from(&self) -> Option<Timestamp> {
        let Progress { planned, contacts, .. } = &self.progress;
        let holds = self.is_free()
            && !self.kind.is_test()
            && planned.contains(&Milestone::Opened)
            && !self.is_heard();
        let told_at = self.progress.notified_at.unwrap_or(self.opened_at);
        let since = if self.progress.is_heard_of() {
            // What it was before, and so the rounds before it.
            told_at
        } else if self.state == AlertState::Acknowledged {
            self.openings.unheard_since(told_at)
        } else {
            self.openings.unheard_since(self.opened_at)
        };
        let has_failed = contacts.values().any(|contact| contact.unreachable.is_some() && contact.is_idle());
        let after = if has_failed { SignedDuration::ZERO } else { REACHED_WITHIN };
        holds.then(|| since.saturating_add(after).unwrap_or(Timestamp::MAX))
    }

    /// Those who could not be notified, unless nobody knows and everybody is tried on. Reminders may go on all the same.
    pub fn given_up(&self) -> impl Iterator<Item = GivenUp<'_>> {
        let goes_on = self.is_free() && !self.is_heard();
        let contacts = self.progress.contacts.iter().filter(move |_| !goes_on);
        contacts.filter_map(|(name, contact)| {
            let reason = contact.unreachable.as_deref()?;
            Some(GivenUp { contact: name, reason, is_told: contact.others.are_told() })
        })
    }

    /// Nobody acknowledged, and nobody is reminded any more.
    pub fn went_unanswered(&self) -> bool {
        self.state == AlertState::Triggered && self.conversation.has_ended()
    }

    pub fn thread(&self) -> ThreadKey {
        ThreadKey::new(&self.integration, &self.dedup_key)
    }

    /// What phones recognise duplicates by.
    pub fn tag(&self) -> Tag {
        Tag::new(&self.integration, &self.dedup_key, self.round)
    }
}
