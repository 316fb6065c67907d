//! One contact is notified of one thing: by push, and by text when the push fails.

use jiff::{SignedDuration, Timestamp};

use super::{
    GIVE_UP_AFTER, audience,
    bounds::Bounds,
    fold::{self, Held},
    gateways, lost,
    may::May,
    output::{Draft, Message, Send},
    present::Facts,
    push,
    text::{self, UNKNOWNS_MAX},
};
use crate::{
    alert::{
        Address, Alert, ContactName, ContactProgress, Notification, Notified, OpenText, Outcome, Pending,
        Progress, Severity, Subject, TextState, Texted, Transport,
    },
    roster::{self, Person},
};

/// After an outage of ours what is old is tried for this long before it is given up.
const TRIED_FOR_MIN: SignedDuration = SignedDuration::from_mins(10);

/// A new notification of `subject` to `person`, by the roads that it may take. `texted`: what texts this person had
/// about the alert.
pub(super) fn begin(facts: Facts<'_>, person: &Person, subject: Subject, texted: Texted) -> Notification {
    let (push, text) = (push::begin(facts, person), text::begin(facts, person, &subject, texted));
    Notification { subject, since: facts.now(), push, text, replaced: false }
}

/// As [`begin`], for somebody who has not heard of the alert though it was tried: a text that may have arrived is not
/// sent again.
pub(super) fn begin_again(
    facts: Facts<'_>,
    person: &Person,
    subject: Subject,
    contact: &ContactProgress,
) -> Notification {
    let mut again = begin(facts, person, subject, contact.texted);
    text::follow(&mut again.text, &again.push, None, contact.texted);
    again
}

/// What is news to this contact: the alert, or, where they have heard of what was milder, that it is more severe.
pub(super) fn news(facts: Facts<'_>, contact: &ContactProgress) -> Subject {
    if contact.has_heard() { Subject::Raised { to: facts.alert.severity } } else { Subject::Opened }
}

/// Whoever was planned, does not know of the alert as it is, is not being notified and was not given up is notified:
/// somebody wants another try, or gave the alert back.
pub(super) fn begin_missing(draft: &mut Draft<'_>, progress: &mut Progress) {
    let facts = draft.facts;
    let is_done = |one: &Notification| one.replaced || (one.has_arrived() && !one.text.is_in_flight());
    if is_silent(facts) {
        return;
    }
    for person in audience::of(facts) {
        let Progress { contacts, notified_at, .. } = progress;
        if let Some(contact) = contacts.get_mut(&person.name)
            && !contact.knows(facts.news)
            && contact.unreachable.is_none()
            && contact.notifications.iter().all(is_done)
        {
            let is_digest = facts.alert.digest.is_some();
            let subject = if is_digest { Subject::Digest } else { news(facts, contact) };
            let again = begin_again(facts, person, subject, contact);
            if !may_wait(facts, contact, &again) {
                // What has arrived of it told less.
                supersede(draft, contact);
                contact.notifications.push(again);
                if facts.is_unheard() && contact.has_heard() {
                    // It is as severe again as nobody has heard so far.
                    *notified_at = Some(facts.now());
                }
            }
        }
    }
}

/// Whoever knows of what waits for the morning is not out of reach because there is no channel at present; but that what
/// was tried went unanswered is told.
pub(super) fn may_wait(facts: Facts<'_>, contact: &ContactProgress, raised: &Notification) -> bool {
    let has_no_channel = raised.is_over() && raised.text != TextState::Unknown;
    contact.has_heard() && facts.severity_of(&raised.subject) < Severity::High && has_no_channel
}

/// Nobody is called unreachable because of it.
pub(super) fn is_silent(facts: Facts<'_>) -> bool {
    !facts.is_worth_telling()
}

/// What comes of it decides what there is to tell of the end: a text of the open alert, or what was sent about others
/// before the end.
pub(super) fn start_is_under_way(facts: Facts<'_>, contact: &ContactProgress) -> bool {
    let is_from_before = |(state, address): (Pending, Option<Address>)| match (state, address) {
        (Pending::InFlight { until, .. }, Some(address)) => {
            facts.is_before_end(facts.rules().began(until, &address))
        }
        _ => false,
    };
    let is_about_others = |one: &Notification| {
        matches!(one.subject, Subject::Unreachable { .. }) && one.open().any(is_from_before)
    };
    !contact.knows(facts.news)
        && (contact.is_being_texted() || contact.notifications.iter().any(is_about_others))
}

