//! Late exactly when it should be, said once, and taken back.

use proptest::prelude::*;

use super::*;

const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);
const EVERY: SignedDuration = SignedDuration::from_secs(60);
const GRACE: SignedDuration = SignedDuration::from_secs(120);

fn at(seconds: i64) -> Timestamp {
    T0 + SignedDuration::from_secs(seconds)
}

/// Does everything that is to be done at `now`, as the loop does.
fn tend(beat: &mut Beat, now: Timestamp) -> Vec<Task> {
    let mut done = Vec::new();
    while let Some(task) = beat.task(now) {
        beat.done(task, now);
        done.push(task);
        assert!(done.len() < 10, "it never rests: {done:?}");
    }
    done
}

fn calls(first: i64, last: i64) -> Calls {
    Calls { first: at(first), last: at(last), silent_since: at(last) }
}

fn saved(first: i64, last: i64) -> Task {
    Task::Save(calls(first, last))
}

fn away(from: i64, until: i64) -> Away {
    Away { from: at(from), until: at(until) }
}

#[test]
fn one_that_never_called_waits_for_ever() {
    let beat = Beat::new(EVERY, GRACE);
    for now in [T0, at(10_000), Timestamp::MAX] {
        assert_eq!((beat.state(now), beat.task(now)), (BeatState::Waiting, None));
    }
    assert_eq!((beat.due(), beat.late_at()), (None, None));
}

#[test]
fn it_is_late_exactly_at_the_border() {
    let mut beat = Beat::new(EVERY, GRACE);
    beat.call(at(5));
    assert_eq!(tend(&mut beat, at(5)), [saved(5, 5)], "at once: what called once is watched");
    let border = at(185);
    let before = border - SignedDuration::from_millis(1);
    assert_eq!((beat.state(before), tend(&mut beat, before)), (BeatState::OnTime, vec![]));
    assert_eq!((beat.due(), beat.state(border)), (Some(border), BeatState::Late));
    assert_eq!(tend(&mut beat, border), [Task::Tell]);
    assert_eq!(beat.state(border), BeatState::Late);
}

#[test]
fn a_call_at_the_border_is_in_time_if_nobody_was_told_yet() {
    let mut beat = Beat::new(EVERY, GRACE);
    beat.call(at(0));
    tend(&mut beat, at(0));
    beat.call(at(180));
    assert_eq!(beat.state(at(180)), BeatState::OnTime);
    assert_eq!(tend(&mut beat, at(180)), [saved(0, 180)]);
    assert_eq!(beat.late_at(), Some(at(360)));
}

#[test]
fn it_is_stated_again_after_its_own_time_until_it_calls() {
    let mut beat = Beat::new(EVERY, GRACE);
    beat.call(at(0));
    let told: Vec<_> = (0..1_000).filter(|now| tend(&mut beat, at(*now)).contains(&Task::Tell)).collect();
    assert_eq!(told, [180, 360, 540, 720, 900]);
    beat.call(at(1_000));
    assert_eq!((beat.owed(), beat.state(at(1_000))), (Some(Task::Resolve), BeatState::OnTime));
    assert_eq!(tend(&mut beat, at(1_000)), [Task::Resolve, saved(0, 1_000)]);
    assert_eq!(beat.due(), Some(at(1_180)));
}

#[test]
fn an_impatient_one_is_stated_once_a_minute_at_most() {
    let mut beat = Beat::new(SignedDuration::from_secs(1), SignedDuration::ZERO);
    beat.call(at(0));
    let told = (0..600).filter(|now| tend(&mut beat, at(*now)).contains(&Task::Tell));
    assert_eq!(told.count(), 10);
}

#[test]
fn our_own_downtime_makes_nothing_late_at_once() {
    let mut beat = Beat::new(EVERY, GRACE);
    beat.restore(Some(calls(-90_000, -86_400)), None, away(-86_300, 0));
    assert_eq!((beat.state(T0), beat.late_at()), (BeatState::OnTime, Some(at(180))));
    let counted = Calls { silent_since: T0, ..calls(-90_000, -86_400) };
    assert_eq!(tend(&mut beat, T0), [Task::Save(counted)], "the next start knows");
    assert_eq!(tend(&mut beat, at(180)), [Task::Tell]);
}

#[test]
fn what_was_late_before_we_went_away_is_told_at_once() {
    let mut beat = Beat::new(EVERY, GRACE);
    beat.restore(Some(calls(-900, -600)), None, away(-360, 0));
    assert_eq!(tend(&mut beat, T0), [Task::Tell]);
    assert_eq!(beat.late_at(), Some(at(-420)));
}

