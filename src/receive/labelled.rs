//! Alerts that are labels and annotations, alone or in a group: the model of Alertmanager and Grafana.

use jiff::Timestamp;

use super::{
    Post, Reading,
    json::{Pairs, Texts},
    labels::Labels,
    link,
    lists::{self, Entries},
    text::{self, split_first_line},
    time,
    title::with_host,
    words::{Grade, State, state},
};
use crate::alert::{DedupKey, Event, Update};

/// Labels; the most telling first, as in each of these.
const HOSTS: [&str; 5] = ["instance", "host", "hostname", "node", "nodename"];
/// Annotations.
const TITLES: [&str; 3] = ["summary", "title", "subject"];
const BODIES: [&str; 3] = ["description", "message", "body"];
const RUNBOOKS: [&str; 2] = ["runbook_url", "runbook"];
/// Labels and annotations.
const GRADES: [&str; 4] = ["severity", "level", "urgency", "priority"];

#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) key: Option<String>,
    receiver: Option<String>,
    status: Option<State>,
    common_labels: Texts,
    external_url: Option<String>,
}

impl Group {
    fn of(top: &Pairs<'_>) -> Self {
        Self {
            key: top.text("groupKey"),
            receiver: top.text("receiver").map(|name| unescaped(&name)),
            status: top.text("status").and_then(|word| state(&word)),
            common_labels: top.texts("commonLabels"),
            external_url: top.text("externalURL"),
        }
    }
}

/// `None` if it is no group.
pub(super) fn read_group(
    post: &Post<'_>,
    top: &Pairs<'_>,
    event: impl Fn(&Alert<'_>) -> Option<Event>,
) -> Option<Reading> {
    let entries = serde_json::from_str::<Entries<'_>>(top.raw("alerts")?).ok()?;
    let group = Group::of(top);
    let truncated = top.text("truncatedAlerts").and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    let events = lists::events(post, &entries, |entry| {
        let mut event = event(&Alert::of(post, &group, entry)?)?;
        if 0 < truncated {
            let line = format!("\n\n{truncated} more alerts of this group were left out by the sender.");
            event.body = text::body(&(event.body + &line));
        }
        Some(event)
    });
    events.map(Reading::Events)
}

#[derive(Debug)]
pub(super) struct Alert<'a> {
    pub(super) labels: Texts,
    pub(super) annotations: Texts,
    pub(super) members: Pairs<'a>,
    pub(super) group: &'a Group,
    post: &'a Post<'a>,
}

/// What only some of the senders have.
#[derive(Default)]
pub(super) struct Extras<'a> {
    /// Lines after the details.
    pub(super) lines: &'a [String],
    /// Labels after the sender's own.
    pub(super) labels: &'a [(&'a str, String)],
    /// Members that are addresses of a page about the alert, best first.
    pub(super) pages: &'a [&'a str],
}

impl<'a> Alert<'a> {
    /// `None` if it is no object with labels or annotations.
    pub(super) fn of(post: &'a Post<'_>, group: &'a Group, raw: &'a str) -> Option<Self> {
        let members = Pairs::read(raw)?;
        let is_object = |name| members.raw(name).is_some_and(|raw: &str| raw.starts_with('{'));
        if !is_object("labels") && !is_object("annotations") {
            return None;
        }
        let (labels, annotations) = (members.texts("labels"), members.texts("annotations"));
        Some(Self { labels, annotations, members, group, post })
    }

    pub(super) fn event(&self, title: &str, extras: &Extras<'_>) -> Event {
        let hosts: Vec<&str> =
            HOSTS.iter().filter_map(|name| self.labels.get(*name)).map(String::as_str).collect();
        let title = with_host(title, &hosts);
        let by_word = self.state_by_word();
        let holds_until = self.ends_at().filter(|_| by_word.is_none());
        let by_end =
            holds_until.map(|end| if end <= self.post.now { State::Resolved } else { State::Firing });
        // It holds or it is over.
        let state = match by_word.or(by_end).or(self.group.status) {
            Some(State::Resolved) => State::Resolved,
            _ => State::Firing,
        };
        Event {
            status: state.status(Update::default()),
            body: text::body(&self.body(extras.lines)),
            labels: self.kept_labels(extras.labels),
            source_url: self.link(extras.pages),
            starts_at: self.members.text("startsAt").and_then(|text| time::utc(&text)),
            ended_at: self.ends_at().filter(|_| state == State::Resolved),
            holds_until,
            ..self.grade().event(self.dedup_key(&title), title)
        }
    }

