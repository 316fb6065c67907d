//! What the fields of an unknown sender say, one question at a time.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    super::{
        BODY_BYTES_MAX, NOTE_BYTES_MAX, TITLE_BYTES_MAX,
        fields::Fields,
        labels::{Labels, Tags, tags_from_json, tags_from_text},
        link, stated,
        text::{one_line, split_first_line, tidy, tidy_body},
        time,
        title::with_host,
        words::{Grade, State, grade, state},
    },
    names::{
        BY, COMMENT, DEED, DEVICE, ENDED_AT, GRAVE_STATE, HOST, KEY, LABELS, MESSAGE, ONLINE, SENSOR,
        SENT_AT, SENT_ON_AND_AT, SERVICE, SEVERITY, STARTS_AT, STATE, TITLE, URL, mapped,
    },
};
use crate::{
    alert::{Event, EventStatus, Severity, Update},
    config::{Integration, MapField},
};

/// What PagerDuty's events have around all but the key.
const IN_PAYLOAD: &str = "payload_";
const IN_DETAILS: &str = "custom_details_";

/// The fields, and what is needed to read them.
pub(super) struct Said<'a> {
    pub(super) fields: &'a Fields<'a>,
    pub(super) integration: &'a Integration,
    pub(super) now: Timestamp,
}

