//! One store and everybody around it: rounds of start, load and kill, then the comparison.

use std::{path::Path, sync::Arc, time::Duration};

use bongsu::{
    clock::{Clock, SystemClock},
    sandbox::{Options, Sandbox},
};
use jiff::SignedDuration;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Failure,
    audit::Audit,
    books::{ProviderBooks, ServerBooks},
    dice::Dice,
    digests::Digests,
    load::{Load, Sender},
    server::{Limits, Server, Site},
    tally::{Figure, Promise, Tally},
    weather::{self, Weather},
};

/// Longest wait for something to happen that a kill is to follow at once; FCM may be down.
const CUE_MAX: Duration = Duration::from_millis(1_500);

/// A store is created within about so many milliseconds of its first file.
const BIRTH_MS_MAX: u64 = 60;

/// A server with nothing to do is watched so long.
const QUIET: SignedDuration = SignedDuration::from_millis(1_500);

/// When a kill comes.
#[derive(Clone, Copy, Debug)]
enum Cue {
    /// While it creates its store.
    Birth,
    /// Before the server answers, most often.
    Start,
    /// While it finds out what its predecessor left, without new events.
    Recovery,
    /// Some time under load.
    Load,
    /// Right after an answer.
    Answer,
    /// Right when FCM has got a push.
    Push,
    /// Right when the SMS company has got a text.
    Text,
}

const CUES: [(u64, Cue); 6] = [
    (15, Cue::Start),
    (12, Cue::Recovery),
    (25, Cue::Load),
    (16, Cue::Answer),
    (18, Cue::Push),
    (14, Cue::Text),
];

impl Cue {
    fn name(self) -> &'static str {
        match self {
            Self::Birth => "at birth",
            Self::Start => "at start",
            Self::Recovery => "in recovery",
            Self::Load => "under load",
            Self::Answer => "after an answer",
            Self::Push => "at a push",
            Self::Text => "at a text",
        }
    }
}

/// One store, its server, and everybody around it.
pub(crate) struct Stage {
    site: Site,
    limits: Limits,
    sandbox: Sandbox,
    senders: Vec<Sender>,
    dice: Dice,
    clock: Arc<SystemClock>,
    stop: CancellationToken,
    /// How long a start takes, as far as is known: where to aim.
    start_takes: u64,
}

impl Stage {
    pub(crate) async fn set(
        path: &Path,
        limits: Limits,
        power_cuts: bool,
        mut dice: Dice,
        clock: &Arc<SystemClock>,
    ) -> Result<Self, Failure> {
        let stop = CancellationToken::new();
        // Over TLS pushes share one HTTP/2 connection: one that is cut loses them all.
        let options = Options { tls: dice.percent(50), ..Options::default() };
        let sandbox = Sandbox::start(options, clock.clone(), &TaskTracker::new(), stop.clone()).await?;
        let site = Site::prepare(path, &sandbox, limits, &mut dice, clock)?;
        let site = if power_cuts { site.with_disk()? } else { site };
        let senders = Sender::crowd(&mut dice);
        Ok(Self { site, limits, sandbox, senders, dice, clock: Arc::clone(clock), stop, start_takes: 200 })
    }

    /// So many rounds, then the comparison.
    pub(crate) async fn play(
        &mut self,
        rounds: u64,
        kill_within: u64,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        for number in 0..rounds {
            let cue = if number == 0 { Cue::Birth } else { self.dice.weighted(&CUES) };
            tally.count(Figure::Rounds, 1);
            *tally.kills.entry(cue.name()).or_default() += 1;
            if let Err(problem) = self.round(cue, kill_within, tally).await? {
                tally.violated(Promise::Starts, problem);
                return Ok(());
            }
        }
        weather::clear_up(&self.sandbox);
        if let Err(problem) = self.compare(tally).await? {
            tally.violated(Promise::Told, problem);
        }
        Ok(())
    }

    /// The sandbox goes.
    pub(crate) fn strike(&self) {
        self.stop.cancel();
    }

    /// Start, load, kill. `Ok(Err)` says why the server did not come up.
    async fn round(
        &mut self,
        cue: Cue,
        kill_within: u64,
        tally: &mut Tally,
    ) -> Result<Result<(), String>, Failure> {
        let weather = Weather::begin(&self.sandbox, self.dice.fork(), &self.clock);
        let mut server = self.site.start()?;
        let load = match cue {
            Cue::Recovery => None,
            Cue::Birth | Cue::Start | Cue::Load | Cue::Answer | Cue::Push | Cue::Text => {
                Some(Load::begin(std::mem::take(&mut self.senders), &self.site.url, &self.clock))
            }
        };
        let up = match cue {
            Cue::Birth => {
                let _ = tokio::time::timeout(CUE_MAX, self.site.store_begins()).await;
                self.pause(0, BIRTH_MS_MAX).await;
                Ok(())
            }
            Cue::Start => {
                self.pause(0, self.start_takes + self.start_takes / 4).await;
                Ok(())
            }
            Cue::Recovery | Cue::Load | Cue::Answer | Cue::Push | Cue::Text => {
                self.wait_for(&mut server, tally).await
            }
        };
        if up.is_ok() {
            self.wait_for_cue(cue, kill_within, load.as_ref()).await;
        }
        let was_alive = self.site.end(&mut server)?;
        if let Some(load) = load {
            self.senders = load.end().await;
        }
        weather.end().await;
        if up.is_ok() && !was_alive {
            return Ok(Err(format!("the server ended by itself: {}", self.site.last_words())));
        }
        Ok(up)
    }

