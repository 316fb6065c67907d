//! What a change of the alert (opened, raised, acknowledged, resolved) begins and ends.

use jiff::Timestamp;

use super::{audience, conversation, fold, notification, output::Draft, present::Facts, quiet, text};
use crate::{
    alert::{
        AlertState, ContactName, ContactProgress, Conversation, FLAPPING_WITHIN, Hold, Milestone,
        Notification, Others, Progress, Severity, Subject, Successor, Taken, TextState, Texted,
    },
    roster,
};

/// Compares the alert with what has been planned so far, and plans what is new.
pub(super) fn apply(draft: &mut Draft<'_>, conversation: &mut Conversation, progress: &mut Progress) {
    let Facts { alert, .. } = draft.facts;
    if alert.openings.superseded.is_some() && draft.facts.is(AlertState::Resolved) {
        return let_go(draft, progress);
    }
    if quiet::until(alert, &progress.planned).is_some_and(|until| draft.facts.now() < until) {
        match alert.state {
            // It comes and goes, and nobody has it: the reminders go on over its rounds.
            AlertState::Triggered => conversation::repeat(draft, conversation, progress),
            // What an acknowledgement held is not told now that it is over.
            AlertState::Resolved => cancel_held(draft, progress),
            AlertState::Noted | AlertState::Acknowledged => {}
        }
        return;
    }
    if progress.planned.insert(Milestone::Opened) {
        open(draft, conversation, progress);
    }
    match alert.state {
        AlertState::Noted => {}
        AlertState::Triggered => {
            conversation::resume(draft.facts, progress);
            notification::begin_missing(draft, progress);
            raise(draft, conversation, progress);
            conversation::repeat(draft, conversation, progress);
        }
        AlertState::Acknowledged => {
            raise(draft, conversation, progress);
            if alert.taken_by(conversation, progress) == Some(Taken::Outgrown) {
                outgrow(draft, conversation, progress);
            } else {
                progress.planned.insert(Milestone::Acknowledged);
            }
        }
        AlertState::Resolved => resolve(draft, progress),
    }
}

/// It fires again: the new round tells what there is to tell, unless it is quiet, but not whom this one turns out later
/// to have missed.
fn let_go(draft: &mut Draft<'_>, progress: &mut Progress) {
    let Facts { alert, .. } = draft.facts;
    if alert.openings.tells_itself() {
        return resolve(draft, progress);
    }
    let is_first = progress.planned.insert(Milestone::Resolved);
    // It was over before it was planned, and more severe than people knew.
    let is_untold = is_first
        && alert.openings.superseded == Some(Successor::IsQuiet)
        && !alert.openings.is_quiet(alert.severity)
        && progress.planned.insert(Milestone::Opened);
    if !draft.facts.is_last_word && !is_untold {
        let is_told_by_next = alert.openings.superseded == Some(Successor::Tells);
        if is_first || is_told_by_next {
            cancel_all(draft, progress);
        }
        for contact in progress.contacts.values_mut().filter(|_| is_told_by_next) {
            // Nor is it said here whom it did not reach.
            contact.unreachable = None;
        }
        return;
    }
    cancel_held(draft, progress);
    cancel_some(draft, progress, |one| matches!(one.subject, Subject::Repeat { .. } | Subject::Resolved));
    // Whoever was to be told may have left.
    let is_anew = is_first || progress.contacts.is_empty();
    if is_untold || progress.contacts.is_empty() {
        for person in audience::of(draft.facts) {
            progress.contacts.entry(person.name.clone()).or_default();
        }
    }
    for (name, contact) in &mut progress.contacts {
        let is_owed = matches!(draft.facts.taken, None | Some(Taken::Outgrown))
            && contact.unreachable.is_none()
            && contact.is_idle();
        if is_anew && is_owed {
            notification::tell_both_in_one(draft, name, contact, None);
        }
    }
}

/// What an acknowledgement held until the end is not told after it.
fn cancel_held(draft: &mut Draft<'_>, progress: &mut Progress) {
    let taken = draft.facts.taken;
    cancel_some(draft, progress, |one| one.hold(taken) != Hold::Nothing);
}

