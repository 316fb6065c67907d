//! Texts that a gateway has taken: it is asked about them, and one that did not arrive goes to the next gateway.

use jiff::Timestamp;

use super::{
    DELIVERY_ASKED_AFTER, SENT_TEXTS_MAX,
    bounds::Bounds,
    lost::{self, ASKED_AFTER_MIN},
    notification::{self, Told},
    output::{Ask, Draft, Message, TextAnswer},
    present::Facts,
    push,
    text::{self, UNKNOWNS_MAX, Undelivered},
    words::DETAIL_CHARS_MAX,
};
use crate::alert::{
    AlertState, ContactName, ContactProgress, Entry, Fate, GatewayName, Notification, OpenText, Pending,
    Progress, PushState, Report, SentText, Subject, TextState,
};
use crate::roster;

/// Asks about accepted texts whose time has come.
pub(super) fn ask(draft: &mut Draft<'_>, progress: &mut Progress) {
    let (now, over) = (draft.facts.now(), draft.facts.is(AlertState::Resolved));
    for (name, contact) in &mut progress.contacts {
        let certainly_known = certainly_knows(draft.facts, contact);
        for sent in &mut contact.sent {
            // Nothing would follow from the answer any more, unless this text is all that they heard of it.
            let is_moot = over && sent.subject.is_about_open_alert() && certainly_known;
            if is_moot {
                sent.ask_at = None;
            }
            if sent.ask_at.is_none_or(|at| now < at) {
                continue;
            }
            // One that left the configuration may be back when the next question is due.
            if draft.facts.rules().gateway(&sent.gateway).is_some() {
                draft.plan.asks.push(Ask {
                    attempt: sent.attempt,
                    contact: name.clone(),
                    subject: sent.subject.clone(),
                    severity: sent.severity,
                    gateway: sent.gateway.clone(),
                    sent_at: sent.sent_at,
                });
            }
            sent.asks = sent.asks.saturating_add(1);
            sent.ask_at = next_ask(sent.sent_at, sent.asks, now);
        }
    }
}

/// When a gateway is asked next about a contact's accepted texts.
pub(super) fn wakes_at(contact: &ContactProgress) -> Option<Timestamp> {
    contact.sent.iter().filter_map(|sent| sent.ask_at).min()
}

/// Whether a report that waits says that the gateway has the text of this attempt.
pub(super) fn says_taken(progress: &Progress, attempt: u32) -> bool {
    progress.reports.iter().any(|report| report.attempt == attempt && has_it(&report.fate))
}

pub(super) fn has_it(fate: &Fate) -> bool {
    matches!(fate, Fate::Taken | Fate::Delivered)
}

/// A gateway took the text: whether it arrives is told later, where it is told at all. `before`: how the text stood.
pub(super) fn keep(
    facts: Facts<'_>,
    contact: &mut ContactProgress,
    subject: &Subject,
    before: Option<&TextState>,
    taken: &TextAnswer<'_>,
) {
    let rule = facts.rules().gateway(taken.gateway);
    if !lost::says(facts, taken.gateway) {
        return;
    }
    // An answer counts once, however often it is settled.
    if contact.sent.iter().any(|sent| sent.attempt == taken.attempt) {
        return;
    }
    let (undelivered, unknowns) = match before.and_then(TextState::open) {
        Some(open) => {
            let was_lost = contact.unanswered.iter().any(|lost| lost.attempt == taken.attempt);
            // A second request that is under way is not waited for, and may bring a copy.
            let other = open.state.is_in_flight() && !open.state.is_attempt(taken.attempt);
            let unknowns = open.unknowns.saturating_sub(u8::from(was_lost)) + u8::from(other);
            (open.undelivered.clone(), unknowns)
        }
        // The road is over, and with it the count: other copies may be on their way, so no more is sent.
        None => (Vec::new(), UNKNOWNS_MAX),
    };
    let notification = contact.notifications.iter().find(|notification| notification.subject == *subject);
    contact.unanswered.retain(|lost| lost.attempt != taken.attempt);
    contact.sent.push(SentText {
        attempt: taken.attempt,
        gateway: taken.gateway.clone(),
        subject: subject.clone(),
        severity: taken.severity,
        since: notification.map_or(taken.began, |notification| notification.since),
        sent_at: taken.began,
        undelivered,
        unknowns,
        pushed: notification.is_some_and(|notification| notification.push.accepted),
        asks: 0,
        ask_at: if rule.is_some_and(|rule| rule.asks) { next_ask(taken.began, 0, facts.now()) } else { None },
    });
    // Those that stay say whether the contact knows.
    if SENT_TEXTS_MAX < contact.sent.len() {
        let of_others = |sent: &SentText| matches!(sent.subject, Subject::Unreachable { .. });
        let mut before = contact.sent.iter().take(SENT_TEXTS_MAX);
        let surplus = before.position(of_others).unwrap_or(0);
        contact.sent.remove(surplus);
    }
}

