//! What must hold of senders in the morning: what is true of their problems is what our alerts say.

use super::{
    morning::{Morning, brief, is_closed_by_silence},
    senders::Word,
    world::Heard,
    *,
};
/// What a sender says for longer than this is no late copy.
const INSISTS_FOR: SignedDuration = SignedDuration::from_secs(70);

/// What is said without a start, and so shortly before, may be of the same problem.
const SAID_TOGETHER: SignedDuration = SignedDuration::from_secs(60);

const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// What a crash may lose of when an alert was last heard of, and what it takes to notice.
const HEARD_LOST_MAX: SignedDuration = SignedDuration::from_secs(70);

/// What its sender goes on saying is open.
pub(super) fn what_goes_on_is_open(morning: &Morning<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for sender in &morning.world.senders {
        let Some(problem) = &sender.problem else { continue };
        let key = sender.key(problem.number);
        let over = morning.last_end(&key);
        let said: Vec<_> =
            morning.fires(&key).filter(|heard| over.is_none_or(|over| over < heard.at)).collect();
        let insists =
            said.first().zip(said.last()).is_some_and(|(first, last)| INSISTS_FOR < last.at - first.at);
        let patience = sender.patience();
        let is_recent = said.last().is_some_and(|last| morning.world.night - last.at < patience);
        // What its recovery ended stays ended where a key never returns.
        let is_ended = sender.habits.key_never_returns && over.is_some();
        let is_readable = !morning.was_key_damaged(&key);
        if insists
            && is_recent
            && !is_ended
            && is_readable
            && !morning.latest(&key).is_some_and(Alert::is_open)
        {
            faults.push(format!("sender {} goes on saying it, and nothing is open: {said:?}", sender.name));
        }
    }
    faults
}

/// A problem that never ended and was only said again is one alert.
pub(super) fn what_is_only_repeated_is_one_alert(morning: &Morning<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for sender in &morning.world.senders {
        let Some(problem) = sender.problem.as_ref().filter(|problem| problem.number == 1) else { continue };
        let key = sender.key(problem.number);
        let rounds: Vec<_> = morning.rounds(&key).collect();
        let is_disturbed = sender.habits.replica.is_some()
            || morning.last_end(&key).is_some()
            || morning.was_key_damaged(&key)
            || rounds.iter().any(|round| is_closed_by_silence(round));
        if 1 < rounds.len() && !is_disturbed {
            faults.push(format!("sender {} only repeated itself: {} rounds", sender.name, rounds.len()));
        }
    }
    faults
}

/// An alert that counts as taken was taken, and it was this problem.
pub(super) fn nobody_has_what_nobody_took(morning: &Morning<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for alert in morning.alerts().filter(|alert| morning.is_a_conversation_of_its_own(alert)) {
        let Some(taken) = &alert.conversation.acknowledged else { continue };
        let Some(sender) = morning.sender_of(alert).filter(|sender| !sender.clock_was_set) else { continue };
        let key = &alert.dedup_key;
        let ended_at = alert.resolved.as_ref().map(|end| end.at.duration_since(T0));
        let was_open = |heard: &&Heard| ended_at.is_none_or(|ended_at| heard.at <= ended_at);
        let fires = morning.fires(key).filter(|heard| morning.is_about(heard, alert)).filter(was_open);
        let fires: Vec<&Heard> = fires.collect();
        // What began before it, and comes later, joins it.
        let Some(last) = fires.iter().max_by_key(|heard| heard.problem) else { continue };
        // Without a start one problem cannot be told from the next, if the end between them was lost.
        let are_apart = sender.tells_problems_apart();
        let since = if are_apart {
            morning.first_fires(key, last.problem).map(|heard| heard.at).unwrap_or_default()
        } else {
            alert.opened_at.duration_since(T0) - SAID_TOGETHER
        };
        let is_of_it = |problem| {
            problem == last.problem || (!are_apart && fires.iter().any(|heard| heard.problem == problem))
        };
        let by_person = morning.took(alert, since);
        let is_taking = |heard: &&Heard| heard.word == Word::IsTaken;
        // What was said after it, and came before it, may be of it.
        let said_at = fires.iter().filter_map(|heard| heard.said_at).min();
        let overtook = |heard: &Heard| !are_apart && heard.said_at.is_some() && said_at <= heard.said_at;
        let by_sender = morning
            .heard(key)
            .filter(is_taking)
            .any(|heard| is_of_it(heard.problem) || since <= heard.at || overtook(heard));
        if !by_person && !by_sender {
            faults.push(format!("was taken by nobody since {since:#}, but {taken:?}: {}", brief(alert)));
        }
    }
    faults
}

/// A problem with a start of its own, as far as its sender can be understood, is told as one.
pub(super) fn what_began_anew_is_another_alert(morning: &Morning<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for sender in &morning.world.senders {
        let Some(problem) = &sender.problem else { continue };
        let key = sender.key(problem.number);
        let is_understood = sender.tells_problems_apart()
            && !sender.clock_was_set
            && !morning.world.clock_was_set
            && !morning.was_key_damaged(&key)
            && morning.fires(&key).any(|heard| heard.problem == problem.number);
        // An update may open it, too.
        let first = morning.heard(&key).find(|heard| heard.problem == problem.number);
        let first = first.filter(|_| is_understood);
        let Some((first, alert)) = first.zip(morning.latest(&key)) else { continue };
        if alert.opened_at.duration_since(T0) < first.at && alert.is_open() {
            faults.push(format!("its problem began later, at {:#}: {}", first.at, brief(alert)));
        }
    }
    faults
}

/// Silence ends only what nobody said still lasts.
pub(super) fn nothing_that_was_spoken_of_is_closed_by_silence(morning: &Morning<'_>) -> Vec<String> {
    if morning.world.clock_was_set {
        return Vec::new();
    }
    let closed = morning.alerts().filter(|alert| !morning.was_damaged(alert)).filter_map(|alert| {
        let end = alert.resolved.as_ref().filter(|_| is_closed_by_silence(alert))?;
        Some((alert, end.at.duration_since(T0)))
    });
    let lasts = |heard: &Heard| heard.is_certain && heard.word != Word::IsOver;
    let mut faults = Vec::new();
    for (alert, at) in closed {
        let Some(sender) = morning.sender_of(alert) else { continue };
        // One that takes its end back has to say so again.
        let patience =
            sender.patience().min(if alert.taken_back.is_some() { A_DAY } else { SignedDuration::MAX });
        let within = at - patience + HEARD_LOST_MAX..at;
        let opened = alert.opened_at.duration_since(T0);
        let mut heard = morning.heard(&alert.dedup_key);
        if let Some(heard) =
            heard.find(|heard| lasts(heard) && opened <= heard.at && within.contains(&heard.at))
        {
            faults.push(format!("{} was closed by silence, and was spoken of: {heard:?}", alert.id));
        }
    }
    faults
}
