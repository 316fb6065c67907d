//! What dispatch did, for the log: what went wrong with a word at `info` or above, what went well at
//! `debug`. No title, no body, no address: the journal has them.

use tracing::{debug, error, info, warn};

use crate::alert::{AlertId, Entry, Row};

/// One new journal row.
pub(super) fn log(id: AlertId, row: &Row) {
    match &row.entry {
        Entry::Attempt(attempt) => {
            let (number, transport, contact) =
                (attempt.attempt, attempt.transport.as_str(), &attempt.contact);
            let (outcome, detail) = (&attempt.outcome, &attempt.detail);
            if outcome == "accepted" {
                debug!(alert.id = %id, "attempt {number}, {transport} to {contact}: accepted");
            } else {
                info!(alert.id = %id, "attempt {number}, {transport} to {contact}: {outcome}: {detail}");
            }
        }
        Entry::Fallback { contact, reason } => info!(alert.id = %id, "texting {contact}: {reason}"),
        Entry::DeadLetter { contact, transport, reason, .. } => {
            warn!(alert.id = %id, "{} to {contact} is given up: {reason}", transport.as_str());
        }
        Entry::Unreachable { contact, reason, nobody_left: false } => {
            warn!(alert.id = %id, "could not reach {contact}, the others are told: {reason}");
        }
        Entry::Unreachable { contact, reason, nobody_left: true } => {
            error!(alert.id = %id, "could not reach {contact}, and nobody is left to tell: {reason}");
        }
        Entry::Repeated { number } => {
            info!(alert.id = %id, "nobody acknowledged, everyone is told again ({number})");
        }
        Entry::Opened
        | Entry::Noted { .. }
        | Entry::Severity { .. }
        | Entry::Comment { .. }
        | Entry::Acknowledged { .. }
        | Entry::Unacknowledged { .. }
        | Entry::Resolved { .. } => {}
    }
}
