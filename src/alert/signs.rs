//! What the row of an alert that waits to be planned says of it, so that nobody has to read the document for it.

use bitflags::bitflags;

use super::{Alert, AlertState, Pending};

bitflags! {
    /// As it was last written.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Signs: u16 {
        const TRIGGERED = 1;
        const ACKNOWLEDGED = 1 << 1;
        /// A request was begun whose answer is not known.
        const IN_FLIGHT = 1 << 2;
        /// A push waits for the account that sends it, which is at fault.
        const PUSH_AT_FAULT = 1 << 3;
        /// As [`Signs::PUSH_AT_FAULT`], of a text.
        const TEXT_AT_FAULT = 1 << 4;
        /// It was told, and nobody has it: whoever knows of it may have left the configuration.
        const FREE = 1 << 5;
        /// As [`Signs::FREE`], and nobody knows of it for certain.
        const UNHEARD = 1 << 6;
        /// Nobody acknowledged, and nobody is reminded any more.
        const UNANSWERED = 1 << 7;
        /// A digest that has not counted yet.
        const COLLECTS = 1 << 8;
    }
}

impl Signs {
    pub const OPEN: Self = Self::TRIGGERED.union(Self::ACKNOWLEDGED);

    pub fn of(alert: &Alert) -> Self {
        let progress = &alert.progress;
        let is_free = alert.is_free_and_planned();
        let pushes = progress.notifications().flat_map(|one| &one.push.open);
        let texts = progress.notifications().filter_map(|one| one.text.pending());
        let mut signs = match alert.state {
            AlertState::Triggered => Self::TRIGGERED,
            AlertState::Acknowledged => Self::ACKNOWLEDGED,
            AlertState::Noted | AlertState::Resolved => Self::empty(),
        };
        signs.set(Self::IN_FLIGHT, progress.is_under_way());
        signs.set(Self::PUSH_AT_FAULT, pushes.into_iter().any(|push| push.state.is_at_fault()));
        signs.set(Self::TEXT_AT_FAULT, texts.into_iter().any(Pending::is_at_fault));
        signs.set(Self::FREE, is_free);
        signs.set(Self::UNHEARD, is_free && !alert.is_heard());
        signs.set(Self::UNANSWERED, alert.went_unanswered());
        signs.set(Self::COLLECTS, alert.digest.as_ref().is_some_and(|digest| digest.counted.is_none()));
        signs
    }

    /// Whether an alert with these is in this state.
    pub fn is(self, state: AlertState) -> bool {
        match state {
            AlertState::Triggered => self.contains(Self::TRIGGERED),
            AlertState::Acknowledged => self.contains(Self::ACKNOWLEDGED),
            AlertState::Noted | AlertState::Resolved => !self.intersects(Self::OPEN),
        }
    }
}
