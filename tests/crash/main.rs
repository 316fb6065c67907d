//! Kills the server again and again, and proves that nothing which it accepted is lost.
//!
//! ```sh
//! cargo test --test crash                             # 10 rounds
//! cargo test --test crash -- --rounds 50 --seed 7
//! cargo test --test crash -- --rounds 200 --kill-within 100
//! ```
//!
//! The server is the real program in a process of its own; senders and pretend providers are in
//! this one, so they outlive it. In each round it is started on the store that the last kill left
//! behind, and ended by SIGKILL: while it starts, while it recovers, in the middle of its load,
//! right after an answer, right when FCM or the SMS company has taken a message and before it can
//! know. Meanwhile both companies fail and recover. After the rounds of a store everything works
//! again, the server is started once more, and when it has nothing left to tell, three books are
//! compared: what senders were answered, what the server says, what the providers accepted.
//!
//! The seed settles what is sent and when a kill is due; where exactly it hits is up to the machine.
//! SIGKILL is the end of a process, not of the machine: a power cut is not what is proved here.

mod audit;
mod books;
mod dice;
mod load;
mod server;
mod story;
mod tally;
mod weather;

use std::{
    error::Error,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use bongsu::{
    clock::{Clock, SystemClock},
    sandbox::{Options, Sandbox},
};
use clap::Parser;
use jiff::SignedDuration;
use tempfile::TempDir;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use audit::Audit;
use books::{ProviderBooks, ServerBooks};
use dice::Dice;
use load::{Load, Sender};
use server::{Server, Site};
use tally::{Figure, Promise, Tally};
use weather::Weather;

/// Longest wait for something to happen that a kill is to follow at once; FCM may be down.
const CUE_MAX: Duration = Duration::from_millis(1_500);

/// A server with nothing to do is watched so long.
const QUIET: SignedDuration = SignedDuration::from_millis(1_500);

type Failure = Box<dyn Error + Send + Sync>;

/// Kills the server at random under load and proves that nothing accepted is lost.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often the server is started and killed
    #[arg(long, env = "BONGSU_CRASH_ROUNDS", default_value_t = 10)]
    rounds: u64,
    /// What chance starts from; printed at start
    #[arg(long, env = "BONGSU_CRASH_SEED")]
    seed: Option<u64>,
    /// Longest time from a server's first answer to its end, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1_500)]
    kill_within: u64,
    /// After so many rounds the books are compared, and the next store is empty
    #[arg(long, value_name = "ROUNDS", default_value_t = 10)]
    rounds_per_store: u64,

    /// Test runners name the tests that they want; this program is one test, `crash`
    #[arg(hide = true)]
    wanted: Vec<String>,
    #[arg(long, hide = true)]
    list: bool,
    #[arg(long, hide = true)]
    ignored: bool,
    #[arg(long, hide = true)]
    exact: bool,
    #[arg(long, hide = true)]
    nocapture: bool,
    #[arg(long, hide = true)]
    format: Option<String>,
}

/// When a kill comes.
#[derive(Clone, Copy, Debug)]
enum Cue {
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
            Self::Start => "at start",
            Self::Recovery => "in recovery",
            Self::Load => "under load",
            Self::Answer => "after an answer",
            Self::Push => "at a push",
            Self::Text => "at a text",
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.list {
        say(if arguments.ignored { "" } else { "crash: test" });
        return ExitCode::SUCCESS;
    }
    if arguments.ignored
        || !(arguments.wanted.is_empty() || arguments.wanted.iter().any(|name| name == "crash"))
    {
        say("0 passed, 0 failed, 1 filtered out");
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(run(&arguments))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("could not run: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) {
    // A closed pipe (`… | head`) is no failure of the server.
    let _ = writeln!(io::stdout(), "{line}");
}

/// True if every promise was kept.
async fn run(arguments: &Arguments) -> Result<bool, Failure> {
    let clock = SystemClock::start();
    let seed = arguments.seed.unwrap_or_else(|| clock.now().as_millisecond().cast_unsigned());
    say(&format!("crash: {} rounds, seed {seed}", arguments.rounds));
    let folder = TempDir::with_prefix("bongsu-crash-")?;
    let (mut dice, mut tally) = (Dice::new(seed), Tally::default());
    let mut left = arguments.rounds;
    while 0 < left && tally.is_clean() {
        let rounds = left.min(arguments.rounds_per_store.max(1));
        left -= rounds;
        tally.count(Figure::Stores, 1);
        let number = tally.figures.get(&Figure::Stores).copied().unwrap_or_default();
        let path = folder.path().join(format!("store-{number}"));
        let mut stage = Stage::set(&path, dice.fork(), &clock).await?;
        stage.play(rounds, arguments.kill_within, &mut tally).await?;
        stage.stop.cancel();
        say(&format!("store {number}: {rounds} rounds, then everything told and compared"));
        if tally.is_clean() {
            std::fs::remove_dir_all(&path)?;
        }
    }
    tally.lines().iter().for_each(|line| say(line));
    if !tally.is_clean() {
        say(&format!("what the server left is kept in {}", folder.keep().display()));
    }
    Ok(tally.is_clean())
}

/// One store, its server, and everybody around it.
struct Stage {
    site: Site,
    sandbox: Sandbox,
    senders: Vec<Sender>,
    dice: Dice,
    clock: Arc<SystemClock>,
    stop: CancellationToken,
    /// How long a start takes, as far as is known: where to aim.
    start_takes: u64,
}

impl Stage {
    async fn set(path: &Path, mut dice: Dice, clock: &Arc<SystemClock>) -> Result<Self, Failure> {
        let stop = CancellationToken::new();
        // Over TLS pushes share one HTTP/2 connection: one that is cut loses them all.
        let options = Options { tls: dice.percent(50), ..Options::default() };
        let sandbox = Sandbox::start(options, clock.clone(), &TaskTracker::new(), stop.clone()).await?;
        let site = Site::prepare(path, &sandbox, &mut dice, clock)?;
        let senders = Sender::crowd(&mut dice);
        Ok(Self { site, sandbox, senders, dice, clock: Arc::clone(clock), stop, start_takes: 200 })
    }

    async fn play(&mut self, rounds: u64, kill_within: u64, tally: &mut Tally) -> Result<(), Failure> {
        for _ in 0..rounds {
            let cue = self.dice.weighted(&CUES);
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
            Cue::Start | Cue::Load | Cue::Answer | Cue::Push | Cue::Text => {
                Some(Load::begin(std::mem::take(&mut self.senders), &self.site.url, &self.clock))
            }
        };
        let up = if matches!(cue, Cue::Start) {
            self.pause(0, self.start_takes + self.start_takes / 4).await;
            Ok(())
        } else {
            self.wait_for(&mut server, tally).await
        };
        if up.is_ok() {
            self.wait_for_cue(cue, kill_within, load.as_ref()).await;
        }
        let was_alive = server.kill()?;
        if let Some(load) = load {
            self.senders = load.end().await;
        }
        weather.end().await;
        if up.is_ok() && !was_alive {
            return Ok(Err(format!("the server ended by itself: {}", self.site.log())));
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
            Cue::Start => {}
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
        if !matches!(cue, Cue::Start) && self.dice.percent(60) {
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
            Err(problem) => return Ok(Err(problem)),
        };
        let providers = ProviderBooks::read(&self.sandbox)?;
        Audit { senders: &self.senders, server: &books, providers: &providers, tally }.run();
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
