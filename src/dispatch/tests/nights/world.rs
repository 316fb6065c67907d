//! One night, played: time, the messages under way, and the process that is ours.

use super::{
    history::{Config, End, Happening, Night, Row as Damaged},
    process::{Process, Worked},
    providers::{Answer, Providers},
    senders::{Message, Sender, Word},
    *,
};
use crate::{alert::Report, queue::Action};

pub(super) const CLOSE_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long everything is quiet at the end: whatever waits for a repeat or a wish of a provider has had its time.
pub(super) const QUIET: SignedDuration = SignedDuration::from_mins(80);

/// Longer than anything is tried.
const A_DAY: SignedDuration = SignedDuration::from_hours(25);

/// A process that claims nothing twice: leases are kept by the store of this test over its death.
const DOWN_MIN: SignedDuration = SignedDuration::from_secs(31);

/// Pause of a sender that insists.
const SAYS_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// Most times that something wakes up in a night.
const WAKES_MAX: usize = 20_000;

/// What reached us.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) at: SignedDuration,
    pub(super) problem: u32,
    pub(super) word: Word,
    pub(super) key: DedupKey,
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
enum Errand {
    Deliver(Message),
    Repeat(usize, u32),
    Flap(usize),
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
    pub(super) damaged: BTreeSet<AlertId>,
    damaged_folds: BTreeSet<AlertId>,
    pub(super) quiet_since: SignedDuration,
    /// `None` while we are down.
    pub(super) ours: Option<Process>,
    down_for: SignedDuration,
    errands: BTreeMap<(SignedDuration, usize), Errand>,
    errand: usize,
    wakes: usize,
    pub(super) log: Vec<String>,
}

