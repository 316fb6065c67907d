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
//! compared: what senders were answered, what the server says, what the providers accepted. Every second
//! store has limits so tight that most of what is told goes into digests.
//!
//! The seed settles what is sent and when a kill is due; where exactly it hits is up to the machine.
//! SIGKILL is the end of a process, not of the machine. With `--power-cuts` each store has a disk of its own, which loses
//! what was not made durable: as root, `cargo test --test crash -- --power-cuts`.

mod audit;
mod books;
mod dice;
mod digests;
mod disk;
mod load;
mod server;
mod stage;
mod story;
mod tally;
mod weather;

use std::{
    error::Error,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use bongsu::clock::{Clock, SystemClock};
use clap::Parser;
use tempfile::TempDir;

use dice::Dice;
use server::Limits;
use stage::Stage;
use tally::{Figure, Tally};

/// Why the program could not do its work.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Kills the server at random under load and proves that nothing accepted is lost.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "the switches of test runners")]
struct Arguments {
    /// How often the server is started and killed
    #[arg(long, env = "BONGSU_CRASH_ROUNDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// What chance starts from; printed at start
    #[arg(long, env = "BONGSU_CRASH_SEED")]
    seed: Option<u64>,
    /// Longest time from a server's first answer to its end, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1_500)]
    kill_within: u64,
    /// After so many rounds the books are compared, and the next store is empty
    #[arg(long, value_name = "ROUNDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    rounds_per_store: u64,

    /// Cuts the power of the store's disk instead, which needs root
    #[arg(long)]
    power_cuts: bool,

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
    let folder = TempDir::with_prefix("bongsu-crash-")?;
    let mut tally = Tally::default();
    let played = play(arguments, folder.path(), &mut tally).await;
    if played.is_ok() {
        tally.lines().iter().for_each(|line| say(line));
    }
    if played.is_err() || !tally.is_clean() {
        say(&format!("what the server left is kept in {}", folder.keep().display()));
    }
    played.map(|()| tally.is_clean())
}

/// Store after store, until the rounds are over or a promise is broken.
async fn play(arguments: &Arguments, folder: &Path, tally: &mut Tally) -> Result<(), Failure> {
    let clock = SystemClock::start();
    let seed = arguments.seed.unwrap_or_else(|| clock.now().as_millisecond().cast_unsigned());
    let ends = if arguments.power_cuts { "power cuts" } else { "kills" };
    say(&format!("crash: {} {ends}, seed {seed}", arguments.rounds));
    let mut dice = Dice::new(seed);
    let mut left = arguments.rounds;
    while 0 < left && tally.is_clean() {
        let rounds = left.min(arguments.rounds_per_store);
        left -= rounds;
        tally.count(Figure::Stores, 1);
        let number = tally.figure(Figure::Stores);
        let path = folder.join(format!("store-{number}"));
        let limits = if number.is_multiple_of(2) { Limits::Tight } else { Limits::None };
        let mut stage = Stage::set(&path, limits, arguments.power_cuts, dice.fork(), &clock).await?;
        stage.play(rounds, arguments.kill_within, tally).await?;
        stage.strike();
        drop(stage);
        if tally.is_clean() {
            say(&format!("store {number}: {rounds} {ends}, everything told, the books agree"));
            std::fs::remove_dir_all(&path)?;
        }
    }
    if tally.is_clean() && tally.figure(Figure::EventsAnswered) == 0 {
        return Err("no event was answered before a kill, so nothing is proved".into());
    }
    Ok(())
}
