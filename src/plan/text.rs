//! The text of a notification, from standby until a gateway has it or it is given up.

use jiff::{SignedDuration, Timestamp};

use super::{
    SMS_AFTER_UNKNOWN,
    bounds::Bounds,
    gateways, lost,
    may::May,
    output::{Draft, Message, TextAnswer},
    present::Facts,
    spending,
    words::reason_of,
};
use crate::{
    alert::{
        Address, Counted, Entry, GatewayName, LostText, OpenText, Outcome, Pending, PushState, Severity,
        Subject, TextState, Texted, Tier, Transports, Unanswered,
    },
    roster::Person,
};

/// Times a text may go unanswered before it is left at "may have arrived".
pub(super) const UNKNOWNS_MAX: u8 = 2;

/// The text of a new notification: at once, only if the push fails, or none.
pub(super) fn begin(facts: Facts<'_>, person: &Person, subject: &Subject, texted: Texted) -> TextState {
    let rules = facts.rules();
    let can_text = person.phone.is_some() && !rules.gateways.is_empty() && !facts.is_test();
    if !can_text {
        return TextState::Off;
    }
    let severity = facts.severity_of(subject);
    let texts = rules.texts(severity);
    match subject {
        Subject::Resolved if rules.texts_resolved && texted != Texted::No => at_once(),
        Subject::Digest => of_digest(facts),
        Subject::Repeat { .. } if texts => at_once(),
        // It is over: a text only where no push is left.
        Subject::Missed if texts => if_no_push_is_left(),
        Subject::Resolved | Subject::Repeat { .. } | Subject::Missed => TextState::Off,
        Subject::Opened | Subject::Raised { .. } | Subject::Unreachable { .. } => {
            if facts.alert.transports == Transports::PushFirst {
                if_no_push_is_left()
            } else if rules.texts_at_once(severity) {
                at_once()
            } else {
                if_push_fails(facts, severity)
            }
        }
    }
}

fn at_once() -> TextState {
    TextState::Open(Box::default())
}

fn if_push_fails(facts: Facts<'_>, severity: Severity) -> TextState {
    if facts.rules().falls_back(severity) {
        TextState::Standby { deadline: Some(facts.after(facts.rules().accept_within)) }
    } else {
        TextState::Off
    }
}

fn if_no_push_is_left() -> TextState {
    TextState::Standby { deadline: None }
}

/// At once where a text was held back or a disaster was; none for mere ends.
fn of_digest(facts: Facts<'_>) -> TextState {
    let Some(digest) = &facts.alert.digest else { return TextState::Off };
    match &digest.counted {
        Some(counted) if counted.text || (digest.tier == Tier::Disaster && 0 < counted.firing()) => at_once(),
        Some(counted) if counted.has_problems() => if_push_fails(facts, facts.alert.severity),
        Some(Counted { .. }) | None => TextState::Off,
    }
}

/// The table "push, then SMS": nothing while a push was accepted or may still be; at once when no push can be
/// accepted; at the deadline otherwise.
pub(super) fn decide(draft: &mut Draft<'_>, message: Message<'_>, text: &mut TextState, push: &PushState) {
    let TextState::Standby { deadline } = *text else { return };
    if push.accepted || draft.facts.rules().gateways.is_empty() {
        *text = TextState::Off;
        return;
    }
    let hopeless = push.open.iter().all(|open| matches!(open.state, Pending::Waiting { fault: true, .. }));
    let reason = if hopeless {
        push.failed.clone().unwrap_or_else(|| "no device to push to".to_owned())
    } else if deadline.is_some_and(|deadline| deadline <= draft.facts.now()) {
        format!("push not accepted in {} s", seconds(draft.facts.rules().accept_within))
    } else {
        return;
    };
    draft.note(Entry::Fallback { contact: message.contact.clone(), reason });
    *text = at_once();
}