/// A push of this was accepted: its texts are not all that the contact has of it.
pub(super) fn note_push(contact: &mut ContactProgress, subject: &Subject) {
    for sent in contact.sent.iter_mut().filter(|sent| sent.subject == *subject) {
        sent.pushed = true;
    }
}

/// Whatever becomes of texts that gateways have.
fn certainly_knows(facts: Facts<'_>, contact: &ContactProgress) -> bool {
    Some(facts.news) <= contact.surely_heard_as()
}

/// When a gateway is asked again about a text, after `asks` questions; `None` = never.
fn next_ask(sent_at: Timestamp, asks: u8, now: Timestamp) -> Option<Timestamp> {
    let after = DELIVERY_ASKED_AFTER.get(usize::from(asks))?;
    let at = sent_at.saturating_add(*after).unwrap_or(Timestamp::MAX);
    // After a standstill, or where the text was found late, not all questions at once.
    Some(at.max(now.saturating_add(ASKED_AFTER_MIN).unwrap_or(Timestamp::MAX)))
}

/// One of the accepted texts of a contact.
pub(super) struct Sent<'a> {
    pub(super) contact: &'a mut ContactProgress,
    pub(super) at: usize,
}

/// A text that its gateway reports as not delivered.
struct NotDelivered<'a> {
    sent: SentText,
    reason: &'a str,
}

pub(super) fn about_sent(draft: &mut Draft<'_>, name: &ContactName, sent: Sent<'_>, report: &Report) {
    let Sent { contact, at } = sent;
    match &report.fate {
        // It was taken before; more is not known yet.
        Fate::Taken | Fate::NotThere | Fate::Unclear { .. } => {}
        Fate::Delivered => {
            let sent = contact.sent.remove(at);
            note(draft, Message { contact: name, subject: &sent.subject }, &sent.gateway, report);
            let SentText { subject, severity, attempt, .. } = &sent;
            arrived(draft, contact, Told { subject, severity: *severity, attempt: *attempt });
        }
        Fate::Failed { reason } => {
            let sent = contact.sent.remove(at);
            note(draft, Message { contact: name, subject: &sent.subject }, &sent.gateway, report);
            let is_copy = |copy: &SentText| copy.subject == sent.subject || is_by_another(copy, &sent);
            // As how severe it would be said now, where it has become milder.
            let severity = sent.severity.min(draft.facts.news);
            let tells_as_much = |copy: &&mut SentText| is_copy(copy) && severity <= copy.severity;
            match contact.sent.iter_mut().find(tells_as_much) {
                // It was told twice, and the other text may arrive.
                Some(copy) => copy.undelivered.push(sent.gateway),
                None => send_by_next(draft, name, contact, NotDelivered { sent, reason }),
            }
        }
    }
}

/// A later text tells the open alert by another gateway: who was reminded again and again is not sent each of those.
fn is_by_another(later: &SentText, sent: &SentText) -> bool {
    [later, sent].iter().all(|text| text.subject.is_about_open_alert())
        && sent.attempt < later.attempt
        && sent.gateway != later.gateway
}

/// The contact has it. What becomes of a second copy, which told no more, is nothing to act on.
pub(super) fn arrived(draft: &mut Draft<'_>, contact: &mut ContactProgress, told: Told<'_>) {
    notification::learn(draft.facts, contact, told);
    let tells_no_more = |one: &Notification| {
        is_second(one, told.subject)
            && matches!(one.text.pending(), Some(Pending::InFlight { severity, .. }) if severity <= told.severity)
    };
    if let Some(second) = contact.notifications.iter_mut().find(|one| tells_no_more(one)) {
        text::forget(draft, &mut second.text);
    }
    contact.sent.retain(|copy| copy.subject != *told.subject || told.severity < copy.severity);
    contact.unanswered.retain(|copy| copy.subject != *told.subject || told.severity < copy.severity);
    if *told.subject == Subject::Missed {
        contact.sent.retain(|sent| sent.subject != Subject::Resolved);
    }
}

