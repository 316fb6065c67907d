//! Grafana's alerting before version 9: one rule in a body, by number.

use super::super::{
    Post, Reading,
    json::{Items, Pairs, Texts, scalar},
    labels::{Labels, Tags},
    link,
    text::{self, one_line},
    title::with_host,
    words::{Grade, RESOLVED, State, noted, state},
};
use crate::{
    alert::{DedupKey, Event, EventStatus, Kind},
    receive::NOTE_BYTES_MAX,
};

/// How many series of one rule are shown.
const MATCHES_MAX: usize = 16;

/// What the Test button's rule is called, and how its message begins.
const TEST_RULE: &str = "Test notification";
const TEST_MESSAGE: &str = "Someone is testing the alert notification within";

/// `None` if it is no such rule.
pub(in crate::receive) fn read(post: &Post<'_>, top: &Pairs<'_>) -> Option<Reading> {
    let rule_id = top.text("ruleId");
    if rule_id.is_none() && top.raw("evalMatches").is_none() {
        return None;
    }
    let name = top.text("ruleName").or_else(|| top.text("title"))?;
    let link = top.text("ruleUrl").and_then(|url| link::parse(&url));
    let grafana = link.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
    let matches = matches(top);
    let word = top.text("state").unwrap_or_default();
    let tags = tags(&matches, top.texts("tags"));
    let hosts: Vec<&str> = ["instance", "host"].into_iter().filter_map(|name| only(&tags, name)).collect();
    let grade = worst(post, &tags);
    let message = top.text("message").unwrap_or_default();
    let is_test = is_test(&name, &message);
    let mut lines = vec![message.as_str()];
    lines.extend(matches.iter().map(|found| found.line.as_str()));
    let title = if word == "no_data" { format!("NoData: {name}") } else { name.clone() };
    let key = match (&rule_id, top.text("orgId")) {
        _ if is_test => DedupKey::derived("test", &[grafana]),
        (Some(rule), Some(org)) => DedupKey::new(format!("rule:{grafana}/{org}/{rule}")),
        (Some(rule), None) => DedupKey::new(format!("rule:{grafana}/{rule}")),
        (None, _) => DedupKey::derived("rule", &[grafana, &name]),
    };
    let mut labels = Labels::default();
    labels.insert("rule", &name);
    labels.insert_tags(&tags);
    let event = Event {
        status: status(&word),
        body: text::body(lines.join("\n").trim()),
        labels: labels.finish(),
        source_url: link.map(String::from),
        kind: if is_test { Kind::Test } else { Kind::Problem },
        ..grade.event(key, with_host(&title, &hosts))
    };
    Some(event.into())
}

/// A rule that an operator paused, or that is pending, is only worth a note.
fn status(word: &str) -> EventStatus {
    match (word, state(word)) {
        ("paused" | "pending", _) => noted(&format!("Grafana: {}", one_line(word, NOTE_BYTES_MAX))),
        (_, Some(State::Resolved)) => RESOLVED,
        _ => EventStatus::Firing,
    }
}

/// The Test button sends a rule that does not exist, and never its end.
fn is_test(name: &str, message: &str) -> bool {
    let begins = |text: &str, start: &str| {
        text.trim_start().get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start))
    };
    name.trim().eq_ignore_ascii_case(TEST_RULE) && begins(message, TEST_MESSAGE)
}

/// The tags of all series, except where the rule has one of that name: a person wrote it.
fn tags(matches: &[Match], of_rule: Texts) -> Tags {
    let mut tags = Tags::new();
    for (name, value) in matches.iter().flat_map(|found| &found.tags) {
        if !name.starts_with("__") && !of_rule.contains_key(name) {
            tags.entry(name.clone()).or_default().insert(value.clone());
        }
    }
    tags.extend(of_rule.into_iter().map(|(name, value)| (name, [value].into())));
    tags
}

/// The value of a tag that has only one: a rule that fires for several machines is about none of them alone.
fn only<'a>(tags: &'a Tags, name: &str) -> Option<&'a str> {
    let values = tags.get(name)?;
    values.first().filter(|_| values.len() == 1).map(String::as_str)
}

fn worst(post: &Post<'_>, tags: &Tags) -> Grade {
    let values = ["severity", "priority"].into_iter().filter_map(|name| tags.get(name)).flatten();
    let grades = values.map(|word| post.grade(&[word]));
    // Of two that grade the same, the known word.
    grades.max_by_key(|grade| (grade.severity, grade.unknown.is_none())).unwrap_or_default()
}

/// A series that made the rule fire.
struct Match {
    /// `metric = value`
    line: String,
    tags: Texts,
}

fn matches(top: &Pairs<'_>) -> Vec<Match> {
    let read = |raw: &str| {
        let pairs = Pairs::read(raw)?;
        let value = pairs.raw("value").and_then(scalar).unwrap_or_else(|| "no value".to_owned());
        let metric = pairs.text("metric").unwrap_or_else(|| "value".to_owned());
        Some(Match { line: format!("{metric} = {value}"), tags: pairs.texts("tags") })
    };
    let items =
        top.raw("evalMatches").and_then(|raw| serde_json::from_str::<Items<'_, MATCHES_MAX>>(raw).ok());
    items.iter().flat_map(|items| &items.kept).filter_map(|item| read(item.get())).collect()
}
