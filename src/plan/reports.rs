//! What providers say after a text was handed over, by themselves or because they were asked: a text
//! without an answer is found or sent once more, and one that did not arrive goes to the next gateway.

use jiff::{SignedDuration, Timestamp};

use super::{
    Address, Ask, DELIVERY_ASKED_AFTER, GatewayRule, SENT_TEXTS_MAX, SMS_AFTER_UNKNOWN, Send, changes,
    desk::{self, Desk},
    settle::{self, SMS_UNKNOWNS_MAX},
};
use crate::alert::{
    AlertState, ContactName, ContactTelling, Cycle, Entry, Fate, Outcome, Report, RoadState, SentText,
    SmsRoad, Subject, Telling, Told, Unanswered,
};

/// A gateway has at least so long to put a text on its lists before it is asked about it, again.
const ASKED_AFTER_MIN: SignedDuration = SignedDuration::from_secs(5);

/// Longest words of a provider, in characters.
const WORDS_CHARS_MAX: usize = 200;

/// Acts on every report that has come. One about a request still under way waits for its answer, which is
/// often a moment behind it.
pub(super) fn apply(desk: &mut Desk<'_>, telling: &mut Telling) {
    for report in std::mem::take(&mut telling.reports) {
        let mut waits = false;
        for (name, contact) in &mut telling.contacts {
            if is_under_way(contact, report.attempt) {
                waits = true;
            } else if let Some(position) = contact.sent.iter().position(|sent| sent.attempt == report.attempt)
            {
                about_sent(desk, (name, contact), position, &report);
            } else {
                about_unanswered(desk, (name, contact), &report);
            }
        }
        if waits {
            telling.reports.push(report);
        }
    }
}

/// Asks about accepted texts whose time has come.
pub(super) fn ask(desk: &mut Desk<'_>, telling: &mut Telling) {
    let (now, over) = (desk.now(), desk.state == AlertState::Resolved);
    for (name, contact) in &mut telling.contacts {
        for sent in &mut contact.sent {
            // Nothing would follow from the answer any more, unless this text is all that they heard of it.
            if over && sent.subject.is_about_open_alert() && contact.certain != Told::No {
                sent.ask_at = None;
            }
            if sent.ask_at.is_none_or(|at| now < at) {
                continue;
            }
            desk.asks.push(Ask {
                attempt: sent.attempt,
                contact: name.clone(),
                subject: sent.subject.clone(),
                gateway: sent.gateway,
                sent_at: sent.sent_at,
            });
            sent.asks = sent.asks.saturating_add(1);
            sent.ask_at = next_ask(sent.sent_at, sent.asks, now);
        }
    }
}

/// When somebody is asked next about a contact's accepted texts.
pub(super) fn wakes_at(contact: &ContactTelling) -> Option<Timestamp> {
    contact.sent.iter().filter_map(|sent| sent.ask_at).min()
}

/// Whether a report that waits says that the gateway has the text of this attempt.
pub(super) fn says_taken(telling: &Telling, attempt: u32) -> bool {
    let has_it = |fate: &Fate| matches!(fate, Fate::Taken | Fate::Delivered);
    telling.reports.iter().any(|report| report.attempt == attempt && has_it(&report.fate))
}

/// A gateway took the text of `send`: whether it arrives is told later, where it is told at all.
pub(super) fn keep_sent(desk: &Desk<'_>, contact: &mut ContactTelling, send: &Send, sms: &SmsRoad) {
    let Address::Gateway(gateway) = send.address else { return };
    let Some(rule) = desk.gateway(gateway).filter(|rule| rule.reports || rule.asks) else { return };
    let cycle = contact.cycles.iter().find(|cycle| cycle.subject == send.subject);
    let (undelivered, unknowns) = match sms {
        SmsRoad::Open { undelivered, unknowns, unanswered, state, .. } => {
            let was_lost = unanswered.as_ref().is_some_and(|lost| lost.attempt == send.attempt);
            // A second request that is under way is not waited for, and may bring a copy.
            let other = matches!(state, RoadState::InFlight { attempt, .. } if *attempt != send.attempt);
            (undelivered.clone(), unknowns.saturating_sub(u8::from(was_lost)) + u8::from(other))
        }
        // The road is over, and with it the count: other copies may be on their way, so no more is sent.
        SmsRoad::Off
        | SmsRoad::Standby { .. }
        | SmsRoad::Accepted
        | SmsRoad::Unknown
        | SmsRoad::Failed { .. } => (Vec::new(), SMS_UNKNOWNS_MAX),
    };
    contact.sent.push(SentText {
        attempt: send.attempt,
        gateway,
        subject: send.subject.clone(),
        since: cycle.map_or(send.began, |cycle| cycle.since),
        sent_at: send.began,
        undelivered,
        unknowns,
        asks: 0,
        ask_at: if rule.asks { next_ask(send.began, 0, desk.now()) } else { None },
    });
    if SENT_TEXTS_MAX < contact.sent.len() {
        let let_go = contact.sent.remove(0);
        if let_go.subject.is_about_alert() {
            contact.certain = Told::Yes;
        }
    }
}

