//! An answer is entered into the alert: the one way by which outcomes reach its push and text.

use jiff::Timestamp;

use super::{
    delivery,
    lost::{self, Answered},
    notification,
    notification::Told,
    output::{Draft, Message, Send, TextAnswer},
    present::{Facts, Present},
    push::{self, PushAnswer},
    spending, text, unheard,
    words::DETAIL_CHARS_MAX,
};
use crate::alert::{
    Address, Alert, AttemptRow, Charge, ContactName, DeviceId, Entry, Fate, Notification, Outcome, Pending,
    Progress, RejectCause, Report,
};

/// The answer to one [`Send`].
#[derive(Clone, Debug)]
pub struct Settlement {
    pub send: Send,
    pub outcome: Outcome,
    /// What the text is billed as; 0 for a push, and where no request was made or it is not known.
    pub segments: u8,
    pub ended: Timestamp,
}

/// What follows from an answer beyond its alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    pub verdict: Option<DeviceVerdict>,
    pub charges: Vec<Charge>,
}

/// What an answer says about a device, for all alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceVerdict {
    Retire {
        device: DeviceId,
        reason: String,
    },
    /// Its token belongs to another project or environment.
    Quarantine {
        device: DeviceId,
        reason: String,
    },
}

/// Writes an answer into the alert. The caller then calls [`super::advance`], which decides what
/// follows from it. Late answers (to attempts already taken for lost) count too.
pub fn settle(alert: &mut Alert, settlement: &Settlement, present: &Present<'_>) -> Settled {
    let mut progress = std::mem::take(&mut alert.progress);
    let facts = Facts::new(alert, &alert.conversation, &progress, present);
    let mut draft = Draft::new(facts);
    record(&mut draft, &mut progress, settlement);
    unheard::give_time_to_the_others(facts, facts.is_unheard(), &mut progress);
    let Draft { plan, mut rows, .. } = draft;
    alert.rows.append(&mut rows);
    alert.progress = progress;
    Settled { verdict: verdict(settlement), charges: plan.charges }
}

/// A plan that was to begin these was perhaps written, and nothing of it was begun: what it entered into the alert is
/// taken out again. What that gives back; `None` if it was not written. The caller then calls [`super::advance`].
pub fn take_back_begun(alert: &mut Alert, sends: &[Send]) -> Option<Vec<Charge>> {
    let mut given_back = None;
    for send in sends {
        let Some(contact) = alert.progress.contacts.get_mut(&send.contact) else { continue };
        for Notification { push, text, .. } in &mut contact.notifications {
            let charges = match &send.address {
                Address::Device(device) => push::take_back_begun(push, *device, send),
                Address::Gateway(gateway) => spending::take_back_begun(text, gateway, send),
            };
            if let Some(charge) = charges {
                given_back.get_or_insert_with(Vec::new).push(charge);
            }
        }
    }
    given_back
}

fn verdict(Settlement { send, outcome, .. }: &Settlement) -> Option<DeviceVerdict> {
    let Address::Device(device) = send.address else { return None };
    let Outcome::Rejected { cause, detail } = outcome else { return None };
    let reason = detail.clone();
    match cause {
        RejectCause::DeviceGone => Some(DeviceVerdict::Retire { device, reason }),
        RejectCause::DeviceMismatch => Some(DeviceVerdict::Quarantine { device, reason }),
        RejectCause::Message | RejectCause::Recipient | RejectCause::Refused => None,
    }
}

/// Attempts whose answer did not come in time, or whose process is gone, are `Unknown`.
pub(super) fn expire(draft: &mut Draft<'_>, progress: &mut Progress) {
    let mut silent = Vec::new();
    for (name, contact) in &progress.contacts {
        for notification in &contact.notifications {
            silent.extend(
                notification
                    .open()
                    .filter_map(|(state, address)| silence(draft.facts, name, notification, state, address?)),
            );
        }
    }
    for settlement in silent {
        record(draft, progress, &settlement);
    }
}