    async fn wait_for(&mut self, server: &mut Server, tally: &mut Tally) -> Result<(), String> {
        let took = self.site.wait_for(server).await?;
        tally.slowest_start = tally.slowest_start.max(took);
        self.start_takes = u64::try_from(took.as_millis()).unwrap_or(self.start_takes);
        Ok(())
    }

    async fn wait_for_cue(&mut self, cue: Cue, kill_within: u64, load: Option<&Load>) {
        let (fcm, sms) = (self.sandbox.fcm(), self.sandbox.sms());
        let (pushes, texts) = (fcm.counts().seen, sms.counts().seen);
        let within = Duration::from_millis(kill_within).min(CUE_MAX);
        // What does not happen in time (FCM may be down) is not waited for any longer.
        match cue {
            Cue::Birth | Cue::Start => {}
            Cue::Recovery => self.pause(0, kill_within.min(100)).await,
            Cue::Load => self.pause(kill_within.min(50), kill_within).await,
            Cue::Answer => {
                let answers = self.dice.between(1, 150);
                if let Some(load) = load {
                    let _ = tokio::time::timeout(within, load.wait_for_answers(answers)).await;
                }
            }
            Cue::Push => {
                let pushes = pushes + self.dice.between(1, 80);
                let _ = tokio::time::timeout(within, fcm.wait_until(|fcm| pushes <= fcm.counts().seen)).await;
            }
            Cue::Text => {
                let texts = texts + self.dice.between(1, 20);
                let _ = tokio::time::timeout(within, sms.wait_until(|sms| texts <= sms.counts().seen)).await;
            }
        }
        if !matches!(cue, Cue::Birth | Cue::Start) && self.dice.percent(60) {
            self.pause(0, 3).await;
        }
    }

    async fn pause(&mut self, from_ms: u64, to_ms: u64) {
        let pause = self.dice.between(from_ms, to_ms);
        self.clock.sleep(SignedDuration::from_millis(pause.cast_signed())).await;
    }

    /// The last start: everything works, everything is told, then the books are compared.
    async fn compare(&mut self, tally: &mut Tally) -> Result<Result<(), String>, Failure> {
        let mut server = self.site.start()?;
        if let Err(problem) = self.wait_for(&mut server, tally).await {
            tally.violated(Promise::Starts, problem);
            return Ok(Ok(()));
        }
        let books = match ServerBooks::read(&self.site, &self.clock).await {
            Ok(books) => books,
            Err(problem) => {
                let last_words = self.site.last_words();
                return Ok(Err(format!("{problem}; the server's last words: {last_words}")));
            }
        };
        let providers = ProviderBooks::read(&self.sandbox)?;
        let digests = Digests::of(&books);
        let (senders, limits) = (&self.senders, self.limits);
        Audit { senders, server: &books, digests: &digests, limits, providers: &providers, tally }.run();
        self.look_at_conduct(tally);
        server.kill()?;
        self.look_at_quiet(tally).await
    }

    fn look_at_conduct(&self, tally: &mut Tally) {
        for sender in &self.senders {
            tally.count(Figure::RequestsAnswered, sender.requests_answered);
            for complaint in &sender.complaints {
                tally.violated(Promise::AnswersAgree, complaint.clone());
            }
            for status in &sender.refusals {
                tally.violated(Promise::WellFormed, format!("a sender was answered {status}"));
            }
        }
        for refusal in self.sandbox.fcm().refusals().iter().chain(&self.sandbox.sms().refusals()) {
            tally.violated(Promise::WellFormed, format!("{}: {}", refusal.status, refusal.body));
        }
        for line in self.site.log().lines().filter(|line| line.contains("panicked")) {
            tally.violated(Promise::NoPanic, line.to_owned());
        }
    }

    /// Everything is told: another start has nothing to say.
    async fn look_at_quiet(&mut self, tally: &mut Tally) -> Result<Result<(), String>, Failure> {
        let counts = |sandbox: &Sandbox| (sandbox.fcm().counts().seen, sandbox.sms().counts().seen);
        let before = counts(&self.sandbox);
        let mut server = self.site.start()?;
        if let Err(problem) = self.wait_for(&mut server, tally).await {
            tally.violated(Promise::Starts, problem);
            return Ok(Ok(()));
        }
        self.clock.sleep(QUIET).await;
        let after = counts(&self.sandbox);
        if before != after {
            let what = format!("pushes and texts before {before:?}, after {after:?}");
            tally.violated(Promise::Quiet, what);
        }
        server.kill()?;
        Ok(Ok(()))
    }
}
