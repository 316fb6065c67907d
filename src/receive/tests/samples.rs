//! Every sample of `tests/fixtures`, and the alerts that it is: by name of sender and file in a snapshot.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use super::*;

/// The folder of a kind's samples; `prometheus` is what posts to an Alertmanager, and `zabbix_sources` holds
/// events of Zabbix that no trigger makes.
const FOLDERS: [(&str, IntegrationKind); 9] = [
    ("zabbix", IntegrationKind::Zabbix),
    ("zabbix_sources", IntegrationKind::Zabbix),
    ("grafana", IntegrationKind::Grafana),
    ("alertmanager", IntegrationKind::Alertmanager),
    ("prometheus", IntegrationKind::Alertmanager),
    ("munin", IntegrationKind::Munin),
    ("whatap", IntegrationKind::Whatap),
    ("uptime_kuma", IntegrationKind::UptimeKuma),
    ("generic", IntegrationKind::Generic),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn status(event: &Event) -> String {
    match &event.status {
        _ if event.kind.is_test() => "test".to_owned(),
        EventStatus::Firing => "firing".to_owned(),
        EventStatus::Resolved { escalation_cancelled: true, .. } => "cancelled".to_owned(),
        EventStatus::Resolved { .. } => "resolved".to_owned(),
        EventStatus::Update(update) => match update.acknowledged {
            Some(true) => "acknowledged".to_owned(),
            Some(false) => "unacknowledged".to_owned(),
            None => format!("noted {:?}", update.comment.as_deref().unwrap_or_default()),
        },
    }
}

/// One line for what people are told, one for the rest.
pub(super) fn describe(event: &Event) -> String {
    let severity = event.severity.map_or("-", Severity::as_str);
    let unknown = event.unknown_severity.as_ref().map(|word| format!(" ({word}?)")).unwrap_or_default();
    let mut text = format!("{} {severity}{unknown} [{}] {}", status(event), event.dedup_key, event.title);
    if !event.body.is_empty() {
        write!(text, "\n    | {}", event.body.replace('\n', "\n    | ")).expect("a String");
    }
    let time = |name: &str, time: Option<Timestamp>| time.map(|time| format!("{name} {time}"));
    let times = [time("from", event.starts_at), time("said", event.said_at), time("to", event.ended_at)];
    let mut facts: Vec<String> = times.into_iter().flatten().collect();
    facts.extend(event.severity_at_start.map(|severity| format!("{severity} at the start")));
    facts.extend((event.kind == crate::alert::Kind::Occurrence).then(|| "told once".to_owned()));
    facts.extend(event.expires_after.map(|after| format!("expires after {after:#}")));
    facts.extend(event.source_url.clone());
    facts.extend(event.labels.iter().map(|(name, value)| format!("{name}={value}")));
    if !facts.is_empty() {
        write!(text, "\n    {}", facts.join(" · ")).expect("a String");
    }
    text
}

#[test]
fn every_sample_is_the_right_alerts() {
    for (folder, kind) in FOLDERS {
        let mut text = String::new();
        for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder)) {
            let body = fs::read(&file).expect("a sample");
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            writeln!(text, "{name}").expect("a String");
            // A time without a status is only worth something near its own.
            let at =
                if folder == "prometheus" { "2026-11-22T23:48:00Z".parse().expect("a time") } else { now() };
            match read(&integration(kind), None, &body, at) {
                Reading::Events(events) => {
                    for event in &events {
                        writeln!(text, "  {}", describe(event)).expect("a String");
                    }
                }
                Reading::Unreadable { reason } => writeln!(text, "  UNREADABLE: {reason}").expect("a String"),
            }
        }
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(folder, text) });
    }
}
