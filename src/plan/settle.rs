//! What an answer means for the telling: the one place where outcomes are acted on.

use jiff::{SignedDuration, Timestamp};

use super::{Address, Present, RETRY_AFTER_MAX, SMS_AFTER_UNKNOWN, Send, desk::Desk, reports};
use crate::alert::{
    Alert, AttemptRow, ContactTelling, Cycle, DeferCause, DeviceId, Entry, Outcome, PushRoad, RejectCause,
    RoadState, SmsRoad, Subject, Telling, Told,
};

/// Times an SMS may go unanswered before it is left at "may have arrived".
pub(super) const SMS_UNKNOWNS_MAX: u8 = 2;

/// Longest detail of an attempt, in characters.
const DETAIL_CHARS_MAX: usize = 200;

/// Longest reason kept of a road that failed, in bytes.
const REASON_BYTES_MAX: usize = 200;

/// The answer to one [`Send`].
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The request.
    pub send: Send,
    /// Its result.
    pub outcome: Outcome,
    /// What the text is billed as; 0 for a push, and where no request was made or it is not known.
    pub segments: u8,
    /// When the answer was there.
    pub ended: Timestamp,
}

/// What an answer says about a device, for all alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceVerdict {
    /// Its token is dead.
    Retire {
        /// Which.
        device: DeviceId,
        /// The provider's words.
        reason: String,
    },
    /// Its token belongs to another project or environment.
    Quarantine {
        /// Which.
        device: DeviceId,
        /// The provider's words.
        reason: String,
    },
}

