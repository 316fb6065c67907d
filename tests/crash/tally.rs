//! What the run proves, what it saw, and the table at its end.

use std::collections::BTreeMap;

use jiff::SignedDuration;

/// Most violations of one promise that are printed.
const SHOWN_MAX: usize = 20;

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    Starts,
    NoPanic,
    AnswersAgree,
    Kept,
    NothingInvented,
    Told,
    DigestsAddUp,
    LedgerSeen,
    AcceptedCovered,
    TwiceOnlyAfterUnknown,
    AttemptsComplete,
    WellFormed,
    Quiet,
}

impl Promise {
    const ALL: [(Self, &str); 13] = [
        (Self::Starts, "the server starts on what a kill left behind"),
        (Self::NoPanic, "nothing panics"),
        (Self::AnswersAgree, "answers agree with earlier answers"),
        (Self::Kept, "every answered event has its alert, in the state last answered"),
        (Self::NothingInvented, "every alert comes from an event, one alert each, or is a digest"),
        (Self::Told, "every alert was told to every contact as it stands, alone or in a digest (lost: 0)"),
        (Self::DigestsAddUp, "digests count what was held back, each alert once"),
        (Self::LedgerSeen, "whatever the ledger calls accepted was accepted"),
        (Self::AcceptedCovered, "whatever was accepted is in the ledger as accepted or unknown"),
        (Self::TwiceOnlyAfterUnknown, "nothing is sent again but after an unknown"),
        (Self::AttemptsComplete, "every attempt is in the ledger, once"),
        (Self::WellFormed, "every request was well-formed, every answer was an acceptance"),
        (Self::Quiet, "a start with nothing left to do sends nothing"),
    ];
}

/// Figures and violations of the whole run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: BTreeMap<&'static str, u64>,
    figures: BTreeMap<Figure, u64>,
    pub(crate) slowest_start: SignedDuration,
    violations: BTreeMap<Promise, Vec<String>>,
}

/// What is counted, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Figure {
    Rounds,
    Stores,
    RequestsAnswered,
    EventsAnswered,
    Alerts,
    AlertsOfUnanswered,
    Digests,
    HeldBack,
    PushesAccepted,
    DuplicatePushes,
    TextsAccepted,
    DuplicateTexts,
    Unknown,
    Orphans,
    AcceptedAsUnknown,
    AcknowledgedUntold,
    Lost,
}

impl Figure {
    fn label(self) -> &'static str {
        match self {
            Self::Rounds => "rounds",
            Self::Stores => "stores",
            Self::RequestsAnswered => "requests answered",
            Self::EventsAnswered => "events answered",
            Self::Alerts => "alerts",
            Self::AlertsOfUnanswered => "  of these, kept though the kill came before the answer",
            Self::Digests => "  of these, digests",
            Self::HeldBack => "held back by limits, in digests",
            Self::PushesAccepted => "pushes accepted by the fake",
            Self::DuplicatePushes => "  of these, duplicates (fold on the phone)",
            Self::TextsAccepted => "texts accepted by the fake",
            Self::DuplicateTexts => "  of these, duplicates",
            Self::Unknown => "attempts unknown in the ledger",
            Self::Orphans => "  of these, under way when the process was killed",
            Self::AcceptedAsUnknown => "accepted by the fake, unknown in the ledger",
            Self::AcknowledgedUntold => "acknowledged before any message got through",
            Self::Lost => "lost",
        }
    }

    const ALL: [Self; 17] = [
        Self::Rounds,
        Self::Stores,
        Self::RequestsAnswered,
        Self::EventsAnswered,
        Self::Alerts,
        Self::AlertsOfUnanswered,
        Self::Digests,
        Self::HeldBack,
        Self::PushesAccepted,
        Self::DuplicatePushes,
        Self::TextsAccepted,
        Self::DuplicateTexts,
        Self::Unknown,
        Self::Orphans,
        Self::AcceptedAsUnknown,
        Self::AcknowledgedUntold,
        Self::Lost,
    ];
}

impl Tally {
    pub(crate) fn count(&mut self, figure: Figure, more: u64) {
        *self.figures.entry(figure).or_default() += more;
    }

    pub(crate) fn figure(&self, figure: Figure) -> u64 {
        self.figures.get(&figure).copied().unwrap_or_default()
    }

    pub(crate) fn violated(&mut self, promise: Promise, what: String) {
        self.violations.entry(promise).or_default().push(what);
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// The table, the promises, and in the last line how many of them were kept.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![String::new()];
        for figure in Figure::ALL {
            lines.push(format!("{:<56}{:>8}", figure.label(), self.figure(figure)));
        }
        lines.push(format!("{:<56}{:>5} ms", "slowest start", self.slowest_start.as_millis()));
        let kills: Vec<String> = self.kills.iter().map(|(phase, kills)| format!("{phase} {kills}")).collect();
        lines.push(format!("kills: {}", kills.join(", ")));
        lines.push(String::new());
        for (promise, words) in Promise::ALL {
            let violations = self.violations.get(&promise).map_or(&[][..], Vec::as_slice);
            lines.push(format!("{} {words}", if violations.is_empty() { "ok    " } else { "FAILED" }));
            lines.extend(violations.iter().take(SHOWN_MAX).map(|what| format!("         {what}")));
            if SHOWN_MAX < violations.len() {
                lines.push(format!("         and {} more", violations.len() - SHOWN_MAX));
            }
        }
        lines.push(String::new());
        let failed = self.violations.len();
        lines.push(format!("{} passed, {failed} failed", Promise::ALL.len() - failed));
        lines
    }
}
