//! How far people have been notified of an alert: the open work, kept inside the alert's document.
//!
//! Only open destinations are kept; what became of the closed ones is in the journal.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Address, ContactName, FLAPPING_ROUNDS, Folded, Hold, Openings, Pending, PushState, Report, SentText,
    Severity, Subject, Taken, TextState, Tier, Unanswered, Unreached, is_default,
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub planned: BTreeSet<Milestone>,
    /// As how severe it was last told, or is to be told: what goes beyond is news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notified_as: Option<Severity>,
    /// When that began, or somebody heard of it who was the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notified_at: Option<Timestamp>,
    /// While nobody knows of it: when those for whom every channel has failed are tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Timestamp>,
    /// When people were last notified that somebody could not be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreached_told_at: Option<Timestamp>,
    pub contacts: BTreeMap<ContactName, ContactProgress>,
    /// What providers reported and is not planned yet, once per text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<Report>,
}

impl Progress {
    /// Keeps a report until it is planned, in place of one about the same text that says less. False if it tells
    /// nothing new.
    pub fn take_report(&mut self, report: &Report) -> bool {
        let waiting = self.reports.iter_mut().find(|known| known.attempt == report.attempt);
        let Some(known) = waiting else {
            let is_awaited = self.contacts.values().any(|contact| contact.awaits(report));
            self.reports.extend(is_awaited.then(|| report.clone()));
            return is_awaited;
        };
        let says_more = known.fate.says() < report.fate.says();
        if says_more {
            *known = report.clone();
        }
        says_more
    }

    pub fn notifications(&self) -> impl Iterator<Item = &Notification> {
        self.contacts.values().flat_map(|contact| &contact.notifications)
    }

    /// Somebody knows of it for certain, or a digest counts it.
    pub fn is_heard_of(&self) -> bool {
        self.contacts.values().any(ContactProgress::has_heard)
    }

    /// As how severe somebody was told of the round for certain: a text that a gateway took may still turn out not to have
    /// arrived, but not one text after another.
    pub fn told_as(&self, openings: &Openings) -> Option<Severity> {
        let flaps_on = openings.flapping().is_some_and(|rounds| FLAPPING_ROUNDS < rounds as usize);
        let told_as =
            |contact: &ContactProgress| if flaps_on { contact.heard_as() } else { contact.surely_heard_as() };
        self.contacts.values().filter_map(told_as).max()
    }

    /// A reminder is under way that nobody can have had so far.
    pub fn reminds_nobody_yet(&self) -> bool {
        let mut contacts = self.contacts.values();
        self.notifications().any(|one| matches!(one.subject, Subject::Repeat { .. }))
            && contacts.all(|contact| contact.notified() == Notified::No && !contact.may_be_on_its_way())
    }

    /// One who was to be told that these could not be reached surely was not.
    pub fn untell(&mut self, unreached: &Unreached) {
        if 0 < unreached.more {
            return self.untell_all();
        }
        for name in &unreached.names {
            if let Some(contact) = self.contacts.get_mut(name) {
                contact.others = contact.others.but_one();
            }
        }
    }

    /// One of those who were told of others was not, or is not there any more.
    pub fn untell_all(&mut self) {
        for contact in self.contacts.values_mut().filter(|contact| contact.others.are_told()) {
            contact.others = contact.others.but_one();
        }
    }

    pub fn is_under_way(&self) -> bool {
        self.contacts.values().any(ContactProgress::is_under_way)
    }
}

/// A change of an alert that planning has taken notice of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    Opened,
    /// Somebody has it: what waits is held.
    Acknowledged,
    /// It is over: notifying of the end has begun.
    Resolved,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactProgress {
    /// What this contact knows even if none of the texts under `sent` arrives.
    pub certain: Notified,
    /// As how severe, unless a digest counts it as more severe.
    #[serde(default, skip_serializing_if = "is_default")]
    pub known_as: Severity,
    #[serde(default, skip_serializing_if = "is_default")]
    pub texted: Texted,
    /// Why the last channel failed, until one works again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub others: Others,
    /// What the last digest of each tier counts of it, if a budget held something back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub folded: BTreeMap<Tier, Folded>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notifications: Vec<Notification>,
    /// Accepted texts whose delivery may still be reported, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentText>,
    /// Texts without a readable answer, which may be there, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unanswered: Vec<Unanswered>,
}