#[test]
fn a_call_that_was_not_saved_is_not_told_as_missing() {
    let mut beat = Beat::new(SignedDuration::from_secs(10), SignedDuration::from_secs(5));
    beat.restore(Some(calls(-900, -60)), None, away(-1, 0));
    assert_eq!(beat.late_at(), Some(at(15)));
}

#[test]
fn a_start_before_the_next_call_is_to_come_grants_nothing() {
    let mut beat = Beat::new(EVERY, GRACE);
    beat.restore(Some(calls(-59, -59)), None, away(-50, 0));
    assert_eq!((beat.late_at(), beat.task(T0)), (Some(at(121)), None));
}

#[test]
fn starts_at_the_same_time_each_night_do_not_hide_a_backup_that_has_died() {
    const DAY: i64 = 86_400;
    let (every, grace) = (SignedDuration::from_secs(DAY), SignedDuration::from_hours(1));
    for at_night in [0, 60, 1_800, 3_599, 3_600, 7_200, 43_200, DAY - 1] {
        for is_away in [10, 600, 7_200] {
            let mut beat = Beat::new(every, grace);
            beat.call(T0);
            tend(&mut beat, T0);
            let restart = |beat: &Beat, night: i64| {
                let now = night * DAY + at_night;
                let mut next = Beat::new(every, grace);
                next.restore(beat.calls(), None, away(now - is_away, now));
                next
            };
            let told = (1..5).find_map(|night| {
                beat = restart(&beat, night);
                let until = at((night + 1) * DAY + at_night - is_away);
                beat.late_at().filter(|late_at| *late_at < until)
            });
            let told = told.unwrap_or_else(|| panic!("never told: at {at_night} s, for {is_away} s"));
            assert!(told <= at(3 * DAY + 7_200 + 3_600), "{told}: at {at_night} s, for {is_away} s");
        }
    }
}

#[test]
fn a_call_that_comes_while_its_silence_is_told_takes_it_back() {
    let mut beat = Beat::new(EVERY, GRACE);
    beat.call(T0);
    tend(&mut beat, T0);
    for (told, called) in [(180, 181), (400, 400)] {
        assert_eq!(beat.task(at(told)), Some(Task::Tell));
        beat.call(at(called));
        beat.done(Task::Tell, at(told));
        assert_eq!((beat.owed(), beat.state(at(called))), (Some(Task::Resolve), BeatState::OnTime));
        tend(&mut beat, at(called));
    }
}

#[test]
fn one_that_was_late_before_a_restart_is_late_until_it_calls() {
    let mut beat = Beat::new(EVERY, GRACE);
    beat.restore(Some(calls(-900, -600)), Some(at(-420)), away(-10, 0));
    assert_eq!((beat.state(T0), beat.task(T0)), (BeatState::Late, None));
    assert_eq!((beat.late_at(), beat.due()), (Some(at(-420)), Some(at(180))));
    beat.call(at(1));
    assert_eq!(tend(&mut beat, at(1)), [Task::Resolve, saved(-900, 1)]);
    assert_eq!(beat.state(at(1)), BeatState::OnTime);
}

#[test]
fn a_clock_that_was_set_back_does_not_keep_us_waiting() {
    let mut beat = Beat::new(EVERY, GRACE);
    beat.restore(Some(calls(7_000, 7_200)), None, away(0, 0));
    assert_eq!(beat.late_at(), Some(at(180)));
    beat.restore(Some(calls(7_000, 7_200)), Some(at(7_380)), away(0, 0));
    assert_eq!((beat.late_at(), beat.state(T0)), (Some(T0), BeatState::Late));
}

/// What happens to a heartbeat.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// So many seconds pass, and the loop comes by.
    Passes(i64),
    Calls,
    /// It calls, and the store fails before anything is done about it.
    CallsInVain,
    Restarts,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0_i64..400).prop_map(Happening::Passes),
        3 => Just(Happening::Calls),
        1 => Just(Happening::CallsInVain),
        1 => Just(Happening::Restarts),
    ]
}

/// A heartbeat with what surrounds it: the time, the store and the alert.
struct Scene {
    now: Timestamp,
    beat: Beat,
    stored: Option<Calls>,
    is_open: bool,
    heard: Option<Timestamp>,
    tells: Vec<Timestamp>,
    saves: Vec<Timestamp>,
}

