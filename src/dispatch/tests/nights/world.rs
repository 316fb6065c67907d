//! One night, played: time, the messages under way, and the process that is ours.

use super::{
    history::{Config, End, Happening, Night},
    process::{Damaged, Process, Worked},
    providers::{Answer, Providers},
    senders::{Message, Sender, Word},
    *,
};
use crate::{chance::Chance, queue::Action};

/// How long everything is quiet at the end: whatever waits for a repeat or a wish of a provider has had its time.
pub(super) const QUIET: SignedDuration = SignedDuration::from_mins(80);

/// Longer than anything is tried.
const A_DAY: SignedDuration = SignedDuration::from_hours(25);

/// Most times that something wakes up in a night while we are there.
const WAKES_MAX: usize = 200_000;

/// What reached us.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) at: SignedDuration,
    pub(super) problem: u32,
    pub(super) word: Word,
    pub(super) key: DedupKey,
    pub(super) said_at: Option<Timestamp>,
    /// Its sender was told so; else we died of it.
    pub(super) is_certain: bool,
}

/// What a person did, or had done when we died.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) at: SignedDuration,
    pub(super) alert: AlertId,
    pub(super) key: DedupKey,
    pub(super) what: Action,
}

/// What waits for its time outside of us.
#[derive(Clone, Debug)]
pub(super) enum Errand {
    Deliver(Box<Message>),
    Repeat(usize, u32),
    Flap(usize),
    /// This alert can be read again, or whatever is no alert.
    Heal(Option<AlertId>),
    Start,
}

pub(super) struct World {
    /// Since the night began.
    pub(super) night: SignedDuration,
    pub(super) clock: Arc<ManualClock>,
    pub(super) store: Arc<MemoryStore>,
    pub(super) providers: Arc<Providers>,
    pub(super) config: Config,
    pub(super) senders: Vec<Sender>,
    pub(super) heard: Vec<Heard>,
    pub(super) deeds: Vec<Deed>,
    /// Our clock was set.
    pub(super) clock_was_set: bool,
    /// Configurations so far, the first one included.
    pub(super) configs: Vec<Config>,
    /// Alerts that could not be read at some time.
    pub(super) once_damaged: BTreeSet<AlertId>,
    pub(super) damaged: Damaged,
    pub(super) quiet_since: SignedDuration,
    /// When we started and when we stopped, in turn.
    pub(super) starts_and_stops: Vec<SignedDuration>,
    /// `None` while we are down.
    pub(super) ours: Option<Process>,
    pub(super) down_for: SignedDuration,
    errands: BTreeMap<(SignedDuration, usize), Errand>,
    errand: usize,
    wakes: usize,
    pub(super) log: Vec<String>,
}

impl World {
    pub(super) async fn play(night: &Night) -> Self {
        let clock = ManualClock::with(T0, Chance::seeded(night.chance));
        let providers = Providers::new(&clock);
        let senders = night.senders.iter().cloned().enumerate();
        let mut world = Self {
            night: SignedDuration::ZERO,
            store: Arc::new(MemoryStore::new()),
            providers,
            config: night.config.clone(),
            configs: vec![night.config.clone()],
            senders: senders.map(|(name, habits)| Sender::new(name, habits)).collect(),
            heard: Vec::new(),
            deeds: Vec::new(),
            clock_was_set: false,
            once_damaged: BTreeSet::new(),
            damaged: Damaged::default(),
            quiet_since: SignedDuration::ZERO,
            starts_and_stops: Vec::new(),
            ours: None,
            down_for: SignedDuration::ZERO,
            errands: BTreeMap::new(),
            errand: 0,
            wakes: 0,
            log: Vec::new(),
            clock,
        };
        world.start().await;
        for (pause, happening) in &night.happenings {
            world.pass(*pause).await;
            world.log(&format!("** {happening:?}"));
            world.happen(happening).await;
        }
        world.end(night).await;
        world
    }

    pub(super) fn log(&mut self, line: &str) {
        self.log.extend(self.providers.take_log().into_iter().map(|line| format!("           {line}")));
        self.log.push(format!("{:>8} s {line}", self.night.as_secs()));
    }

    async fn end(&mut self, night: &Night) {
        if self.ours.is_none() {
            self.start().await;
        }
        if let Some(ours) = &self.ours {
            ours.lives_on();
        }
        let answer = match night.end {
            End::Works => Answer::Accepts,
            End::Refuses => Answer::Refuses,
            End::Defers => Answer::Defers(0),
        };
        self.log(&format!("** everything quiet: {:?}", night.end));
        self.providers.all_answer(answer);
        if night.gives_all_back {
            for alert in self.open_alerts().await {
                self.act(&alert, Action::Unacknowledge).await;
            }
        }
        self.quiet_since = self.night;
        if night.end == End::Defers {
            for who in 0..self.senders.len() {
                self.senders[who].flaps = None;
                self.end_problem(who).await;
            }
        }
        self.pass(QUIET / 2).await;
        if self.senders[0].flaps.is_none() {
            self.happen(&Happening::Turns(0, night.turns)).await;
        }
        self.pass(if night.end == End::Defers { A_DAY } else { QUIET / 2 }).await;
    }

