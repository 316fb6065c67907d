//! Late exactly when it should be, said once, and taken back.

use proptest::prelude::*;

use super::*;

const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);
const PATIENCE: SignedDuration = SignedDuration::from_secs(180);

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

fn saved(first: i64, last: i64) -> Task {
    Task::Save(Calls { first: at(first), last: at(last) })
}

#[test]
fn one_that_never_called_waits_for_ever() {
    let beat = Beat::new(PATIENCE, T0);
    for now in [T0, at(10_000), Timestamp::MAX] {
        assert_eq!((beat.state(now), beat.task(now)), (BeatState::Waiting, None));
    }
    assert_eq!((beat.due(), beat.late_at()), (None, None));
}

#[test]
fn it_is_late_exactly_at_the_border() {
    let mut beat = Beat::new(PATIENCE, T0);
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
    let mut beat = Beat::new(PATIENCE, T0);
    beat.call(at(0));
    tend(&mut beat, at(0));
    beat.call(at(180));
    assert_eq!(beat.state(at(180)), BeatState::OnTime);
    assert_eq!(tend(&mut beat, at(180)), [saved(0, 180)]);
    assert_eq!(beat.late_at(), Some(at(360)));
}

#[test]
fn it_is_stated_again_after_its_own_time_until_it_calls() {
    let mut beat = Beat::new(PATIENCE, T0);
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
    let mut beat = Beat::new(SignedDuration::from_secs(1), T0);
    beat.call(at(0));
    let told = (0..600).filter(|now| tend(&mut beat, at(*now)).contains(&Task::Tell));
    assert_eq!(told.count(), 10);
}

#[test]
fn our_own_downtime_makes_nothing_late_at_once() {
    let calls = Calls { first: at(-90_000), last: at(-86_400) };
    let mut beat = Beat::new(PATIENCE, T0);
    beat.restore(Some(calls), None);
    assert_eq!((beat.state(T0), beat.task(T0), beat.due()), (BeatState::OnTime, None, Some(at(180))));
    assert_eq!(tend(&mut beat, at(180)), [Task::Tell]);
}

#[test]
fn one_that_was_late_before_a_restart_is_late_until_it_calls() {
    let mut beat = Beat::new(PATIENCE, T0);
    beat.restore(Some(Calls { first: at(-900), last: at(-600) }), Some(at(-420)));
    assert_eq!((beat.state(T0), beat.task(T0)), (BeatState::Late, None));
    assert_eq!((beat.late_at(), beat.due()), (Some(at(-420)), Some(at(180))));
    beat.call(at(1));
    assert_eq!(tend(&mut beat, at(1)), [Task::Resolve, saved(-900, 1)]);
    assert_eq!(beat.state(at(1)), BeatState::OnTime);
}

#[test]
fn a_clock_that_was_set_back_does_not_keep_us_waiting() {
    let mut beat = Beat::new(PATIENCE, T0);
    beat.restore(Some(Calls { first: at(7_000), last: at(7_200) }), None);
    assert_eq!(beat.late_at(), Some(at(180)));
    beat.restore(Some(Calls { first: at(7_000), last: at(7_200) }), Some(at(7_380)));
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
    fn new(patience: SignedDuration) -> Self {
        let beat = Beat::new(patience, T0);
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

    fn happen(&mut self, happening: Happening, patience: SignedDuration) {
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
            Happening::Restarts => {
                self.beat = Beat::new(patience, self.now);
                self.beat.restore(self.stored, self.is_open.then_some(self.now));
                self.heard = self.stored.is_some().then_some(self.now);
            }
        }
        let errands = tend(&mut self.beat, self.now);
        self.see(&errands);
    }
}

proptest! {
    #[test]
    fn whatever_happens_it_is_late_when_it_is_silent_and_only_then(
        patience in 1_i64..400,
        happenings in proptest::collection::vec(happening(), 1..60),
    ) {
        let patience = SignedDuration::from_secs(patience);
        let mut scene = Scene::new(patience);
        for happening in happenings {
            let was_open = scene.is_open;
            scene.happen(happening, patience);
            let Scene { now, ref beat, is_open, heard, .. } = scene;
            if matches!(happening, Happening::CallsInVain) {
                prop_assert!(beat.due().is_some_and(|due| due <= now) || beat.owed().is_none());
                continue;
            }
            // Nothing is left to do, so the loop rests, and it knows until when.
            prop_assert_eq!(beat.task(now), None);
            prop_assert!(beat.due().is_none_or(|due| now < due), "{:?}", beat);
            prop_assert_eq!(beat.due().is_none(), heard.is_none());
            // `heard` is the last call or our start, whichever is later.
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
        let mut scene = Scene::new(PATIENCE);
        for pause in pauses {
            scene.happen(Happening::Calls, PATIENCE);
            prop_assert_eq!(scene.saves.first(), Some(&T0));
            let kept = scene.saves.last().expect("the first call is kept");
            prop_assert!(scene.now.duration_since(*kept) < SAVE_EVERY, "a crash loses a minute at most");
            scene.happen(Happening::Passes(pause), PATIENCE);
        }
        prop_assert!(scene.saves.windows(2).all(|pair| SAVE_EVERY <= pair[1].duration_since(pair[0])));
    }
}