impl Said<'_> {
    /// `None` if nothing says what is wrong.
    pub(super) fn event(&self) -> Option<Event> {
        let claim = self.claim();
        let grade = self.grade(claim);
        let title = self.title().or_else(|| self.key_of_what_is_known(claim))?;
        Some(Event {
            status: self.status(claim),
            severity: grade.severity,
            unknown_severity: grade.unknown,
            body: self.body(),
            labels: self.labels(),
            source_url: URL.iter().find_map(|name| link::parse(self.fields.text(&[name])?)).map(String::from),
            starts_at: self.starts_at(claim),
            ended_at: self.ended_at(claim),
            ..Event::firing(self.dedup_key(), title)
        })
    }

    /// How it stands: what the fields say, else the title or a severity that is none (Kapacitor's level `OK`).
    fn claim(&self) -> Option<State> {
        let is_over = || {
            let title = self.fields.text(TITLE).or_else(|| self.first_line());
            title.is_some_and(stated::begins_with_end) || self.fields.text(SEVERITY).is_some_and(is_fine)
        };
        self.state().or_else(|| is_over().then_some(State::Resolved))
    }

    /// What a field says of how it stands.
    pub(super) fn state(&self) -> Option<State> {
        self.state_word().map(|(_, state)| state).or_else(|| self.online())
    }

    /// Where the configuration points; then what was done in the sender's console, which is said beside the state;
    /// then the first word that is known.
    fn state_word(&self) -> Option<(&str, State)> {
        let known = |word| Some((word, state(word)?));
        let deed = |word| known(word).filter(|(word, state)| is_deed(word, *state));
        let mapped = self.fields.text(&[mapped(MapField::Status)]).and_then(known);
        mapped
            .or_else(|| self.fields.texts(DEED).into_iter().find_map(deed))
            .or_else(|| self.fields.texts(STATE).into_iter().find_map(known))
    }

    fn online(&self) -> Option<State> {
        self.fields.texts(ONLINE).into_iter().find_map(|word| match word.trim().to_lowercase().as_str() {
            "true" | "yes" | "1" => Some(State::Resolved),
            "false" | "no" | "0" => Some(State::Firing),
            _ => None,
        })
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
            Some(State::Suppressed) => update(None, comment.or(self.state_word().map(|(word, _)| word))),
        }
    }

    /// A bare number is no severity if it is called a priority: 1 is the gravest in one product
    /// and the mildest in the next. Nor is "OK", which some say of all recoveries and some of all hosts.
    fn grade(&self, claim: Option<State>) -> Grade {
        let table = &self.integration.severity;
        let mut words: Vec<&str> = Vec::new();
        for name in SEVERITY {
            let is_rank = name.ends_with("priority");
            words.extend(self.fields.text(&[name]).filter(|word| {
                let is_none = is_rank && is_number(word) || is_end(word);
                !is_none || table.contains_key(word.trim().to_lowercase().as_str())
            }));
        }
        if !words.is_empty() {
            let grade = grade(&words, table);
            return if claim == Some(State::Resolved) { known(grade) } else { grade };
        }
        // A downtime or flapping says nothing of how grave the problem is that may follow.
        if claim == Some(State::Suppressed) {
            return Grade::default();
        }
        for word in self.fields.texts(GRAVE_STATE).into_iter().filter(|word| !is_number(word)) {
            words.extend([word, common(word)]);
        }
        known(grade(&words, table))
    }

    /// Host and its other names. PRTG's `host` is the address of what it calls the device.
    fn hosts(&self) -> Vec<&str> {
        let device = self.fields.text(SENSOR).and_then(|_| self.fields.text(DEVICE));
        device.into_iter().chain(self.fields.texts(HOST)).collect()
    }

    pub(super) fn host(&self) -> Option<&str> {
        self.hosts().first().copied()
    }

    fn first_line(&self) -> Option<&str> {
        self.fields.text(MESSAGE).map(|message| split_first_line(message).0)
    }

    /// A title that says what is in which state, where none was sent.
    fn made_up(&self, host: &str) -> Option<String> {
        let state = self.fields.text(GRAVE_STATE)?;
        let names = [host, self.fields.text(SERVICE).unwrap_or_default()].map(str::trim);
        let what: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        (!what.is_empty()).then(|| one_line(&format!("{}: {state}", what.join(" ")), TITLE_BYTES_MAX))
    }

    /// An end, or what was done about it, needs no more than the key of the alert that it is about.
    fn key_of_what_is_known(&self, claim: Option<State>) -> Option<String> {
        let is_news = matches!(claim, None | Some(State::Firing));
        let key = self.key().filter(|_| !is_news)?;
        Some(one_line(key, TITLE_BYTES_MAX)).filter(|title| !title.is_empty())
    }

    /// What is wrong, and where.
    pub(super) fn title(&self) -> Option<String> {
        let hosts = self.hosts();
        let made_up = || self.made_up(hosts.first()?);
        let said = |text: &str| Some(with_host(text, &hosts)).filter(|title| !title.is_empty());
        self.fields
            .text(TITLE)
            .map(|title| with_host(title, &hosts))
            .or_else(made_up)
            .or_else(|| said(self.first_line()?))
            .or_else(|| self.made_up(""))
    }

    /// The message; without a title its first line is the title already.
    fn body(&self) -> String {
        let message = self.fields.text(MESSAGE).unwrap_or_default();
        let is_made_up = || self.host().is_some_and(|host| self.made_up(host).is_some());
        let is_titled = self.fields.text(TITLE).is_some() || is_made_up();
        tidy_body(if is_titled { message } else { split_first_line(message).1 }, BODY_BYTES_MAX)
    }

    /// A recovery's own time is its end, so only a time that is called a start counts there.
    fn starts_at(&self, claim: Option<State>) -> Option<Timestamp> {
        let starts_at = self.time(STARTS_AT);
        match claim {
            Some(State::Firing) | None => starts_at.or_else(|| self.sent_at()),
            Some(State::Resolved | State::Acknowledged | State::Unacknowledged | State::Suppressed) => {
                starts_at
            }
        }
    }

    fn ended_at(&self, claim: Option<State>) -> Option<Timestamp> {
        let is_over = claim == Some(State::Resolved);
        is_over.then(|| self.time(ENDED_AT).or_else(|| self.sent_at())).flatten()
    }

    fn sent_at(&self) -> Option<Timestamp> {
        let joined = |(date, clock): &(&str, &str)| {
            let (date, clock) = (self.fields.text(&[date])?.trim(), self.fields.text(&[clock])?.trim());
            self.instant(&format!("{date} {clock}"))
        };
        self.time(SENT_AT).or_else(|| SENT_ON_AND_AT.iter().find_map(joined))
    }

    fn time(&self, names: &[&str]) -> Option<Timestamp> {
        names.iter().find_map(|name| self.instant(self.fields.text(&[name])?))
    }

    fn instant(&self, text: &str) -> Option<Timestamp> {
        time::parse(text, &self.integration.time_zone, self.now)
    }

    /// `host` and `service`, the sender's labels and tags, then every field not read above.
    fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = Labels::default();
        for (name, value) in [("host", self.host()), ("service", self.fields.text(SERVICE))] {
            if let Some(value) = value {
                labels.insert(name, value);
            }
        }
        for name in LABELS {
            labels.insert_tags(&self.tags(name));
        }
        let read: &[&[&str]] = &[
            KEY, TITLE, MESSAGE, STATE, ONLINE, SEVERITY, HOST, SERVICE, STARTS_AT, ENDED_AT, SENT_AT, URL,
            LABELS, BY, COMMENT,
        ];
        for (name, value) in self.fields.rest(read) {
            match name.strip_prefix(IN_PAYLOAD) {
                Some(name) if name.starts_with(IN_DETAILS) => {}
                Some(name) => labels.insert(name, value),
                None => labels.insert(name, value),
            }
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

/// True for what somebody did, or that a check comes and goes; a `type` may be called by any other state.
fn is_deed(word: &str, state: State) -> bool {
    let word = word.trim().to_lowercase();
    matches!(state, State::Acknowledged | State::Unacknowledged)
        || word.starts_with("downtime")
        || word.starts_with("flapping")
}

/// Stars are a number too (PRTG).
fn is_number(word: &str) -> bool {
    word.trim().parse::<f64>().is_ok() || !word.contains(char::is_alphanumeric)
}

/// True for "OK" and the like, but not for Zabbix's 0.
fn is_end(word: &str) -> bool {
    state(word) == Some(State::Resolved) && word.parse::<Severity>().is_err()
}

/// True for the ends that nobody calls a problem by.
fn is_fine(word: &str) -> bool {
    ["ok", "clear", "cleared", "resolved", "recovered"].contains(&word.trim().to_lowercase().as_str())
}

/// What everybody knows of a state that is qualified (`Down (Partial)`), a change (`UP -> DOWN`) or one of few
/// senders.
fn common(word: &str) -> &str {
    let last = word.rsplit("->").next().unwrap_or(word);
    let word = last.split('(').next().unwrap_or(last).trim();
    match word.to_lowercase().as_str() {
        "unreachable" | "offline" => "down",
        "unusual" => "warning",
        _ => word,
    }
}

fn known(grade: Grade) -> Grade {
    if grade.unknown.is_some() { Grade::default() } else { grade }
}