/// Whether a contact has had a text about an alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Texted {
    #[default]
    No,
    /// A gateway took one, or may have.
    Yes,
    /// One was sent twice without a readable answer: it is not sent again.
    Unanswered,
}

/// What the others know of a contact's last channel having failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Others {
    #[default]
    NotTold,
    /// There was nobody to notify of it; whoever can be reached later is.
    NobodyLeft,
    /// So many of them have been notified of it, once per alert, as far as is known.
    Told(usize),
}

impl Others {
    /// What was to tell one of them has surely failed.
    #[must_use]
    pub fn but_one(self) -> Self {
        match self {
            Self::Told(count) if 1 < count => Self::Told(count - 1),
            Self::NotTold | Self::NobodyLeft | Self::Told(_) => Self::NotTold,
        }
    }

    pub fn are_told(self) -> bool {
        matches!(self, Self::Told(_))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notified {
    #[default]
    No,
    /// Something was sent without a readable answer.
    Maybe,
    /// A digest counts it, and is accepted or becomes a dead letter of its own.
    Counted,
    /// A provider accepted something.
    Yes,
}

/// One contact is notified of one thing: by push, and by text when the push fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    #[serde(flatten)]
    pub subject: Subject,
    pub since: Timestamp,
    pub push: PushState,
    pub text: TextState,
    /// A digest tells it instead, or a later message that tells more: what is under way may still arrive,
    /// nothing more is begun.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaced: bool,
}

impl ContactProgress {
    /// What this contact knows, unless a text that a gateway took turns out not to have arrived.
    pub fn notified(&self) -> Notified {
        if self.sent.iter().any(|sent| sent.subject.is_about_alert()) { Notified::Yes } else { self.certain }
    }

    /// A request is under way.
    pub fn is_under_way(&self) -> bool {
        self.notifications.iter().flat_map(Notification::open).any(|(state, _)| state.is_in_flight())
    }

    /// A text that tells of the open alert is under way.
    pub fn is_being_texted(&self) -> bool {
        let mut about_open_alert = self.notifications.iter().filter(|one| one.subject.is_about_open_alert());
        about_open_alert.any(|one| one.text.is_in_flight())
    }

    /// A request is under way, or was not answered: it may have arrived.
    fn may_be_on_its_way(&self) -> bool {
        let mut texts = self.notifications.iter().filter_map(|one| one.text.open());
        self.is_under_way() || texts.any(|text| 0 < text.unknowns)
    }

    /// Nothing was tried for this contact yet.
    pub fn try_anew(&mut self) {
        let Self { notifications, folded, unanswered, .. } = std::mem::take(self);
        *self = Self { folded, notifications, unanswered, ..Self::default() };
    }

    /// Nothing that tells of the alert is under way.
    pub fn is_idle(&self) -> bool {
        self.notifications
            .iter()
            .all(|one| one.replaced || matches!(one.subject, Subject::Unreachable { .. }))
    }

    /// Knows for certain, or is told by a digest.
    pub fn has_heard(&self) -> bool {
        Notified::Counted <= self.notified()
    }

    /// Has heard of it as severe as that.
    pub fn knows(&self, severity: Severity) -> bool {
        Some(severity) <= self.heard_as()
    }

    /// As how severe they know it, unless a text that a gateway took turns out not to have arrived.
    pub fn heard_as(&self) -> Option<Severity> {
        let sent = self.sent.iter().filter(|sent| sent.subject.is_about_alert());
        sent.map(|sent| sent.severity).max().max(self.surely_heard_as())
    }

