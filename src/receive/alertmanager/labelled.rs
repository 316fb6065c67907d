//! One alert that is labels and annotations: the model of Alertmanager, Grafana and their kin.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::{
    BODY_BYTES_MAX,
    json::{Pairs, scalar},
    labels::Labels,
    link,
    text::{split_first_line, tidy_body},
    time,
    title::with_host,
    words::{Grade, State, grade, state},
};
use crate::{
    alert::{DedupKey, Event, EventStatus},
    config::Integration,
};

/// Names of labels and annotations in order.
pub(in crate::receive) type Texts = BTreeMap<String, String>;

/// Labels that name what it happened to, most telling first.
const HOSTS: [&str; 5] = ["instance", "host", "hostname", "node", "nodename"];

/// Annotations that are one line.
const TITLES: [&str; 3] = ["summary", "title", "subject"];

/// Annotations that are details.
const BODIES: [&str; 3] = ["description", "message", "body"];

/// Labels and annotations that grade, most telling first.
const GRADES: [&str; 4] = ["severity", "level", "urgency", "priority"];

/// What is said of all alerts of a group.
#[derive(Debug, Default)]
pub(in crate::receive) struct Group {
    pub(in crate::receive) receiver: Option<String>,
    pub(in crate::receive) key: Option<String>,
    status: Option<State>,
    common_labels: Texts,
    external_url: Option<String>,
}

impl Group {
    pub(in crate::receive) fn read(top: &Pairs<'_>) -> Self {
        Self {
            receiver: top.text("receiver").map(|name| unescaped(&name)),
            key: top.text("groupKey"),
            status: top.text("status").and_then(|word| state(&word)),
            common_labels: texts(top.raw("commonLabels")),
            external_url: top.text("externalURL"),
        }
    }
}

/// One alert.
#[derive(Debug)]
pub(in crate::receive) struct Labelled<'a> {
    pub(in crate::receive) labels: Texts,
    pub(in crate::receive) annotations: Texts,
    pub(in crate::receive) members: Pairs<'a>,
    pub(in crate::receive) group: &'a Group,
}

impl<'a> Labelled<'a> {
    /// `None` if it is no object with labels or annotations.
    pub(in crate::receive) fn read(raw: &'a str, group: &'a Group) -> Option<Self> {
        let members = Pairs::read(raw)?;
        let is_object = |name| members.raw(name).is_some_and(|raw: &str| raw.starts_with('{'));
        if !is_object("labels") && !is_object("annotations") {
            return None;
        }
        let (labels, annotations) = (texts(members.raw("labels")), texts(members.raw("annotations")));
        Some(Self { labels, annotations, members, group })
    }

    /// The event, titled so.
    pub(in crate::receive) fn event(&self, title: &str, integration: &Integration, now: Timestamp) -> Event {
        let title = with_host(title, &self.hosts());
        let grade = self.grade(integration);
        let status = self.status(now);
        // What ended did so by now, whatever the sender's clock says: what begins a moment later is not stale.
        let end = self.ends_at(now).map(|end| end.min(now));
        let ended_at = end.filter(|_| matches!(status, EventStatus::Resolved { .. }));
        Event {
            status,
            severity: grade.severity,
            unknown_severity: grade.unknown,
            body: tidy_body(&self.body(&[]), BODY_BYTES_MAX),
            labels: self.kept_labels(&[]),
            source_url: self.link(&["generatorURL"]),
            starts_at: self.starts_at(now),
            ended_at,
            ..Event::firing(self.dedup_key(&title), title)
        }
    }

    /// What is wrong, in the sender's words.
    pub(in crate::receive) fn title(&self) -> Option<String> {
        let name = self.labels.get("alertname").filter(|name| !name.trim().is_empty());
        let described = || Some(split_first_line(self.annotation(&BODIES)?).0);
        let labels = || {
            let pairs: Vec<String> =
                self.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            (!pairs.is_empty()).then(|| pairs.join(", "))
        };
        self.annotation(&TITLES)
            .or(name.map(String::as_str))
            .or_else(described)
            .map(str::to_owned)
            .or_else(labels)
    }

    /// The fingerprint, or the labels.
    pub(in crate::receive) fn dedup_key(&self, title: &str) -> DedupKey {
        if let Some(fingerprint) = self.members.text("fingerprint") {
            return DedupKey::new(fingerprint.trim());
        }
        let mut parts: Vec<&str> =
            self.labels.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
        if parts.is_empty() {
            parts.push(title);
        }
        DedupKey::derived("labels", &parts)
    }

    pub(in crate::receive) fn starts_at(&self, now: Timestamp) -> Option<Timestamp> {
        time::parse(&self.members.text("startsAt")?, &jiff::tz::TimeZone::UTC, now)
    }

