//! `cargo bench --bench memory [-- --full]`: memory of the program, idle and after 120,000 alerts; with
//! `--full` also after 1,000,000, and how long the store then takes to open again (minutes).

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
#[path = "common/process.rs"]
mod process;
#[path = "common/server.rs"]
mod server;
#[path = "common/table.rs"]
mod table;
#[path = "common/wire.rs"]
mod wire;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

use self::{
    arguments::value_of,
    arrival::arrived,
    clock::now,
    fake::Fake,
    process::Process,
    server::{KEY, Server},
    table::{Table, below},
    wire::Target,
};

const CONNECTIONS: usize = 64;

/// Alerts of the measurement, and of the one with `--full`.
const MANY: u64 = 120_000;
const FULL: u64 = 1_000_000;

/// After its start or its last push the program has so long to become quiet.
const QUIET: Duration = Duration::from_secs(2);

fn main() {
    if let Some(folder) = value_of(fake::ROLE) {
        return fake::play(Path::new(&folder));
    }
    // Beside the build, not in /tmp: that is memory on many machines, where a sync costs nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let folder = folder.path();
    let mut table = Table::default();
    let mut fake = Fake::start(folder);
    let server = Server::start(folder, &fake, 1);
    thread::sleep(QUIET);
    table.add("memory, idle", (memory(&server.process, "VmRSS"), "MB"), Some(below(30.0)));

    fill(&mut fake, &server, MANY);
    let resident = memory(&server.process, "VmRSS");
    table.add("memory after 120,000 alerts", (resident, "MB"), Some(below(250.0)));
    table.add("  highest until then", (memory(&server.process, "VmHWM"), "MB"), None);
    if std::env::args().any(|argument| argument == "--full") {
        fill(&mut fake, &server, FULL - MANY);
        table.add(
            "memory after 1,000,000 alerts",
            (memory(&server.process, "VmRSS"), "MB"),
            Some(below(420.0)),
        );
        table.add("  highest until then", (memory(&server.process, "VmHWM"), "MB"), None);
        table.add("store of 1,000,000 alerts on disk", (megabytes_in(&folder.join("alerts")), "MB"), None);
        table.add("  listing what is triggered", (listing(&server), "ms"), Some(below(50.0)));
        // By SIGKILL: what it takes after a crash.
        drop(server);
        let server =
            start_again(&mut table, "  from a start after SIGKILL to its first answer", folder, &fake);
        stop(&server);
        drop(server);
        let server = start_again(&mut table, "  from a start after an end in order to it", folder, &fake);
        table.add("  listing what is triggered", (listing(&server), "ms"), Some(below(50.0)));
    }
    println!("\n{table}");
}

/// How long until it answers, what it does then, and what it takes.
fn start_again(table: &mut Table, what: &'static str, folder: &Path, fake: &Fake) -> Server {
    let began = now();
    let server = Server::start(folder, fake, 1);
    table.add(what, (began.elapsed().as_secs_f64(), "s"), Some(below(3.0)));
    thread::sleep(QUIET);
    let cpu = server.process.cpu_seconds();
    thread::sleep(QUIET);
    let share = (server.process.cpu_seconds() - cpu) / QUIET.as_secs_f64();
    table.add("    of a core 2 s later", (share, "×"), Some(below(0.02)));
    // 400 MiB.
    table.add("    memory then", (memory(&server.process, "VmRSS"), "MB"), Some(below(420.0)));
    table.add("    highest until then", (memory(&server.process, "VmHWM"), "MB"), None);
    server
}

/// Asks it to end in order, and waits until it has.
fn stop(server: &Server) {
    let id = server.process.id();
    let asked = Command::new("kill").args(["-TERM", &id.to_string()]).status();
    assert!(asked.expect("kill is there").success());
    while fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        thread::sleep(Duration::from_millis(5));
    }
}

/// How long the first page of open alerts takes, in ms: the slowest of ten.
fn listing(server: &Server) -> f64 {
    let ask = || {
        let began = now();
        let mut stream = TcpStream::connect(server.address).expect("it listens");
        let request = format!(
            "GET /v1/alerts?state=triggered HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\
             authorization: Bearer {KEY}-of-jin\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"alerts\":[{"), "{answer:.200}");
        began.elapsed().as_secs_f64() * 1e3
    };
    (0..10).map(|_| ask()).fold(0.0, f64::max)
}

/// Posts so many alerts and waits until all are pushed.
fn fill(fake: &mut Fake, server: &Server, alerts: u64) {
    fake.begin();
    let began = now();
    let target = Target::bongsu(server.address);
    let accepts = closed_loop::run(target, CONNECTIONS, Duration::MAX, alerts);
    let report = arrived(fake, alerts);
    println!("{accepts}");
    println!("{report}, {:.1?} in all, {:.1} CPU-s", began.elapsed(), server.process.cpu_seconds());
    thread::sleep(QUIET);
}

/// A figure of `/proc/PID/status`, in megabytes.
fn memory(process: &Process, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of that name");
    let kibibytes: f64 = line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().expect("a number");
    kibibytes * 1_024.0 / 1e6
}

fn megabytes_in(folder: &Path) -> f64 {
    let entries = fs::read_dir(folder).expect("a folder");
    let lengths =
        entries.map(|entry| entry.and_then(|entry| entry.metadata()).map_or(0, |entry| entry.len()));
    #[expect(clippy::cast_precision_loss, reason = "a size far below 2^52")]
    let bytes = lengths.sum::<u64>() as f64;
    bytes / 1e6
}