fn cancel_some(draft: &mut Draft<'_>, progress: &mut Progress, which: impl Fn(&Notification) -> bool) {
    for (name, contact) in &mut progress.contacts {
        for notification in contact.notifications.iter_mut().filter(|one| which(one)) {
            cancel(draft, name, notification);
        }
    }
}

/// Nothing of it is told any more but whom it did not reach.
fn cancel_all(draft: &mut Draft<'_>, progress: &mut Progress) {
    cancel_some(draft, progress, |one| !matches!(one.subject, Subject::Unreachable { .. }));
    for (name, contact) in &mut progress.contacts {
        fold::is_over(draft, name, contact);
    }
}

/// That nobody hears of it this way is no failure.
fn cancel(draft: &mut Draft<'_>, name: &ContactName, notification: &mut Notification) {
    notification::cancel(draft, name, notification);
    notification.replaced = true;
}

/// Everyone in the audience is notified; an alert that is already over is told as missed instead.
fn open(draft: &mut Draft<'_>, conversation: &mut Conversation, progress: &mut Progress) {
    let facts = draft.facts;
    let reminded_as = progress.notified_as.filter(|_| facts.heard);
    progress.notified_as = reminded_as.or(Some(facts.alert.severity));
    progress.notified_at = Some(facts.now());
    if facts.alert.openings.is_worse(facts.alert.severity) {
        conversation::begin_anew(conversation);
    }
    for person in audience::of(facts) {
        let contact = progress.contacts.entry(person.name.clone()).or_default();
        // A reminder may have told of a round that was quiet until now.
        if !facts.is(AlertState::Resolved) && !contact.has_heard() {
            notification::supersede(draft, contact);
            let opened = notification::begin(facts, person, Subject::Opened, contact.texted);
            contact.notifications.push(opened);
        }
    }
}

/// It has become more severe, which is news: everyone is notified as if it had been opened so.
fn raise(draft: &mut Draft<'_>, conversation: &mut Conversation, progress: &mut Progress) {
    if let Some(known) = raised_from(draft.facts, conversation, progress) {
        tell_raise(draft, conversation, progress, known);
    }
}

/// As how severe people know it, where it has become so much more severe since that this is news.
fn raised_from(facts: Facts<'_>, conversation: &Conversation, progress: &Progress) -> Option<Severity> {
    // What was told since somebody took it as more severe is known to them as that.
    let taken = conversation.acknowledged.as_ref().filter(|taken| Some(taken.since) < progress.notified_at);
    let known =
        progress.notified_as.map(|told_as| taken.map_or(told_as, |taken| told_as.max(taken.severity)));
    known.filter(|known| facts.rules().is_news(facts.alert.severity, *known))
}

/// It became more severe, and was over before that was planned: its end tells that.
pub(super) fn note_last_raise(facts: Facts<'_>, conversation: &Conversation, progress: &mut Progress) {
    let Progress { planned, .. } = &*progress;
    // Before that a reminder may have told of it.
    let is_news =
        planned.contains(&Milestone::Opened) || !facts.alert.openings.is_quiet(facts.alert.severity);
    if facts.is(AlertState::Resolved)
        && !planned.contains(&Milestone::Resolved)
        && is_news
        && let Some(known) = raised_from(facts, conversation, progress)
    {
        progress.notified_as = Some(facts.alert.severity);
        for contact in progress.contacts.values_mut() {
            contact.knows_at_most(known);
            forget_milder(contact);
        }
    }
}

/// Whom a raise does not reach the others are told of, whatever they heard of what was milder, and its texts count no
/// more.
fn forget_milder(contact: &mut ContactProgress) {
    (contact.unreachable, contact.others) = (None, Others::NotTold);
    forget_texts(contact);
}

/// What was texted of what was milder keeps no text from being sent, nor says that one may have arrived.
fn forget_texts(contact: &mut ContactProgress) {
    contact.texted = contact.texted.min(Texted::Yes);
    for earlier in contact.about_open_alert().filter(|one| one.text == TextState::Unknown) {
        earlier.text = TextState::Off;
    }
}

