//! What goes into planning: the alert, the instant, and what holds at it.

use jiff::{SignedDuration, Timestamp};

use super::{Budgets, DeviceBook, Rules, quiet};
use crate::{
    alert::{
        Alert, AlertState, Conversation, Counted, DeviceId, Digest, Epoch, Hold, Kind, Milestone,
        Notification, Progress, Severity, Subject, Successor, Taken,
    },
    roster::Person,
};

/// The instant of planning and what holds at it.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    pub now: Timestamp,
    /// When this process began.
    pub running_since: Timestamp,
    /// Under which lead it is planned: an attempt of an earlier one is an orphan of a crash.
    pub epoch: Epoch,
    pub rules: &'a Rules,
    pub people: &'a [Person],
    pub devices: &'a DeviceBook,
    pub budgets: &'a Budgets,
    /// How many pushes may begin; the rest waits for room.
    pub room: usize,
    /// Chance in `[0, 1)`, for jitter.
    pub chance: f64,
    /// For the ids of digests that are opened.
    pub entropy: [u8; 10],
}

/// The alert that is planned, and the present.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    /// Without its progress and conversation, which are being changed.
    pub(super) alert: &'a Alert,
    pub(super) present: &'a Present<'a>,
    /// Somebody knows of it as severe as that, for certain or by a digest.
    pub(super) heard: bool,
    /// As how severe it has to be known.
    pub(super) news: Severity,
    /// Somebody has it, or had it when it ended.
    pub(super) taken: Option<Taken>,
    /// How severe it is, or was told to be.
    pub(super) told_as: Severity,
    /// The round that has taken its place, or may do so yet, is quiet.
    pub(super) is_last_word: bool,
    /// It flaps and is over, but not for long enough to be told so.
    pub(super) may_come_back: bool,
}

impl<'a> Facts<'a> {
    pub(super) fn new(
        alert: &'a Alert,
        conversation: &Conversation,
        progress: &Progress,
        present: &'a Present<'a>,
    ) -> Self {
        let taken = alert.taken_by(conversation, progress);
        let may_come_back = quiet::may_come_back(alert, progress, present.now);
        let is_last_word = progress.planned.contains(&Milestone::Opened)
            && match alert.openings.superseded {
                Some(next) => next == Successor::IsQuiet && alert.openings.flapping().is_some(),
                None => may_come_back && progress.told_as(&alert.openings).is_some(),
            };
        let (heard, news) = (alert.is_heard_by(progress), alert.news(progress));
        let told_as = progress.notified_as.map_or(alert.severity, |told_as| told_as.max(alert.severity));
        Self { alert, present, heard, news, taken, told_as, is_last_word, may_come_back }
    }

    /// Nobody has it as severe as it is, and nobody knows of it.
    pub(super) fn is_unheard(&self) -> bool {
        self.alert.is_free_of(self.taken) && !self.heard
    }

    /// As [`Self::heard`], with what has become known since.
    pub(super) fn is_heard(&self, progress: &Progress) -> bool {
        self.alert.is_heard_by(progress)
    }

    /// The next round tells of it, or, where it may come, decides what this one tells.
    pub(super) fn is_left_to_next_round(&self) -> bool {
        self.may_come_back || self.alert.openings.superseded == Some(Successor::Tells)
    }

    /// Somebody has the alert, and this notification waits for them.
    pub(super) fn is_held(&self, notification: &Notification) -> bool {
        self.is(AlertState::Acknowledged) && notification.hold(self.taken) != Hold::Nothing
    }

    /// The alert is over, and was not yet then.
    pub(super) fn is_before_end(&self, at: Timestamp) -> bool {
        Some(at) < self.alert.resolved.as_ref().map(|resolution| resolution.at)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.present.now
    }

    pub(super) fn after(&self, delay: SignedDuration) -> Timestamp {
        self.now().saturating_add(delay).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn rules(&self) -> &'a Rules {
        self.present.rules
    }

    pub(super) fn is(&self, state: AlertState) -> bool {
        self.alert.state == state
    }

    pub(super) fn is_test(&self) -> bool {
        self.alert.kind.is_test()
    }

    pub(super) fn texts_at_once(&self) -> bool {
        self.rules().texts_at_once(self.alert.severity)
    }

    /// As how severe this tells it: it may have become milder since what it is about.
    pub(super) fn severity_of(&self, subject: &Subject) -> Severity {
        let is_about_past = matches!(subject, Subject::Missed | Subject::Unreachable { .. });
        if is_about_past { self.told_as } else { self.alert.severity }
    }

    /// As how severe a message of this says it is.
    pub(super) fn said_as(&self, subject: &Subject) -> Severity {
        if self.alert.is_open() { self.alert.severity } else { self.severity_of(subject) }
    }

    /// Neither a test nor a digest that counts nothing but ends.
    pub(super) fn is_worth_telling(&self) -> bool {
        let counted = |digest: &'a Digest| digest.counted.as_ref().is_some_and(Counted::has_problems);
        !self.is_test() && self.alert.digest.as_ref().is_none_or(counted)
    }

    /// Repeated while nobody acknowledges, and its end is notified.
    pub(super) fn lasts(&self) -> bool {
        self.alert.kind == Kind::Problem
    }

    /// Whoever had a text about it has another about its end.
    pub(super) fn owes_end_by_text(&self) -> bool {
        self.rules().texts_resolved && self.lasts()
    }

    pub(super) fn is_usable(&self, device: DeviceId) -> bool {
        self.present.devices.is_usable(device, self.now())
    }
}
