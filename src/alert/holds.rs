//! The state of a problem whose sender says no more than until when it holds: Prometheus, vmalert and Loki, posting to
//! us as to an Alertmanager. While it fires, each message moves that time on; at the end it falls back to when the
//! problem was over, and stays there however often it is said. Our clock decides, unless that tells that it is far off.
//! Source: `rules/alerting.go` and `rules/manager.go` of Prometheus 3.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far replicas may be apart, by their clocks and by when they evaluate. A problem that fires is said to hold for
/// four times the minute (by default) after which it is said again, so its end falls back further than this.
pub(super) const REPLICAS_APART: SignedDuration = SignedDuration::from_secs(60);

/// An end that is said in time lies no further ahead by our clock.
const ENDS_AHEAD_MAX: SignedDuration = SignedDuration::from_secs(30);

/// What has fallen back and is said for so long does not move on again; longer than a replica is behind.
const STANDS_STILL_AFTER: SignedDuration = SignedDuration::from_secs(45);

/// The same time is a copy of its message for so long; after that it did not move on.
pub const COPY_WITHIN: SignedDuration = SignedDuration::from_secs(10);

/// What was said longer ago may come from a clock that was set back since.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_mins(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holds {
    /// The latest of all that was said, and when it arrived.
    latest: Timestamp,
    arrived: Timestamp,
    /// That was in the past by our clock, and fired: its sender's clock is behind.
    is_behind: bool,
    /// What was said and did not move that on: the last of each of two replicas, the newer first.
    behind: [Option<Said>; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    until: Timestamp,
    /// When it was first said.
    since: Timestamp,
    /// Whether it fired when it was last said.
    fires: bool,
}

impl Holds {
    /// Whether a message that says `until` says that it fires, given what was said before.
    pub(super) fn fires(self, until: Timestamp, now: Timestamp) -> bool {
        let Self { latest, arrived, is_behind, .. } = self;
        let was_end = self.said(until).is_some_and(|said| !said.fires);
        let lasts = self.said(until).is_some_and(|said| STANDS_STILL_AFTER <= now.duration_since(said.since));
        let fell_back = latest.duration_since(until);
        if now < until {
            let is_now = until.duration_since(now) <= ENDS_AHEAD_MAX;
            let is_over = (lasts && fell_back.is_positive()) || (is_now && REPLICAS_APART < fell_back);
            return !was_end && !is_over;
        }
        let (ago, moved_on) = (now.duration_since(arrived), until.duration_since(latest));
        let keeps_pace = COPY_WITHIN <= ago && ago <= moved_on * 2 && ago <= moved_on + REPLICAS_APART;
        !was_end && (keeps_pace || (is_behind && !lasts && fell_back.abs() <= REPLICAS_APART))
    }

    /// What comes too soon to tell whether its time moves on is not what the next is compared with.
    pub(super) fn hear(known: Option<Self>, until: Timestamp, now: Timestamp) -> Self {
        let fires = known.map_or(now < until, |known| known.fires(until, now));
        let fresh = Self { latest: until, arrived: now, is_behind: fires && until <= now, behind: [None; 2] };
        let Some(known) = known else { return fresh };
        let ago = now.duration_since(known.arrived);
        if known.latest < until && (fires || COPY_WITHIN <= ago) {
            return Self { behind: known.behind, ..fresh };
        }
        let since = known.said(until).map_or(now, |said| said.since);
        let other = known.behind.into_iter().flatten().find(|said| said.until != until);
        let behind = [Some(Said { until, since, fires }), other];
        if FORGOTTEN_AFTER <= ago { Self { behind, ..fresh } } else { Self { behind, ..known } }
    }

    fn said(self, until: Timestamp) -> Option<Said> {
        self.behind.into_iter().flatten().find(|said| said.until == until)
    }

    /// It was an end before, and what was said after it first came goes past all that was said: of a replica that does
    /// not see what its twin sees.
    pub(super) fn is_end_of_twin(self, until: Timestamp) -> bool {
        until < self.latest && self.said(until).is_some_and(|said| !said.fires && said.since < self.arrived)
    }

    pub(super) fn pulled_back(self, now: Timestamp) -> Self {
        let behind = self.behind.map(|said| said.map(|said| Said { since: said.since.min(now), ..said }));
        Self { arrived: self.arrived.min(now), behind, ..self }
    }

