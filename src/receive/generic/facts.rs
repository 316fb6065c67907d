//! What the fields of an unknown sender say, one question at a time.

use std::{
    collections::{BTreeMap, HashSet},
    sync::LazyLock,
};

use jiff::Timestamp;

use super::{
    super::{
        NOTE_BYTES_MAX, Post,
        fields::Fields,
        labels::{Labels, tags_from_text},
        text::{self, one_line, split_first_line},
        title::with_host,
        title_state,
        words::{Grade, State, state},
    },
    names::{
        BY, COMMENT, CONSOLE_ACTION, DEVICE, ENDED_AT, GRADING_STATE, HOST, KEY, LABELS, MAPPED_STATE,
        MESSAGE, ONLINE, SENSOR, SENT_AT, SENT_ON_AND_AT, SERVICE, SEVERITY, STARTS_AT, STATE, TITLE, URL,
    },
};
use crate::alert::{EventStatus, Severity, Update};

/// What PagerDuty's events have around all but the key.
const IN_PAYLOAD: &str = "payload_";
const IN_DETAILS: &str = "custom_details_";

/// The names of what is read below, which therefore needs no label.
static READ: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let lists = [
        KEY, TITLE, MESSAGE, STATE, ONLINE, SEVERITY, HOST, SERVICE, STARTS_AT, ENDED_AT, SENT_AT, URL,
        LABELS, BY, COMMENT,
    ];
    lists.into_iter().flat_map(str::split_ascii_whitespace).collect()
});

pub(super) struct Facts<'a> {
    pub(super) fields: &'a Fields<'a>,
    post: &'a Post<'a>,
    /// What the fields say, else an end in the title or a severity that is none (Kapacitor's level `OK`), else firing.
    pub(super) state: State,
}

impl<'a> Facts<'a> {
    pub(super) fn of(post: &'a Post<'_>, fields: &'a Fields<'_>) -> Self {
        let facts = Self { fields, post, state: State::Firing };
        let title = fields.text(TITLE).or_else(|| facts.first_line());
        let is_over =
            || title.is_some_and(title_state::begins_with_end) || fields.text(SEVERITY).is_some_and(is_fine);
        let by_title = || if is_over() { State::Resolved } else { State::Firing };
        Self { state: facts.state_of_fields().unwrap_or_else(by_title), ..facts }
    }

    pub(super) fn state_of_fields(&self) -> Option<State> {
        self.state_word().and_then(state).or_else(|| self.online())
    }

    /// What the configuration points to, else what was done in the sender's console, which comes beside the state,
    /// else the first word that is known.
    fn state_word(&self) -> Option<&str> {
        let is_known = |word: &&str| state(word).is_some();
        self.fields
            .text(MAPPED_STATE)
            .filter(is_known)
            .or_else(|| self.fields.texts(CONSOLE_ACTION).into_iter().find(|word| is_console_action(word)))
            .or_else(|| self.fields.texts(STATE).into_iter().find(is_known))
    }

    fn online(&self) -> Option<State> {
        self.fields.texts(ONLINE).into_iter().find_map(|word| match word.trim().to_lowercase().as_str() {
            "true" | "yes" | "1" => Some(State::Resolved),
            "false" | "no" | "0" => Some(State::Firing),
            _ => None,
        })
    }

    pub(super) fn status(&self) -> EventStatus {
        let word = self.state_word().filter(|_| self.state == State::Suppressed);
        self.state.status(Update {
            comment: self.fields.text(COMMENT).or(word).map(text::note),
            by: self.fields.text(BY).map(|name| one_line(name, NOTE_BYTES_MAX)),
            ..Update::default()
        })
    }

    /// A bare number is no severity if it is called a priority: 1 is the highest in one product
    /// and the lowest in the next. Nor is "OK", which some say of all recoveries and some of all hosts.
    pub(super) fn grade(&self) -> Grade {
        let mut words: Vec<&str> = Vec::new();
        for name in SEVERITY.split_ascii_whitespace() {
            let is_rank = name.ends_with("priority");
            words.extend(self.fields.text(name).filter(|word| {
                let is_none = is_rank && is_number(word) || is_end(word);
                !is_none || self.post.integration.severity.contains_key(&word.trim().to_lowercase())
            }));
        }
        if !words.is_empty() {
            let grade = self.post.grade(&words);
            return if self.state == State::Resolved { if_known(grade) } else { grade };
        }
        // The problem that may follow a downtime or flapping can have any severity.
        if self.state == State::Suppressed {
            return Grade::default();
        }
        for word in self.fields.texts(GRADING_STATE).into_iter().filter(|word| !is_number(word)) {
            words.extend([word, common(word)]);
        }
        if_known(self.post.grade(&words))
    }

    /// All names of the host. PRTG's `host` is the address of what it calls the device.
    fn hosts(&self) -> Vec<&str> {
        let device = self.fields.text(SENSOR).and_then(|_| self.fields.text(DEVICE));
        device.into_iter().chain(self.fields.texts(HOST)).collect()
    }

