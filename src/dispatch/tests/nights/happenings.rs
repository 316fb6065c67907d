//! What happens in a night, one thing at a time: what senders say, what people do, what goes wrong.

use super::{
    history::{Happening, Row as Damaged},
    providers::Answer,
    senders::{CLOSE_AFTER, Message, Word},
    world::{Deed, Errand, Heard, World},
    *,
};
use crate::{
    alert::Report,
    queue::Action,
    store::{DeviceRecord, Record, guarded::CHARGE},
};

/// The longest pause of a sender that insists.
const SAYS_AGAIN_AFTER_MAX: SignedDuration = SignedDuration::from_hours(1);

/// In which somebody does one thing after the other, and no hanging request ends.
const A_MOMENT: SignedDuration = SignedDuration::from_secs(4);

impl World {
    pub(super) async fn happen(&mut self, happening: &Happening) {
        let senders = self.senders.len();
        match happening.clone() {
            Happening::Begins(who, severity) => self.begin(who % senders, severity).await,
            Happening::Ends(who) => {
                self.senders[who % senders].flaps = None;
                self.end_problem(who % senders).await;
            }
            Happening::EndsFirst(who) => self.pass_by(who % senders, &[Word::IsOver, Word::Fires]),
            Happening::IsTakenUnheard(who, true) => self.pass_by(who % senders, &[Word::IsTaken]),
            Happening::IsTakenUnheard(who, false) => {
                self.pass_by(who % senders, &[Word::IsTaken, Word::IsOver]);
            }
            Happening::Flaps(who, severity, seconds) => {
                let sender = &mut self.senders[who % senders];
                if sender.may_flap() {
                    sender.severity = severity;
                    sender.flaps = Some(SignedDuration::from_secs(i64::from(seconds)));
                    self.plan(SignedDuration::ZERO, Errand::Flap(who % senders));
                }
            }
            Happening::IsTakenInHaste(who, severity) => self.is_taken_in_haste(who % senders, severity).await,
            Happening::AllBegin(severity) => {
                self.providers.push_answers(Answer::Garbles);
                for who in 0..senders {
                    self.begin(who, severity).await;
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
            Happening::Report(which, fate) => self.report_on(which, fate).await,
            Happening::Damage(row, minutes) => self.damage(row, minutes).await,
        }
        self.work().await;
    }

    async fn is_taken_in_haste(&mut self, who: usize, severity: Severity) {
        self.providers.push_answers(Answer::Hangs);
        self.begin(who, severity).await;
        for action in [Action::Acknowledge, Action::Unacknowledge] {
            self.pass(A_MOMENT).await;
            self.act_on(0, action).await;
        }
        self.providers.push_answers(Answer::Refuses);
    }

    async fn report_on(&mut self, which: u8, fate: Fate) {
        let taken = self.providers.taken();
        let texts: Vec<_> = taken.iter().rev().filter_map(|taken| Some((taken, taken.text?))).collect();
        if let Some((text, attempt)) = texts.get(usize::from(which) % texts.len().max(1)) {
            let report = Report { attempt: *attempt, at: self.clock.now(), fate };
            self.report(text.alert, &report).await;
        }
    }

    pub(super) async fn begin(&mut self, who: usize, severity: Severity) {
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

    pub(super) async fn end_problem(&mut self, who: usize) {
        self.say(who, Word::IsOver).await;
        self.senders[who].problem = None;
    }

    /// A short problem, of which these messages arrive a second after each other.
    fn pass_by(&mut self, who: usize, words: &[Word]) {
        let night = self.night;
        let sender = &mut self.senders[who];
        if sender.problem.is_some() {
            return;
        }
        sender.begin(sender.severity, night);
        let problem = sender.problem.take().expect("it has just begun");
        for (seconds, word) in (1..).zip(words) {
            let said = if *word == Word::Fires { night } else { night + SignedDuration::from_secs(1) };
            if let Some(message) = self.senders[who].say(*word, &problem, said) {
                self.plan(SignedDuration::from_secs(seconds), Errand::Deliver(Box::new(message)));
            }
        }
    }

    /// Its message, the one of its replica and those of its twin go out, unless they are lost.
    pub(super) async fn say(&mut self, who: usize, word: Word) {
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
                self.plan(later, Errand::Deliver(Box::new(message)));
            }
        }
    }

    pub(super) async fn deliver(&mut self, message: Message) {
        let Message { problem, word, event, .. } = message.clone();
        let (key, said_at) = (event.dedup_key.clone(), event.said_at);
        let mut heard = Heard { at: self.night, problem, word, key, said_at, is_certain: true };
        let Some(ours) = &mut self.ours else { return self.is_not_taken(message) };
        if let Some(admitted) = ours.admit(&event, CLOSE_AFTER).await {
            let reason = admitted.reason.map(|reason| format!(" {reason:?}")).unwrap_or_default();
            self.log(&format!("{message}: {}{reason}", admitted.admission.as_str()));
        } else {
            heard.is_certain = false;
            self.is_not_taken(message);
        }
        self.heard.push(heard);
        self.work().await;
    }

    fn is_not_taken(&mut self, mut message: Message) {
        self.log(&format!("{message}: nobody takes it"));
        if self.senders[message.sender].habits.insists {
            let again_after = message.again_after;
            message.again_after = (again_after * 2).min(SAYS_AGAIN_AFTER_MAX);
            self.plan(again_after, Errand::Deliver(Box::new(message)));
        }
    }

    async fn act_on(&mut self, which: u8, action: Action) {
        let open = self.open_alerts().await;
        if let Some(alert) = open.get(usize::from(which) % open.len().max(1)) {
            self.act(alert, action).await;
        }
    }

    pub(super) async fn act(&mut self, alert: &Alert, what: Action) {
        let Some(ours) = &self.ours else { return };
        let done = ours.queue.act(alert.id, &what, "jin").await;
        self.log(&format!("somebody: {what:?} {}, done: {}", alert.id, done.is_ok()));
        let (alert, key) = (alert.id, alert.dedup_key.clone());
        self.deeds.push(Deed { at: self.night, alert, key, what });
    }

    pub(super) async fn report(&mut self, id: AlertId, report: &Report) {
        let Some(ours) = &self.ours else { return };
        let taken = ours.queue.report(id, report).await;
        if matches!(report.fate, Fate::Failed { .. }) && !matches!(taken, Ok(false)) {
            self.providers.is_lost(id, report.attempt, taken.is_ok());
        }
        self.log(&format!("report about {id} {}: {:?}, news: {taken:?}", report.attempt, report.fate));
        self.work().await;
    }

    async fn damage(&mut self, row: Damaged, minutes: Option<u8>) {
        let alerts = every_alert(&self.store).await;
        let healed = match row {
            Damaged::Alert(which) => {
                let alerts: Vec<_> = alerts.iter().filter(|alert| alert.digest.is_none()).collect();
                let Some(alert) = alerts.get(usize::from(which) % alerts.len().max(1)) else { return };
                self.damaged.alerts.insert(alert.id);
                self.once_damaged.insert(alert.id);
                Some(alert.id)
            }
            Damaged::Folds => {
                let Some(digest) = alerts.iter().find(|alert| alert.digest.is_some()) else { return };
                self.damaged.folds.insert(digest.id);
                None
            }
            Damaged::Devices => {
                self.damaged.kinds.insert(DeviceRecord::KIND);
                None
            }
            Damaged::Charges => {
                self.damaged.kinds.insert(CHARGE);
                None
            }
        };
        // What is no alert is always readable in the end.
        let minutes = minutes.or(healed.is_none().then_some(10));
        if let Some(minutes) = minutes {
            self.plan(SignedDuration::from_mins(i64::from(minutes)), Errand::Heal(healed));
        }
        self.show_damage();
    }
}
