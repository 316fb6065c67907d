//! What dispatch did, for the log: what went wrong with a word at `info` or above, what went well at
//! `debug`. No title, no body, no address, and no word of a provider, who may repeat all of these: the
//! journal has them.

use tracing::{debug, error, info, warn};

use crate::alert::{AlertId, AttemptOutcome, Entry, Fate, Row};

pub(super) fn log(id: AlertId, row: &Row) {
    match &row.entry {
        Entry::Attempt(attempt) => {
            let (number, transport, contact) =
                (attempt.attempt, attempt.address.transport().as_str(), &attempt.contact);
            let outcome = attempt.outcome.as_str();
            match attempt.outcome.cause() {
                Some(cause) => {
                    info!(alert.id = %id, "attempt {number}, {transport} to {contact}: {outcome} ({cause})");
                }
                None if attempt.outcome == AttemptOutcome::Accepted => {
                    debug!(alert.id = %id, "attempt {number}, {transport} to {contact}: accepted");
                }
                None => info!(alert.id = %id, "attempt {number}, {transport} to {contact}: {outcome}"),
            }
        }
        Entry::Reported { contact, destination, attempt, fate, .. } => {
            let word = fate.as_str();
            if matches!(fate, Fate::Delivered | Fate::Taken) {
                debug!(alert.id = %id, "attempt {attempt}, SMS to {contact}: {destination} says {word}");
            } else {
                info!(alert.id = %id, "attempt {attempt}, SMS to {contact}: {destination} says {word}");
            }
        }
        Entry::Fallback { contact, .. } => info!(alert.id = %id, "texting {contact}: no push was accepted"),
        Entry::DeadLetter { contact, address, .. } => {
            warn!(alert.id = %id, "{} to {contact} is given up", address.transport().as_str());
        }
        Entry::Unreachable { contact, nobody_left: false, .. } => {
            warn!(alert.id = %id, "could not reach {contact}, the others are told");
        }
        Entry::Unreachable { contact, nobody_left: true, .. } => {
            error!(alert.id = %id, "could not reach {contact}, and nobody is left to tell");
        }
        Entry::Repeated { number, last } => {
            let end = if *last { ", for the last time" } else { "" };
            info!(alert.id = %id, "nobody acknowledged, everyone is notified again ({number}){end}");
        }
        Entry::Folded { contact, digest: Some(digest), .. } => {
            debug!(alert.id = %id, "held back from {contact}, counted in digest {digest}");
        }
        Entry::Folded { contact, digest: None, reason } => {
            debug!(alert.id = %id, "no text to {contact}: {reason}");
        }
        Entry::Flapping { rounds, .. } => info!(alert.id = %id, "it flaps, {rounds} rounds so far"),
        Entry::Retried { contact, by } => {
            info!(alert.id = %id, "{contact} is tried once more, as {by} wants");
        }
        Entry::Opened
        | Entry::FiresAgain { .. }
        | Entry::Counted { .. }
        | Entry::Noted { .. }
        | Entry::Severity { .. }
        | Entry::Comment { .. }
        | Entry::Acknowledged { .. }
        | Entry::Unacknowledged { .. }
        | Entry::Resolved { .. } => {}
    }
}