    pub(super) fn host(&self) -> Option<&str> {
        self.hosts().first().copied()
    }

    pub(super) fn first_line(&self) -> Option<&'a str> {
        self.fields.text(MESSAGE).map(|message| split_first_line(message).0)
    }

    /// A title made of host, service and state, where none was sent.
    fn made_up(&self, host: &str) -> Option<String> {
        let state = self.fields.text(GRADING_STATE)?;
        let names = [host, self.fields.text(SERVICE).unwrap_or_default()].map(str::trim);
        let what: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        (!what.is_empty()).then(|| text::title(&format!("{}: {state}", what.join(" "))))
    }

    pub(super) fn title(&self) -> Option<String> {
        let hosts = self.hosts();
        let first_line = || Some(with_host(self.first_line()?, &hosts)).filter(|title| !title.is_empty());
        let title = self.fields.text(TITLE).map(|title| with_host(title, &hosts));
        title.or_else(|| self.made_up(hosts.first()?)).or_else(first_line).or_else(|| self.made_up(""))
    }

    /// The message; without a title its first line is the title already.
    pub(super) fn body(&self) -> String {
        let message = self.fields.text(MESSAGE).unwrap_or_default();
        let is_made_up = || self.host().is_some_and(|host| self.made_up(host).is_some());
        let is_titled = self.fields.text(TITLE).is_some() || is_made_up();
        text::body(if is_titled { message } else { split_first_line(message).1 })
    }

    pub(super) fn starts_at(&self) -> Option<Timestamp> {
        self.time(STARTS_AT)
    }

    /// The time of a recovery's message is an end, where nothing else is.
    pub(super) fn ended_at(&self) -> Option<Timestamp> {
        let end = || self.time(ENDED_AT).or_else(|| self.said_at());
        (self.state == State::Resolved).then(end).flatten()
    }

    /// The time of the message.
    pub(super) fn said_at(&self) -> Option<Timestamp> {
        let joined = |(day, time): &(&str, &str)| self.post.time(&self.fields.day_and_time(day, time)?);
        self.time(SENT_AT).or_else(|| SENT_ON_AND_AT.iter().find_map(joined))
    }

    fn time(&self, names: &str) -> Option<Timestamp> {
        self.fields.texts(names).into_iter().find_map(|text| self.post.time(text))
    }

    /// `host` and `service`, the sender's labels and tags, then every field not read above.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = Labels::default();
        labels.extend(self.host().map(|host| ("host", host)));
        labels.extend(self.fields.text(SERVICE).map(|service| ("service", service)));
        for name in LABELS.split_ascii_whitespace() {
            let of_text = || tags_from_text(self.fields.text(name).unwrap_or_default());
            labels.insert_tags(&self.fields.tags(name).unwrap_or_else(of_text));
        }
        for (name, value) in self.fields.rest(|name| READ.contains(name)) {
            let of_payload = name.strip_prefix(IN_PAYLOAD);
            if !of_payload.is_some_and(|name| name.starts_with(IN_DETAILS)) {
                labels.insert(of_payload.unwrap_or(name), value);
            }
        }
        labels.finish()
    }
}

/// True for what a person did, or that a check comes and goes; a `type` may be called by any other state.
fn is_console_action(word: &str) -> bool {
    let is_by_person = |state| matches!(state, State::Acknowledged | State::Unacknowledged);
    state(word).is_some_and(|state| is_by_person(state) || is_downtime_or_flapping(word))
}

/// A word of Nagios for a check that is in maintenance, or that comes and goes.
pub(super) fn is_downtime_or_flapping(word: &str) -> bool {
    let word = word.trim().to_lowercase();
    word.starts_with("downtime") || word.starts_with("flapping")
}

/// Stars are a number too (PRTG).
fn is_number(word: &str) -> bool {
    word.trim().parse::<f64>().is_ok() || !word.contains(char::is_alphanumeric)
}

/// True for "OK" and the like, but not for Zabbix's 0.
fn is_end(word: &str) -> bool {
    state(word) == Some(State::Resolved) && word.parse::<Severity>().is_err()
}

/// True for the ends that no problem is called by.
fn is_fine(word: &str) -> bool {
    ["ok", "clear", "cleared", "resolved", "recovered"].contains(&word.trim().to_lowercase().as_str())
}

/// The common word for a state that is qualified (`Down (Partial)`), a change (`UP -> DOWN`) or one of few senders.
fn common(word: &str) -> &str {
    let last = word.rsplit("->").next().unwrap_or(word);
    let word = last.split('(').next().unwrap_or(last).trim();
    match word.to_lowercase().as_str() {
        "unreachable" | "offline" => "down",
        "unusual" => "warning",
        _ => word,
    }
}

fn if_known(grade: Grade) -> Grade {
    if grade.unknown.is_some() { Grade::default() } else { grade }
}
