//! Grafana's alerting before version 9: one rule in a body, by number.

use super::super::{
    BODY_BYTES_MAX, NOTE_BYTES_MAX, Reading,
    alertmanager::{Texts, texts},
    json::{Items, Pairs, scalar},
    labels::Labels,
    link,
    text::{one_line, tidy, tidy_body},
    title::with_host,
    words::{State, grade, state},
};
use crate::{
    alert::{DedupKey, Event, EventStatus, Update},
    config::Integration,
};

/// Most series of one rule that are shown.
const MATCHES_MAX: usize = 16;

/// `None` if it is nothing of the kind.
pub(in crate::receive) fn read(integration: &Integration, top: &Pairs<'_>) -> Option<Reading> {
    let rule_id = top.text("ruleId");
    if rule_id.is_none() && top.raw("evalMatches").is_none() {
        return None;
    }
    let name = top.text("ruleName").or_else(|| top.text("title"))?;
    let link = top.text("ruleUrl").and_then(|url| link::parse(&url));
    let host = link.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
    let items = top.raw("evalMatches").and_then(|raw| serde_json::from_str(raw).ok());
    let matches = items.as_ref().map(matches).unwrap_or_default();
    let word = top.text("state").unwrap_or_default();
    let mut tags = Texts::new();
    for found in &matches {
        tags.extend(found.tags.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    tags.retain(|name, _| !name.starts_with("__"));
    // The rule's own tags were written by a person.
    tags.extend(texts(top.raw("tags")));
    let hosts: Vec<&str> =
        ["instance", "host"].iter().filter_map(|name| tags.get(*name)).map(String::as_str).collect();
    let said = ["severity", "priority"].map(|name| tags.get(name).map(String::as_str)).into_iter().flatten();
    let grade = grade(&said.collect::<Vec<_>>(), &integration.severity);
    let message = top.text("message").unwrap_or_default();
    let lines: Vec<String> = std::iter::once(message).chain(matches.iter().map(Match::line)).collect();
    let title = with_host(&if word == "no_data" { format!("NoData: {name}") } else { name.clone() }, &hosts);
    let key = match (&rule_id, top.text("orgId")) {
        (Some(rule), Some(org)) => DedupKey::new(format!("rule:{host}/{org}/{rule}")),
        (Some(rule), None) => DedupKey::new(format!("rule:{host}/{rule}")),
        (None, _) => DedupKey::derived("rule", &[host, &name]),
    };
    let mut labels = Labels::default();
    labels.insert("rule", &name);
    for (name, value) in &tags {
        labels.insert(name, value);
    }
    Some(Reading::Events(vec![Event {
        status: status(&word),
        severity: grade.severity,
        unknown_severity: grade.unknown,
        body: tidy_body(lines.join("\n").trim(), BODY_BYTES_MAX),
        labels: labels.finish(),
        source_url: link.map(String::from),
        ..Event::firing(key, title)
    }]))
}

/// `paused` is an operator's doing, `pending` not yet anybody's concern.
fn status(word: &str) -> EventStatus {
    match (word, state(word)) {
        ("paused" | "pending", _) => {
            let comment = Some(tidy(&format!("Grafana: {}", one_line(word, NOTE_BYTES_MAX)), NOTE_BYTES_MAX));
            EventStatus::Update(Update { comment, ..Update::default() })
        }
        (_, Some(State::Resolved)) => EventStatus::Resolved { note: None, escalation_cancelled: false },
        _ => EventStatus::Firing,
    }
}

/// A series that made the rule fire.
struct Match {
    metric: String,
    value: String,
    tags: Texts,
}

impl Match {
    fn line(&self) -> String {
        format!("{} = {}", self.metric, self.value)
    }
}

fn matches(items: &Items<'_, MATCHES_MAX>) -> Vec<Match> {
    let read = |raw: &str| {
        let pairs = Pairs::read(raw)?;
        let value = pairs.raw("value").and_then(scalar).unwrap_or_else(|| "no value".to_owned());
        let tags = texts(pairs.raw("tags"));
        Some(Match { metric: pairs.text("metric").unwrap_or_else(|| "value".to_owned()), value, tags })
    };
    items.kept.iter().filter_map(|item| read(item.get())).collect()
}
