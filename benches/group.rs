//! `cargo bench --bench group`: one Grafana body of 10,000 alerts, then the same body again; the answer to the second is
//! held against the first. Deliveries run meanwhile.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "common/arguments.rs"]
mod arguments;
#[path = "common/arrival.rs"]
mod arrival;
#[path = "common/clock.rs"]
mod clock;
#[path = "common/fake.rs"]
mod fake;
#[path = "common/process.rs"]
mod process;
#[path = "common/server.rs"]
mod server;
#[path = "common/table.rs"]
mod table;

use std::{fs, path::Path, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};

use self::{
    arguments::value_of,
    arrival::arrived,
    clock::now,
    fake::{Fake, MARK},
    process::Process,
    server::{KEY, Server},
    table::{Bar, Table, below},
};

/// Alerts in the body.
const ALERTS: usize = 10_000;

/// So often is the same body sent again; the slowest counts.
const REPEATS: usize = 5;

fn main() {
    if let Some(folder) = value_of(fake::ROLE) {
        return fake::play(Path::new(&folder));
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let folder = folder.path();
    let mut table = Table::default();
    let mut fake = Fake::start(folder);
    let server = Server::start(folder, &fake, 1);
    let body = body();
    println!("a body of {ALERTS} alerts, {} kB", body.len() / 1_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let idle = memory(&server.process, "VmRSS");

    fake.begin();
    let (first, admitted) = runtime.block_on(post(&server, body.clone()));
    assert_eq!(admitted, vec!["opened"; ALERTS], "nothing is lost");
    // Each is told once; what is told must not be in the way of the repeats.
    println!("{}", arrived(&mut fake, ALERTS as u64));
    let (mut slowest, cpu) = (Duration::ZERO, server.process.cpu_seconds());
    for _ in 0..REPEATS {
        let (took, admitted) = runtime.block_on(post(&server, body.clone()));
        assert_eq!(admitted, vec!["joined"; ALERTS], "all are known");
        println!("again: {took:?}");
        slowest = slowest.max(took);
    }
    table.add("10,000 alerts in one body, first", (first.as_secs_f64() * 1e3, "ms"), None);
    table.add("the same body again, slowest of five", (slowest.as_secs_f64() * 1e3, "ms"), None);
    println!("{:.3} CPU-s for {REPEATS} repeats", server.process.cpu_seconds() - cpu);
    let ratio = first.as_secs_f64() / slowest.as_secs_f64();
    table.add("  times faster", (ratio, "×"), Some(Bar { at: 5.0, is_ceiling: false }));
    table.add("memory, idle", (idle, "MB"), None);
    table.add("memory at most", (memory(&server.process, "VmHWM"), "MB"), Some(below(250.0)));
    println!("\n{table}");
}

fn body() -> String {
    let alert = |number: usize| {
        json!({
            "status": "firing",
            "labels": { "alertname": "DiskFull", "severity": "warning", "instance": format!("web{number:05}:9100"),
                        "grafana_folder": "Infra", "team": "web" },
            "annotations": { "summary": format!("disk of web{number:05} is full {MARK}1"),
                             "description": "/var has less than 5 % left." },
            "startsAt": "2026-11-22T10:00:00+09:00",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://g.example/alerting/grafana/r1/view?orgId=1",
            "fingerprint": format!("{number:016x}"),
            "silenceURL": "https://g.example/alerting/silence/new?x=1",
            "dashboardURL": "", "panelURL": "", "values": { "B": 95.2, "C": 1 }, "valueString": ""
        })
    };
    let alerts: Vec<Value> = (0..ALERTS).map(alert).collect();
    json!({ "receiver": "bongsu", "status": "firing", "orgId": 1, "alerts": alerts, "groupLabels": {},
            "commonLabels": {}, "commonAnnotations": {}, "externalURL": "https://g.example/", "version": "1",
            "groupKey": "{}:{}", "truncatedAlerts": 0, "title": "[FIRING:10000]", "state": "alerting" })
    .to_string()
}

/// How long until the whole answer was here, and what became of each alert.
#[expect(clippy::disallowed_methods, reason = "a bench's own client")]
async fn post(server: &Server, body: String) -> (Duration, Vec<String>) {
    let client = reqwest::Client::builder().build().expect("a client");
    let request = client
        .post(format!("http://{}/v1/events/grafana", server.address))
        .bearer_auth(format!("{KEY}-of-grafana"));
    let began = now();
    let answer = request.body(body).send().await.expect("it answers");
    assert_eq!(answer.status(), 202);
    let text = answer.text().await.expect("an answer is text");
    let took = began.elapsed();
    let answer: Answer = serde_json::from_str(&text).expect("an answer is JSON");
    (took, answer.results.into_iter().map(|result| result.admission).collect())
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Admitted>,
}

#[derive(Deserialize)]
struct Admitted {
    admission: String,
}

/// A line of the process's status, in megabytes.
fn memory(process: &Process, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of that name");
    let kibibytes: f64 = line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().expect("a number");
    kibibytes * 1_024.0 / 1e6
}
