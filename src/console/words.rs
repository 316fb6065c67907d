//! The journal in sentences.

use jiff::Timestamp;

use crate::{
    alert::{Alert, AlertState, AttemptOutcome, Entry, Fate, Transport},
    record::CountedView,
};

pub(super) fn describe(entry: &Entry) -> String {
    match entry {
        Entry::Opened => "opened".to_owned(),
        Entry::FiresAgain { by, .. } => format!("fires again after {by} had called it over"),
        Entry::Noted { text } => format!("noted: {text}"),
        Entry::Severity { from, to } => format!("severity changed from {from} to {to}"),
        Entry::Comment { by, text } => format!("{by}: {text}"),
        Entry::Acknowledged { by } => format!("acknowledged by {by}"),
        Entry::Unacknowledged { by } => format!("given up by {by}"),
        Entry::Resolved { by, note: None } => format!("resolved by {by}"),
        Entry::Resolved { by, note: Some(note) } => format!("resolved by {by}: {note}"),
        Entry::Retried { contact, by } => format!("{by} had {contact} tried once more"),
        Entry::Repeated { number, last: false } => format!("nobody acknowledged, notified again ({number})"),
        Entry::Repeated { number, last: true } => {
            format!("nobody acknowledged, notified again ({number}), for the last time")
        }
        Entry::Reported { contact, destination, attempt, fate, .. } => {
            let words = match fate {
                Fate::Delivered => "delivered",
                Fate::Failed { .. } => "not delivered",
                Fate::Taken => "it has the text",
                Fate::NotThere => "it never got the text",
                Fate::Unclear { .. } => "it cannot tell",
            };
            let detail = fate.reason();
            let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
            format!("{destination} about the SMS to {contact} (attempt {attempt}): {words}{detail}")
        }
        Entry::Fallback { contact, reason } => format!("texting {contact} because {reason}"),
        Entry::Attempt(attempt) => {
            let detail = match (attempt.outcome, attempt.detail.as_str()) {
                (AttemptOutcome::Accepted, _) | (_, "") => String::new(),
                (_, detail) => format!(": {detail}"),
            };
            let words = outcome(attempt.outcome.as_str());
            let (channel, address) = (channel(attempt.address.transport()), &attempt.address);
            format!("{channel} to {}, {address}: {words} ({} ms){detail}", attempt.contact, attempt.took_ms)
        }
        Entry::DeadLetter { contact, address, reason, .. } => {
            format!("{} to {contact} given up: {reason}", channel(address.transport()))
        }
        Entry::Folded { contact, digest: Some(digest), reason } => {
            format!("held back from {contact}, told in digest {digest}: {reason}")
        }
        Entry::Folded { contact, digest: None, reason } => {
            format!("no text of this reminder to {contact}: {reason}")
        }
        Entry::Counted { text, .. } => format!("counted {text}"),
        Entry::Flapping { rounds, quiet: false } => {
            format!("comes and goes, opened {rounds} times: told as flapping, then quiet until it is stable")
        }
        Entry::Flapping { rounds, quiet: true } => {
            format!("comes and goes, opened {rounds} times: told when it is stable")
        }
        Entry::Unreachable { contact, reason, nobody_left: false } => {
            format!("could not reach {contact} ({reason}); the others are told")
        }
        Entry::Unreachable { contact, reason, nobody_left: true } => {
            format!("could not reach {contact} ({reason}), and nobody else is left to tell")
        }
    }
}

pub(super) fn outcome(state: &str) -> &'static str {
    match state {
        "accepted" => "accepted",
        "deferred" => "failed",
        "rejected" => "refused",
        "unknown" => "no answer",
        "in_flight" => "under way",
        "delivered" => "delivered",
        "failed" => "not delivered",
        _ => "waiting",
    }
}

fn channel(transport: Transport) -> &'static str {
    match transport {
        Transport::Push => "push",
        Transport::Sms => "SMS",
    }
}

/// "47 triggered, 3 resolved"
pub(super) fn standing(counted: &[CountedView]) -> String {
    let states = [AlertState::Triggered, AlertState::Acknowledged, AlertState::Resolved];
    let parts = states.iter().filter_map(|state| {
        let count = counted.iter().filter(|one| one.state == Some(*state)).count();
        (0 < count).then(|| format!("{count} {}", state.as_str()))
    });
    parts.collect::<Vec<_>>().join(", ")
}

pub(super) fn headline(alert: &Alert, show: &dyn Fn(Timestamp) -> String) -> String {
    let began = show(alert.starts_at);
    if let Some(digest) = &alert.digest {
        let contact = &digest.contact;
        let collects = digest.counted.as_ref().is_none_or(|counted| counted.total() == 0);
        return match &alert.resolved {
            Some(told) => format!("held back from {contact} since {began}, told at {}", show(told.at)),
            None if collects => format!("collects for {contact} until {}", show(digest.due_at)),
            None => format!("held back from {contact} since {began}, being told"),
        };
    }
    match (&alert.resolved, &alert.conversation.acknowledged) {
        (Some(resolution), _) => {
            format!("fired {began}, resolved {} by {}", show(resolution.at), resolution.by.describe())
        }
        (None, Some(taken)) => format!("fired {began}, {} has it since {}", taken.by, show(taken.at)),
        (None, None) => format!("fired {began}"),
    }
}
