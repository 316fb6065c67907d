//! What gateways report of texts, those that they have taken and those that got no readable answer.

use super::{
    delivery::{self, Sent},
    lost,
    notification::{self, Told},
    output::{Draft, Message, TextAnswer},
    present::Facts,
    text::{self, UNKNOWNS_MAX, Undelivered},
};
use crate::{
    alert::{
        Address, ContactName, ContactProgress, Fate, GatewayName, Milestone, Notification, Outcome, Pending,
        Progress, Report, Subject, TextState, Texted, Unanswered,
    },
    roster,
};

/// Acts on every report that has come. One about a request still under way waits for its answer, which is
/// often a moment behind it.
pub(super) fn apply(draft: &mut Draft<'_>, progress: &mut Progress) {
    let end_is_planned = progress.planned.contains(&Milestone::Resolved);
    for report in std::mem::take(&mut progress.reports) {
        let mut waits = false;
        for (name, contact) in &mut progress.contacts {
            if is_under_way(contact, report.attempt) {
                waits = true;
            } else if let Some(at) = contact.sent.iter().position(|sent| sent.attempt == report.attempt) {
                delivery::about_sent(draft, name, Sent { contact, at }, &report);
            } else {
                let knew = contact.knows(draft.facts.news);
                let is_start =
                    |lost: &Unanswered| lost.attempt == report.attempt && tells_start(draft.facts, lost);
                let may_be_start = end_is_planned && !knew && contact.unanswered.iter().any(is_start);
                about_lost(draft, name, contact, &report);
                if may_be_start && contact.knows(draft.facts.news) {
                    tell_end(draft.facts, name, contact);
                }
            }
        }
        if waits {
            progress.reports.push(report);
        }
    }
    for contact in progress.contacts.values_mut() {
        tell_as_news(draft.facts, contact);
    }
}

/// It told of the alert while that was open.
fn tells_start(facts: Facts<'_>, lost: &Unanswered) -> bool {
    let is_about_others = matches!(lost.subject, Subject::Unreachable { .. });
    lost.subject.is_about_open_alert() || (is_about_others && facts.is_before_end(lost.sent_at))
}

fn about_lost(draft: &mut Draft<'_>, name: &ContactName, contact: &mut ContactProgress, report: &Report) {
    let known = contact.unanswered.iter().find(|lost| lost.attempt == report.attempt).cloned();
    let Some(lost) = known else { return };
    let is_there = delivery::has_it(&report.fate);
    let waits_for_it = |one: &Notification| one.text.open().is_some_and(|open| open.has_lost(report.attempt));
    // Another copy may be on its way, or the message that says both.
    let tells_it = |one: &Notification| {
        let is_start = lost.subject.is_about_open_alert();
        let is_its_end = one.subject == Subject::Missed && is_start;
        let tells_as_much = draft.facts.news <= lost.severity || is_its_end || !is_start;
        let is_open = is_there && one.text.open().is_some();
        is_open && tells_as_much && (one.subject == lost.subject || is_its_end)
    };
    let end_was_taken = lost::end_was_taken(contact);
    let notifications = &mut contact.notifications;
    let at = notifications.iter().position(waits_for_it).or_else(|| notifications.iter().position(tells_it));
    let message = Message { contact: name, subject: &lost.subject };
    let (mut before, mut second) = (None, None);
    let copies = lost::copies_of_end(&contact.unanswered);
    if let Some(one) = at.and_then(|at| notifications.get_mut(at)) {
        before = Some(one.text.clone());
        // What was sent before the end says nothing of it, also where the message that says both has taken it over.
        let is_start = is_there && one.subject == Subject::Missed && lost.subject.is_about_open_alert();
        let tells_less = lost.severity < draft.facts.news;
        let is_end_owed = draft.facts.owes_end_by_text() && !end_was_taken;
        if is_start && (tells_less || is_end_owed) {
            if !tells_less && copies == 0 && !one.text.is_in_flight() {
                one.subject = Subject::Resolved;
            }
            lost::go_on_as_end(&mut one.text, &contact.unanswered);
        } else if is_there && one.text.is_in_flight() {
            second = lost::split_second(one);
        } else {
            settle_lost(draft, message, &mut one.text, &lost.gateway, &report.fate);
        }
        if is_start && one.push.accepted {
            text::spare(draft, Message { contact: name, subject: &one.subject }, &mut one.text);
        }
    }
    let is_lost = matches!(report.fate, Fate::Failed { .. });
    if at.is_none() && is_lost {
        lose_earlier_copy(contact, &lost);
    }
    contact.notifications.extend(second);
    if is_there {
        let outcome = &Outcome::Accepted { provider_id: None };
        let Unanswered { attempt, gateway, subject, severity, sent_at: began } = &lost;
        let (attempt, severity, began) = (*attempt, *severity, *began);
        let taken = TextAnswer { attempt, gateway, severity, began, outcome, segments: 0 };
        let told = Told { subject, severity, attempt };
        notification::remember(draft.facts, contact, told, &Address::Gateway(gateway.clone()), outcome);
        if report.fate == Fate::Delivered {
            delivery::arrived(draft, contact, told);
        } else {
            delivery::keep(draft.facts, contact, subject, before.as_ref(), &taken);
        }
    }
    if is_there || is_lost {
        contact.unanswered.retain(|other| other.attempt != lost.attempt);
        if is_lost && contact.unanswered.is_empty() {
            forget_unanswered(contact, &report.fate);
        }
    }
    delivery::note(draft, message, &lost.gateway, report);
}