    /// Of two that grew apart.
    pub(super) fn newer(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let since = |holds: Self| holds.behind.into_iter().flatten().map(|said| said.since).max();
        let age = |holds: Option<Self>| holds.map(|holds| (holds.arrived, since(holds)));
        if age(one) <= age(other) { other } else { one }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

    /// What a sender says whose clock is `off` seconds from ours: (when it arrives, until when), in seconds; `1` for each
    /// message that fires.
    fn states(off: i64, said: &[(i64, i64)]) -> String {
        let at = |seconds| T0 + SignedDuration::from_secs(seconds);
        let mut known: Option<Holds> = None;
        let mut states = String::new();
        for (now, until) in said {
            let (now, until) = (at(*now), at(until + off));
            let fires = known.map_or(now < until, |known| known.fires(until, now));
            states.push(if fires { '1' } else { '0' });
            known = Some(Holds::hear(known, until, now));
        }
        states
    }

    #[test]
    fn what_moves_on_fires_and_what_falls_back_is_over_whatever_the_clock() {
        let mut said = vec![(0, 240), (60, 300), (120, 360), (180, 175), (240, 175)];
        said.extend([(300, 175), (900, 175), (960, 175), (1_200, 1_440)]);
        for (off, expected) in [
            // The first is taken for an end.
            (-7_200, "011000001"),
            (-600, "011000001"),
            (-60, "111000001"),
            (0, "111000001"),
            (20, "111000001"),
            // The end is believed when it is said again.
            (60, "111100001"),
            (600, "111100001"),
            (7_200, "111100001"),
        ] {
            assert_eq!(states(off, &said), expected, "{off} s off");
        }
    }

    #[test]
    fn replicas_that_are_some_seconds_apart_say_the_same() {
        let said =
            [(0, 240), (3, 236), (60, 300), (62, 297), (100, 96), (103, 99), (160, 96), (163, 99), (220, 96)];
        assert_eq!(states(0, &said), "111100000");
        assert_eq!(states(-600, &said), "001100000");
        // They say the same, the slower one later.
        assert_eq!(states(0, &[(0, 240), (12, 240), (60, 300), (72, 300), (132, 300)]), "11111");
        // Of which only the ends are heard.
        assert_eq!(states(0, &[(0, 0), (0, -5), (5, 0), (5, -5), (10, 0), (10, -5), (15, 0)]), "0000000");
        assert_eq!(states(0, &[(0, -5), (0, 0), (5, -5), (5, 0), (10, -5), (10, 0), (15, 0)]), "0000000");
        // One ends a minute before the other.
        let said =
            [(0, 240), (60, 300), (120, 115), (123, 363), (180, 115), (183, 177), (240, 115), (243, 177)];
        assert_eq!(states(0, &said), "11010000");
    }

    #[test]
    fn an_end_of_which_the_beginning_was_heard_long_ago_is_one() {
        assert_eq!(states(0, &[(0, 240), (900, 850), (960, 850)]), "100");
    }

    #[test]
    fn a_clock_that_is_set_right_changes_nothing() {
        for every in [15, 60] {
            let ahead = (0..10).map(|n| (n * every, n * every + 4 * every + 3_600));
            let right = (10..20).map(|n| (n * every, n * every + 4 * every));
            let said: Vec<_> = ahead.chain(right).collect();
            assert_eq!(states(0, &said), "1".repeat(20), "every {every} s");
        }
    }

    #[test]
    fn what_holds_for_a_fixed_time_or_for_a_shorter_one_from_now_on_fires() {
        assert_eq!(states(0, &[(0, 9_999), (30, 9_999), (90, 9_999), (990, 9_999)]), "1111");
        assert_eq!(states(0, &[(0, 2_400), (60, 2_460), (120, 360), (180, 420), (240, 480)]), "11111");
    }

    #[test]
    fn what_is_said_again_every_second_is_over_at_once() {
        assert_eq!(states(0, &[(0, 4), (1, 5), (2, 6), (3, 3), (4, 3), (13, 3), (30, 34)]), "1110001");
    }

    /// A problem of five minutes, from its first message until a quarter of an hour after its end.
    #[test]
    fn it_fires_soon_and_once_however_often_it_is_said_and_whatever_the_clock() {
        const LASTS: i64 = 300;
        const TWINS: [Option<i64>; 3] = [None, Some(0), Some(3)];
        /// When a message arrives and until when it says that the problem holds, by a clock that is so far behind.
        fn says(every: i64, begins: i64, behind: i64) -> impl Iterator<Item = (i64, i64)> {
            let until = move |now| if now < LASTS { now + 4 * every } else { LASTS + begins };
            let times = (0..).map(move |count| begins + count * every).take_while(|now| *now < 1_200);
            times.map(move |now| (now, until(now) - behind))
        }
        for (every, twin) in [5, 15, 60].into_iter().flat_map(|every| TWINS.map(|twin| (every, twin))) {
            let twin_says = twin.into_iter().flat_map(|behind| says(every, every / 2, behind));
            let mut said: Vec<_> = says(every, 0, 0).chain(twin_says).collect();
            said.sort_unstable();
            for off in (-600..=600).step_by(5) {
                let states = states(off, &said);
                let case = format!("every {every} s, twin {twin:?}, {off} s off: {states}");
                let of = |state| {
                    said.iter()
                        .zip(states.chars())
                        .filter(move |(_, said)| *said == state)
                        .map(|((now, _), _)| *now)
                };
                let first = of('1').next().expect("it fires");
                assert!(first <= COPY_WITHIN.as_secs() + every, "{first}: {case}");
                assert_eq!(of('0').find(|now| (first..LASTS).contains(now)), None, "{case}");
                let last = of('1').last().expect("it fires");
                assert!(last < LASTS + STANDS_STILL_AFTER.as_secs() + every, "{last}: {case}");
            }
        }
    }
}