/// Starts what is due in every notification of a contact and drops those that are over. True if one of them was about
/// others, which kept what there is to tell of the end.
pub(super) fn advance_all(draft: &mut Draft<'_>, name: &ContactName, contact: &mut ContactProgress) -> bool {
    let start_is_under_way = start_is_under_way(draft.facts, contact);
    let mut notifications = std::mem::take(&mut contact.notifications);
    for notification in &mut notifications {
        let may_begin = notification.open().all(|(state, _)| state == Pending::Ready);
        if start_is_under_way && may_begin && notification.subject == Subject::Resolved {
            continue;
        }
        if let Some(held) = advance(draft, name, contact, notification) {
            let message = Message { contact: name, subject: &notification.subject };
            if fold::hold_back(draft, message, contact, held) {
                replace(draft, notification);
            }
        }
    }
    contact.notifications = notifications;
    note_unanswered(contact);
    let over: Vec<Notification> = contact.notifications.extract_if(.., |one| one.is_over()).collect();
    let mut was_about_others = false;
    for over in over {
        was_about_others |= matches!(over.subject, Subject::Unreachable { .. });
        // As long as another tells the same contact, none of its channels has failed for good.
        let goes_on = over.subject.is_about_open_alert() && !contact.is_idle();
        if let Some(reason) = failure(draft.facts, &over).filter(|_| !goes_on) {
            contact.unreachable.get_or_insert(reason);
            if over.text != TextState::Unknown {
                draft.untold.push(over.subject.unreached());
            }
        }
    }
    was_about_others
}

/// Starts what is due; what is to be told in a digest instead.
fn advance(
    draft: &mut Draft<'_>,
    name: &ContactName,
    contact: &ContactProgress,
    notification: &mut Notification,
) -> Option<Held> {
    let may = May::of(draft.facts, notification);
    give_up_old(draft, name, notification);
    let Notification { subject, push, text, replaced, .. } = notification;
    let message = Message { contact: name, subject };
    let has_begun = push::has_begun(push) || text::has_begun(text);
    if !*replaced
        && !has_begun
        && let Some(reason) = fold::reason(draft.facts, message, contact)
    {
        return Some(Held { text: text.open().is_some(), whole: true, reason: reason.to_owned() });
    }
    let starved = push::advance(draft, message, push, text::is_on_standby(text), may);
    if starved {
        text::stand_down(text);
    }
    if may == May::Everything {
        text::decide(draft, message, text, push);
    }
    let whole = |text, reason| Held { text, whole: true, reason };
    match text::advance(draft, message, text, may, &contact.unanswered) {
        // A reminder of what is known goes by push all the same, where there is one.
        Err(spent)
            if matches!(subject, Subject::Repeat { .. }) && contact.has_heard() && push::is_out(push) =>
        {
            text::stop(draft, text);
            Some(Held { text: true, whole: false, reason: format!("{spent} is spent") })
        }
        Err(spent) => Some(whole(true, format!("{spent} is spent"))),
        Ok(()) if starved && !text::goes_out(text, may) => {
            Some(whole(false, "fcm.per_device is spent".to_owned()))
        }
        Ok(()) => None,
    }
}

/// What has been tried for too long is given up; but not while nobody knows of the alert and nobody has it, and not
/// before it was tried for a while since our start.
fn give_up_old(draft: &mut Draft<'_>, name: &ContactName, notification: &mut Notification) {
    let is_held = draft.facts.is_held(notification);
    let Notification { subject, since, push, text, .. } = notification;
    let facts = draft.facts;
    let is_needed =
        subject.is_about_open_alert() || (*subject == Subject::Digest && facts.is_worth_telling());
    if is_needed && (facts.is_unheard() || is_held) {
        return;
    }
    let message = Message { contact: name, subject };
    let (age, tried) =
        (facts.now().duration_since(*since), facts.now().duration_since(facts.present.running_since));
    let has_lived = |lives_for: SignedDuration| lives_for <= age && lives_for.min(TRIED_FOR_MIN) <= tried;
    if has_lived(push::lives_for(facts, subject)) {
        push::give_up_old(draft, message, push);
    }
    if has_lived(GIVE_UP_AFTER) {
        text::give_up_old(draft, message, text);
    }
}