impl World {
    pub(super) async fn play(night: &Night) -> Self {
        let clock = ManualClock::at(T0);
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
            damaged: BTreeSet::new(),
            damaged_folds: BTreeSet::new(),
            quiet_since: SignedDuration::ZERO,
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
            world.log(format!("** {happening:?}"));
            world.happen(happening).await;
        }
        world.end(night).await;
        world
    }

    pub(super) fn log(&mut self, line: String) {
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
        self.log(format!("** everything quiet: {:?}", night.end));
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
        self.happen(&Happening::Turns(0, night.turns)).await;
        self.pass(if night.end == End::Defers { A_DAY } else { QUIET / 2 }).await;
    }

    pub(super) async fn open_alerts(&self) -> Vec<Alert> {
        every_alert(&self.store).await.into_iter().filter(Alert::is_open).collect()
    }

    async fn happen(&mut self, happening: &Happening) {
        let senders = self.senders.len();
        match happening.clone() {
            Happening::Begins(who, severity) => self.begin(who % senders, severity).await,
            Happening::Ends(who) => {
                self.senders[who % senders].flaps = None;
                self.end_problem(who % senders).await;
            }
            Happening::EndsFirst(who) => self.end_first(who % senders),
            Happening::Flaps(who, seconds) => {
                let sender = &mut self.senders[who % senders];
                if sender.may_flap() {
                    sender.flaps = Some(SignedDuration::from_secs(i64::from(seconds)));
                    self.plan(SignedDuration::ZERO, Errand::Flap(who % senders));
                }
            }
            Happening::Turns(who, severity) => {
                let sender = &mut self.senders[who % senders];
                sender.severity = severity;
                if let Some(problem) = &mut sender.problem {
                    problem.severity = severity;
                }
                self.say(who % senders, Word::Fires).await;
            }
            Happening::IsTakenThere(who) => self.say(who % senders, Word::IsTaken).await,
            Happening::IsGivenBackThere(who) => self.say(who % senders, Word::IsGivenBack).await,
            Happening::SetsClock(who, minutes) => {
                self.senders[who % senders].set_clock(SignedDuration::from_mins(i64::from(minutes)));
            }
            Happening::Acknowledges(which) => self.act_on(which, Action::Acknowledge).await,
            Happening::GivesBack(which) => self.act_on(which, Action::Unacknowledge).await,
            Happening::Resolves(which) => self.act_on(which, Action::Resolve).await,
            Happening::Outage(minutes, clock, config) => {
                self.stop(SignedDuration::from_mins(i64::from(minutes)));
                self.set_clock(SignedDuration::from_mins(i64::from(clock)));
                if let Some(config) = config {
                    self.configs.push(config.clone());
                    self.config = config;
                }
            }
            Happening::Dies(write, death, minutes) => {
                self.down_for = SignedDuration::from_mins(i64::from(minutes));
                if let Some(ours) = &mut self.ours {
                    ours.dies_at(usize::from(write), death);
                }
            }
            Happening::Push(answer) => self.providers.push_answers(answer),
            Happening::Gateway(number, answer) => {
                self.providers.gateway_answers(process::gateway(number), answer);
            }
            Happening::Report(which, fate) => {
                let taken = self.providers.taken();
                let texts: Vec<_> =
                    taken.iter().rev().filter_map(|taken| Some((taken, taken.text?))).collect();
                if let Some((text, attempt)) = texts.get(usize::from(which) % texts.len().max(1)) {
                    let report = Report { attempt: *attempt, at: self.clock.now(), fate };
                    self.report(text.alert, &report).await;
                }
            }
            Happening::Damage(row, minutes) => self.damage(row, minutes).await,
        }
        self.work().await;
    }

    // --- senders

    async fn begin(&mut self, who: usize, severity: Severity) {
        let night = self.night;
        let sender = &mut self.senders[who];
        if sender.problem.is_some() {
            return;
        }
        sender.begin(severity, night);
        let (number, every) = (sender.problems, sender.habits.every);
        self.say(who, Word::Fires).await;
        if let Some(every) = every {
            self.plan(every, Errand::Repeat(who, number));
        }
    }

    async fn end_problem(&mut self, who: usize) {
        self.say(who, Word::IsOver).await;
        self.senders[who].problem = None;
    }

    fn end_first(&mut self, who: usize) {
        let night = self.night;
        let sender = &mut self.senders[who];
        if sender.problem.is_some() {
            return;
        }
        sender.begin(sender.severity, night);
        let problem = sender.problem.take().expect("it has just begun");
        for (seconds, word, said) in [(1, Word::IsOver, 1), (5, Word::Fires, 0)] {
            let said = night + SignedDuration::from_secs(said);
            if let Some(message) = self.senders[who].say(word, &problem, said) {
                self.plan(SignedDuration::from_secs(seconds), Errand::Deliver(message));
            }
        }
    }

    /// Its message, the one of its replica and those of its twin go out, unless they are lost.
    async fn say(&mut self, who: usize, word: Word) {
        let night = self.night;
        let sender = &mut self.senders[who];
        let Some(problem) = sender.problem.clone() else { return };
        let Some(message) = sender.say(word, &problem, night) else { return };
        let mut messages = vec![(SignedDuration::ZERO, message.clone())];
        messages.extend(sender.of_replica(&message).map(|other| (SignedDuration::from_secs(2), other)));
        if let Some(later) = sender.habits.twin {
            messages.extend(messages.clone().into_iter().map(|(at, message)| (at + later, message)));
        }
        messages.retain(|_| !sender.loses_next());
        for (later, message) in messages {
            if later.is_zero() {
                self.deliver(message).await;
            } else {
                self.plan(later, Errand::Deliver(message));
            }
        }
    }

    async fn deliver(&mut self, message: Message) {
        let Message { problem, word, event, .. } = message.clone();
        let mut heard =
            Heard { at: self.night, problem, word, key: event.dedup_key.clone(), is_certain: true };
        let Some(ours) = &mut self.ours else { return self.is_not_taken(message) };
        if let Some(admitted) = ours.admit(&event, CLOSE_AFTER).await {
            let reason = admitted.reason.map(|reason| format!(" {reason:?}")).unwrap_or_default();
            self.log(format!("{message}: {}{reason}", admitted.admission.as_str()));
        } else {
            heard.is_certain = false;
            self.is_not_taken(message);
        }
        self.heard.push(heard);
        self.work().await;
    }

    fn is_not_taken(&mut self, message: Message) {
        self.log(format!("{message}: nobody takes it"));
        if self.senders[message.sender].habits.insists {
            self.plan(SAYS_AGAIN_AFTER, Errand::Deliver(message));
        }
    }

    // --- people

    async fn act_on(&mut self, which: u8, action: Action) {
        let open = self.open_alerts().await;
        if let Some(alert) = open.get(usize::from(which) % open.len().max(1)) {
            self.act(alert, action).await;
        }
    }

    async fn act(&mut self, alert: &Alert, what: Action) {
        let Some(ours) = &self.ours else { return };
        let done = ours.queue.act(alert.id, &what, "jin").await;
        self.log(format!("somebody: {what:?} {}, done: {}", alert.id, done.is_ok()));
        let (alert, key) = (alert.id, alert.dedup_key.clone());
        self.deeds.push(Deed { at: self.night, alert, key, what });
    }

    // --- providers

    async fn report(&mut self, id: AlertId, report: &Report) {
        let Some(ours) = &self.ours else { return };
        let is_news = ours.queue.report(id, report).await.unwrap_or_default();
        if is_news && matches!(report.fate, Fate::Failed { .. }) {
            self.providers.is_lost(id, report.attempt);
        }
        self.log(format!("report about {id} {}: {:?}, news: {is_news}", report.attempt, report.fate));
        self.work().await;
    }

    // --- us

    async fn start(&mut self) {
        self.log("we start".to_owned());
        let mut ours = Process::start(&self.store, &self.clock, &self.providers, &self.config).await;
        ours.damage(&self.damaged, &self.damaged_folds);
        self.ours = Some(ours);
        self.work().await;
    }

    fn stop(&mut self, minutes: SignedDuration) {
        if self.ours.take().is_some() {
            self.log("we are down".to_owned());
            self.providers.forget_requests();
            self.plan(minutes.max(DOWN_MIN), Errand::Start);
        }
    }

    fn set_clock(&mut self, by: SignedDuration) {
        self.clock_was_set |= !by.is_zero() && self.ours.is_none();
        if self.ours.is_none() {
            if by.is_negative() { self.clock.set_back(-by) } else { self.clock.advance(by) }
        }
    }

    async fn work(&mut self) {
        let Some(ours) = &mut self.ours else { return };
        match ours.work(&self.providers).await {
            Worked::Done => {}
            Worked::Died => self.stop(self.down_for),
            Worked::IsBusy(with) => {
                self.log(format!("dispatch is busy without end: {with}"));
                panic!("dispatch is busy without end\n{}", self.log.join("\n"));
            }
        }
    }

    async fn damage(&mut self, row: Damaged, minutes: Option<u8>) {
        let alerts = every_alert(&self.store).await;
        let healed = match row {
            Damaged::Alert(which) => {
                let alerts: Vec<_> = alerts.iter().filter(|alert| alert.digest.is_none()).collect();
                let Some(alert) = alerts.get(usize::from(which) % alerts.len().max(1)) else { return };
                self.damaged.insert(alert.id);
                self.once_damaged.insert(alert.id);
                Some(alert.id)
            }
            Damaged::Folds => {
                let Some(digest) = alerts.iter().find(|alert| alert.digest.is_some()) else { return };
                self.damaged_folds.insert(digest.id);
                None
            }
        };
        // What a digest counts is always readable in the end.
        let minutes = minutes.or(healed.is_none().then_some(10));
        if let Some(minutes) = minutes {
            self.plan(SignedDuration::from_mins(i64::from(minutes)), Errand::Heal(healed));
        }
        if let Some(ours) = &mut self.ours {
            ours.damage(&self.damaged, &self.damaged_folds);
        }
    }

    // --- time

    fn plan(&mut self, later: SignedDuration, errand: Errand) {
        self.errand += 1;
        self.errands.insert((self.night + later, self.errand), errand);
    }

    async fn pass(&mut self, time: SignedDuration) {
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
            self.wakes += 1;
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

    async fn run(&mut self, errand: Errand) {
        match errand {
            Errand::Deliver(message) => self.deliver(message).await,
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
                match alert {
                    Some(alert) => drop(self.damaged.remove(&alert)),
                    None => self.damaged_folds.clear(),
                }
                if let Some(ours) = &mut self.ours {
                    ours.damage(&self.damaged, &self.damaged_folds);
                }
            }
            Errand::Start => {
                if self.ours.is_none() {
                    self.start().await;
                }
            }
        }
    }
}