fn seconds(duration: SignedDuration) -> String {
    let millis = duration.as_millis();
    if millis % 1_000 == 0 {
        (millis / 1_000).to_string()
    } else {
        format!("{}.{:03}", millis / 1_000, millis % 1_000)
    }
}

/// Sends it if it is due. `Err` says which budget does not allow it.
pub(super) fn advance(
    draft: &mut Draft<'_>,
    message: Message<'_>,
    text: &mut TextState,
    may: May,
    unanswered: &[Unanswered],
) -> Result<(), &'static str> {
    let TextState::Open(open) = text else { return Ok(()) };
    if !open.state.is_due(draft.facts.now()) || !may.text(open) {
        return Ok(());
    }
    if let Some(answered_by) = lost::ask(draft, message.contact, open, unanswered) {
        open.state = Pending::Waiting { at: answered_by, fault: false };
    } else if UNKNOWNS_MAX <= open.unknowns {
        *text = TextState::Unknown;
    } else if let Some(gateway) = gateways::choose(draft, message, open)? {
        spending::reserve(draft, message, open, gateway);
        open.attempts = open.attempts.saturating_add(1);
        open.state = draft.send(message, Address::Gateway(gateway.name.clone()));
        open.gateway = Some(gateway.name.clone());
    } else {
        let (gateway, reason) =
            (open.gateway.clone(), "no gateway is left that has not failed to deliver it");
        let failed = fail(draft, message, gateway, reason.to_owned());
        leave(draft, text, failed);
    }
    Ok(())
}

pub(super) fn has_begun(text: &TextState) -> bool {
    text.open().is_some_and(|open| 0 < open.attempts || !open.undelivered.is_empty())
}

/// The answer of what may still be under way is not waited for.
pub(super) fn forget(draft: &mut Draft<'_>, text: &mut TextState) {
    leave(draft, text, TextState::Off);
}

/// Ends it in `next`; what is reserved for a request under way counts as spent. What may have arrived stays so unless
/// it has, or is not tried any more before it went unanswered as often as it may.
pub(super) fn leave(draft: &mut Draft<'_>, text: &mut TextState, next: TextState) {
    let least = if next == TextState::Off { UNKNOWNS_MAX } else { 1 };
    let may_be_there = text.open().is_some_and(|open| least <= open.unknowns);
    if let Some(open) = text.open_mut() {
        spending::close(draft, open);
    }
    *text = if may_be_there && next != TextState::Accepted { TextState::Unknown } else { next };
}

fn fail(
    draft: &mut Draft<'_>,
    message: Message<'_>,
    gateway: Option<GatewayName>,
    reason: String,
) -> TextState {
    if let Some(gateway) = gateway {
        draft.dead_letter(message, Address::Gateway(gateway), &reason);
    }
    TextState::Failed { reason }
}

/// A text that no gateway accepted within `GIVE_UP_AFTER` is of no use; one that was opened again has one try.
pub(super) fn give_up_old(draft: &mut Draft<'_>, message: Message<'_>, text: &mut TextState) {
    if let Some(open) = text.open().filter(|open| !open.state.is_in_flight() && 0 < open.attempts) {
        let reason = "no gateway accepted it within 24 hours".to_owned();
        let gateway = open
            .gateway
            .clone()
            .or_else(|| gateways::usable(draft.facts, open).next().map(|rule| rule.name.clone()));
        let failed = fail(draft, message, gateway, reason);
        leave(draft, text, failed);
    }
}

