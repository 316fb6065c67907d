//! What a clock that ran ahead has dated. A host may start hours ahead and be set right later; what was planned
//! meanwhile would then wait for a time that is hours away. So no time in an alert counts for later than a plan
//! made now could set it.

use jiff::{SignedDuration, Timestamp};

use super::{Address, RETRY_AFTER_MAX, Rules, SMS_AFTER_UNKNOWN, budget, desk::open_roads, reports};
use crate::alert::{Alert, Cycle, RoadState, SentText, SmsRoad, Unanswered};

/// A due time is kept in whole milliseconds, rounded up, some of the times that it is taken from rounded down.
const ROUNDING_MAX: SignedDuration = SignedDuration::from_millis(1);

/// True if this alert, which is scheduled at `due`, has a time that no plan made until `now` can have set, or
/// waits to be planned although it was changed. [`super::advance`] sets it right.
pub fn is_misdated(alert: &Alert, due: Timestamp, rules: &Rules, now: Timestamp) -> bool {
    let mut pulled = alert.clone();
    pull_back(&mut pulled, rules, now);
    // A change makes an alert due when it is made; only a plan puts off when.
    let is_planned = super::due(alert)
        .is_some_and(|planned| (SignedDuration::ZERO..=ROUNDING_MAX).contains(&due.duration_since(planned)));
    pulled != *alert || (now < due && !is_planned)
}

/// True if some request about this alert was begun by a process that is gone: nobody will hear its answer.
pub fn is_orphaned(alert: &Alert, rules: &Rules, running_since: Timestamp) -> bool {
    let cycles = alert.telling.contacts.values().flat_map(|contact| &contact.cycles);
    cycles.flat_map(open_roads).any(|(state, address)| {
        matches!(state, RoadState::InFlight { until, .. } if rules.began(until, address) < running_since)
    })
}

/// Leaves alone what a plan made until `now` has set, and when the alert closes itself.
pub(super) fn pull_back(alert: &mut Alert, rules: &Rules, now: Timestamp) {
    let bounds = Bounds { rules, now };
    bounds.past(&mut alert.opened_at);
    if let Some(resolution) = &mut alert.resolved {
        bounds.past(&mut resolution.at);
    }
    if let Some(digest) = alert.digest.as_mut().filter(|digest| digest.counted.is_none()) {
        bounds.within(&mut digest.due_at, budget::digest_pause_max(digest.lane));
    }
    if let Some(repeat_at) = &mut alert.telling.repeat_at {
        bounds.within(repeat_at, rules.repeat.every);
    }
    if let Some(told_at) = &mut alert.telling.unreached_told_at {
        bounds.past(told_at);
    }
    for contact in alert.telling.contacts.values_mut() {
        for cycle in &mut contact.cycles {
            bounds.cycle(cycle);
        }
        for sent in &mut contact.sent {
            bounds.sent(sent);
        }
    }
}

/// How far ahead of now a time may lie.
struct Bounds<'a> {
    rules: &'a Rules,
    now: Timestamp,
}

impl Bounds<'_> {
    fn after(&self, delay: SignedDuration) -> Timestamp {
        self.now.saturating_add(delay).unwrap_or(Timestamp::MAX)
    }

    fn past(&self, at: &mut Timestamp) {
        *at = self.now.min(*at);
    }

    fn within(&self, at: &mut Timestamp, delay: SignedDuration) {
        *at = self.after(delay).min(*at);
    }

    fn cycle(&self, cycle: &mut Cycle) {
        // Whatever waits in a cycle of the future was put there by the same clock.
        let is_ahead = self.now < cycle.since;
        self.past(&mut cycle.since);
        for road in &mut cycle.pushes {
            self.road(&mut road.state, Address::Device(road.device), (is_ahead, self.now));
        }
        match &mut cycle.sms {
            SmsRoad::Standby { deadline } => self.within(deadline, self.rules.accept_within),
            SmsRoad::Open { gateway, unknowns, state, unanswered, .. } => {
                let asks = unanswered.as_ref().is_some_and(|lost| lost.to_ask);
                // One that may have arrived keeps its distance from the next.
                let again = if 0 < *unknowns && !asks { self.after(SMS_AFTER_UNKNOWN) } else { self.now };
                self.road(state, Address::Gateway(*gateway), (is_ahead, again));
                if let Some(Unanswered { sent_at, resend_at, .. }) = unanswered {
                    self.past(sent_at);
                    self.within(resend_at, SMS_AFTER_UNKNOWN);
                }
            }
            SmsRoad::Off | SmsRoad::Accepted | SmsRoad::Unknown | SmsRoad::Failed { .. } => {}
        }
    }

    /// A request of the future is one of a process that is gone: it ends now, without an answer. What would be
    /// tried again in the future is tried `again`.
    fn road(&self, state: &mut RoadState, address: Address, (is_ahead, again): (bool, Timestamp)) {
        let longest = |pause| if is_ahead { self.now } else { self.after(pause) };
        match state {
            RoadState::Ready => {}
            RoadState::InFlight { until, .. } => {
                if longest(self.rules.in_flight_max(address)) < *until {
                    *until = self.now;
                }
            }
            RoadState::Waiting { at, .. } => {
                let pause = self.rules.backoff.longest().max(RETRY_AFTER_MAX).max(SMS_AFTER_UNKNOWN);
                if longest(pause) < *at {
                    *at = again.min(*at);
                }
            }
        }
    }

    fn sent(&self, sent: &mut SentText) {
        self.past(&mut sent.since);
        self.past(&mut sent.sent_at);
        let latest = reports::next_ask(sent.sent_at, sent.asks, self.now);
        sent.ask_at = sent.ask_at.map(|at| latest.map_or(at, |latest| latest.min(at)));
    }
}
