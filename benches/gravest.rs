//! `cargo bench --bench gravest [-- --binary PROGRAM] [--part crowd|backlog]`: how long the text of a disaster takes while
//! 2,800 averages are pushed to 500 devices, and behind 300,000 informations. Of another program with `--binary`. By an
//! injected clock the same is checked in `src/dispatch/tests/room.rs`.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "common/arguments.rs"]
mod arguments;
#[path = "common/parts.rs"]
#[expect(dead_code, reason = "it takes as long as it takes")]
mod parts;
#[path = "common/process.rs"]
#[expect(dead_code, reason = "it plays no other role")]
mod process;
#[path = "common/site.rs"]
mod site;
#[path = "common/table.rs"]
mod table;

use std::{path::Path, time::Duration};

use bongsu::{
    clock::{Clock as _, SystemClock},
    sandbox::{Answer, Options, Sandbox},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    arguments::value_of,
    parts::wants,
    site::{People, Site},
    table::{Table, below},
};

const ALERTS_PER_BODY: usize = 2_800;

/// From the last of the less grave alerts to the disaster.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

const PATIENCE: SignedDuration = SignedDuration::from_mins(3);

/// What it is in the way of.
struct Crowd {
    what: &'static str,
    alerts: usize,
    severity: &'static str,
    people: People,
    fcm: Answer,
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let program = value_of("--binary").unwrap_or_else(|| env!("CARGO_BIN_EXE_bongsu").to_owned());
    let mut table = Table::default();
    let crowd = |what, fcm| Crowd {
        what,
        alerts: 2_800,
        severity: "average",
        people: People { count: 1, devices: 500, fcm: "per_device = []" },
        fcm,
    };
    let mut crowds = Vec::new();
    if wants("crowd") {
        crowds.extend([
            crowd("text of a disaster, FCM takes 0.3 s", Answer::SlowOk(Duration::from_millis(300))),
            crowd("text of a disaster, FCM takes 3 s", Answer::SlowOk(Duration::from_secs(3))),
            crowd("text of a disaster, FCM hangs", Answer::Hang),
        ]);
    }
    if wants("backlog") {
        crowds.push(Crowd {
            what: "text of a disaster behind 300,000 informations",
            alerts: 300_000,
            severity: "information",
            people: People { count: 2, devices: 1, fcm: "" },
            fcm: Answer::Ok,
        });
    }
    for crowd in crowds {
        let what = crowd.what;
        let seconds = runtime.block_on(until_text(Path::new(&program), crowd));
        println!("{what}: {seconds:.2} s");
        table.add(what, (seconds, "s"), Some(below(2.0)));
    }
    println!("\n{table}");
}

/// From the answer to the disaster until its text is at the gateway, in seconds.
async fn until_text(program: &Path, crowd: Crowd) -> f64 {
    // Beside the build, not in /tmp: that is memory on many machines, where a sync costs nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (tasks, stop, clock) = (TaskTracker::new(), CancellationToken::new(), SystemClock::start());
    let sandbox = Sandbox::start(Options::default(), clock.clone(), &tasks, stop.clone()).await;
    let sandbox = sandbox.expect("any free port");
    sandbox.fcm().always(crowd.fcm);
    let Site { client, mut process } =
        site::serve(program, folder.path(), &sandbox, crowd.people, &clock).await;

    let severity = crowd.severity;
    let alert = |number: usize| json!({ "title": format!("host{number} slow"), "dedup_key": number, "severity": severity });
    for first in (0..crowd.alerts).step_by(ALERTS_PER_BODY) {
        let alerts = first..crowd.alerts.min(first + ALERTS_PER_BODY);
        client.post(Value::Array(alerts.map(alert).collect()).to_string()).await;
    }
    clock.sleep(PAUSE).await;
    client
        .post(json!({ "title": "no power", "dedup_key": "power", "severity": "disaster" }).to_string())
        .await;

    let answered = clock.now();
    let text_at = || -> Option<Timestamp> {
        let texts = sandbox.sms().texts();
        texts.iter().filter(|text| text.text.contains("no power")).map(|text| text.at).min()
    };
    let at = loop {
        if let Some(at) = text_at() {
            break at;
        }
        process.assert_runs();
        assert!(clock.now().duration_since(answered) < PATIENCE, "no text of the disaster");
        clock.sleep(SignedDuration::from_millis(5)).await;
    };
    stop.cancel();
    at.duration_since(answered).as_secs_f64().max(0.0)
}