/// By the next gateway that has not failed to deliver it; without one the road has failed. After the end, who
/// heard of nothing is told both in one.
fn send_by_next(
    draft: &mut Draft<'_>,
    name: &ContactName,
    contact: &mut ContactProgress,
    undelivered: NotDelivered<'_>,
) {
    let NotDelivered { sent, reason } = undelivered;
    let is_start = sent.subject.is_about_open_alert();
    let is_of_round = draft.facts.is(AlertState::Resolved) && (is_start || sent.subject.is_about_end());
    if is_of_round && draft.facts.is_left_to_next_round() {
        return;
    }
    if draft.facts.is(AlertState::Resolved) && is_start {
        // What is under way decides it, after which the end is planned anew.
        if contact.is_being_texted() && draft.facts.alert.openings.tells_itself() {
            return;
        }
        // What was under way when the start was found says both.
        if let Some(second) = contact.notifications.iter_mut().find(|one| is_second(one, &Subject::Missed)) {
            second.replaced = false;
            return;
        }
        // By the next gateway, and once more by this one where that does not take it.
        let next = OpenText { gateway: Some(sent.gateway), unknowns: sent.unknowns, ..OpenText::default() };
        return notification::tell_both_in_one(draft, name, contact, Some(next));
    }
    let says_both = |subject: &Subject| *subject == Subject::Missed;
    let is_said = contact.sent.iter().any(|sent| says_both(&sent.subject))
        || contact.notifications.iter().any(|one| says_both(&one.subject));
    if sent.subject == Subject::Resolved && is_said {
        return;
    }
    if sent.subject == Subject::Missed && contact.knows(draft.facts.news) && !draft.facts.owes_end_by_text() {
        return;
    }
    // Said now, it would tell no more than they surely know; or nothing is sent, as it may have arrived twice.
    let is_milder = draft.facts.alert.severity < sent.severity && sent.subject.is_about_open_alert();
    let is_unanswered = UNKNOWNS_MAX <= sent.unknowns && sent.subject.is_about_alert();
    if (is_milder || is_unanswered) && certainly_knows(draft.facts, contact) {
        return;
    }
    // A text that only stood in for a push that has arrived since is not missed.
    if sent.pushed && sent.unknowns == 0 && !text::is_own(draft.facts, &sent.subject) {
        return;
    }
    let SentText { gateway, subject, since, undelivered, unknowns, pushed, .. } = sent;
    let goes_on = |one: &Notification| {
        let is_by_another = one.text.open().is_some_and(|open| open.undelivered.contains(&gateway));
        let tells_the_same = one.subject.is_about_open_alert() && subject.is_about_open_alert();
        tells_the_same && !one.replaced && (is_by_another || one.is_news_under_way())
    };
    if contact.notifications.iter().any(goes_on) {
        return;
    }
    let tells_it = |one: &Notification| one.subject == subject && !is_second(one, &subject);
    if contact.notifications.iter().any(|one| tells_it(one) && one.text.pending().is_some()) {
        // It was begun anew since.
        return;
    }
    let second = take_second(contact, &subject, &gateway);
    let known = contact.notifications.iter_mut().find(|one| one.subject == subject);
    let undelivered = Undelivered { gateway, before: undelivered, unknowns };
    let message = Message { contact: name, subject: &subject };
    let text = second.unwrap_or_else(|| text::by_next(draft, message, undelivered, reason));
    if let Some(notification) = known {
        notification.text = text;
        notification.replaced &= !matches!(subject, Subject::Unreachable { .. });
    } else {
        let push = PushState { accepted: pushed, ..PushState::default() };
        contact.notifications.push(Notification { subject, since, push, text, replaced: false });
    }
    push_digest_again(draft.facts, name, contact);
}

/// It is the second copy of this, which was under way when its gateway was found to have the first.
fn is_second(one: &Notification, subject: &Subject) -> bool {
    one.replaced && one.subject == *subject && one.text.is_in_flight() && one.push.open.is_empty()
}

/// A second copy under way decides for itself.
fn take_second(contact: &mut ContactProgress, subject: &Subject, failed: &GatewayName) -> Option<TextState> {
    let at = contact.notifications.iter().position(|one| is_second(one, subject))?;
    let mut text = contact.notifications.remove(at).text;
    if let Some(open) = text.open_mut() {
        open.undelivered.push(failed.clone());
    }
    Some(text)
}

/// The text of a digest was enough, and is not any more: its push goes on, and if no other gateway follows, the others
/// learn of it.
fn push_digest_again(facts: Facts<'_>, name: &ContactName, contact: &mut ContactProgress) {
    let mut known = contact.notifications.iter_mut();
    let Some(digest) = known.find(|one| one.subject == Subject::Digest) else { return };
    digest.replaced = false;
    if digest.push.accepted || !digest.push.open.is_empty() {
        return;
    }
    if let TextState::Failed { reason } = &digest.text {
        contact.unreachable.get_or_insert_with(|| reason.clone());
    }
    if let Some(person) = roster::find(facts.present.people, name) {
        push::renew(&mut digest.push, push::begin(facts, person));
    }
}

pub(super) fn note(draft: &mut Draft<'_>, message: Message<'_>, gateway: &GatewayName, report: &Report) {
    let mut fate = report.fate.clone();
    if let Fate::Failed { reason } | Fate::Unclear { reason } = &mut fate {
        *reason = reason.chars().take(DETAIL_CHARS_MAX).collect();
    }
    let (contact, destination) = (message.contact.clone(), gateway.clone());
    let (subject, attempt) = (message.subject.topic(), report.attempt);
    draft.note(Entry::Reported { contact, destination, subject, attempt, fate });
}

/// No time lies further ahead than a plan made now could set it.
pub(super) fn pull_back(sent: &mut SentText, bounds: &Bounds<'_>) {
    bounds.past(&mut sent.since);
    bounds.past(&mut sent.sent_at);
    let latest = next_ask(sent.sent_at, sent.asks, bounds.now);
    sent.ask_at = sent.ask_at.map(|at| latest.map_or(at, |latest| latest.min(at)));
}