    /// When it is or will be over, where that is said: not the year 1 of an alert that holds.
    pub(in crate::receive) fn ends_at(&self, now: Timestamp) -> Option<Timestamp> {
        let text = self.members.text("endsAt")?;
        time::parse(&text, &jiff::tz::TimeZone::UTC, now)?;
        text.trim().parse().ok()
    }

    /// The alert's own word, else its end, else the word for the whole group.
    fn status(&self, now: Timestamp) -> EventStatus {
        let by_word = self.members.text("status").and_then(|word| state(&word));
        let by_end = || {
            let end = self.ends_at(now)?;
            Some(if end <= now { State::Resolved } else { State::Firing })
        };
        match by_word.or_else(by_end).or(self.group.status) {
            Some(State::Resolved) => EventStatus::Resolved { note: None, escalation_cancelled: false },
            _ => EventStatus::Firing,
        }
    }

    /// A bare number is no severity if it is called a priority, see the generic rules.
    fn grade(&self, integration: &Integration) -> Grade {
        let table = &integration.severity;
        let mut words = Vec::new();
        for name in GRADES {
            let said = [&self.labels, &self.annotations, &self.group.common_labels];
            for word in said.into_iter().filter_map(|texts| in_any_case(texts, name)) {
                let is_rank = name == "priority" && word.trim().parse::<f64>().is_ok();
                if !word.trim().is_empty() && (!is_rank || table.contains_key(word.trim())) {
                    words.push(word);
                }
            }
        }
        grade(&words, table)
    }

    /// The details, `more` and where to read what to do.
    pub(in crate::receive) fn body(&self, more: &[String]) -> String {
        let mut lines: Vec<String> = Vec::new();
        lines.extend(self.annotation(&BODIES).map(str::to_owned));
        lines.extend(more.iter().filter(|line| !line.is_empty()).cloned());
        let runbook = ["runbook_url", "runbook"].into_iter().find_map(|name| self.annotations.get(name));
        lines.extend(runbook.map(|runbook| format!("Runbook: {runbook}")));
        lines.join("\n")
    }

    /// The labels, `more`, then the annotations that are in neither title nor body.
    pub(in crate::receive) fn kept_labels(&self, more: &[(&str, &str)]) -> Texts {
        let mut labels = Labels::default();
        let is_public = |(name, _): &(&String, &String)| !name.starts_with("__");
        for (name, value) in self.labels.iter().filter(is_public) {
            labels.insert(name, value);
        }
        for (name, value) in more {
            labels.insert(name, value);
        }
        if let Some(receiver) = &self.group.receiver {
            labels.insert("receiver", receiver);
        }
        let read: Vec<&str> = [&TITLES[..], &BODIES[..], &["runbook_url", "runbook"]].concat();
        for (name, value) in self.annotations.iter().filter(is_public) {
            if !read.contains(&name.as_str()) {
                labels.insert(name, value);
            }
        }
        labels.finish()
    }

    /// The first of these members that can be opened, else the sender's own page.
    pub(in crate::receive) fn link(&self, names: &[&str]) -> Option<String> {
        let members = names.iter().filter_map(|name| self.members.text(name));
        members.chain(self.group.external_url.clone()).find_map(|text| link::parse(&text)).map(String::from)
    }

    fn annotation(&self, names: &[&str]) -> Option<&str> {
        names
            .iter()
            .filter_map(|name| in_any_case(&self.annotations, name))
            .find(|text| !text.trim().is_empty())
    }

    fn hosts(&self) -> Vec<&str> {
        HOSTS.iter().filter_map(|name| self.labels.get(*name)).map(String::as_str).collect()
    }
}

fn in_any_case<'a>(texts: &'a Texts, name: &str) -> Option<&'a str> {
    let exact = texts.get(name);
    let other = || texts.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    exact.or_else(other).map(String::as_str)
}

/// The texts, numbers and flags of an object.
pub(in crate::receive) fn texts(raw: Option<&str>) -> Texts {
    let members = raw.and_then(Pairs::read).map(|pairs| pairs.0).unwrap_or_default();
    members.into_iter().filter_map(|(name, value)| Some((name.into_owned(), scalar(value.get())?))).collect()
}

/// A receiver's name as it was before Go's `regexp.QuoteMeta`: `\[DEV\] x` is `[DEV] x`.
fn unescaped(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let escapes = c == '\\' && chars.peek().is_some_and(|next| r"\.+*?()|[]{}^$".contains(*next));
        plain.extend(if escapes { chars.next() } else { Some(c) });
    }
    plain
}