    pub(super) fn title(&self) -> Option<String> {
        let name = self.labels.get("alertname").filter(|name| !name.trim().is_empty());
        let described = || Some(split_first_line(self.annotation(&BODIES)?).0);
        let line = self.annotation(&TITLES).or(name.map(String::as_str)).or_else(described);
        line.map(str::to_owned).or_else(|| {
            let pair = |(name, value)| format!("{name}={value}");
            let pairs: Vec<String> = self.labels.iter().map(pair).collect();
            (!pairs.is_empty()).then(|| pairs.join(", "))
        })
    }

    fn dedup_key(&self, title: &str) -> DedupKey {
        if let Some(fingerprint) = self.members.text("fingerprint") {
            return DedupKey::new(fingerprint.trim());
        }
        if self.labels.is_empty() {
            return DedupKey::derived("labels", &[title]);
        }
        let parts: Vec<&str> =
            self.labels.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
        DedupKey::derived("labels", &parts)
    }

    /// When it is or will be over, where the sender says so: not the year 1 of an alert that holds.
    pub(super) fn ends_at(&self) -> Option<Timestamp> {
        time::utc(&self.members.text("endsAt")?)
    }

    fn state_by_word(&self) -> Option<State> {
        self.members.text("status").and_then(|word| state(&word))
    }

    /// A bare number is no severity if it is called a priority, see the generic rules.
    fn grade(&self) -> Grade {
        let mut words = Vec::new();
        for name in GRADES {
            let texts = [&self.labels, &self.annotations, &self.group.common_labels];
            for word in texts.into_iter().filter_map(|texts| in_any_case(texts, name)) {
                let is_rank = name == "priority" && word.trim().parse::<f64>().is_ok();
                let is_in_table = self.post.integration.severity.contains_key(word.trim());
                if !word.trim().is_empty() && (!is_rank || is_in_table) {
                    words.push(word);
                }
            }
        }
        self.post.grade(&words)
    }

    fn body(&self, more: &[String]) -> String {
        let runbook = RUNBOOKS.iter().find_map(|name| self.annotations.get(*name));
        let mut lines: Vec<String> = Vec::new();
        lines.extend(self.annotation(&BODIES).map(str::to_owned));
        lines.extend(more.iter().filter(|line| !line.is_empty()).cloned());
        lines.extend(runbook.map(|runbook| format!("Runbook: {runbook}")));
        lines.join("\n")
    }

    /// The labels, `more`, then the annotations that are in neither title nor body.
    fn kept_labels(&self, more: &[(&str, String)]) -> Texts {
        let is_public = |(name, _): &(&String, &String)| !name.starts_with("__");
        let read: Vec<&str> = [&TITLES[..], &BODIES, &RUNBOOKS].concat();
        let unread = |(name, _): &(&String, &String)| !read.contains(&name.as_str());
        let mut labels = Labels::default();
        labels.extend(self.labels.iter().filter(is_public));
        labels.extend(more.iter().map(|(name, value)| (name, value)));
        labels.extend(self.group.receiver.iter().map(|receiver| ("receiver", receiver)));
        labels.extend(self.annotations.iter().filter(is_public).filter(unread));
        labels.finish()
    }

    /// The first of these members that is a link, else the sender's own page.
    fn link(&self, pages: &[&str]) -> Option<String> {
        let pages = pages.iter().filter_map(|name| self.members.text(name));
        link::first(pages.chain(self.group.external_url.clone()))
    }

    fn annotation(&self, names: &[&str]) -> Option<&str> {
        let mut texts = names.iter().filter_map(|name| in_any_case(&self.annotations, name));
        texts.find(|text| !text.trim().is_empty())
    }
}

fn in_any_case<'a>(texts: &'a Texts, name: &str) -> Option<&'a str> {
    let exact = texts.get(name);
    let other = || texts.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    exact.or_else(other).map(String::as_str)
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
