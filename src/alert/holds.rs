//! The state of a problem whose sender says no more than until when it holds: Prometheus, vmalert and Loki, posting to
//! us as to an Alertmanager. While it fires, each message moves that time on; at the end it falls back to when the
//! problem was over, and stays there however often it is said.
//! Source: `rules/alerting.go` and `rules/manager.go` of Prometheus 3.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far replicas may be apart, by their clocks and by when they evaluate. A problem that fires is said to hold for
/// four times the minute (by default) after which it is said again, so its end falls back further than this.
const REPLICAS_APART: SignedDuration = SignedDuration::from_secs(60);

/// How far one that fires moves on at least.
const MOVES_ON_BY: SignedDuration = SignedDuration::from_secs(30);

/// What is said again within this is a copy of the message; after that its sender goes on saying it.
pub const COPY_WITHIN: SignedDuration = SignedDuration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holds {
    /// The latest of all that was said.
    latest: Timestamp,
    /// What was said last, and since when.
    last: Timestamp,
    since: Timestamp,
}

impl Holds {
    /// Whether a message that says `until` says that it fires, given what was said before.
    pub(super) fn fires(self, until: Timestamp, now: Timestamp) -> bool {
        let moved_on = self.latest < until || MOVES_ON_BY <= until.duration_since(self.last);
        let stands_still = until == self.last && COPY_WITHIN <= now.duration_since(self.since);
        moved_on || (!stands_still && self.latest.duration_since(until) <= REPLICAS_APART)
    }

    pub(super) fn hear(known: Option<Self>, until: Timestamp, now: Timestamp) -> Self {
        match known {
            Some(known) if until == known.last => known,
            Some(known) => Self { latest: known.latest.max(until), last: until, since: now },
            None => Self { latest: until, last: until, since: now },
        }
    }

    pub(super) fn pulled_back(self, now: Timestamp) -> Self {
        Self { since: self.since.min(now), ..self }
    }

    /// Of two that grew apart.
    pub(super) fn newer(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let since = |holds: Option<Self>| holds.map(|holds| holds.since);
        if since(one) <= since(other) { other } else { one }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

    /// What a sender says whose clock is `off` seconds from ours: (when it arrives, until when), in seconds.
    fn states(off: i64, said: &[(i64, i64)]) -> Vec<bool> {
        let at = |seconds| T0 + SignedDuration::from_secs(seconds);
        let mut known: Option<Holds> = None;
        let mut states = Vec::new();
        for (now, until) in said {
            let (now, until) = (at(*now), at(until + off));
            states.push(known.map_or(now < until, |known| known.fires(until, now)));
            known = Some(Holds::hear(known, until, now));
        }
        states
    }

    #[test]
    fn what_moves_on_fires_and_what_falls_back_is_over_whatever_the_clock() {
        let said = [(0, 240), (60, 300), (120, 360), (180, 175), (240, 175), (300, 175), (900, 1140)];
        let expected = [true, true, true, false, false, false, true];
        for off in [-7_200, -600, -60, 0, 60, 600, 7_200] {
            assert_eq!(states(off, &said)[1..], expected[1..], "{off} s off");
        }
        assert_eq!(states(0, &said), expected);
    }

    #[test]
    fn replicas_that_are_some_seconds_apart_say_the_same() {
        let said =
            [(0, 240), (3, 236), (60, 300), (62, 297), (100, 96), (103, 99), (160, 96), (163, 99), (220, 96)];
        let expected = [true, true, true, true, false, false, false, false, false];
        assert_eq!(states(600, &said), expected);
    }

    #[test]
    fn an_end_of_which_the_beginning_was_heard_long_ago_counts_when_it_does_not_move_on() {
        assert_eq!(states(0, &[(0, 240), (900, 850), (960, 850)]), [true, true, false]);
    }

    #[test]
    fn what_is_said_again_every_second_is_over_once_it_stands_still() {
        let said = [(0, 4), (1, 5), (2, 6), (3, 3), (4, 3), (13, 3), (14, 3), (30, 34)];
        assert_eq!(states(600, &said), [true, true, true, true, true, false, false, true]);
    }

    #[test]
    fn a_clock_that_was_set_back_is_believed_from_its_second_message_on() {
        assert_eq!(states(0, &[(0, 240), (60, -3_300), (120, -3_240)]), [true, false, true]);
    }

    #[test]
    fn a_message_that_comes_twice_says_the_same_twice() {
        assert_eq!(states(0, &[(0, 240), (1, 240), (60, 300), (65, 300)]), [true; 4]);
    }
}
