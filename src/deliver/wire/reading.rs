//! What an answer means for one message, and for the account that sent it.

use jiff::SignedDuration;

use super::breaker::{Evidence, PAUSE_MIN};
use crate::alert::{DeferCause, Outcome, RejectCause};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The outcome of this message; it says nothing against the account.
    Done(Outcome),
    /// Our account, key or configuration is at fault, in words for people: the breaker opens.
    Fault(String),
    /// As `Fault`, or it is only this device: the breaker opens unless others got through lately.
    Suspicion(String),
}

impl Reading {
    pub(crate) fn accepted(provider_id: Option<String>) -> Self {
        Self::Done(Outcome::Accepted { provider_id })
    }

    pub(crate) fn deferred(cause: DeferCause, retry_after: Option<SignedDuration>, detail: String) -> Self {
        Self::Done(Outcome::Deferred { cause, retry_after, detail })
    }

    pub(crate) fn rejected(cause: RejectCause, detail: String) -> Self {
        Self::Done(Outcome::Rejected { cause, detail })
    }

    pub(crate) fn unknown(detail: String) -> Self {
        Self::Done(Outcome::Unknown { detail })
    }

    /// Only an answer about the message itself proves that the account works; an outage or a silence proves nothing.
    pub(crate) fn evidence(&self) -> Evidence {
        match self {
            Self::Done(
                Outcome::Accepted { .. }
                | Outcome::Rejected { .. }
                | Outcome::Deferred { cause: DeferCause::PlatformFault, .. },
            ) => Evidence::Works,
            Self::Done(Outcome::Deferred { .. } | Outcome::Unknown { .. }) => Evidence::Nothing,
            Self::Fault(_) => Evidence::Fault,
            Self::Suspicion(_) => Evidence::Suspicious,
        }
    }

    /// `rest` is how long an account at fault is left alone; `None` if it is not: then this device rests.
    pub(crate) fn outcome(self, rest: Option<SignedDuration>) -> Outcome {
        match self {
            Self::Done(outcome) => outcome,
            Self::Fault(detail) | Self::Suspicion(detail) => {
                // The account is asked again at once: by another device.
                let rest = rest.filter(SignedDuration::is_positive);
                let cause = if rest.is_some() { DeferCause::ProjectFault } else { DeferCause::PlatformFault };
                Outcome::Deferred { cause, retry_after: rest.or(Some(PAUSE_MIN)), detail }
            }
        }
    }
}

#[cfg(test)]
impl Reading {
    /// The word of the cause, or of the outcome where it has none; `fault` where the breaker opens.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Done(outcome) => outcome.cause().unwrap_or(outcome.as_str()),
            Self::Fault(_) => "fault",
            Self::Suspicion(_) => "suspicion",
        }
    }
}