/// Acts on an answer. An acceptance counts whenever it comes; anything else only if it is waited for.
pub(super) fn settle(
    draft: &mut Draft<'_>,
    message: Message<'_>,
    text: &mut TextState,
    answered: &TextAnswer<'_>,
) {
    let waited_for = text.open_mut().filter(|open| open.state.is_attempt(answered.attempt));
    let is_waited_for = waited_for.is_some();
    if let Some(open) = waited_for {
        spending::settle(draft, message.contact, open, answered);
    }
    match answered.outcome {
        Outcome::Accepted { .. } => leave(draft, text, TextState::Accepted),
        Outcome::Unknown { .. } | Outcome::Deferred { .. } | Outcome::Rejected { .. } if !is_waited_for => {}
        Outcome::Unknown { .. } => ask_once_more(draft.facts, text, answered),
        Outcome::Deferred { retry_after, .. } => {
            text.open_mut().map(|open| gateways::pass_on(draft.facts, open, answered, *retry_after));
        }
        Outcome::Rejected { detail, .. } => {
            if text.open_mut().is_some_and(|open| gateways::pass_on(draft.facts, open, answered, None)) {
                let reason = reason_of(detail, "text rejected");
                let failed = fail(draft, message, Some(answered.gateway.clone()), reason);
                leave(draft, text, failed);
            }
        }
    }
}

/// After a text without a readable answer the gateway is asked, if it can tell. If it cannot, the text is
/// sent once more, by the next gateway if there is one; after that it is left at "may have arrived".
fn ask_once_more(facts: Facts<'_>, text: &mut TextState, answered: &TextAnswer<'_>) {
    let Some(open) = text.open_mut() else { return };
    open.unknowns = open.unknowns.saturating_add(1);
    gateways::begin_pass(open);
    let (lost, at) = lost::after(facts, answered).unzip();
    open.state = Pending::Waiting { at: at.unwrap_or(facts.after(SMS_AFTER_UNKNOWN)), fault: false };
    open.lost = lost;
    if UNKNOWNS_MAX <= open.unknowns && open.lost.is_none() {
        *text = TextState::Unknown;
    }
}

/// A text that a gateway had, and that did not arrive.
pub(super) struct Undelivered {
    pub(super) gateway: GatewayName,
    /// Gateways that failed to deliver it before.
    pub(super) before: Vec<GatewayName>,
    /// Copies that may have arrived.
    pub(super) unknowns: u8,
}

/// The next gateway that has not failed to deliver it; without one the road has failed.
pub(super) fn by_next(
    draft: &mut Draft<'_>,
    message: Message<'_>,
    undelivered: Undelivered,
    reason: &str,
) -> TextState {
    let Undelivered { gateway, before, unknowns } = undelivered;
    let undelivered = before.into_iter().chain([gateway.clone()]).collect();
    let open = OpenText { gateway: Some(gateway.clone()), unknowns, undelivered, ..OpenText::default() };
    if gateways::usable(draft.facts, &open).next().is_some() {
        return TextState::Open(Box::new(open));
    }
    fail(draft, message, Some(gateway), reason_of(&format!("not delivered: {reason}"), ""))
}

/// A push was accepted: a text that waits only because the push had failed is not needed any more.
pub(super) fn spare(draft: &mut Draft<'_>, message: Message<'_>, text: &mut TextState) {
    let may_be_there = text.open().is_some_and(|open| 0 < open.unknowns);
    if !may_be_there && !is_own(draft.facts, message.subject) {
        stop(draft, text);
    }
}

/// A text that does not wait for its push to fail.
pub(super) fn is_own(facts: Facts<'_>, subject: &Subject) -> bool {
    match subject {
        Subject::Resolved | Subject::Repeat { .. } => true,
        Subject::Missed => false,
        Subject::Digest => of_digest(facts).open().is_some(),
        Subject::Opened | Subject::Raised { .. } | Subject::Unreachable { .. } => {
            facts.rules().texts_at_once(facts.severity_of(subject))
        }
    }
}

/// Only what is under way may still arrive.
pub(super) fn stop(draft: &mut Draft<'_>, text: &mut TextState) {
    if text.pending().is_some_and(|state| !state.is_in_flight()) {
        leave(draft, text, TextState::Off);
    }
}

/// Another text tells the same: one that waits for its push to fail is not needed.
pub(super) fn stand_down(text: &mut TextState) {
    if is_on_standby(text) {
        *text = TextState::Off;
    }
}

/// What an acknowledgement held has as long to wait for its push as when it was planned.
pub(super) fn resume(facts: Facts<'_>, text: &mut TextState) {
    if let TextState::Standby { deadline: Some(deadline) } = text {
        *deadline = facts.after(facts.rules().accept_within);
    }
}

