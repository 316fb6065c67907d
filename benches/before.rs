//! `cargo bench --bench before -- --binary PATH [--part accept|life|fan-out] [--rounds 3] [--seconds 8]`: this program
//! beside an earlier one of it, whose binary is at PATH, in turns. Other load on the machine moves both; the ratios are
//! the figures to look at.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "common/arguments.rs"]
mod arguments;
#[path = "common/arrival.rs"]
mod arrival;
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
#[expect(dead_code, reason = "it starts either of two programs")]
mod server;
#[path = "common/table.rs"]
mod table;
#[path = "common/wire.rs"]
mod wire;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use self::{
    arguments::value_of,
    arrival::arrived,
    clock::now,
    fake::Fake,
    parts::{seconds, wants},
    server::{OURS, Server},
    table::{Bar, Table, below},
    wire::Target,
};

/// Senders at a time.
const CONNECTIONS: [(usize, &str, f64); 3] = [
    (1, "accepts, 1 connection", 1.0),
    (8, "accepts, 8 connections", 1.15),
    (64, "accepts, 64 connections", 1.0),
];

/// Length of one measurement unless `--seconds` says, in seconds.
const SECONDS: u32 = 8;

/// How often the two take turns unless `--rounds` says.
const ROUNDS: usize = 3;

/// Alerts whose whole life is measured, and of these that come before.
const LIVES: u64 = 20_000;
const WARM_UP: u64 = 2_000;

/// Devices of the fan-out, and how many alerts go to them, how many a second.
const DEVICES: u32 = 500;
const FAN_OUT_ALERTS: u32 = 200;
const FAN_OUT_PACE: u32 = 1_000;

fn main() {
    if let Some(folder) = value_of(fake::ROLE) {
        return fake::play(Path::new(&folder));
    }
    let Some(before) = value_of("--binary").map(PathBuf::from) else {
        println!("nothing to compare with: name the binary of an earlier program by --binary PATH");
        return;
    };
    let length = Duration::from_secs(seconds(SECONDS).into());
    let rounds = value_of("--rounds").map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    let pair = Pair { before, rounds };
    let mut table = Table::default();
    if wants("accept") {
        for (connections, what, least) in CONNECTIONS {
            let [before, now] = pair.medians(|program| [accepts(program, connections, length)]);
            add(&mut table, what, (before[0], now[0], "/s"), at_least(least));
        }
    }
    if wants("life") {
        let [before, now] = pair.medians(life);
        add(&mut table, "CPU of an alert's life", (before[0], now[0], "µs"), below(1.0));
        add(&mut table, "written to the disk in an alert's life", (before[1], now[1], "KiB"), below(0.7));
        add(&mut table, "alerts told in a second, input unlimited", (before[2], now[2], "/s"), at_least(1.0));
    }
    if wants("fan-out") {
        let [before, now] = pair.medians(|program| [fan_out(program)]);
        add(&mut table, "messages, each alert to 500 devices", (before[0], now[0], "/s"), at_least(1.2));
    }
    println!("\n{table}");
}

fn at_least(at: f64) -> Bar {
    Bar { at, is_ceiling: false }
}

fn add(table: &mut Table, what: &'static str, (before, now, unit): (f64, f64, &'static str), ratio: Bar) {
    table.add(what, (now, unit), None);
    table.add("  before", (before, unit), None);
    table.add("  beside it", (now / before, "×"), Some(ratio));
}

/// The two that are compared.
struct Pair {
    before: PathBuf,
    rounds: usize,
}

impl Pair {
    /// What was measured of the earlier one, and of this: of each figure the median.
    fn medians<const N: usize>(&self, measure: impl Fn(&Path) -> [f64; N]) -> [[f64; N]; 2] {
        let (mut before, mut now) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            before.push(measure(&self.before));
            now.push(measure(Path::new(OURS)));
            println!("before {:.1?}, now {:.1?}", before.last(), now.last());
        }
        [before, now].map(|rounds| {
            std::array::from_fn(|figure| {
                let mut figures: Vec<f64> =
                    rounds.iter().filter_map(|round| round.get(figure).copied()).collect();
                figures.sort_by(f64::total_cmp);
                figures.get(figures.len() / 2).copied().expect("at least one round")
            })
        })
    }
}

/// Accepts per second over so many connections, in an empty store.
fn accepts(program: &Path, connections: usize, length: Duration) -> f64 {
    in_a_folder(|folder| {
        let mut fake = Fake::start(folder);
        let mut server = Server::start_program(program, folder, &fake, 1);
        let target = Target::bongsu(server.address);
        closed_loop::run(target, connections, Duration::from_secs(1), u64::MAX);
        fake.begin();
        let figures = closed_loop::run(target, connections, length, u64::MAX);
        server.process.assert_runs();
        println!("{connections} connections: {figures}; meanwhile {}", fake.report());
        figures.per_second
    })
}

/// CPU time in µs, KiB written, and how many a second: from the first event to the last push.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn life(program: &Path) -> [f64; 3] {
    in_a_folder(|folder| {
        let mut fake = Fake::start(folder);
        let server = Server::start_program(program, folder, &fake, 1);
        let target = Target::bongsu(server.address);
        closed_loop::run(target, 8, Duration::MAX, WARM_UP);
        arrived(&mut fake, WARM_UP);
        fake.begin();
        let (cpu, written, began) = (server.process.cpu_seconds(), bytes_written(&server), now());
        closed_loop::run(target, 8, Duration::MAX, LIVES);
        arrived(&mut fake, LIVES);
        let took = began.elapsed().as_secs_f64();
        // What is told is written a moment later.
        std::thread::sleep(Duration::from_secs(1));
        let cpu = server.process.cpu_seconds() - cpu;
        let written = bytes_written(&server) - written;
        let lives = LIVES as f64;
        [cpu * 1e6 / lives, written as f64 / 1024.0 / lives, lives / took]
    })
}

/// What it has caused to be written to a disk since its start.
fn bytes_written(server: &Server) -> u64 {
    let path = format!("/proc/{}/io", server.process.id());
    let io = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).expect("a line of that name")
}

fn fan_out(program: &Path) -> f64 {
    in_a_folder(|folder| {
        let mut fake = Fake::start(folder);
        let server = Server::start_program(program, folder, &fake, DEVICES);
        let messages = FAN_OUT_ALERTS * DEVICES;
        let (began, cpu) = (now(), server.process.cpu_seconds());
        open_loop::run(Target::bongsu(server.address), FAN_OUT_PACE, FAN_OUT_ALERTS);
        let report = arrived(&mut fake, u64::from(messages));
        let per_second = f64::from(messages) / began.elapsed().as_secs_f64();
        let cpu = (server.process.cpu_seconds() - cpu) / f64::from(messages) * 1e3;
        println!("{FAN_OUT_ALERTS} alerts to {DEVICES} devices: {report}; {cpu:.3} CPU-s per 1,000");
        per_second
    })
}

fn in_a_folder<T>(run: impl FnOnce(&Path) -> T) -> T {
    // Beside the build, not in /tmp: that is memory on many machines, where a sync costs nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    run(folder.path())
}
