//! `cargo bench --bench deliver [-- --part paced|sustained|fan-out] [--seconds 20]`: from an event to
//! the request at FCM, beside the bare HTTP client against the same fake in the same run.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "common/arguments.rs"]
mod arguments;
#[path = "common/arrival.rs"]
mod arrival;
#[path = "common/bare_reqwest.rs"]
mod bare_reqwest;
#[path = "common/clock.rs"]
mod clock;
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
    arguments::value_of,
    arrival::arrived,
    clock::now,
    fake::Fake,
    parts::{seconds, wants},
    server::Server,
    table::{Table, below},
    wire::Target,
};

/// Pace of the latency measurement, in alerts per second.
const PACE: u32 = 1_000;

/// The pace that must be kept up.
const SUSTAINED: u32 = 4_000;

/// Length of one measurement unless `--seconds` says, in seconds.
const SECONDS: u32 = 20;

/// Length of the bare loop.
const BARE: Duration = Duration::from_secs(5);

/// Devices of the fan-out, and how many alerts go to them, how many a second.
const DEVICES: u32 = 500;
const FAN_OUT_ALERTS: u32 = 200;
const FAN_OUT_PACE: u32 = 1_000;

fn main() {
    if let Some(folder) = value_of(fake::ROLE) {
        return fake::play(Path::new(&folder));
    }
    let seconds = seconds(SECONDS);
    let mut table = Table::default();
    if wants("paced") {
        in_a_folder(|folder| paced(&mut table, folder, seconds));
    }
    if wants("sustained") {
        in_a_folder(|folder| sustained(&mut table, folder, seconds));
    }
    if wants("fan-out") {
        in_a_folder(|folder| fan_out(&mut table, folder));
    }
    println!("\n{table}");
}

fn paced(table: &mut Table, folder: &Path, seconds: u32) {
    let (mut fake, server) = warmed_up(folder);
    let cpu = server.process.cpu_seconds();
    let accepts = open_loop::run(Target::bongsu(server.address), PACE, PACE * seconds);
    let report = arrived(&mut fake, u64::from(PACE * seconds));
    let cpu = (server.process.cpu_seconds() - cpu) / f64::from(seconds);
    println!("at {PACE}/s: {report}; {accepts}; {cpu:.3} CPU-s per 1,000");
    table.add("event to FCM request at 1,000/s, p50", millis(report.p50_micros), below(6.0));
    table.add("event to FCM request at 1,000/s, p99", millis(report.p99_micros), below(50.0));
}

fn sustained(table: &mut Table, folder: &Path, seconds: u32) {
    let (mut fake, server) = warmed_up(folder);
    let (events, length) = (SUSTAINED * seconds, Duration::from_secs(seconds.into()));
    let cpu = server.process.cpu_seconds();
    let began = now();
    let accepts = open_loop::run(Target::bongsu(server.address), SUSTAINED, events);
    let report = arrived(&mut fake, u64::from(events));
    let (took, cpu) = (began.elapsed(), server.process.cpu_seconds() - cpu);
    let cpu = cpu / f64::from(events) * 1e3;
    println!("at {SUSTAINED}/s: {report}; {accepts}; {cpu:.3} CPU-s per 1,000");
    let pushed = f64::from(events) / took.as_secs_f64();
    let lag = took.saturating_sub(length).as_secs_f64();
    let bare = bare_reqwest::run(&mut fake, folder, BARE);
    table.add("bare reqwest loop", (bare, "/s"), None);
    table.add("accept to push, input of 4,000/s", (pushed, "/s"), None);
    table.add("  last push behind the last event", (lag, "s"), below(1.0));
    table.add("  beside the bare loop", (pushed / bare, "×"), None);
}

fn fan_out(table: &mut Table, folder: &Path) {
    let mut fake = Fake::start(folder);
    let server = Server::start(folder, &fake, DEVICES);
    let messages = FAN_OUT_ALERTS * DEVICES;
    let began = now();
    open_loop::run(Target::bongsu(server.address), FAN_OUT_PACE, FAN_OUT_ALERTS);
    let report = arrived(&mut fake, u64::from(messages));
    let per_second = f64::from(messages) / began.elapsed().as_secs_f64();
    println!("{FAN_OUT_ALERTS} alerts to {DEVICES} devices: {report}");
    let bare = bare_reqwest::run(&mut fake, folder, BARE);
    table.add("bare reqwest loop", (bare, "/s"), None);
    table.add("messages, each alert to 500 devices", (per_second, "/s"), None);
    table.add("  beside the bare loop", (per_second / bare, "×"), None);
}

/// A server with its connections to FCM open, and nothing on record.
fn warmed_up(folder: &Path) -> (Fake, Server) {
    let mut fake = Fake::start(folder);
    let server = Server::start(folder, &fake, 1);
    open_loop::run(Target::bongsu(server.address), PACE, PACE);
    arrived(&mut fake, u64::from(PACE));
    fake.begin();
    (fake, server)
}

fn millis(micros: u64) -> (f64, &'static str) {
    (Duration::from_micros(micros).as_secs_f64() * 1e3, "ms")
}

fn in_a_folder(run: impl FnOnce(&Path)) {
    // Beside the build, not in /tmp: that is memory on many machines, where a sync costs nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    run(folder.path());
}
