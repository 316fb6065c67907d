//! Taking an alert and giving it back, and how severe it is taken to be.

use jiff::Timestamp;

use super::{
    Acknowledgement, Alert, AlertState, ContactProgress, Conversation, Entry, Milestone, Progress, Row,
    Severity, Taken,
};

impl Alert {
    /// False if somebody already has it; but a person may take what has become more severe since, or had for a while, and
    /// what was only taken there, where it may be given up again.
    pub fn acknowledge(&mut self, by: &str, by_sender: bool, now: Timestamp) -> bool {
        let (mut severity, mut since) = (self.known_as(), now);
        if let Some(taken) = &self.conversation.acknowledged {
            let is_new = !by_sender && (taken.by_sender || taken.severity < severity.max(self.told_as()));
            if !is_new {
                return false;
            }
            severity = severity.max(taken.severity);
            if severity == taken.severity {
                since = taken.since;
            }
        }
        if self.state == AlertState::Triggered {
            self.state = AlertState::Acknowledged;
        }
        self.rows.push(Row { at: now, entry: Entry::Acknowledged { by: by.to_owned() } });
        self.conversation.acknowledged =
            Some(Acknowledgement { by: by.to_owned(), at: now, since, severity, by_sender });
        self.is_known_as(severity);
        true
    }

    /// What was held is told. False if nobody had it.
    pub fn unacknowledge(&mut self, by: &str, now: Timestamp) -> bool {
        if self.conversation.acknowledged.take().is_none() {
            return false;
        }
        if self.state == AlertState::Acknowledged {
            self.state = AlertState::Triggered;
        }
        self.is_known_as(self.known_as());
        if self.is_free() && !self.is_heard() && self.progress.contacts.values().all(ContactProgress::is_idle)
        {
            self.progress.again_at = Some(now);
        }
        self.openings.give_back();
        self.rows.push(Row { at: now, entry: Entry::Unacknowledged { by: by.to_owned() } });
        true
    }

    /// It may have been told as more severe before: when it is again, that is news.
    fn is_known_as(&mut self, severity: Severity) {
        self.openings.is_known_as(severity);
        self.progress.notified_as = self.progress.notified_as.map(|told_as| told_as.min(severity));
    }

    /// Somebody has it, or had it when it ended.
    pub fn taken(&self) -> Option<Taken> {
        self.taken_by(&self.conversation, &self.progress)
    }

    /// As [`Self::taken`], of what is being planned.
    pub fn taken_by(&self, conversation: &Conversation, progress: &Progress) -> Option<Taken> {
        let taken = conversation.acknowledged.as_ref()?;
        // An update that says who has it opens it.
        let has_opened = taken.since == self.opened_at && (taken.by_sender || taken.since < taken.at);
        // So does an earlier round that told of it.
        let is_planned = progress.notified_at.is_some_and(|told_at| told_at <= taken.since);
        let is_known = self.openings.is_quiet(self.severity) && !is_planned;
        let told_as = progress.notified_as.unwrap_or(self.severity);
        // What it was counts once it is over.
        let told_as = if self.is_open() { told_as.min(self.severity) } else { told_as };
        Some(if taken.severity < told_as {
            Taken::Outgrown
        } else if taken.since < self.opened_at || has_opened || is_known {
            Taken::BeforeItOpened
        } else {
            Taken::WhileOpen
        })
    }

    /// It is open, and nobody has it as severe as it is.
    pub fn is_free(&self) -> bool {
        self.is_free_of(self.taken())
    }

    pub fn is_free_of(&self, taken: Option<Taken>) -> bool {
        match self.state {
            AlertState::Triggered => true,
            AlertState::Acknowledged => taken == Some(Taken::Outgrown),
            AlertState::Noted | AlertState::Resolved => false,
        }
    }

    /// Nobody has it, and people were to be told of it by now.
    pub fn is_free_and_planned(&self) -> bool {
        self.is_free() && self.progress.planned.contains(&Milestone::Opened)
    }

    /// Somebody knows of it as severe as it was told, or is to be, for certain or by a digest.
    pub fn is_heard(&self) -> bool {
        self.is_heard_by(&self.progress)
    }

    /// As [`Self::is_heard`], of what is being planned.
    pub fn is_heard_by(&self, progress: &Progress) -> bool {
        let severity = self.news(progress);
        progress.contacts.values().any(|contact| contact.knows(severity))
    }

    /// As how severe it has to be known: as it was told, or is to be; but what it is not any more is no news.
    pub fn news(&self, progress: &Progress) -> Severity {
        let told_as = progress.notified_as.unwrap_or_default();
        if self.is_open() { told_as.min(self.severity) } else { told_as }
    }

    /// How severe it is or has been, as far as people know: an earlier round may have told of a quiet one.
    pub fn known_as(&self) -> Severity {
        let is_told = self.progress.planned.contains(&Milestone::Opened);
        if is_told { self.severity } else { self.openings.worst(self.severity) }
    }
}