/// A later notification tells the open alert in place of those under way.
pub(super) fn supersede(draft: &mut Draft<'_>, contact: &mut ContactProgress) {
    for earlier in contact.about_open_alert() {
        replace(draft, earlier);
    }
    note_unanswered(contact);
}

/// A text that may have arrived is not sent again, whatever tells the same next.
pub(super) fn note_unanswered(contact: &mut ContactProgress) {
    if contact.notifications.iter().any(|one| one.text == TextState::Unknown) {
        contact.texted = Texted::Unanswered;
    }
}

/// Opens every road again that is closed though the person has it: while nobody knows, or with a reminder, which sends
/// once more what may have arrived.
pub(super) fn renew(facts: Facts<'_>, person: &Person, one: &mut Notification, reminder: Option<&Subject>) {
    push::renew(&mut one.push, push::begin(facts, person));
    let is_closed = match &one.text {
        TextState::Off | TextState::Failed { .. } => true,
        TextState::Unknown => reminder.is_some(),
        TextState::Standby { .. } | TextState::Open(_) | TextState::Accepted => false,
    };
    if is_closed {
        one.text = text::begin(facts, person, reminder.unwrap_or(&one.subject), Texted::No);
    }
    one.text.open_mut().map(gateways::forget_undelivered);
}

/// Something else tells it: what is under way may still arrive, nothing more is begun.
pub(super) fn replace(draft: &mut Draft<'_>, notification: &mut Notification) {
    notification.replaced = true;
    push::keep_in_flight(&mut notification.push);
    text::stop(draft, &mut notification.text);
}

/// When it wants to be looked at again. What an acknowledgement holds waits for nothing but its answers.
pub(super) fn wakes_at(alert: &Alert, notification: &Notification) -> Option<Timestamp> {
    let waits = notification.waiting(alert.taken());
    waits.filter_map(|(state, _)| state.wakes_at()).min()
}

/// Why a finished notification reached nobody, if it should have.
fn failure(facts: Facts<'_>, notification: &Notification) -> Option<String> {
    let Notification { subject, push, text, replaced, .. } = notification;
    let matters = match subject {
        // Cut back by an acknowledgement or a resolution is not failed.
        Subject::Opened | Subject::Raised { .. } if facts.is_last_word => true,
        Subject::Opened | Subject::Repeat { .. } | Subject::Raised { .. } => {
            let is_news = facts.alert.is_open() && !facts.is_held(notification);
            is_news || text::has_failed(text)
        }
        Subject::Missed | Subject::Unreachable { .. } | Subject::Digest => true,
        Subject::Resolved => false,
    };
    if !matters || push.accepted || *replaced || is_silent(facts) { None } else { text::failure(text, push) }
}

/// It is over: what waits is cancelled.
pub(super) fn cancel(draft: &mut Draft<'_>, name: &ContactName, notification: &mut Notification) {
    let Notification { subject, push, text, .. } = notification;
    let message = Message { contact: name, subject };
    push::cancel(draft, message, push);
    text::cancel(draft, message, text);
}

/// The notification that an attempt belongs to: the one that waits for it, else the latest that tells the same.
pub(super) fn find<'a>(contact: &'a mut ContactProgress, send: &Send) -> Option<&'a mut Notification> {
    let notifications = &mut contact.notifications;
    let waits = |one: &Notification| one.open().any(|(state, _)| state.is_attempt(send.attempt));
    let tells = |one: &Notification| one.subject == send.subject;
    let position = notifications.iter().position(waits).or_else(|| notifications.iter().rposition(tells))?;
    notifications.get_mut(position)
}

/// What a message told, and as how severe.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) subject: &'a Subject,
    pub(super) severity: Severity,
    /// By which attempt.
    pub(super) attempt: u32,
}