/// It is more severe again than when it was taken: what was held goes on, and everyone is notified anew unless they were
/// shortly before.
fn outgrow(draft: &mut Draft<'_>, conversation: &mut Conversation, progress: &mut Progress) {
    let facts = draft.facts;
    let told_at = progress.notified_at.unwrap_or(Timestamp::MIN);
    let is_long_ago = FLAPPING_WITHIN <= facts.now().duration_since(told_at);
    if conversation::resume(facts, progress) {
        if facts.is_unheard() {
            // It is tried on, and at once where nothing is under way.
            progress.again_at = Some(facts.now());
        } else if is_long_ago && let Some(taken) = conversation.acknowledged.as_ref().map(|it| it.severity) {
            tell_raise(draft, conversation, progress, taken);
        }
    }
    notification::begin_missing(draft, progress);
}

/// `known`: as how severe people know it, whatever they have heard before.
fn tell_raise(
    draft: &mut Draft<'_>,
    conversation: &mut Conversation,
    progress: &mut Progress,
    known: Severity,
) {
    let (facts, severity) = (draft.facts, draft.facts.alert.severity);
    progress.notified_as = Some(severity);
    // While nobody knows of it, it goes on since then.
    progress.notified_at = progress.notified_at.filter(|_| facts.is_unheard()).or(Some(facts.now()));
    conversation::begin_anew(conversation);
    for contact in progress.contacts.values_mut() {
        contact.knows_at_most(known);
    }
    for person in audience::of(facts) {
        let contact = progress.contacts.entry(person.name.clone()).or_default();
        let raised = notification::begin(facts, person, Subject::Raised { to: severity }, contact.texted);
        if notification::may_wait(facts, contact, &raised) {
            forget_texts(contact);
        } else {
            notification::supersede(draft, contact);
            forget_milder(contact);
            contact.notifications.push(raised);
        }
    }
}

/// It is over: what waits is cancelled, and who knows of it is notified of the end. Who may not know gets one
/// message that says both, also where a text under way at the end then failed.
fn resolve(draft: &mut Draft<'_>, progress: &mut Progress) {
    let facts = draft.facts;
    let first = progress.planned.insert(Milestone::Resolved);
    let audience = audience::of(facts);
    if !facts.heard && (first || progress.contacts.is_empty()) {
        // Whoever was to be notified may not be there any more.
        for person in &audience {
            progress.contacts.entry(person.name.clone()).or_default();
        }
    }
    for (name, contact) in &mut progress.contacts {
        // To whom it was not addressed a raise was not either.
        let is_for_them = audience::contains(&audience, name);
        let is_bystander = facts.heard && !is_for_them;
        let is_texting = contact.is_being_texted();
        let knows = is_texting || contact.knows(facts.news) || (is_bystander && contact.has_heard());
        notification::note_unanswered(contact);
        let mut lost = None;
        for notification in contact.about_open_alert() {
            lost = lost.or_else(|| text::take_lost(&mut notification.text));
            notification::cancel(draft, name, notification);
        }
        if first && !contact.knows(facts.news) && roster::find(facts.present.people, name).is_some() {
            // The end is owed to them, whatever was given up before.
            contact.unreachable = None;
        }
        if !knows && !notification::start_is_under_way(facts, contact) {
            // The end of what was under way then, and did not arrive.
            let ends = contact.notifications.iter_mut().filter(|one| one.subject == Subject::Resolved);
            ends.filter(|one| !one.has_arrived()).for_each(|one| notification::replace(draft, one));
        }
        let was_given_up = contact.unreachable.is_some() || notification::is_silent(facts);
        // Who hears by this that somebody could not be reached is told nothing else.
        let tells_of_others =
            |one: &Notification| matches!(one.subject, Subject::Unreachable { .. }) && !one.is_over();
        let is_told_of_others = !is_for_them || contact.notifications.iter().any(tells_of_others);
        if !knows && (first || !(was_given_up || is_told_of_others)) {
            notification::tell_both_in_one(draft, name, contact, lost);
        } else if first
            && facts.lasts()
            && let Some(person) = roster::find(facts.present.people, name)
        {
            fold::is_over(draft, name, contact);
            let texted = if is_texting { contact.texted.max(Texted::Yes) } else { contact.texted };
            let resolved = notification::begin(facts, person, Subject::Resolved, texted);
            contact.notifications.push(resolved);
        }
    }
}