/// After a text without a readable answer: what is remembered of it, and when the road is looked at next.
/// `None` where nobody can tell what became of it.
pub(super) fn lost(desk: &Desk<'_>, send: &Send) -> Option<(Unanswered, Timestamp)> {
    let Address::Gateway(gateway) = send.address else { return None };
    let rule = desk.gateway(gateway).filter(|rule| rule.reports || rule.asks)?;
    let resend_at = desk.after(SMS_AFTER_UNKNOWN);
    let pause = SMS_AFTER_UNKNOWN.saturating_sub(time_to_answer(rule));
    let lost =
        Unanswered { attempt: send.attempt, gateway, sent_at: send.began, resend_at, to_ask: rule.asks };
    Some((lost, if rule.asks { desk.after(pause) } else { resend_at }))
}

/// The question about a text without an answer, once.
pub(super) fn ask_about_lost(
    desk: &mut Desk<'_>,
    name: &ContactName,
    subject: &Subject,
    unanswered: &mut Option<Unanswered>,
) -> Option<RoadState> {
    let lost = unanswered.as_mut().filter(|lost| lost.to_ask)?;
    lost.to_ask = false;
    // The question may be late, because nobody ran; it has time to be answered all the same.
    let answered = desk.gateway(lost.gateway).map_or(desk.now(), |rule| desk.after(time_to_answer(rule)));
    lost.resend_at = lost.resend_at.max(answered);
    desk.asks.push(Ask {
        attempt: lost.attempt,
        contact: name.clone(),
        subject: subject.clone(),
        gateway: lost.gateway,
        sent_at: lost.sent_at,
    });
    Some(RoadState::Waiting { at: lost.resend_at, fault: false })
}

/// How long before a text would be sent once more its gateway is asked.
fn time_to_answer(rule: &GatewayRule) -> SignedDuration {
    rule.in_flight_max.min(SMS_AFTER_UNKNOWN.saturating_sub(ASKED_AFTER_MIN))
}

/// When somebody is asked again about a text that was asked about so often; `None` = never.
pub(super) fn next_ask(sent_at: Timestamp, asks: u8, now: Timestamp) -> Option<Timestamp> {
    let after = DELIVERY_ASKED_AFTER.get(usize::from(asks))?;
    let at = sent_at.saturating_add(*after).unwrap_or(Timestamp::MAX);
    // After a standstill, or where the text was found late, not all questions at once.
    Some(at.max(now.saturating_add(ASKED_AFTER_MIN).unwrap_or(Timestamp::MAX)))
}

fn is_under_way(contact: &ContactTelling, attempt: u32) -> bool {
    contact.cycles.iter().any(|cycle| {
        matches!(
            &cycle.sms,
            SmsRoad::Open { state: RoadState::InFlight { attempt: running, .. }, .. } if *running == attempt
        )
    })
}

fn about_sent(
    desk: &mut Desk<'_>,
    (name, contact): (&ContactName, &mut ContactTelling),
    position: usize,
    report: &Report,
) {
    match &report.fate {
        // It was taken before; more is not known yet.
        Fate::Taken | Fate::NotThere | Fate::Unclear { .. } => {}
        Fate::Delivered => {
            let sent = contact.sent.remove(position);
            note(desk, name, (sent.gateway, &sent.subject), report);
            arrived(contact, &sent.subject);
        }
        Fate::Failed { reason } => {
            let sent = contact.sent.remove(position);
            note(desk, name, (sent.gateway, &sent.subject), report);
            take_back(contact, &sent);
            match contact.sent.iter_mut().find(|copy| copy.subject == sent.subject) {
                // It was sent twice, and the other copy may arrive.
                Some(copy) => copy.undelivered.push(sent.gateway),
                None => send_by_next(desk, (name, contact), sent, reason),
            }
        }
    }
}

/// The contact has it. What becomes of a second copy is nothing to act on.
fn arrived(contact: &mut ContactTelling, subject: &Subject) {
    if subject.is_about_alert() {
        contact.certain = Told::Yes;
    }
    contact.sent.retain(|copy| copy.subject != *subject);
}