    pub(super) async fn open_alerts(&self) -> Vec<Alert> {
        every_alert(&self.store).await.into_iter().filter(Alert::is_open).collect()
    }

    pub(super) async fn start(&mut self) {
        self.log("we start");
        self.starts_and_stops.push(self.night);
        let store = process::store(&self.store, &self.damaged);
        self.ours = Some(Process::start(store, &self.clock, &self.providers, &self.config).await);
        self.work().await;
    }

    pub(super) fn stop(&mut self, minutes: SignedDuration) {
        if self.ours.take().is_some() {
            self.log("we are down");
            self.starts_and_stops.push(self.night);
            self.providers.forget_requests();
            self.plan(minutes, Errand::Start);
        }
    }

    pub(super) fn set_clock(&mut self, by: SignedDuration) {
        self.clock_was_set |= !by.is_zero() && self.ours.is_none();
        if self.ours.is_none() {
            if by.is_negative() { self.clock.set_back(-by) } else { self.clock.advance(by) }
        }
    }

    pub(super) async fn work(&mut self) {
        let Some(ours) = &mut self.ours else { return };
        match ours.work(&self.providers).await {
            Worked::Done => {}
            Worked::Died => self.stop(self.down_for),
            Worked::IsBusy(with) => {
                self.log(&format!("dispatch is busy without end: {with}"));
                panic!("dispatch is busy without end\n{}", self.log.join("\n"));
            }
        }
    }

    pub(super) fn plan(&mut self, later: SignedDuration, errand: Errand) {
        self.errand += 1;
        self.errands.insert((self.night + later, self.errand), errand);
    }

    pub(super) async fn pass(&mut self, time: SignedDuration) {
        let end = self.night + time;
        loop {
            while let Some(first) = self.errands.first_entry().filter(|first| first.key().0 <= self.night) {
                let errand = first.remove();
                self.run(errand).await;
            }
            for (id, report) in self.providers.due_reports(self.night) {
                self.report(id, &report).await;
            }
            self.work().await;
            let next = self.next_wake().filter(|next| *next < end).unwrap_or(end);
            if end <= self.night {
                return;
            }
            self.wakes += usize::from(self.ours.is_some());
            assert!(self.wakes < WAKES_MAX, "something wakes up again and again\n{}", self.log.join("\n"));
            let next = next.max(self.night + SignedDuration::from_millis(1));
            self.clock.advance(next - self.night);
            self.night = next;
            self.providers.pass(next);
        }
    }

    fn next_wake(&self) -> Option<SignedDuration> {
        let by_our_clock = |at: Timestamp| self.night + at.duration_since(self.clock.now());
        let ours = self.ours.as_ref();
        let errand = self.errands.keys().next().map(|(at, _)| *at);
        let due = ours.and_then(|ours| ours.due).map(by_our_clock);
        let answer = ours.and_then(|_| self.providers.next_answer()).map(by_our_clock);
        [errand, due, answer, self.providers.next_report()].into_iter().flatten().min()
    }

    pub(super) fn show_damage(&self) {
        if let Some(ours) = &self.ours {
            ours.damage(&self.damaged);
        }
    }

    async fn run(&mut self, errand: Errand) {
        match errand {
            Errand::Deliver(message) => self.deliver(*message).await,
            Errand::Repeat(who, number) => {
                let Sender { problem, habits, .. } = &self.senders[who];
                if let Some(every) = habits.every
                    && problem.as_ref().is_some_and(|problem| problem.number == number)
                {
                    self.say(who, Word::Fires).await;
                    self.plan(every, Errand::Repeat(who, number));
                }
            }
            Errand::Flap(who) => {
                let sender = &self.senders[who];
                let (severity, is_on) = (sender.severity, sender.problem.is_some());
                if let Some(every) = sender.flaps {
                    if is_on {
                        self.end_problem(who).await;
                    } else {
                        self.begin(who, severity).await;
                    }
                    self.plan(every, Errand::Flap(who));
                }
            }
            Errand::Heal(alert) => {
                if let Some(alert) = alert {
                    self.damaged.alerts.remove(&alert);
                } else {
                    self.damaged.folds.clear();
                    self.damaged.kinds.clear();
                }
                self.show_damage();
            }
            Errand::Start => {
                if self.ours.is_none() {
                    self.start().await;
                }
            }
        }
    }
}
