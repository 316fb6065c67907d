//! A text without a readable answer: its gateway is asked what became of it, where it can tell.

use jiff::{SignedDuration, Timestamp};

use super::{
    GatewayRule, SENT_TEXTS_MAX, SMS_AFTER_UNKNOWN,
    output::{Ask, Draft, TextAnswer},
    present::Facts,
};
use crate::alert::{
    ContactName, ContactProgress, GatewayName, LostText, Notification, OpenText, Pending, PushState, Subject,
    TextState, Unanswered,
};

/// Least time that a gateway has to list a text before it is asked about it, or asked again.
pub(super) const ASKED_AFTER_MIN: SignedDuration = SignedDuration::from_secs(5);

/// After a text without a readable answer: what is remembered of it, and when it is looked at next.
/// `None` where nobody can tell what became of it.
pub(super) fn after(facts: Facts<'_>, answered: &TextAnswer<'_>) -> Option<(LostText, Timestamp)> {
    let rule = facts.rules().gateway(answered.gateway).filter(|rule| rule.reports || rule.asks)?;
    let asked_at = facts.after(SMS_AFTER_UNKNOWN.saturating_sub(time_to_answer(rule)));
    let resend_at = facts.after(SMS_AFTER_UNKNOWN);
    let lost = LostText { attempt: answered.attempt, resend_at, to_ask: rule.asks };
    Some((lost, if rule.asks { asked_at } else { resend_at }))
}

/// Whatever is tried next, it may be there, which its gateway may say.
pub(super) fn keep(contact: &mut ContactProgress, subject: &Subject, answered: &TextAnswer<'_>) {
    let is_kept = contact.unanswered.iter().any(|lost| lost.attempt == answered.attempt);
    if !is_kept {
        contact.unanswered.push(Unanswered {
            attempt: answered.attempt,
            gateway: answered.gateway.clone(),
            subject: subject.clone(),
            severity: answered.severity,
            sent_at: answered.began,
        });
    }
    let surplus = contact.unanswered.len().saturating_sub(SENT_TEXTS_MAX);
    contact.unanswered.drain(..surplus);
}

/// Whether a gateway may say what becomes of a text that it took: also one that has left the configuration.
pub(super) fn says(facts: Facts<'_>, gateway: &GatewayName) -> bool {
    facts.rules().gateway(gateway).is_none_or(|rule| rule.reports || rule.asks)
}

/// When the answer to a text has come.
pub(super) enum Answered {
    InTime,
    /// It is known as one without an answer: this is as if its gateway had reported it.
    Late,
    /// Its gateway has said before what became of this text, or of another copy.
    Decided,
}

pub(super) fn answered(
    facts: Facts<'_>,
    contact: &ContactProgress,
    gateway: &GatewayName,
    attempt: u32,
) -> Answered {
    let mut texts = contact.notifications.iter().filter_map(|one| one.text.open());
    if contact.unanswered.iter().any(|lost| lost.attempt == attempt) {
        Answered::Late
    } else if texts.any(|open| open.state.is_attempt(attempt)) || !says(facts, gateway) {
        Answered::InTime
    } else {
        Answered::Decided
    }
}

/// The question about a text without an answer, once; when it is sent again if nobody answers that either.
pub(super) fn ask(
    draft: &mut Draft<'_>,
    contact: &ContactName,
    open: &mut OpenText,
    unanswered: &[Unanswered],
) -> Option<Timestamp> {
    let lost = open.lost.as_mut().filter(|lost| lost.to_ask)?;
    lost.to_ask = false;
    let known = unanswered.iter().find(|known| known.attempt == lost.attempt);
    let rule = known.and_then(|known| draft.facts.rules().gateway(&known.gateway));
    let (Some(known), Some(rule)) = (known, rule) else {
        // Its gateway left the configuration and cannot be asked.
        return Some(lost.resend_at).filter(|at| draft.facts.now() < *at);
    };
    // The question may be late because we were down; it has time to be answered all the same.
    lost.resend_at = lost.resend_at.max(draft.facts.after(time_to_answer(rule)));
    let Unanswered { attempt, gateway, subject, severity, sent_at } = known.clone();
    draft.plan.asks.push(Ask { attempt, contact: contact.clone(), subject, severity, gateway, sent_at });
    Some(lost.resend_at)
}

/// Texts that may have told this contact of the end.
pub(super) fn copies_of_end(unanswered: &[Unanswered]) -> u8 {
    let copies = unanswered.iter().filter(|lost| lost.subject.is_about_end());
    u8::try_from(copies.count()).unwrap_or(u8::MAX)
}

/// A gateway has a text of the end, which may still turn out not to have arrived.
pub(super) fn end_was_taken(contact: &ContactProgress) -> bool {
    contact.sent.iter().any(|sent| sent.subject.is_about_end())
}

/// It is there: what becomes of a second request under way is another matter.
pub(super) fn split_second(notification: &mut Notification) -> Option<Notification> {
    let open = notification.text.open_mut().filter(|open| open.state.is_in_flight())?;
    open.lost = None;
    open.unknowns = open.unknowns.saturating_sub(1);
    let text = std::mem::replace(&mut notification.text, TextState::Accepted);
    let Notification { subject, since, .. } = notification;
    let (subject, since, push) = (subject.clone(), *since, PushState::default());
    Some(Notification { subject, since, push, text, replaced: true })
}

/// The start is there: what is still to be told is the end, of which copies may have arrived.
pub(super) fn go_on_as_end(text: &mut TextState, unanswered: &[Unanswered]) {
    let Some(open) = text.open_mut() else { return };
    open.unknowns = copies_of_end(unanswered);
    let is_end = |lost: &Unanswered| open.has_lost(lost.attempt) && lost.subject.is_about_end();
    if !unanswered.iter().any(is_end) {
        open.lost = None;
        if !open.state.is_in_flight() {
            open.state = Pending::Ready;
        }
    }
}

/// How long before a text would be sent once more its gateway is asked.
fn time_to_answer(rule: &GatewayRule) -> SignedDuration {
    rule.in_flight_max.min(SMS_AFTER_UNKNOWN.saturating_sub(ASKED_AFTER_MIN))
}
