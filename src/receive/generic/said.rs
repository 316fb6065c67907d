//! What the fields of an unknown sender say, one question at a time.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    super::{
        BODY_BYTES_MAX, NOTE_BYTES_MAX, TITLE_BYTES_MAX,
        fields::Fields,
        labels::{Labels, Tags, tags_from_json, tags_from_text},
        link,
        text::{one_line, split_first_line, tidy, tidy_body},
        time,
        title::with_host,
        words::{Grade, State, grade, state},
    },
    names::{
        BY, COMMENT, GRAVE_STATE, HOST, KEY, LABELS, MESSAGE, NO_LABEL, SENT_AT, SERVICE, SEVERITY, SOURCE,
        STARTS_AT, STATE, TITLE, URL,
    },
};
use crate::{
    alert::{DedupKey, Event, EventStatus, Update},
    config::Integration,
};

/// The fields, and what is needed to read them.
pub(super) struct Said<'a> {
    pub(super) fields: &'a Fields<'a>,
    pub(super) integration: &'a Integration,
    pub(super) now: Timestamp,
}

impl Said<'_> {
    /// `None` if nothing says what is wrong.
    pub(super) fn event(&self) -> Option<Event> {
        let state = self.state();
        let grade = self.grade(state);
        let title = self.title()?;
        Some(Event {
            status: self.status(state),
            severity: grade.severity,
            unknown_severity: grade.unknown,
            body: self.body(),
            labels: self.labels(),
            source_url: URL.iter().find_map(|name| link::parse(self.fields.text(&[name])?)).map(String::from),
            starts_at: self.starts_at(state),
            ..Event::firing(self.dedup_key(&title), title)
        })
    }

    /// The first word that is known.
    pub(super) fn state(&self) -> Option<State> {
        self.fields.texts(STATE).into_iter().find_map(state)
    }

    fn status(&self, claim: Option<State>) -> EventStatus {
        let update = |acknowledged, comment: Option<&str>| {
            EventStatus::Update(Update {
                acknowledged,
                comment: comment.map(|comment| tidy(comment, NOTE_BYTES_MAX)),
                by: self.fields.text(BY).map(|name| one_line(name, NOTE_BYTES_MAX)),
            })
        };
        let comment = self.fields.text(COMMENT);
        match claim {
            Some(State::Firing) | None => EventStatus::Firing,
            Some(State::Resolved) => EventStatus::Resolved { note: None, escalation_cancelled: false },
            Some(State::Acknowledged) => update(Some(true), comment),
            Some(State::Unacknowledged) => update(Some(false), comment),
            Some(State::Suppressed) => {
                let word = self.fields.texts(STATE).into_iter().find(|word| state(word).is_some());
                update(None, comment.or(word))
            }
        }
    }

    /// A bare number is no severity if it is called a priority: 1 is the gravest in one product
    /// and the mildest in the next. The severity of a recovery is often "OK", which is none.
    fn grade(&self, claim: Option<State>) -> Grade {
        let table = &self.integration.severity;
        // Stars are a number too (PRTG).
        let is_number =
            |word: &str| word.trim().parse::<f64>().is_ok() || !word.contains(char::is_alphanumeric);
        let mut words: Vec<&str> = Vec::new();
        for name in SEVERITY {
            let is_rank = name.ends_with("priority");
            words.extend(
                self.fields
                    .text(&[name])
                    .filter(|word| !is_rank || !is_number(word) || table.contains_key(word.trim())),
            );
        }
        let must_be_known = words.is_empty() || claim == Some(State::Resolved);
        if words.is_empty() {
            words = self.fields.texts(GRAVE_STATE);
            words.retain(|word| !is_number(word));
        }
        let grade = grade(&words, table);
        if must_be_known && grade.unknown.is_some() { Grade::default() } else { grade }
    }

    fn title(&self) -> Option<String> {
        let hosts = self.fields.texts(HOST);
        let message = || Some(split_first_line(self.fields.text(MESSAGE)?).0);
        if let Some(title) = self.fields.text(TITLE) {
            return Some(with_host(title, &hosts));
        }
        if let (Some(host), Some(state)) = (hosts.first(), self.fields.text(GRAVE_STATE)) {
            let service = self.fields.text(SERVICE).map(|service| format!(" {service}")).unwrap_or_default();
            return Some(one_line(&format!("{host}{service}: {state}"), TITLE_BYTES_MAX));
        }
        Some(with_host(message()?, &hosts)).filter(|title| !title.is_empty())
    }

    fn dedup_key(&self, title: &str) -> DedupKey {
        // Nagios writes problem id 0 once a problem is over.
        let key = KEY.iter().find_map(|name| self.fields.text(&[name]).filter(|key| key.trim() != "0"));
        if let Some(key) = key {
            return DedupKey::new(key.trim());
        }
        let text = |names| self.fields.text(names).map(str::trim).unwrap_or_default();
        let (source, host, service) = (text(SOURCE), text(HOST), text(SERVICE));
        // A sender that says the state may say it in the title as well.
        let given = self.fields.text(TITLE).map(|title| one_line(title, TITLE_BYTES_MAX));
        let title = given.as_deref().unwrap_or(title);
        let title = if self.state().is_some() { without_state(title) } else { title };
        let is_named = given.is_some() || host.is_empty() || service.is_empty();
        DedupKey::derived("generic", &[source, host, service, if is_named { title } else { "" }])
    }

    /// The message; without a title its first line is the title already.
    fn body(&self) -> String {
        let message = self.fields.text(MESSAGE).unwrap_or_default();
        let is_title = self.fields.text(TITLE).is_none() && self.fields.text(GRAVE_STATE).is_none();
        tidy_body(if is_title { split_first_line(message).1 } else { message }, BODY_BYTES_MAX)
    }

    /// A recovery's own time is its end, so only a time that is called a start counts there.
    fn starts_at(&self, claim: Option<State>) -> Option<Timestamp> {
        let zone = &self.integration.time_zone;
        let first = |names: &[&str]| {
            names.iter().find_map(|name| time::parse(self.fields.text(&[name])?, zone, self.now))
        };
        match claim {
            Some(State::Firing) | None => first(STARTS_AT).or_else(|| first(SENT_AT)),
            Some(State::Resolved | State::Acknowledged | State::Unacknowledged | State::Suppressed) => {
                first(STARTS_AT)
            }
        }
    }

    /// `host` and `service`, the sender's labels and tags, then every field not read above.
    fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = Labels::default();
        for (name, value) in [("host", self.fields.text(HOST)), ("service", self.fields.text(SERVICE))] {
            if let Some(value) = value {
                labels.insert(name, value);
            }
        }
        for name in LABELS {
            labels.insert_tags(&self.tags(name));
        }
        let read: &[&[&str]] = &[
            KEY, TITLE, MESSAGE, STATE, SEVERITY, HOST, SERVICE, STARTS_AT, SENT_AT, URL, LABELS, BY,
            COMMENT, NO_LABEL,
        ];
        for (name, value) in self.fields.rest(read) {
            labels.insert(name, value);
        }
        labels.finish()
    }

    fn tags(&self, name: &str) -> Tags {
        if let Some(tags) = self.fields.nested(&[name]).and_then(tags_from_json) {
            return tags;
        }
        let text = self.fields.text(&[name]).unwrap_or_default();
        tags_from_json(text).unwrap_or_else(|| tags_from_text(text))
    }
}

/// A title without the state in front, so that a recovery finds its problem: `[OK] disk`,
/// `[FIRING:1] disk` and `Problem: disk` are all `disk`.
fn without_state(title: &str) -> &str {
    let parts = match title.strip_prefix('[') {
        Some(rest) => rest.split_once(']'),
        None => title.split_once(':'),
    };
    match parts {
        Some((word, rest)) if state(word).is_some() && !rest.trim().is_empty() => rest.trim(),
        Some(_) | None => title,
    }
}