/// What the contact now knows, whichever notification it came by.
pub(super) fn remember(
    facts: Facts<'_>,
    contact: &mut ContactProgress,
    told: Told<'_>,
    address: &Address,
    outcome: &Outcome,
) {
    let is_final = match address {
        Address::Device(_) => true,
        Address::Gateway(name) => !lost::says(facts, name),
    };
    let is_about_alert = told.subject.is_about_alert();
    match outcome {
        Outcome::Accepted { .. } if is_final => learn(facts, contact, told),
        Outcome::Accepted { .. } => contact.unreachable = None,
        Outcome::Unknown { .. } if is_about_alert => contact.certain = contact.certain.max(Notified::Maybe),
        Outcome::Unknown { .. } => {}
        Outcome::Deferred { .. } | Outcome::Rejected { .. } => return,
    }
    if is_about_alert && matches!(address, Address::Gateway(_)) {
        contact.texted = contact.texted.max(Texted::Yes);
    }
}

/// The contact has it. What becomes of earlier texts that told no more of the open alert is nothing to act on.
pub(super) fn learn(facts: Facts<'_>, contact: &mut ContactProgress, told: Told<'_>) {
    let Told { subject, severity, attempt } = told;
    if subject.is_about_alert() {
        contact.certain = Notified::Yes;
        contact.known_as = contact.known_as.max(severity);
    }
    if contact.knows(facts.news) {
        contact.unreachable = None;
    }
    if subject.is_about_open_alert() {
        let counts = |its_subject: &Subject, its_severity, its_attempt| {
            let is_earlier = its_subject.is_about_open_alert() && its_attempt < attempt;
            let is_copy = its_subject == subject && its_severity == severity;
            !is_earlier || is_copy || severity < its_severity
        };
        contact.sent.retain(|sent| counts(&sent.subject, sent.severity, sent.attempt));
        contact.unanswered.retain(|lost| counts(&lost.subject, lost.severity, lost.attempt));
    }
}

/// It is over, and this contact may not have heard of it: one message says both. `lost`: a text about it that may
/// have arrived.
pub(super) fn tell_both_in_one(
    draft: &mut Draft<'_>,
    name: &ContactName,
    contact: &mut ContactProgress,
    lost: Option<OpenText>,
) {
    // What is under way may have begun as one that says both.
    let tells_end = |one: &Notification| {
        (one.subject == Subject::Missed && !one.replaced)
            || (one.subject.is_about_end() && one.text.is_in_flight())
    };
    if !contact.knows(draft.facts.news)
        && !contact.notifications.iter().any(tells_end)
        && !draft.facts.is_test()
        && let Some(person) = roster::find(draft.facts.present.people, name)
    {
        fold::is_over(draft, name, contact);
        // The end is owed by text, whatever became of the beginning.
        let is_unanswered = contact.texted == Texted::Unanswered
            || lost.as_ref().is_some_and(|lost| UNKNOWNS_MAX <= lost.unknowns);
        let was_tried = 0 < lost::copies_of_end(&contact.unanswered) || lost::end_was_taken(contact);
        let is_owed = is_unanswered && !was_tried && draft.facts.owes_end_by_text();
        let (texted, lost) = if is_owed { (Texted::Yes, None) } else { (contact.texted, lost) };
        let mut missed = begin(draft.facts, person, Subject::Missed, texted);
        text::follow(&mut missed.text, &missed.push, lost, texted);
        if !may_wait(draft.facts, contact, &missed) {
            contact.notifications.push(missed);
        }
    }
}

/// These channels work again: what waits for an account that was at fault is tried now. False if nothing does.
pub fn hasten(alert: &mut Alert, work_again: &[Transport], now: Timestamp) -> bool {
    let mut hastened = false;
    for one in alert.progress.contacts.values_mut().flat_map(|contact| &mut contact.notifications) {
        if work_again.contains(&Transport::Push) {
            let pushes = one.push.open.iter_mut().map(|push| &mut push.state);
            let waiting = pushes.filter(|state| state.is_at_fault());
            hastened |= waiting.fold(false, |any, state| state.hasten(now) | any);
        }
        if work_again.contains(&Transport::Sms) && one.text.pending().is_some_and(Pending::is_at_fault) {
            hastened |= text::hasten(&mut one.text, now);
        }
    }
    hastened
}

/// No time lies further ahead than a plan made now could set it.
pub(super) fn pull_back(notification: &mut Notification, bounds: &Bounds<'_>) {
    let bounds = Bounds { is_ahead: bounds.now < notification.since, ..*bounds };
    bounds.past(&mut notification.since);
    push::pull_back(&mut notification.push, &bounds);
    text::pull_back(&mut notification.text, &bounds);
}
