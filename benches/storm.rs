//! `cargo bench --bench storm [-- --part up|throttling|down]`: 2,800 alerts at once for ten people, on
//! the real clock, against the sandbox as Google and as the SMS company. How fast somebody knows, how
//! soon everybody does, what it costs, and what it takes. What is told to whom, and that nothing is
//! lost or counted twice, is checked alert by alert in `tests/it/storm.rs`.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "common/arguments.rs"]
mod arguments;
#[path = "common/parts.rs"]
#[expect(dead_code, reason = "a storm takes as long as it takes")]
mod parts;
#[path = "common/process.rs"]
#[expect(dead_code, reason = "it plays no other role")]
mod process;
#[path = "common/site.rs"]
mod site;
#[path = "common/table.rs"]
mod table;

use std::{collections::HashMap, fs, path::Path};

use bongsu::{
    clock::{Clock as _, SystemClock},
    deliver::sms::{Encoding, segments as segments_of},
    sandbox::{Answer, Options, Sandbox},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    parts::wants,
    process::Process,
    site::{Client, People, Site},
    table::{Table, below},
};

/// Alerts of the storm.
const ALERTS: usize = 2_800;

/// People who are told.
const PEOPLE: usize = 10;

/// One in so many is a disaster.
const DISASTERS_ONE_IN: usize = 10;

/// Alerts in one body.
const ALERTS_PER_BODY: usize = 700;

/// Segments a person may get in an hour, both budgets together.
const SEGMENTS_MAX: u32 = 40 + 20;

/// Longest time until everybody knows of everything.
const PATIENCE: SignedDuration = SignedDuration::from_mins(4);

/// Nothing new is held back for so long: nothing more comes.
const QUIET: SignedDuration = SignedDuration::from_secs(40);

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let mut table = Table::default();
    for (weather, words, answer) in [
        ("up", "FCM up: first push after", Answer::Ok),
        ("throttling", "FCM throttling: first push tried after", Answer::quota(Some(60))),
        ("down", "FCM down: first push tried after", Answer::internal()),
    ] {
        if wants(weather) {
            let figures = runtime.block_on(storm(answer));
            let Figures { pushes, texts, .. } = figures;
            println!("FCM {weather}: {pushes} pushes asked for, {texts} texts, {} digests", figures.digests);
            table.add(words, (figures.first, "s"), Some(below(2.0)));
            table.add(
                "  everybody knows of every disaster after",
                (figures.disasters, "s"),
                Some(below(60.0)),
            );
            table.add("  everybody knows of everything after", (figures.known, "s"), None);
            let bar = below(f64::from(SEGMENTS_MAX) + 1.0);
            table.add("  most for one person", (figures.most, "segments"), Some(bar));
            table.add("  memory, highest", (figures.memory, "MB"), Some(below(250.0)));
        }
    }
    println!("\n{table}");
}

struct Figures {
    /// From the first alert to the first push at Google, in seconds.
    first: f64,
    /// From the first alert until the last digest of disasters was told, in seconds.
    disasters: f64,
    /// Until the last digest was.
    known: f64,
    pushes: u64,
    texts: usize,
    digests: usize,
    /// Segments of whoever got most.
    most: f64,
    /// Highest resident memory, in megabytes.
    memory: f64,
}

async fn storm(answer: Answer) -> Figures {
    // Beside the build, not in /tmp: that is memory on many machines, where a sync costs nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (tasks, stop, clock) = (TaskTracker::new(), CancellationToken::new(), SystemClock::start());
    let sandbox = Sandbox::start(Options::default(), clock.clone(), &tasks, stop.clone()).await;
    let sandbox = sandbox.expect("any free port");
    sandbox.fcm().always(answer);
    let people = People { count: PEOPLE, devices: 1, fcm: "" };
    let Site { client, process } = site::serve(ours(), folder.path(), &sandbox, people, &clock).await;

    let began = clock.now();
    for body in bodies() {
        client.post(body).await;
    }
    let digests = digests(&client, &clock).await;
    let told = |digests: &mut dyn Iterator<Item = &Digest>| digests.map(|digest| digest.told_at).max();
    let disasters =
        told(&mut digests.iter().filter(|digest| digest.is_grave)).expect("a digest of disasters");
    let known = told(&mut digests.iter()).expect("a digest");
    let seconds = |at: Timestamp| at.duration_since(began).as_secs_f64();
    let first = sandbox.fcm().pushes().iter().map(|push| push.at).min().expect("a push");
    let texts: Vec<_> = sandbox.sms().texts().into_iter().filter(|text| text.accepted).collect();
    let mut segments: HashMap<String, u32> = HashMap::new();
    for text in &texts {
        // What was sent is what was made to fit, in whichever of the two it fits.
        let cost = segments_of(&text.text, Encoding::Gsm7).min(segments_of(&text.text, Encoding::Ucs2));
        *segments.entry(text.to.clone()).or_default() += u32::from(cost);
    }
    let figures = Figures {
        first: seconds(first),
        disasters: seconds(disasters),
        known: seconds(known),
        pushes: sandbox.fcm().counts().seen,
        texts: texts.len(),
        digests: digests.len(),
        most: f64::from(segments.values().copied().max().unwrap_or(0)),
        memory: memory(&process),
    };
    stop.cancel();
    figures
}

/// A digest that has been told.
struct Digest {
    is_grave: bool,
    told_at: Timestamp,
}

impl Digest {
    fn read(alert: &Value) -> Option<Self> {
        let told_at = alert.pointer("/resolved/at").and_then(Value::as_str)?.parse().ok()?;
        Some(Self { is_grave: alert.get("severity").is_some_and(|severity| severity == "disaster"), told_at })
    }
}

/// Waits until no digest waits any more and nothing new is held back.
async fn digests(client: &Client, clock: &SystemClock) -> Vec<Digest> {
    let began = clock.now();
    let (mut last, mut count) = (began, 0);
    loop {
        let page = client.get("/v1/alerts?integration=bongsu&limit=500").await.expect("it answers");
        let alerts = page.get("alerts").and_then(Value::as_array).expect("alerts");
        let told: Vec<Digest> = alerts.iter().filter_map(Digest::read).collect();
        let all_told = told.len() == alerts.len() && !alerts.is_empty();
        if alerts.len() != count || !all_told {
            (last, count) = (clock.now(), alerts.len());
        } else if QUIET <= clock.now().duration_since(last) {
            return told;
        }
        assert!(clock.now().duration_since(began) < PATIENCE, "digests wait: {page}");
        clock.sleep(SignedDuration::from_millis(200)).await;
    }
}

fn ours() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_bongsu"))
}

fn bodies() -> Vec<String> {
    let alert = |number: usize| {
        let severity = if number.is_multiple_of(DISASTERS_ONE_IN) {
            "disaster"
        } else if number.is_multiple_of(3) {
            "average"
        } else {
            "high"
        };
        json!({ "title": format!("host{number} down"), "dedup_key": number, "severity": severity })
    };
    let alerts: Vec<Value> = (0..ALERTS).map(alert).collect();
    alerts.chunks(ALERTS_PER_BODY).map(|chunk| Value::Array(chunk.to_vec()).to_string()).collect()
}

/// Highest resident memory until now, in megabytes.
fn memory(process: &Process) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line of that name");
    let kibibytes: f64 = line.trim_matches([' ', '\t', 'k', 'B']).parse().expect("a number");
    kibibytes * 1_024.0 / 1e6
}
