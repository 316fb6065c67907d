//! What people do with an alert, and what they are reminded of: acknowledging, giving it back, repeats.
//!
//! An acknowledgement takes nothing away: what waits is held (`notification::advance`) and goes on when the alert is
//! given back.

use super::{Rules, audience, notification, output::Draft, present::Facts, text};
use crate::alert::{
    Alert, ContactProgress, Conversation, Entry, Kind, Milestone, Progress, Severity, Subject,
};

/// Nobody acknowledges: everyone is notified again, whatever an earlier notification is doing, which needs no more
/// tries of its own then. Whoever does not know yet is not reminded: what is news to them goes on, by every road.
pub(super) fn repeat(draft: &mut Draft<'_>, conversation: &mut Conversation, progress: &mut Progress) {
    let (facts, severity) = (draft.facts, draft.facts.alert.severity);
    let repeats = facts.rules().repeats;
    if !is_repeated(facts.alert, facts.rules()) {
        // One that is planned waits until it is as severe again; those that have ended begin anew.
        if conversation.has_ended() {
            begin_anew(conversation);
            conversation.repeat_at = repeats.pause_after(Severity::High, 0).map(|pause| facts.after(pause));
        }
        return;
    }
    let next = |Conversation { repeats: made, repeats_before, .. }: &Conversation| {
        repeats.pause_after(severity, made.saturating_sub(*repeats_before)).map(|pause| facts.after(pause))
    };
    if conversation.has_ended() && next(conversation).is_some() {
        // While it was milder.
        begin_anew(conversation);
        conversation.repeat_at = Some(facts.now());
    }
    // One that was planned while it was milder comes as soon as it would now.
    let soon = next(conversation);
    conversation.repeat_at = conversation.repeat_at.map(|at| soon.map_or(at, |soon| at.min(soon)));
    match conversation.repeat_at {
        None => conversation.repeat_at = soon,
        Some(at) if facts.now() < at => {}
        Some(_) => {
            let made = conversation.repeats.saturating_sub(conversation.repeats_before);
            if repeats.count(severity).is_some_and(|count| count <= made) {
                // While it was more severe.
                conversation.repeats_before = conversation.repeats;
            }
            conversation.repeats = conversation.repeats.saturating_add(1);
            conversation.repeat_at = next(conversation);
            let (number, last) = (conversation.repeats, conversation.repeat_at.is_none());
            draft.note(Entry::Repeated { number, last });
            // A quiet round is told by this.
            progress.notified_as.get_or_insert(severity);
            for person in audience::of(facts) {
                let contact = progress.contacts.entry(person.name.clone()).or_default();
                let subject = Subject::Repeat { number, last };
                let mut under_way = contact.notifications.iter_mut();
                if let Some(news) = under_way.find(|one| one.is_news_under_way()) {
                    notification::renew(facts, person, news, Some(&subject));
                    continue;
                }
                notification::supersede(draft, contact);
                // A quiet round is one of which they know by the rounds before.
                let knows = contact.knows(facts.news) || facts.alert.openings.is_quiet(severity);
                let subject = if knows { subject } else { notification::news(facts, contact) };
                let repeat = notification::begin(facts, person, subject, contact.texted);
                contact.notifications.push(repeat);
            }
        }
    }
}

/// While nobody has it and it is as severe as it is.
pub(super) fn is_repeated(alert: &Alert, rules: &Rules) -> bool {
    alert.kind == Kind::Problem && rules.repeats.repeats_at(alert.severity)
}

/// The next reminder comes as the first one does.
pub(super) fn begin_anew(conversation: &mut Conversation) {
    (conversation.repeats_before, conversation.repeat_at) = (conversation.repeats, None);
}

/// Nobody has it any more, or not as severe as it is: what was held goes on as if it had been planned now. A reminder
/// whose time has passed meanwhile is due. False if nothing was held.
pub(super) fn resume(facts: Facts<'_>, progress: &mut Progress) -> bool {
    if !progress.planned.remove(&Milestone::Acknowledged) {
        return false;
    }
    for held in progress.contacts.values_mut().flat_map(ContactProgress::about_open_alert) {
        held.since = facts.now();
        text::resume(facts, &mut held.text);
    }
    true
}
