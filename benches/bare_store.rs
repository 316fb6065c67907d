//! `cargo bench --bench bare_store [-- --seconds 3]`: durable admits through our store, beside the
//! bare storage rule on the same machine in the same run. The ratio is the figure to look at.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "common/bare_store.rs"]
mod bare_store;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use bongsu::{
    alert::{
        Alert, AlertId, ContactName, ContactProgress, DedupKey, DeviceId, DevicePush, Event, Milestone,
        Notification, Pending, Progress, PushState, Severity, Subject, TextState,
    },
    store::{AlertWrite, Commit, Expect, Lane, Marks, SledStore, Store},
};
use jiff::Timestamp;

use self::bare_store::{Figures, measure};

const TASKS: [usize; 3] = [1, 8, 64];
const SECONDS: f64 = 3.0;
const ROUNDS: usize = 3;

fn main() {
    let seconds = number_asked("--seconds").unwrap_or(SECONDS);
    let rounds = number_asked("--rounds").unwrap_or(ROUNDS).max(1);
    let bytes = serde_json::to_vec(&write_of(1).alert).expect("an alert is JSON").len();
    println!(
        "durable admits: medians of {rounds} rounds of {seconds} s, the two in turn; \
         bare value {} bytes, our document {bytes} bytes",
        bare_store::VALUE_BYTES
    );
    println!(
        "{:>5}  {:>44}  {:>44}  ratio (lowest to highest)",
        "tasks", "bare rule /s (p50 / p99 ms; CPU ms per 1,000)", "our store /s (the same)"
    );
    for tasks in TASKS {
        let pairs: Vec<(Figures, Figures)> = (0..rounds)
            .map(|round| {
                let bare = || in_a_folder(|dir| bare_store::run(tasks, seconds, dir));
                let ours = || in_a_folder(|dir| run_store(tasks, seconds, dir));
                // In turn, so that neither always runs on what the other has warmed up.
                if round % 2 == 0 {
                    let bare = bare();
                    (bare, ours())
                } else {
                    let ours = ours();
                    (bare(), ours)
                }
            })
            .collect();
        let (bare, ours): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
        let ratios = pairs.iter().map(|(bare, ours)| ours.per_second / bare.per_second);
        let (low, high) =
            ratios.fold((f64::MAX, 0.0_f64), |(low, high), ratio| (low.min(ratio), high.max(ratio)));
        let ratio = median(&ours, |figures| figures.per_second) / median(&bare, |figures| figures.per_second);
        println!(
            "{tasks:>5}  {:>44}  {:>44}  {ratio:.2} ({low:.2} to {high:.2})",
            shown(&bare),
            shown(&ours)
        );
    }
}

fn run_store(tasks: usize, seconds: f64, dir: &Path) -> Figures {
    let store = Arc::new(SledStore::open(dir).expect("an empty folder"));
    measure(tasks, seconds, move |number| {
        let store = Arc::clone(&store);
        async move {
            let commits = store.commit(Lane::Accept, &[write_of(number)]).await.expect("writable");
            assert!(matches!(commits.as_slice(), [Commit::Done(1)]), "every number comes once");
        }
    })
}

fn in_a_folder(run: impl FnOnce(&Path) -> Figures) -> Figures {
    // Beside the build, not in /tmp: that is memory on many machines, where a sync costs nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    run(folder.path())
}

fn median(rounds: &[Figures], figure: impl Fn(&Figures) -> f64) -> f64 {
    let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn shown(rounds: &[Figures]) -> String {
    let per_second = median(rounds, |figures| figures.per_second);
    let p50 = median(rounds, |figures| figures.p50.as_secs_f64() * 1e3);
    let p99 = median(rounds, |figures| figures.p99.as_secs_f64() * 1e3);
    let cpu = median(rounds, |figures| figures.cpu_per_1000.map_or(f64::NAN, |cpu| cpu.as_secs_f64() * 1e3));
    format!("{per_second:.0} ({p50:.2} / {p99:.2}; {cpu:.0})")
}

fn number_asked<T: std::str::FromStr>(name: &str) -> Option<T> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next().map(|number| number.parse().unwrap_or_else(|_| panic!("{name} takes a number")))
}

/// Opens an alert with a body of about 700 bytes that is told to one contact.
fn write_of(number: u64) -> AlertWrite {
    let now = Timestamp::from_millisecond(1_700_000_000_000 + i64::try_from(number / 16).unwrap_or(0))
        .expect("in range");
    let mut entropy = [7; 10];
    entropy.iter_mut().zip(number.to_be_bytes()).for_each(|(byte, from)| *byte = from);
    let push = DevicePush { device: DeviceId(number), attempts: 0, state: Pending::Ready };
    let notification = Notification {
        subject: Subject::Opened,
        since: now,
        push: PushState { open: vec![push], ..PushState::default() },
        text: TextState::Standby { deadline: Some(now) },
        replaced: false,
    };
    let contact = ContactProgress { notifications: vec![notification], ..ContactProgress::default() };
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
    let progress = Progress {
        planned: [Milestone::Opened].into(),
        contacts: BTreeMap::from([(jin, contact)]),
        ..Progress::default()
    };
    let alert = Alert { progress, ..Alert::opened(AlertId::new(now, entropy), "zabbix", &event, now) };
    let (chunk, marks) = (Vec::new(), Marks::default());
    AlertWrite { alert, expect: Expect::FIRST_ROUND, due: Some(now), chunk, marks, plan: None }
}