impl Scene {
    fn new(every: SignedDuration) -> Self {
        let beat = Beat::new(every, GRACE);
        Self { now: T0, beat, stored: None, is_open: false, heard: None, tells: vec![], saves: vec![] }
    }

    fn see(&mut self, errands: &[Task]) {
        for task in errands {
            match task {
                Task::Tell => {
                    self.tells.push(self.now);
                    self.is_open = true;
                }
                Task::Resolve => self.is_open = false,
                Task::Save(calls) => {
                    self.saves.push(self.now);
                    self.stored = Some(*calls);
                }
            }
        }
    }

    fn happen(&mut self, happening: Happening, every: SignedDuration) {
        match happening {
            Happening::Passes(seconds) => self.now += SignedDuration::from_secs(seconds),
            Happening::Calls | Happening::CallsInVain => {
                self.beat.call(self.now);
                self.heard = Some(self.now);
                if matches!(happening, Happening::CallsInVain) {
                    return;
                }
                let mut owed = Vec::new();
                while let Some(task) = self.beat.owed() {
                    self.beat.done(task, self.now);
                    owed.push(task);
                }
                self.see(&owed);
                assert!(self.stored.is_some() && !self.is_open, "answered, and not kept");
            }
            // At once.
            Happening::Restarts => {
                self.beat = Beat::new(every, GRACE);
                let away = Away { from: self.now, until: self.now };
                self.beat.restore(self.stored, self.is_open.then_some(self.now), away);
                self.heard = self.stored.map(|Calls { last, silent_since, .. }| {
                    let silent = self.now.duration_since(silent_since);
                    let may_call = every <= silent && silent < every + GRACE + SAVE_EVERY;
                    if may_call && silent_since == last { self.now } else { silent_since }
                });
            }
        }
        let errands = tend(&mut self.beat, self.now);
        self.see(&errands);
    }
}

proptest! {
    #[test]
    fn whatever_happens_it_is_late_when_it_is_silent_and_only_then(
        every in 1_i64..400,
        happenings in proptest::collection::vec(happening(), 1..60),
    ) {
        let every = SignedDuration::from_secs(every);
        let patience = every + GRACE;
        let mut scene = Scene::new(every);
        for happening in happenings {
            let was_open = scene.is_open;
            scene.happen(happening, every);
            let Scene { now, ref beat, is_open, heard, .. } = scene;
            if matches!(happening, Happening::CallsInVain) {
                prop_assert!(beat.due().is_some_and(|due| due <= now) || beat.owed().is_none());
                continue;
            }
            // Nothing is left to do, so the loop rests, and it knows until when.
            prop_assert_eq!(beat.task(now), None);
            prop_assert!(beat.due().is_none_or(|due| now < due), "{:?}", beat);
            prop_assert_eq!(beat.due().is_none(), heard.is_none());
            // `heard` is the last call that is known of, or the start that granted it time.
            let silent = heard.is_some_and(|heard| patience <= now.duration_since(heard));
            let carried = matches!(happening, Happening::Restarts) && was_open;
            prop_assert!(!silent || is_open, "silent, and nobody is told: {:?}", beat);
            if is_open && !was_open {
                prop_assert!(silent, "told too early: {:?}", beat);
            }
            prop_assert!(!carried || is_open);
            let state = match (heard, is_open) {
                (None, _) => BeatState::Waiting,
                (Some(_), true) => BeatState::Late,
                (Some(_), false) => BeatState::OnTime,
            };
            prop_assert_eq!(beat.state(now), state);
        }
        prop_assert!(scene.tells.windows(2).all(|pair| patience <= pair[1].duration_since(pair[0])));
    }

    #[test]
    fn calls_are_saved_at_once_and_then_at_most_once_a_minute(
        pauses in proptest::collection::vec(0_i64..50, 1..80),
    ) {
        let mut scene = Scene::new(EVERY);
        for pause in pauses {
            scene.happen(Happening::Calls, EVERY);
            prop_assert_eq!(scene.saves.first(), Some(&T0));
            let kept = scene.saves.last().expect("the first call is kept");
            prop_assert!(scene.now.duration_since(*kept) < SAVE_EVERY, "a crash loses a minute at most");
            scene.happen(Happening::Passes(pause), EVERY);
        }
        prop_assert!(scene.saves.windows(2).all(|pair| SAVE_EVERY <= pair[1].duration_since(pair[0])));
    }
}
