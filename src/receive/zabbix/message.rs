//! The parameters of one message, read one question at a time.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    super::{
        BODY_BYTES_MAX, NOTE_BYTES_MAX, TITLE_BYTES_MAX,
        fields::Fields,
        labels::{Labels, Tags, tags_from_json, tags_from_text},
        text::{one_line, split_first_line, tidy, tidy_body},
        time,
        title::with_host,
        words::{Grade, State, grade, state},
    },
    names::{
        BY, EVENT_ID, HOST, ITEM_NAME, LLD_RULE_ERROR, LLD_RULE_NAME, MESSAGE, NAME, NAME_WITHHELD, NO_LABEL,
        OPDATA, OTHER_ID, SERVICE_NAME, SEVERITY, STATE, SUBJECT, TAG_PREFIX, TAGS_JSON, TRIGGER_NAME,
        TRIGGER_SEVERITY, UPDATE_ACTION, UPDATE_MESSAGE, UPDATE_SEVERITY, URL, ZABBIX_URL,
    },
    page,
    source::Source,
};
use crate::config::Integration;

/// Longest `event_id`, in characters.
pub(super) const EVENT_ID_CHARS_MAX: usize = 255;

/// What the server writes before the last message when it gives up an escalation; newer ones
/// write "cancelled".
const CANCELLED: [&str; 2] = ["note: escalation canceled", "note: escalation cancelled"];

/// One message and what is needed to read it.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) fields: &'a Fields<'a>,
    pub(super) integration: &'a Integration,
    pub(super) now: Timestamp,
}