/// It may be an earlier copy than that which is waited for.
fn lose_earlier_copy(contact: &mut ContactProgress, lost: &Unanswered) {
    let is_copy = |other: &&Unanswered| {
        let tell_end = [*other, lost].iter().all(|text| text.subject.is_about_end());
        tell_end || other.subject == lost.subject
    };
    let copies = contact.unanswered.iter().filter(is_copy).count();
    let left = u8::try_from(copies.saturating_sub(1)).unwrap_or(u8::MAX);
    let copy = contact.notifications.iter_mut().find(|one| one.subject == lost.subject);
    if let Some(open) = copy.and_then(|one| one.text.open_mut()) {
        open.unknowns = open.unknowns.min(left);
        open.undelivered.push(lost.gateway.clone());
    }
}

/// Its gateway says what became of a text without an answer.
fn settle_lost(
    draft: &mut Draft<'_>,
    message: Message<'_>,
    text: &mut TextState,
    gateway: &GatewayName,
    fate: &Fate,
) {
    let Some(open) = text.open_mut() else { return };
    let is_in_flight = open.state.is_in_flight();
    match fate {
        Fate::Taken | Fate::Delivered => text::leave(draft, text, TextState::Accepted),
        Fate::Failed { reason } => {
            if open.lost.take().is_none() {
                return;
            }
            open.unknowns = open.unknowns.saturating_sub(1);
            // A second request that is under way decides for itself.
            if is_in_flight {
                open.undelivered.push(gateway.clone());
            } else {
                let before = std::mem::take(&mut open.undelivered);
                let undelivered = Undelivered { gateway: gateway.clone(), before, unknowns: open.unknowns };
                let next = text::by_next(draft, message, undelivered, reason);
                if next.open().is_some() {
                    text::forget(draft, text);
                    *text = next;
                } else {
                    text::leave(draft, text, next);
                }
            }
        }
        // Nothing was sent, so sending it now doubles nothing.
        Fate::NotThere if !is_in_flight && open.unknowns < UNKNOWNS_MAX => open.state = Pending::Ready,
        Fate::NotThere | Fate::Unclear { .. } => {}
    }
}

/// None of the texts that went unanswered has arrived: more may be sent.
fn forget_unanswered(contact: &mut ContactProgress, fate: &Fate) {
    let Fate::Failed { reason } = fate else { return };
    contact.texted = contact.texted.min(Texted::Yes);
    for one in contact.notifications.iter_mut().filter(|one| one.text == TextState::Unknown) {
        one.text = TextState::Failed { reason: reason.clone() };
    }
}

/// The start was found after what was to say both had been given up: the end is missing.
fn tell_end(facts: Facts<'_>, name: &ContactName, contact: &mut ContactProgress) {
    let is_told =
        contact.notifications.iter().any(|one| one.subject.is_about_end()) || lost::end_was_taken(contact);
    if facts.owes_end_by_text()
        && !facts.is_left_to_next_round()
        && facts.alert.openings.tells_itself()
        && !is_told
        && lost::copies_of_end(&contact.unanswered) < UNKNOWNS_MAX
        && let Some(person) = roster::find(facts.present.people, name)
    {
        let mut end = notification::begin(facts, person, Subject::Resolved, Texted::Yes);
        lost::go_on_as_end(&mut end.text, &contact.unanswered);
        contact.notifications.push(end);
    }
}

/// Who turns out not to have heard is not reminded: what a reminder's next gateway tells is news to them, which an
/// acknowledgement does not hold as it does reminders.
fn tell_as_news(facts: Facts<'_>, contact: &mut ContactProgress) {
    let is_known = contact.knows(facts.news) || facts.alert.openings.is_quiet(facts.alert.severity);
    // As news it was sent twice without a readable answer.
    let is_unanswered = contact.texted == Texted::Unanswered;
    if is_known || is_unanswered || contact.notifications.iter().any(Notification::is_news_under_way) {
        return;
    }
    let news = notification::news(facts, contact);
    let was_lost = |one: &&mut Notification| {
        let is_by_another = one.text.open().is_some_and(|open| !open.undelivered.is_empty());
        matches!(one.subject, Subject::Repeat { .. }) && is_by_another && !one.replaced
    };
    if let Some(reminder) = contact.notifications.iter_mut().find(was_lost) {
        reminder.subject = news;
    }
}

fn is_under_way(contact: &ContactProgress, attempt: u32) -> bool {
    let texts = contact.notifications.iter().filter_map(|notification| notification.text.open());
    texts.into_iter().any(|open| open.state.is_attempt(attempt))
}