/// A text that may have arrived, for a notification that takes it over.
pub(super) fn take_lost(text: &mut TextState) -> Option<OpenText> {
    let open = text.open_mut().filter(|open| 0 < open.unknowns && !open.state.is_in_flight())?;
    let lost = std::mem::take(open);
    *text = TextState::Off;
    Some(lost)
}

/// The text of a notification that follows one whose text may have arrived: that one goes on where there is no push,
/// and where it may have arrived twice there is none.
pub(super) fn follow(text: &mut TextState, push: &PushState, lost: Option<OpenText>, texted: Texted) {
    match lost {
        Some(lost) if lost.lost.is_some() || texted != Texted::Unanswered => {
            if push.open.is_empty() && *text != TextState::Off {
                *text = TextState::Open(Box::new(lost));
            }
        }
        Some(_) | None if texted == Texted::Unanswered => *text = TextState::Unknown,
        Some(_) | None => {}
    }
}

/// It is over: only a request that runs is waited for; what was tried in vain becomes a dead letter.
pub(super) fn cancel(draft: &mut Draft<'_>, message: Message<'_>, text: &mut TextState) {
    stand_down(text);
    let Some(open) = text.open().filter(|open| !open.state.is_in_flight()) else { return };
    if let Some(gateway) = open.gateway.clone().filter(|_| 0 < open.attempts) {
        draft.dead_letter(message, Address::Gateway(gateway), "resolved before it was accepted");
    }
    leave(draft, text, TextState::Off);
}

pub(super) fn is_on_standby(text: &TextState) -> bool {
    matches!(text, TextState::Standby { .. })
}

/// It was tried in vain, as far as is known.
pub(super) fn has_failed(text: &TextState) -> bool {
    matches!(text, TextState::Failed { .. } | TextState::Unknown)
}

/// It is being sent or may be, or a gateway has it.
pub(super) fn goes_out(text: &TextState, may: May) -> bool {
    *text == TextState::Accepted
        || text.open().is_some_and(|open| open.state.is_in_flight() || may != May::Pushes)
}

/// Why it reached nobody; `None` if a gateway has it.
pub(super) fn failure(text: &TextState, push: &PushState) -> Option<String> {
    match text {
        TextState::Accepted => None,
        TextState::Unknown => Some("no gateway gave a readable answer".to_owned()),
        TextState::Failed { reason } => Some(reason.clone()),
        TextState::Off | TextState::Standby { .. } | TextState::Open(_) => {
            Some(push.failed.clone().unwrap_or_else(|| "no device to push to and no text".to_owned()))
        }
    }
}

/// What waits for a gateway is tried by then, but not a text that may have arrived. True if it waited longer.
pub(super) fn hasten(text: &mut TextState, latest: Timestamp) -> bool {
    text.open_mut().is_some_and(|open| open.unknowns == 0 && open.state.hasten(latest))
}

/// No time lies further ahead than a plan made now could set it.
pub(super) fn pull_back(text: &mut TextState, bounds: &Bounds<'_>) {
    if let TextState::Standby { deadline: Some(deadline) } = text {
        bounds.within(deadline, bounds.rules.accept_within);
    }
    let Some(open) = text.open_mut() else { return };
    let asks = open.lost.is_some_and(|lost| lost.to_ask);
    // One that may have arrived keeps its distance from the next.
    let again = if 0 < open.unknowns && !asks { bounds.after(SMS_AFTER_UNKNOWN) } else { bounds.now };
    if let Some(held) = &mut open.reserved {
        bounds.past(&mut held.at);
    }
    bounds.pending(&mut open.state, bounds.rules.in_flight_max_of(open.gateway.as_ref()), again);
    if let Some(LostText { resend_at, .. }) = &mut open.lost {
        bounds.within(resend_at, SMS_AFTER_UNKNOWN);
    }
}