impl Message<'_> {
    pub(super) fn source(&self) -> Source {
        Source::of(self.fields)
    }

    /// True if nothing was filled in. The value of discovery and autoregistration events stays
    /// a macro in real messages too.
    pub(super) fn is_test(&self) -> bool {
        let has_value = !matches!(self.source(), Source::Discovery | Source::Autoregistration);
        self.fields.is_macro(self.id_name()) || self.fields.is_macro("eventvalue") && has_value
    }

    /// Some media types call the event's id just `id` (Keep).
    fn id_name(&self) -> &'static str {
        if self.fields.has(EVENT_ID) { EVENT_ID } else { OTHER_ID }
    }

    /// The problem's id.
    pub(super) fn event_id(&self) -> Result<&str, String> {
        match self.fields.text(&[self.id_name()]).map(str::trim) {
            Some(id) if EVENT_ID_CHARS_MAX < id.chars().count() => {
                Err(format!("event_id is longer than {EVENT_ID_CHARS_MAX} characters"))
            }
            Some(id) => Ok(id),
            None => Err("event_id is missing".to_owned()),
        }
    }

    /// The claim of `event_value`; of the state words where a media type does not send it.
    pub(super) fn is_firing(&self) -> Result<bool, String> {
        match self.fields.text(&["eventvalue"]).map(str::trim) {
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

    /// True for an update; a media type without the status parameter has at least the action. For
    /// business services 6.0 fills in neither, only the new severity.
    pub(super) fn is_update(&self) -> bool {
        match self.fields.text(&["eventupdatestatus"]) {
            Some(status) => status.trim() == "1",
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

    /// `Some(true)` acknowledged, `Some(false)` unacknowledged. One word contains the other, so
    /// whole words count; without the action `Yes` of `event_ack_status` counts.
    pub(super) fn acknowledged(&self) -> Option<bool> {
        if self.fields.text(UPDATE_ACTION).is_none() {
            let status = self.fields.text(&["eventackstatus"])?.trim();
            return status.eq_ignore_ascii_case("yes").then_some(true);
        }
        if self.did("unacknowledged") {
            return Some(false);
        }
        self.did("acknowledged").then_some(true)
    }

    /// What was written, and what was done that has no word of ours.
    pub(super) fn comment(&self) -> Option<String> {
        let text = self.fields.text(UPDATE_MESSAGE);
        let action = ["closed", "suppressed", "unsuppressed", "ranked"].iter().any(|word| self.did(word));
        let action = if action { self.fields.text(UPDATE_ACTION) } else { None };
        let comment = match (action, text) {
            (Some(action), Some(text)) => format!("{action}: {text}"),
            (one, other) => one.or(other)?.to_owned(),
        };
        Some(tidy(&comment, NOTE_BYTES_MAX))
    }

    /// Who made the update.
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
        Some(tidy(&format!("closed{by}{comment}"), NOTE_BYTES_MAX))
    }

    fn did(&self, word: &str) -> bool {
        let action = self.fields.text(UPDATE_ACTION).unwrap_or_default();
        action.split(|c: char| !c.is_alphanumeric()).any(|part| part.eq_ignore_ascii_case(word))
    }

    /// The event's current severity; the trigger's own only if the event's was not sent. Numbers
    /// first: the names are translated and can be renamed.
    pub(super) fn grade(&self) -> Grade {
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
        grade(&words, &self.integration.severity)
    }

    /// What is wrong, and where: the host goes before a name that does not contain it.
    pub(super) fn title(&self) -> Option<String> {
        let name = match self.source() {
            Source::Internal => self.what_fails(),
            Source::Service => {
                self.fields.text(SERVICE_NAME).map(|name| format!("Service {name} has a problem"))
            }
            Source::Trigger | Source::Discovery | Source::Autoregistration => None,
        };
        let said = || [NAME, SUBJECT, TRIGGER_NAME].iter().find_map(|names| self.fields.text(names));
        let name = name.or_else(|| said().map(str::to_owned))?;
        Some(with_host(&name, &self.fields.texts(HOST)))
    }

    /// The name of an internal event is only its reason. Of the three names a rule's or a trigger's
    /// is there for none but them; a trigger has items, too.
    fn what_fails(&self) -> Option<String> {
        let named = |names, kind: &str, state: &str| {
            let name = one_line(self.fields.text(names)?, TITLE_BYTES_MAX);
            Some(format!("{kind} \"{name}\" {state}"))
        };
        named(LLD_RULE_NAME, "low-level discovery rule", "is not supported")
            .or_else(|| named(TRIGGER_NAME, "trigger", "cannot be evaluated"))
            .or_else(|| named(ITEM_NAME, "item", "is not supported"))
    }

    /// The message of the action, else the operational data.
    pub(super) fn body(&self) -> String {
        let text = [MESSAGE, LLD_RULE_ERROR, OPDATA].iter().find_map(|names| self.fields.text(names));
        tidy_body(text.unwrap_or_default(), BODY_BYTES_MAX)
    }

    /// `host`, the problem's tags, then every other parameter by its name.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = Labels::default();
        let host = self.fields.text(HOST);
        if let Some(host) = host {
            labels.insert("host", host);
        }
        labels.insert_tags(&self.tags());
        let read: &[&[&str]] = &[
            NO_LABEL,
            UPDATE_ACTION,
            UPDATE_MESSAGE,
            BY,
            NAME,
            SUBJECT,
            TRIGGER_NAME,
            MESSAGE,
            SEVERITY,
            TRIGGER_SEVERITY,
            TAGS_JSON,
            URL,
            ZABBIX_URL,
        ];
        for (name, value) in self.fields.rest(read) {
            let is_trigger = matches!(name, "event_source" | "event_object") && value.trim() == "0";
            let is_host = name == "host_name" || name == "host_host" && host == Some(value);
            if !is_trigger && !is_host && !name.starts_with(TAG_PREFIX) {
                labels.insert(name, value);
            }
        }
        labels.finish()
    }

    fn tags(&self) -> Tags {
        let json =
            |name: &&str| tags_from_json(self.fields.nested(&[name]).or_else(|| self.fields.text(&[name]))?);
        if let Some(tags) = TAGS_JSON.iter().find_map(json) {
            return tags;
        }
        if let Some(text) = self.fields.text(&["eventtags"]) {
            return tags_from_text(text);
        }
        let mut tags = Tags::new();
        for (name, value) in self.fields.rest(&[TAGS_JSON]) {
            if let Some(name) = name.strip_prefix(TAG_PREFIX) {
                tags.entry(name.to_owned()).or_default().insert(value.to_owned());
            }
        }
        tags
    }

    /// The page that shows it.
    pub(super) fn source_url(&self, event_id: Option<&str>) -> Option<String> {
        page::address(self.fields, self.source(), event_id)
    }

    /// The event's own time; 6.0 has no macro for seconds since 1970, only date and time in the
    /// zone of the Zabbix user.
    pub(super) fn starts_at(&self) -> Option<Timestamp> {
        let zone = &self.integration.time_zone;
        let seconds =
            self.fields.text(&["eventtimestamp"]).and_then(|text| time::parse(text, zone, self.now));
        seconds.or_else(|| {
            let date = self.fields.text(&["eventdate"])?.trim();
            let clock = self.fields.text(&["eventtime"])?.trim();
            time::parse(&format!("{date} {clock}"), zone, self.now)
        })
    }
}
