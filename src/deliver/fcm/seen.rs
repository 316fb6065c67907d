//! What came of a request, and what that is to the rest of the house.

use jiff::SignedDuration;

use super::{
    answer::Verdict,
    breaker::{self, Evidence},
    exchange::{Refusal, RefusalKind},
    token::{AfterRefusal, TRIAL},
};
use crate::alert::{DeferCause, Outcome};

/// How long a device rests whose platform Google cannot reach.
const PLATFORM_PAUSE: SignedDuration = breaker::OPEN_MIN;

/// What came of a request.
#[derive(Debug)]
pub(super) enum Seen {
    /// No token; Google is asked again after the pause.
    NoToken(Refusal, SignedDuration),
    /// The token took too long; it may be there soon.
    NoTokenYet,
    /// Every connection was busy for too long.
    NoSlot,
    /// Surely not processed.
    NotSent(String),
    /// Perhaps processed.
    NoAnswer(String),
    /// A refusal with this status, whose body broke off.
    Cut(u16),
    /// The token was refused.
    TokenRefused(AfterRefusal, String),
    /// Anything else that was answered.
    Answered(Verdict),
}

impl Seen {
    /// What it says of the project.
    pub(super) fn evidence(&self) -> Evidence {
        match self {
            Self::NoToken(refusal, _) if refusal.is_permanent() => Evidence::Fault,
            Self::TokenRefused(AfterRefusal::ProjectFault, _) => Evidence::Fault,
            Self::Answered(verdict) => verdict.evidence(),
            Self::NoToken(..)
            | Self::NoTokenYet
            | Self::NoSlot
            | Self::NotSent(_)
            | Self::NoAnswer(_)
            | Self::Cut(_)
            | Self::TokenRefused(AfterRefusal::SendAgain | AfterRefusal::Wait, _) => Evidence::Nothing,
        }
    }

    /// `rest` is how long a project at fault is left alone.
    pub(super) fn outcome(self, rest: SignedDuration) -> Outcome {
        match self {
            Self::Answered(verdict) => verdict.outcome(rest),
            Self::TokenRefused(after, detail) => match after {
                AfterRefusal::SendAgain => {
                    deferred(DeferCause::Credential, Some(SignedDuration::ZERO), detail)
                }
                AfterRefusal::Wait => deferred(DeferCause::Credential, Some(TRIAL), detail),
                AfterRefusal::ProjectFault => deferred(DeferCause::ProjectFault, Some(rest), detail),
            },
            Self::NoToken(refusal, wait) => match refusal.kind {
                RefusalKind::Signature | RefusalKind::ClockSkew(_) | RefusalKind::Permanent => {
                    deferred(DeferCause::ProjectFault, Some(rest), refusal.detail)
                }
                RefusalKind::Unreachable => deferred(DeferCause::Unreachable, Some(wait), refusal.detail),
                RefusalKind::Unavailable => deferred(DeferCause::Credential, Some(wait), refusal.detail),
            },
            Self::NoTokenYet => {
                deferred(DeferCause::Credential, None, "the token server takes too long".to_owned())
            }
            Self::NoSlot => deferred(
                DeferCause::Unavailable,
                None,
                "every connection to FCM was busy for too long".to_owned(),
            ),
            Self::NotSent(detail) => deferred(DeferCause::Unreachable, None, detail),
            Self::Cut(status) => {
                deferred(DeferCause::Unavailable, None, format!("HTTP {status}, and the answer broke off"))
            }
            Self::NoAnswer(detail) => Outcome::Unknown { detail },
        }
    }
}

impl Verdict {
    pub(super) fn evidence(&self) -> Evidence {
        match self {
            Self::Accepted { .. } | Self::Rejected { .. } | Self::PlatformFault { .. } => Evidence::Works,
            Self::Throttled { .. } | Self::Unavailable { .. } | Self::TokenRefused { .. } => {
                Evidence::Nothing
            }
            Self::ProjectFault { certain: true, .. } => Evidence::Fault,
            Self::ProjectFault { certain: false, .. } => Evidence::Suspicious,
        }
    }

    pub(super) fn outcome(self, rest: SignedDuration) -> Outcome {
        match self {
            Self::Accepted { provider_id } => Outcome::Accepted { provider_id },
            Self::Rejected { cause, detail } => Outcome::Rejected { cause, detail },
            Self::Throttled { retry_after, detail } => {
                deferred(DeferCause::Throttled, Some(retry_after), detail)
            }
            Self::Unavailable { retry_after, detail } => {
                deferred(DeferCause::Unavailable, retry_after, detail)
            }
            Self::TokenRefused { detail } => deferred(DeferCause::Credential, None, detail),
            Self::PlatformFault { detail } => {
                deferred(DeferCause::PlatformFault, Some(PLATFORM_PAUSE), detail)
            }
            Self::ProjectFault { certain: _, detail } => {
                deferred(DeferCause::ProjectFault, Some(rest), detail)
            }
        }
    }
}

/// A deferral.
pub(super) fn deferred(cause: DeferCause, retry_after: Option<SignedDuration>, detail: String) -> Outcome {
    Outcome::Deferred { cause, retry_after, detail }
}
