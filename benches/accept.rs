//! `cargo bench --bench accept [-- --part throughput|rival|paced] [--seconds 8] [--rounds 3]`: durable
//! accepts over HTTP while alerts are delivered, beside the bare storage rule and beside Alertmanager,
//! in the same run. The ratios are the figures to look at.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "common/alertmanager.rs"]
mod alertmanager;
#[path = "common/arguments.rs"]
mod arguments;
#[path = "common/bare_store.rs"]
mod bare_store;
#[path = "common/clock.rs"]
mod clock;
#[path = "common/closed_loop.rs"]
mod closed_loop;
#[path = "common/fake.rs"]
mod fake;
#[path = "common/open_loop.rs"]
mod open_loop;
#[path = "common/parts.rs"]
mod parts;
#[path = "common/process.rs"]
mod process;
#[path = "common/server.rs"]
mod server;
#[path = "common/table.rs"]
mod table;
#[path = "common/wire.rs"]
mod wire;

use std::{path::Path, time::Duration};

use self::{
    alertmanager::Alertmanager,
    arguments::value_of,
    fake::Fake,
    parts::{seconds, wants},
    server::Server,
    table::{Bar, Table, below},
    wire::Target,
};

/// Senders at a time, for the storage rule and for the rival.
const MANY: usize = 64;
const FEW: usize = 8;

/// Pace of the latency measurement, in events per second.
const PACE: u32 = 1_000;

/// Length of one measurement unless `--seconds` says, in seconds.
const SECONDS: u32 = 8;

/// How often limit and product take turns unless `--rounds` says.
const ROUNDS: usize = 3;

fn main() {
    if let Some(folder) = value_of(fake::ROLE) {
        return fake::play(Path::new(&folder));
    }
    if std::env::args().any(|argument| argument == alertmanager::ROLE) {
        return alertmanager::play();
    }
    let seconds = seconds(SECONDS);
    let length = Duration::from_secs(seconds.into());
    let rounds = value_of("--rounds").map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    let mut table = Table::default();
    if wants("throughput") {
        throughput(&mut table, length, rounds);
    }
    if wants("rival") {
        rival(&mut table, length, rounds);
    }
    if wants("paced") {
        paced(&mut table, seconds);
    }
    println!("\n{table}");
}

fn throughput(table: &mut Table, length: Duration, rounds: usize) {
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let limit = in_a_folder(|dir| bare_store::run(MANY, length.as_secs_f64(), dir));
        let bare_store::Figures { per_second, p50, p99, cpu_per_1000 } = limit;
        println!(
            "bare storage rule, {MANY} tasks: {per_second:.0}/s, p50 {p50:.1?}, p99 {p99:.1?}; {cpu_per_1000:.1?} CPU per 1,000"
        );
        bare.push(per_second);
        ours.push(in_a_folder(|folder| accepts(folder, MANY, length)));
    }
    let (bare, ours) = (median(bare), median(ours));
    table.add("bare storage rule, 64 tasks", (bare, "/s"), None);
    table.add("accepts, 64 connections, delivering", (ours, "/s"), None);
    table.add("  beside the bare rule", (ours / bare, "×"), at_least(0.5));
}

fn rival(table: &mut Table, length: Duration, rounds: usize) {
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let figures = in_a_folder(|folder| {
            let alertmanager = Alertmanager::start(folder);
            closed_loop::run(alertmanager.target(), FEW, length, u64::MAX)
        });
        println!("Alertmanager, {FEW} connections: {figures}");
        theirs.push(figures.per_second);
        ours.push(in_a_folder(|folder| accepts(folder, FEW, length)));
    }
    let (theirs, ours) = (median(theirs), median(ours));
    table.add("Alertmanager accepts, 8 connections, in memory", (theirs, "/s"), None);
    table.add("accepts, 8 connections, delivering", (ours, "/s"), None);
    table.add("  beside Alertmanager", (ours / theirs, "×"), at_least(0.6));
}

fn paced(table: &mut Table, seconds: u32) {
    let figures = in_a_folder(|folder| {
        let mut fake = Fake::start(folder);
        let mut server = Server::start(folder, &fake, 1);
        let target = Target::bongsu(server.address);
        open_loop::run(target, PACE, PACE);
        fake.begin();
        let cpu = server.process.cpu_seconds();
        let figures = open_loop::run(target, PACE, PACE * seconds);
        let cpu = (server.process.cpu_seconds() - cpu) / f64::from(seconds);
        println!("at {PACE}/s: {figures}; {}; {cpu:.3} CPU-s per 1,000", fake.report());
        server.process.assert_runs();
        figures
    });
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    table.add("accept at 1,000/s, p50", (millis(figures.p50), "ms"), None);
    table.add("accept at 1,000/s, p99", (millis(figures.p99), "ms"), below(25.0));
}

fn at_least(at: f64) -> Option<Bar> {
    Some(Bar { at, is_ceiling: false })
}

/// Accepts per second over so many connections, in an empty store.
fn accepts(folder: &Path, connections: usize, length: Duration) -> f64 {
    let mut fake = Fake::start(folder);
    let mut server = Server::start(folder, &fake, 1);
    let target = Target::bongsu(server.address);
    closed_loop::run(target, connections, Duration::from_secs(1), u64::MAX);
    let cpu = server.process.cpu_seconds();
    fake.begin();
    let figures = closed_loop::run(target, connections, length, u64::MAX);
    let report = fake.report();
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    let cpu = (server.process.cpu_seconds() - cpu) / figures.events as f64 * 1e3;
    server.process.assert_runs();
    println!("{connections} connections: {figures}; {cpu:.3} CPU-s per 1,000");
    println!("  meanwhile {report}");
    figures.per_second
}

fn in_a_folder<T>(run: impl FnOnce(&Path) -> T) -> T {
    // Beside the build, not in /tmp: that is memory on many machines, where a sync costs nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    run(folder.path())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().expect("at least one round")
}