    /// As how severe they know it, whatever becomes of those texts.
    pub fn surely_heard_as(&self) -> Option<Severity> {
        let counted =
            self.folded.values().filter(|folded| folded.tells_of_it()).map(|folded| folded.severity);
        (Notified::Counted <= self.certain).then(|| counted.fold(self.known_as, Severity::max))
    }

    /// It becomes more severe than this, or is again, which is news.
    pub fn knows_at_most(&mut self, severity: Severity) {
        let sent = self.sent.iter_mut().map(|sent| &mut sent.severity);
        let counted = self.folded.values_mut().map(|folded| &mut folded.severity);
        let unanswered = self.unanswered.iter_mut().map(|lost| &mut lost.severity);
        for known_as in sent.chain(unanswered).chain(counted).chain([&mut self.known_as]) {
            *known_as = (*known_as).min(severity);
        }
    }

    /// True while this report would tell something new.
    pub fn awaits(&self, report: &Report) -> bool {
        self.sent.iter().any(|sent| sent.awaits(report))
            || self.unanswered.iter().any(|lost| lost.awaits(report))
            || self.notifications.iter().any(|notification| notification.text.awaits(report))
    }

    /// The notifications that a resolution makes pointless.
    pub fn about_open_alert(&mut self) -> impl Iterator<Item = &mut Notification> {
        self.notifications.iter_mut().filter(|notification| notification.subject.is_about_open_alert())
    }
}

impl Notification {
    /// A provider has it.
    pub fn has_arrived(&self) -> bool {
        self.push.accepted || self.text == TextState::Accepted
    }

    /// It has not arrived, and is still tried.
    pub fn is_on_its_way(&self) -> bool {
        !self.replaced && !self.has_arrived() && !self.is_over()
    }

    /// It tells its contact of the alert, or that it has become more severe, and has not arrived yet.
    pub fn is_news_under_way(&self) -> bool {
        matches!(self.subject, Subject::Opened | Subject::Raised { .. }) && self.is_on_its_way()
    }

    pub fn is_over(&self) -> bool {
        self.push.open.is_empty() && self.text.pending().is_none()
    }

    /// An acknowledgement holds what it was given for; that it is or becomes more severe than that is news.
    pub fn hold(&self, taken: Option<Taken>) -> Hold {
        let Some(taken) = taken else { return Hold::Nothing };
        match self.subject {
            Subject::Opened | Subject::Raised { .. } if taken == Taken::Outgrown => Hold::Nothing,
            Subject::Opened if taken == Taken::BeforeItOpened => Hold::Texts,
            Subject::Opened | Subject::Raised { .. } => Hold::Retries,
            Subject::Repeat { .. } => Hold::Everything,
            Subject::Resolved | Subject::Missed | Subject::Unreachable { .. } | Subject::Digest => {
                Hold::Nothing
            }
        }
    }

    /// Every destination that waits for something but a person: what an acknowledgement holds does not.
    pub fn waiting(&self, taken: Option<Taken>) -> impl Iterator<Item = (Pending, Option<Address>)> {
        let hold = self.hold(taken);
        self.open().filter(move |(pending, address)| match hold {
            Hold::Nothing => true,
            Hold::Texts => pending.is_in_flight() || matches!(address, Some(Address::Device(_))),
            Hold::Retries | Hold::Everything => pending.is_in_flight(),
        })
    }

    /// Every destination that may still be attempted, with the address of its last attempt; a text that was not
    /// attempted yet has none.
    pub fn open(&self) -> impl Iterator<Item = (Pending, Option<Address>)> {
        let pushes = self.push.open.iter().map(|push| (push.state, Some(Address::Device(push.device))));
        let gateway = || self.text.open()?.gateway.clone().map(Address::Gateway);
        pushes.chain(self.text.pending().map(|pending| (pending, gateway())))
    }
}