/// The contact does not know of the alert after all, unless something else told them or may have.
fn take_back(contact: &mut ContactTelling, sent: &SentText) {
    let others = contact.sent.iter().any(|other| other.subject.is_about_alert());
    if sent.subject.is_about_alert() && !others {
        contact.told = contact.certain;
    }
}

/// The next gateway that has not failed to deliver it; without one the road has failed. After the end whoever
/// heard of nothing is told both in one.
fn send_by_next(
    desk: &mut Desk<'_>,
    (name, contact): (&ContactName, &mut ContactTelling),
    sent: SentText,
    reason: &str,
) {
    if desk.state == AlertState::Resolved && sent.subject.is_about_open_alert() {
        return changes::tell_both_in_one(desk, name, contact);
    }
    let SentText { gateway, subject, since, mut undelivered, unknowns, .. } = sent;
    undelivered.push(gateway);
    let sms = by_next(desk, (name, &subject), (gateway, undelivered, unknowns), reason);
    match contact.cycles.iter_mut().find(|cycle| cycle.subject == subject) {
        Some(cycle) => {
            // The text of a digest was enough, and is not any more.
            cycle.folded &= cycle.subject != Subject::Digest;
            cycle.sms = sms;
        }
        None => contact.cycles.push(Cycle {
            subject,
            since,
            pushes: Vec::new(),
            push_accepted: contact.certain == Told::Yes,
            push_failed: None,
            folded: false,
            sms,
        }),
    }
}

fn by_next(
    desk: &mut Desk<'_>,
    (name, subject): (&ContactName, &Subject),
    (gateway, undelivered, unknowns): (u8, Vec<u8>, u8),
    reason: &str,
) -> SmsRoad {
    if let Some(next) = desk.next_gateway(gateway, &undelivered) {
        return desk::text_by(next, undelivered, unknowns);
    }
    let reason = settle::failed(&format!("not delivered: {reason}"), "");
    desk.dead_letter(name, subject, Address::Gateway(gateway), &reason);
    SmsRoad::Failed { reason }
}

fn about_unanswered(
    desk: &mut Desk<'_>,
    (name, contact): (&ContactName, &mut ContactTelling),
    report: &Report,
) {
    let is_lost = |cycle: &&mut Cycle| matches!(&cycle.sms, SmsRoad::Open { unanswered: Some(lost), .. } if lost.attempt == report.attempt);
    let Some(cycle) = contact.cycles.iter_mut().find(is_lost) else { return };
    let SmsRoad::Open { undelivered, unknowns, state, unanswered, .. } = &mut cycle.sms else { return };
    let Some(lost) = unanswered.clone() else { return };
    let subject = cycle.subject.clone();
    match &report.fate {
        Fate::Taken | Fate::Delivered => {
            let sms = std::mem::replace(&mut cycle.sms, SmsRoad::Accepted);
            let send = Send {
                attempt: lost.attempt,
                contact: name.clone(),
                subject: subject.clone(),
                address: Address::Gateway(lost.gateway),
                began: lost.sent_at,
            };
            settle::remember(desk, contact, &send, &Outcome::Accepted { provider_id: None });
            if report.fate == Fate::Delivered {
                arrived(contact, &subject);
            } else {
                keep_sent(desk, contact, &send, &sms);
            }
        }
        Fate::Failed { reason } => {
            *unanswered = None;
            *unknowns = unknowns.saturating_sub(1);
            undelivered.push(lost.gateway);
            // A second request that is under way decides for itself.
            if !state.is_in_flight() {
                let tried = (lost.gateway, std::mem::take(undelivered), *unknowns);
                cycle.sms = by_next(desk, (name, &subject), tried, reason);
            }
        }
        // Nothing was sent, so sending it now doubles nothing.
        Fate::NotThere if !state.is_in_flight() && *unknowns < SMS_UNKNOWNS_MAX => *state = RoadState::Ready,
        Fate::NotThere | Fate::Unclear { .. } => {}
    }
    note(desk, name, (lost.gateway, &subject), report);
}

fn note(desk: &mut Desk<'_>, name: &ContactName, (gateway, subject): (u8, &Subject), report: &Report) {
    let destination = desk.describe(Address::Gateway(gateway));
    desk.note(Entry::Reported {
        contact: name.clone(),
        destination,
        subject: subject.as_str().to_owned(),
        attempt: report.attempt,
        fate: report.fate.as_str().to_owned(),
        detail: report.fate.reason().chars().take(WORDS_CHARS_MAX).collect(),
    });
}
