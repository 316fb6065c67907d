//! `cargo bench --bench bare_store [-- --seconds 3]`: durable admits through our store, beside the
//! bare storage rule on the same machine in the same run. The ratio is the figure to look at.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "common/bare_store.rs"]
mod bare_store;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use bongsu::{
    alert::{
        Alert, AlertId, ContactName, ContactTelling, Cycle, DedupKey, DeviceId, Event, Milestone, PushRoad,
        RoadState, Severity, SmsRoad, Subject, Telling,
    },
    store::{AlertWrite, Commit, Expect, Lane, SledStore, Store},
};
use jiff::Timestamp;

use self::bare_store::{Figures, measure};

const TASKS: [usize; 3] = [1, 8, 64];
const SECONDS: f64 = 3.0;

fn main() {
    let seconds = seconds_asked().unwrap_or(SECONDS);
    let bytes = serde_json::to_vec(&write_of(1).alert).expect("an alert is JSON").len();
    println!(
        "durable admits, {seconds} s each; bare value {} bytes, our document {bytes} bytes",
        bare_store::VALUE_BYTES
    );
    println!(
        "{:>5}  {:>30}  {:>30}  {:>5}",
        "tasks", "bare rule /s  (p50 / p99 ms)", "our store /s  (p50 / p99 ms)", "ratio"
    );
    for tasks in TASKS {
        let bare = in_a_folder(|dir| bare_store::run(tasks, seconds, dir));
        let ours = in_a_folder(|dir| run_store(tasks, seconds, dir));
        let ratio = ours.per_second / bare.per_second;
        println!("{tasks:>5}  {:>30}  {:>30}  {ratio:>5.2}", shown(bare), shown(ours));
    }
}

fn run_store(tasks: usize, seconds: f64, dir: &Path) -> Figures {
    let store = Arc::new(SledStore::open(dir).expect("an empty folder"));
    measure(tasks, seconds, move |number| {
        let store = Arc::clone(&store);
        async move {
            let commits = store.commit(Lane::Accept, vec![write_of(number)]).await.expect("writable");
            assert!(matches!(commits.as_slice(), [Commit::Done(1)]), "every number comes once");
        }
    })
}

fn in_a_folder(run: impl FnOnce(&Path) -> Figures) -> Figures {
    // Beside the build, not in /tmp: that is memory on many machines, where a sync costs nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    run(folder.path())
}

fn shown(figures: Figures) -> String {
    let Figures { per_second, p50, p99 } = figures;
    format!("{per_second:.0}  ({:.2} / {:.2})", p50.as_secs_f64() * 1e3, p99.as_secs_f64() * 1e3)
}

fn seconds_asked() -> Option<f64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--seconds").skip(1);
    arguments.next().map(|seconds| seconds.parse().expect("--seconds takes a number"))
}

/// Opens an alert with a body of about 700 bytes that is told to one contact.
fn write_of(number: u64) -> AlertWrite {
    let now = Timestamp::from_millisecond(1_700_000_000_000 + i64::try_from(number / 16).unwrap_or(0))
        .expect("in range");
    let mut entropy = [7; 10];
    entropy.iter_mut().zip(number.to_be_bytes()).for_each(|(byte, from)| *byte = from);
    let push = PushRoad { device: DeviceId(number), attempts: 0, state: RoadState::Ready };
    let cycle = Cycle {
        subject: Subject::Opened,
        since: now,
        pushes: vec![push],
        push_accepted: false,
        push_failed: None,
        sms: SmsRoad::Standby { deadline: now },
    };
    let contact = ContactTelling { cycles: vec![cycle], ..ContactTelling::default() };
    let jin: ContactName = "jin".parse().expect("a name");
    let event = Event {
        severity: Some(Severity::High),
        body: "Free space is below 5 % for 15 minutes; the growth of the last hour fills it by 04:10.\n"
            .repeat(8),
        labels: BTreeMap::from([
            ("host".to_owned(), format!("db-{number}")),
            ("site".to_owned(), "seoul".to_owned()),
        ]),
        source_url: Some(format!("https://zabbix.example/tr_events.php?triggerid=16199&eventid={number}")),
        ..Event::firing(
            DedupKey::new(number.to_string()),
            format!("Disk /dev/vda{} is almost full on db-{number}.example", number % 9),
        )
    };
    let telling = Telling {
        planned: [Milestone::Opened].into(),
        contacts: BTreeMap::from([(jin, contact)]),
        ..Telling::default()
    };
    let alert = Alert { telling, ..Alert::opened(AlertId::new(now, entropy), "zabbix", &event, now) };
    AlertWrite { alert, expect: Expect::NewRound, due: Some(now), chunk: Vec::new(), release: false }
}