/// Writes an answer into the alert. The caller then calls [`super::advance`], which decides what
/// follows from it. Late answers (to attempts already taken for lost) count too.
pub fn settle(alert: &mut Alert, settlement: &Settlement, present: &Present<'_>) -> Option<DeviceVerdict> {
    let mut telling = std::mem::take(&mut alert.telling);
    let mut desk = Desk::new(alert, present);
    record(&mut desk, &mut telling, settlement);
    alert.rows.append(&mut desk.rows);
    alert.telling = telling;
    verdict(settlement)
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

/// As [`settle`], for answers that the desk found missing itself.
pub(super) fn record(desk: &mut Desk<'_>, telling: &mut Telling, settlement: &Settlement) {
    let Settlement { send, outcome, .. } = settlement;
    desk.note(Entry::Attempt(row(settlement, desk.describe(send.address))));
    // A gateway's report that it has the text goes before an answer that says otherwise, or none.
    let has_it = Outcome::Accepted { provider_id: None };
    let outcome = if reports::says_taken(telling, send.attempt) { &has_it } else { outcome };
    let Some(contact) = telling.contacts.get_mut(&send.contact) else { return };
    remember(desk, contact, send, outcome);
    let Some(cycle) = contact.cycles.iter_mut().find(|cycle| cycle.subject == send.subject) else {
        // A second copy, of a text whose first was found meanwhile: it counts if the first does not arrive.
        if matches!(outcome, Outcome::Accepted { .. }) {
            reports::keep_sent(desk, contact, send, &SmsRoad::Accepted);
        }
        return;
    };
    match send.address {
        Address::Device(device) => settle_push(desk, cycle, (device, send.attempt), outcome),
        Address::Gateway(_) if matches!(outcome, Outcome::Accepted { .. }) => {
            let sms = std::mem::replace(&mut cycle.sms, SmsRoad::Accepted);
            reports::keep_sent(desk, contact, send, &sms);
        }
        Address::Gateway(_) => settle_text(desk, cycle, send, outcome),
    }
}

fn row(Settlement { send, outcome, segments, ended }: &Settlement, destination: String) -> AttemptRow {
    let took = ended.duration_since(send.began).as_millis();
    AttemptRow {
        attempt: send.attempt,
        contact: send.contact.clone(),
        transport: send.address.transport(),
        destination,
        subject: send.subject.as_str().to_owned(),
        outcome: outcome.as_str().to_owned(),
        cause: outcome.cause().map(str::to_owned),
        // A message id is as long as the provider likes; the document has a limit.
        detail: outcome.detail().chars().take(DETAIL_CHARS_MAX).collect(),
        segments: if matches!(outcome, Outcome::Accepted { .. } | Outcome::Unknown { .. }) {
            *segments
        } else {
            0
        },
        started_at: send.began,
        took_ms: u32::try_from(took).unwrap_or(if took < 0 { 0 } else { u32::MAX }),
    }
}

/// What the contact now knows, whichever cycle it came by.
pub(super) fn remember(desk: &Desk<'_>, contact: &mut ContactTelling, send: &Send, outcome: &Outcome) {
    let told = match outcome {
        Outcome::Accepted { .. } => Told::Yes,
        Outcome::Unknown { .. } => Told::Maybe,
        Outcome::Deferred { .. } | Outcome::Rejected { .. } => return,
    };
    let about_alert = send.subject.is_about_alert();
    if about_alert {
        contact.told = contact.told.max(told);
        contact.texted |= matches!(send.address, Address::Gateway(_));
    }
    if told == Told::Yes && about_alert {
        contact.unreachable = None;
    }
    let stays = match send.address {
        Address::Device(_) => true,
        Address::Gateway(rank) => desk.gateway(rank).is_none_or(|rule| !rule.reports && !rule.asks),
    };
    if about_alert && (told == Told::Maybe || stays) {
        contact.certain = contact.certain.max(told);
    }
}

fn settle_push(desk: &Desk<'_>, cycle: &mut Cycle, (device, attempt): (DeviceId, u32), outcome: &Outcome) {
    let Some(position) = cycle.pushes.iter().position(|road| road.device == device) else {
        // The road was given up meanwhile; an acceptance counts all the same.
        cycle.push_accepted |= matches!(outcome, Outcome::Accepted { .. });
        return;
    };
    match outcome {
        Outcome::Accepted { .. } => {
            cycle.pushes.remove(position);
            cycle.push_accepted = true;
            spare_text(desk, cycle);
        }
        // A digest tells it meanwhile: it is not tried again.
        Outcome::Deferred { .. } | Outcome::Unknown { .. } if cycle.folded => {
            if in_flight(&mut cycle.pushes, position, attempt).is_some() {
                cycle.pushes.remove(position);
            }
        }
        Outcome::Rejected { detail, .. } => {
            cycle.pushes.remove(position);
            cycle.push_failed = Some(failed(detail, "push rejected"));
        }
        Outcome::Deferred { cause, retry_after, detail } => {
            if let Some(road) = in_flight(&mut cycle.pushes, position, attempt) {
                let at = desk.after(pause(desk, road.attempts, *cause, *retry_after));
                road.state = RoadState::Waiting { at, fault: cause.is_fault() };
                cycle.push_failed = Some(failed(detail, cause.as_str()));
            }
        }
        Outcome::Unknown { detail } => {
            if let Some(road) = in_flight(&mut cycle.pushes, position, attempt) {
                let at = desk.after(desk.present.rules.backoff.delay(road.attempts, desk.present.chance));
                road.state = RoadState::Waiting { at, fault: false };
                cycle.push_failed = Some(failed(detail, "no answer"));
            }
        }
    }
}

/// The road, if this very attempt is the one it waits for.
fn in_flight(pushes: &mut [PushRoad], position: usize, attempt: u32) -> Option<&mut PushRoad> {
    pushes.get_mut(position).filter(
        |road| matches!(road.state, RoadState::InFlight { attempt: running, .. } if running == attempt),
    )
}

/// A text that waits only because the push had failed is not needed any more.
fn spare_text(desk: &Desk<'_>, cycle: &mut Cycle) {
    let waits = match &cycle.sms {
        SmsRoad::Standby { .. } => true,
        SmsRoad::Open { state, unknowns, .. } => {
            !state.is_in_flight() && *unknowns == 0 && !desk.present.rules.texts_at_once(desk.severity)
        }
        SmsRoad::Off | SmsRoad::Accepted | SmsRoad::Unknown | SmsRoad::Failed { .. } => false,
    };
    if waits && cycle.subject != Subject::Resolved {
        cycle.sms = SmsRoad::Off;
    }
}

/// A text that was not accepted.
fn settle_text(desk: &mut Desk<'_>, cycle: &mut Cycle, send: &Send, outcome: &Outcome) {
    let SmsRoad::Open { state, gateway, .. } = &cycle.sms else { return };
    if !matches!(state, RoadState::InFlight { attempt: running, .. } if *running == send.attempt) {
        return;
    }
    let address = Address::Gateway(*gateway);
    match outcome {
        Outcome::Accepted { .. } => {}
        Outcome::Unknown { .. } => ask_once_more(desk, cycle, send),
        Outcome::Deferred { retry_after, .. } => {
            pass_on(desk, cycle, false, *retry_after);
        }
        Outcome::Rejected { detail, .. } => {
            if pass_on(desk, cycle, true, None) {
                let reason = failed(detail, "text rejected");
                desk.dead_letter(&send.contact, &cycle.subject, address, &reason);
                cycle.sms = SmsRoad::Failed { reason };
            }
        }
    }
}

/// After an SMS without a readable answer the gateway is asked, if it can tell. If it cannot, the text is
/// sent once more, by the next gateway if there is one; after that it is left at "may have arrived".
fn ask_once_more(desk: &Desk<'_>, cycle: &mut Cycle, send: &Send) {
    let SmsRoad::Open { gateway, tried, refused, unknowns, charged, state, unanswered, undelivered, .. } =
        &mut cycle.sms
    else {
        return;
    };
    *unknowns = unknowns.saturating_add(1);
    // Both may arrive, so both are paid for.
    (*tried, *refused, *charged) = (0, 0, 0);
    *gateway = desk.next_gateway(*gateway, undelivered).unwrap_or(*gateway);
    let (lost, at) = reports::lost(desk, send).unzip();
    *state = RoadState::Waiting { at: at.unwrap_or(desk.after(SMS_AFTER_UNKNOWN)), fault: false };
    *unanswered = lost;
    if SMS_UNKNOWNS_MAX <= *unknowns && unanswered.is_none() {
        cycle.sms = SmsRoad::Unknown;
    }
}

/// The next gateway at once; after the last one a pause. True if every gateway refused for good.
fn pass_on(desk: &Desk<'_>, cycle: &mut Cycle, is_refusal: bool, asked: Option<SignedDuration>) -> bool {
    let SmsRoad::Open { gateway, tried, refused, attempts, state, undelivered, .. } = &mut cycle.sms else {
        return false;
    };
    let all = gateways(desk, undelivered);
    *tried += 1;
    *refused += u8::from(is_refusal);
    *gateway = desk.next_gateway(*gateway, undelivered).unwrap_or(*gateway);
    if *tried < all {
        *state = RoadState::Ready;
        return false;
    }
    let everyone_refused = *refused == all;
    (*tried, *refused) = (0, 0);
    let rounds = *attempts / u16::from(all);
    let own = desk.present.rules.backoff.delay(rounds, desk.present.chance);
    // One gateway's wish says nothing about the others.
    let asked = asked.filter(|_| all == 1).unwrap_or(SignedDuration::ZERO);
    *state = RoadState::Waiting { at: desk.after(own.max(asked.min(RETRY_AFTER_MAX))), fault: false };
    everyone_refused
}

/// How many gateways a pass has, at least one.
pub(super) fn gateways(desk: &Desk<'_>, undelivered: &[u8]) -> u8 {
    let left = desk.present.rules.gateways.len().saturating_sub(undelivered.len());
    u8::try_from(left).unwrap_or(u8::MAX).max(1)
}

/// A provider's or breaker's wish goes before our schedule; causes that need no patience follow
/// the wish alone.
fn pause(desk: &Desk<'_>, attempts: u16, cause: DeferCause, asked: Option<SignedDuration>) -> SignedDuration {
    let own = desk.present.rules.backoff.delay(attempts, desk.present.chance);
    let asked = asked.map(|asked| asked.clamp(SignedDuration::ZERO, RETRY_AFTER_MAX));
    match cause {
        DeferCause::Credential | DeferCause::ProjectFault | DeferCause::PlatformFault => asked.unwrap_or(own),
        DeferCause::Unavailable | DeferCause::Unreachable | DeferCause::Throttled => {
            own.max(asked.unwrap_or(SignedDuration::ZERO))
        }
    }
}

/// Why a road failed; a provider says as much as it likes, and the document keeps it for each contact.
pub(super) fn failed(detail: &str, otherwise: &str) -> String {
    let words = if detail.is_empty() { otherwise } else { detail };
    let (kept, _) = words.split_at(words.floor_char_boundary(REASON_BYTES_MAX));
    kept.to_owned()
}