fn silence(
    facts: Facts<'_>,
    contact: &ContactName,
    notification: &Notification,
    state: Pending,
    address: Address,
) -> Option<Settlement> {
    let Pending::InFlight { attempt, severity, epoch, until } = state else { return None };
    let began = facts.rules().began(until, &address);
    let detail = if until <= facts.now() {
        "no answer in time"
    } else if epoch < facts.present.epoch {
        "the process that began it ended before its answer was recorded"
    } else {
        return None;
    };
    let (contact, subject) = (contact.clone(), notification.subject.clone());
    let send = Send { attempt, contact, subject, severity, address, began };
    let outcome = Outcome::Unknown { detail: detail.to_owned() };
    Some(Settlement { send, outcome, segments: 0, ended: facts.now() })
}

fn record(draft: &mut Draft<'_>, progress: &mut Progress, settlement: &Settlement) {
    let Settlement { send, outcome, segments, .. } = settlement;
    draft.note(Entry::Attempt(attempt_row(settlement)));
    // A gateway's report that it has the text goes before an answer that says otherwise, or none.
    let has_it = Outcome::Accepted { provider_id: None };
    let outcome = if delivery::says_taken(progress, send.attempt) { &has_it } else { outcome };
    let Some(contact) = progress.contacts.get_mut(&send.contact) else { return };
    if let Address::Gateway(gateway) = &send.address {
        match lost::answered(draft.facts, contact, gateway, send.attempt) {
            Answered::InTime => {}
            Answered::Late => {
                if let Outcome::Accepted { .. } = outcome {
                    let says = lost::says(draft.facts, gateway);
                    let fate = if says { Fate::Taken } else { Fate::Delivered };
                    progress.take_report(&Report { attempt: send.attempt, at: settlement.ended, fate });
                }
                return;
            }
            Answered::Decided => return,
        }
    }
    let told = Told { subject: &send.subject, severity: send.severity, attempt: send.attempt };
    notification::remember(draft.facts, contact, told, &send.address, outcome);
    if matches!((&send.address, outcome), (Address::Device(_), Outcome::Accepted { .. })) {
        delivery::note_push(contact, &send.subject);
    }
    let known = notification::find(contact, send);
    let message = Message { contact: &send.contact, subject: &send.subject };
    match &send.address {
        Address::Device(device) => {
            let Some(Notification { push, text, replaced, .. }) = known else { return };
            let is_open = push.open.iter().any(|open| open.device == *device);
            let answer = PushAnswer { device: *device, attempt: send.attempt, outcome };
            push::settle(draft.facts, push, &answer, *replaced);
            if is_open && matches!(outcome, Outcome::Accepted { .. }) {
                text::spare(draft, message, text);
            }
        }
        Address::Gateway(gateway) => {
            let (attempt, began) = (send.attempt, send.began);
            let severity = send.severity;
            let answer = TextAnswer { attempt, gateway, severity, began, outcome, segments: *segments };
            // A second copy, of a text whose first was found meanwhile, counts if the first does not arrive.
            let before = known.as_ref().map(|known| known.text.clone());
            if let Some(known) = known {
                text::settle(draft, message, &mut known.text, &answer);
                if known.push.accepted {
                    text::spare(draft, message, &mut known.text);
                }
                if known.replaced {
                    text::stop(draft, &mut known.text);
                }
            }
            let is_accepted = matches!(outcome, Outcome::Accepted { .. });
            if matches!(outcome, Outcome::Unknown { .. }) {
                lost::keep(contact, &send.subject, &answer);
            } else if is_accepted && lost::says(draft.facts, gateway) {
                delivery::keep(draft.facts, contact, &send.subject, before.as_ref(), &answer);
            } else if is_accepted {
                delivery::arrived(draft, contact, told);
            }
        }
    }
}

/// What the journal keeps of an attempt.
pub fn attempt_row(Settlement { send, outcome, segments, ended }: &Settlement) -> AttemptRow {
    let took = ended.duration_since(send.began).as_millis();
    let short = outcome.short();
    AttemptRow {
        attempt: send.attempt,
        contact: send.contact.clone(),
        address: send.address.clone(),
        subject: send.subject.topic(),
        outcome: short,
        // A message id is as long as the provider likes; the document has a limit.
        detail: outcome.detail().chars().take(DETAIL_CHARS_MAX).collect(),
        segments: if short.may_arrive() { *segments } else { 0 },
        started_at: send.began,
        took_ms: u32::try_from(took).unwrap_or(if took < 0 { 0 } else { u32::MAX }),
    }
}
