//! The parameters of one message, read one question at a time.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    names::{
        BODY, BY, EVENT_TIME, HOST, MESSAGE, NOT_LABELS, SEVERITY, STATE, TAG_PREFIX, TAGS, TITLE,
        TRIGGER_SEVERITY, UPDATE_ACTION, UPDATE_MESSAGE, UPDATE_SEVERITY, UPDATE_TIME,
    },
    page,
    source::Source,
};
use crate::{
    alert::{DedupKey, Event},
    receive::{
        NOTE_BYTES_MAX, Post,
        fields::Fields,
        labels::{Labels, Tags, tags_from_text},
        text::{self, one_line, split_first_line},
        title::with_host,
        words::{Grade, State, state},
    },
};

pub(super) const EVENT_ID_CHARS_MAX: usize = 255;

/// What Zabbix writes for a user whom the user with our media may not see.
const NAME_WITHHELD: &str = "Inaccessible user";

/// What the server writes before the last message when it gives up an escalation; newer ones write "cancelled".
const CANCELLED: [&str; 2] = ["note: escalation canceled", "note: escalation cancelled"];

#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) fields: &'a Fields<'a>,
    pub(super) post: &'a Post<'a>,
}

impl Message<'_> {
    pub(super) fn source(&self) -> Source {
        Source::of(self.fields)
    }

    /// Nothing was filled in. The value of discovery and autoregistration events stays a macro in real messages too.
    pub(super) fn is_test(&self) -> bool {
        let has_value = !matches!(self.source(), Source::Discovery | Source::Autoregistration);
        self.fields.is_macro(self.id_name()) || self.fields.is_macro("eventvalue") && has_value
    }

    /// Some media types call the event's id just `id` (Keep).
    fn id_name(&self) -> &'static str {
        if self.fields.has("eventid") { "eventid" } else { "id" }
    }

    pub(super) fn event_id(&self) -> Result<&str, String> {
        match self.fields.word(self.id_name()) {
            Some(id) if EVENT_ID_CHARS_MAX < id.chars().count() => {
                Err(format!("event_id is longer than {EVENT_ID_CHARS_MAX} characters"))
            }
            Some(id) => Ok(id),
            None => Err("event_id is missing".to_owned()),
        }
    }

    /// What `event_value` says; the state words where a media type does not send it.
    pub(super) fn is_firing(&self) -> Result<bool, String> {
        match self.fields.word("eventvalue") {
            Some("1") => Ok(true),
            Some("0") => Ok(false),
            _ if self.fields.has("eventvalue") => Err("event_value is neither 0 nor 1".to_owned()),
            _ => match self.fields.texts(STATE).into_iter().find_map(state) {
                Some(State::Firing) => Ok(true),
                Some(State::Resolved) => Ok(false),
                Some(State::Acknowledged | State::Unacknowledged | State::Suppressed) | None => {
                    Err("event_value is missing".to_owned())
                }
            },
        }
    }

    /// A media type without the status parameter has at least the action. For business services 6.0 fills in neither,
    /// only the new severity.
    pub(super) fn is_update(&self) -> bool {
        match self.fields.word("eventupdatestatus") {
            Some(status) => status == "1",
            None if self.source() == Source::Service => self.fields.text(UPDATE_SEVERITY).is_some(),
            None => self.fields.text(UPDATE_ACTION).is_some(),
        }
    }

    /// The reason, if Zabbix gave up the escalation.
    pub(super) fn cancelled(&self) -> Option<String> {
        let message = self.fields.text(MESSAGE)?.trim_start();
        let (note, _) = split_first_line(message);
        let rest = CANCELLED.iter().find_map(|words| {
            let (start, rest) = note.split_at_checked(words.len())?;
            (start.eq_ignore_ascii_case(words) && !rest.starts_with(char::is_alphabetic)).then_some(rest)
        })?;
        let reason = one_line(rest.trim_start_matches([':', ' ']), NOTE_BYTES_MAX);
        Some(if reason.is_empty() { "escalation cancelled".to_owned() } else { reason })
    }

    /// `Some(true)` acknowledged, `Some(false)` unacknowledged; without the action `Yes` of `event_ack_status` counts.
    pub(super) fn acknowledged(&self) -> Option<bool> {
        if self.fields.text(UPDATE_ACTION).is_none() {
            let status = self.fields.word("eventackstatus")?;
            return status.eq_ignore_ascii_case("yes").then_some(true);
        }
        if self.did("unacknowledged") { Some(false) } else { self.did("acknowledged").then_some(true) }
    }

    /// What was written, and what was done that has no word of ours.
    pub(super) fn comment(&self) -> Option<String> {
        let message = self.fields.text(UPDATE_MESSAGE);
        let action = ["closed", "suppressed", "unsuppressed", "ranked"].iter().any(|word| self.did(word));
        let action = if action { self.fields.text(UPDATE_ACTION) } else { None };
        let comment = match (action, message) {
            (Some(action), Some(message)) => format!("{action}: {message}"),
            (one, other) => one.or(other)?.to_owned(),
        };
        Some(text::note(&comment))
    }

    pub(super) fn by(&self) -> Option<String> {
        let name = self.fields.text(BY).filter(|name| name.trim() != NAME_WITHHELD)?;
        Some(one_line(name, NOTE_BYTES_MAX))
    }

    /// "closed by NAME: comment", if a person closed the problem.
    pub(super) fn closed_by_hand(&self) -> Option<String> {
        if !self.is_update() || !self.did("closed") {
            return None;
        }
        let by = self.by().map(|by| format!(" by {by}")).unwrap_or_default();
        let comment = self.fields.text(UPDATE_MESSAGE).map(|text| format!(": {text}")).unwrap_or_default();
        Some(text::note(&format!("closed{by}{comment}")))
    }

    /// Whole words count: "unacknowledged" contains another.
    fn did(&self, word: &str) -> bool {
        let action = self.fields.text(UPDATE_ACTION).unwrap_or_default();
        action.split(|c: char| !c.is_alphanumeric()).any(|part| part.eq_ignore_ascii_case(word))
    }

    /// The trigger's own severity only if the event's was not sent. Numbers first: names can be translated and changed.
    fn grade(&self) -> Grade {
        let source = self.source();
        let mut words = Vec::new();
        if source == Source::Service && self.is_update() {
            words = self.fields.texts(UPDATE_SEVERITY);
        }
        words.extend(self.fields.texts(SEVERITY));
        if let Some((word, otherwise)) = source.severity() {
            words.extend([word, otherwise.as_str()]);
        } else if words.is_empty() {
            words = self.fields.texts(TRIGGER_SEVERITY);
        }
        self.post.grade(&words)
    }

    /// What is wrong, and where: the host goes before a name that does not contain it.
    pub(super) fn title(&self) -> Option<String> {
        let name = match self.source() {
            Source::Internal => self.what_fails(),
            Source::Service => {
                self.fields.text("servicename").map(|name| format!("Service {name} has a problem"))
            }
            Source::Trigger | Source::Discovery | Source::Autoregistration => None,
        };
        let name = name.or_else(|| self.fields.text(TITLE).map(str::to_owned))?;
        Some(with_host(&name, &self.fields.texts(HOST)))
    }

    /// The name of an internal event is only its reason. An item's name also comes with a trigger.
    fn what_fails(&self) -> Option<String> {
        let named = |names, kind: &str, state: &str| {
            let name = text::title(self.fields.text(names)?);
            Some(format!("{kind} \"{name}\" {state}"))
        };
        named("lldrulename", "low-level discovery rule", "is not supported")
            .or_else(|| named("triggername", "trigger", "cannot be evaluated"))
            .or_else(|| named("itemname", "item", "is not supported"))
    }

    /// What all events have in common. Only an event of a trigger has a page by its id.
    pub(super) fn event(&self, key: DedupKey, title: &str, event_id: Option<&str>) -> Event {
        Event {
            body: text::body(self.fields.text(BODY).unwrap_or_default()),
            labels: self.labels(),
            source_url: page::address(self.fields, self.source(), event_id),
            starts_at: self.time(EVENT_TIME),
            said_at: self.time(UPDATE_TIME).filter(|_| self.is_update()),
            ..self.grade().event(key, text::title(title))
        }
    }

    /// `host`, the problem's tags, then every other parameter by its name.
    fn labels(&self) -> BTreeMap<String, String> {
        let host = self.fields.text(HOST);
        let is_label = |(name, value): &(&str, &str)| {
            let is_trigger = matches!(*name, "event_source" | "event_object") && value.trim() == "0";
            let is_host = *name == "host_name" || *name == "host_host" && host == Some(value);
            !is_trigger && !is_host && !name.starts_with(TAG_PREFIX)
        };
        let mut labels = Labels::default();
        labels.extend(host.map(|host| ("host", host)));
        labels.insert_tags(&self.tags());
        labels.extend(self.fields.rest(|name| NOT_LABELS.contains(name)).filter(is_label));
        labels.finish()
    }

    fn tags(&self) -> Tags {
        let of_text = || self.fields.text("eventtags").map(tags_from_text);
        let is_list = |name: &str| TAGS.split_ascii_whitespace().any(|list| list == name);
        let of_json = TAGS.split_ascii_whitespace().find_map(|name| self.fields.tags(name));
        of_json.or_else(of_text).unwrap_or_else(|| {
            let mut tags = Tags::new();
            for (name, value) in self.fields.rest(is_list) {
                if let Some(name) = name.strip_prefix(TAG_PREFIX) {
                    tags.entry(name.to_owned()).or_default().insert(value.to_owned());
                }
            }
            tags
        })
    }

    /// 6.0 has no macro for seconds since 1970, only date and time in the zone of the Zabbix user.
    fn time(&self, [seconds, date, time]: [&str; 3]) -> Option<Timestamp> {
        let seconds = self.fields.text(seconds).and_then(|text| self.post.time(text));
        seconds.or_else(|| self.post.time(&self.fields.day_and_time(date, time)?))
    }
}
