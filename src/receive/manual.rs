//! `POST /v1/alerts`: an alert by a person, or by a script of theirs.
//!
//! * **JSON**: `{"title": …, "severity"?, "body"?, "dedup_key"?, "status"?, "labels"?: {…}, "to"?: ["jin"]}`
//! * **Form**: the same names; `to` repeated or separated by commas, a label as `labels.team=web`.
//!   Recognised by its `title`, since `curl -d` calls everything a form.
//! * **Text**: the first line is the title, the rest the body.
//!
//! Unlike a monitor the caller sees the response, so a mistake in JSON or in a form is an error that names the
//! field. Plain text is only wrong when empty.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{
    form, is_json,
    json::{Items, Pairs, scalar, string},
    labels::Labels,
    text,
    words::{State, state},
};
use crate::alert::{ContactName, DedupKey, Event, EventStatus, Severity, Update};

/// Somebody who raises an alert by hand wants action now; who also wants texts at once says `disaster`.
const SEVERITY_DEFAULT: Severity = Severity::High;
const CONTACTS_MAX: usize = 100;
/// For `Idempotency-Key` and `dedup_key`.
const KEY_BYTES_MAX: usize = DedupKey::BYTES_MAX;
/// Six names, contacts and labels.
const FORM_FIELDS_MAX: usize = 1024;

const STATUS_EXPECTED: &str = "expected firing, acknowledged or resolved";
const UNKNOWN_FIELD: &str =
    "unknown field; known are title, severity, body, dedup_key, status, labels and to";

#[derive(Clone, Copy, Debug)]
pub struct ManualRequest<'a> {
    /// Only decides whether something in brackets is broken JSON or plain text.
    pub content_type: Option<&'a str>,
    pub body: &'a [u8],
    pub idempotency_key: Option<&'a str>,
    /// Stands in for a `dedup_key`, so that the alert always opens; never the same twice.
    pub unique: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManualError {
    #[error("the body is empty: expected a line of text, or JSON with at least a title")]
    Empty,
    #[error("the body is not valid JSON: {0}")]
    InvalidJson(String),
    /// `field` as the caller wrote it; what is wrong with it and what would be right.
    #[error("{field}: {problem}")]
    Field { field: String, problem: String },
}

/// Without `dedup_key` the alert's key is made of the `Idempotency-Key`, so that a repeated request finds the alert
/// that it opened, else of `unique`.
pub fn read(request: ManualRequest<'_>) -> Result<Event, ManualError> {
    if request.idempotency_key.is_some_and(|key| key.is_empty() || KEY_BYTES_MAX < key.len()) {
        return Err(wrong("Idempotency-Key", format!("expected 1 to {KEY_BYTES_MAX} bytes")));
    }
    let decoded = text::decode(request.body);
    let trimmed = decoded.trim();
    if trimmed.is_empty() {
        return Err(ManualError::Empty);
    }
    let draft = if is_json(request.content_type) || trimmed.starts_with('{') {
        from_json(trimmed)?
    } else if let Some(draft) = from_form(trimmed)? {
        draft
    } else {
        from_text(trimmed)
    };
    draft.event(request)
}

/// What was asked for, before it is checked.
#[derive(Debug, Default)]
struct Draft {
    title: String,
    severity: Option<Severity>,
    body: String,
    dedup_key: Option<String>,
    status: Option<State>,
    labels: Labels,
    to: Vec<ContactName>,
}

impl Draft {
    fn event(self, request: ManualRequest<'_>) -> Result<Event, ManualError> {
        let title = text::title(&self.title);
        if title.is_empty() {
            return Err(wrong("title", "expected a line of text"));
        }
        if matches!(self.status, Some(State::Unacknowledged | State::Suppressed)) {
            return Err(wrong("status", STATUS_EXPECTED));
        }
        let status = self.status.unwrap_or(State::Firing).status(Update::default());
        if status != EventStatus::Firing && self.dedup_key.is_none() {
            return Err(wrong("dedup_key", "needed to find the alert that this status is about"));
        }
        let default = (status == EventStatus::Firing).then_some(SEVERITY_DEFAULT);
        let key = match (self.dedup_key, request.idempotency_key) {
            (Some(key), _) => DedupKey::new(key),
            (None, Some(key)) => DedupKey::derived("idempotent", &[key]),
            (None, None) => DedupKey::derived("manual", &[request.unique]),
        };
        Ok(Event {
            status,
            severity: self.severity.or(default),
            body: text::body(&self.body),
            labels: self.labels.finish(),
            to: self.to,
            idempotency_key: request.idempotency_key.map(str::to_owned),
            ..Event::firing(key, title)
        })
    }

    /// `None` is a value that is no text.
    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), ManualError> {
        let value = || value.ok_or_else(|| wrong(name, "expected text"));
        match name {
            "title" => value()?.clone_into(&mut self.title),
            "body" => value()?.clone_into(&mut self.body),
            "severity" => {
                self.severity = Some(value()?.parse().map_err(|err| wrong(name, format!("{err}")))?);
            }
            "dedup_key" => match value()?.trim() {
                "" => return Err(wrong(name, "expected text, or no such field")),
                key if KEY_BYTES_MAX < key.len() => {
                    return Err(wrong(name, format!("longer than {KEY_BYTES_MAX} bytes")));
                }
                key => self.dedup_key = Some(key.to_owned()),
            },
            "status" => {
                self.status = Some(state(value()?).ok_or_else(|| wrong(name, STATUS_EXPECTED))?);
            }
            _ => return Err(wrong(name, UNKNOWN_FIELD)),
        }
        Ok(())
    }

    fn add_contact(&mut self, field: &str, name: &str) -> Result<(), ManualError> {
        let name: ContactName = name.trim().parse().map_err(|err| wrong(field, format!("{err}")))?;
        if CONTACTS_MAX <= self.to.len() {
            return Err(wrong("to", format!("more than {CONTACTS_MAX} contacts")));
        }
        if !self.to.contains(&name) {
            self.to.push(name);
        }
        Ok(())
    }
}

fn from_json(text: &str) -> Result<Draft, ManualError> {
    if !text.starts_with('{') {
        return Err(ManualError::InvalidJson("expected one object, {\"title\": …}".to_owned()));
    }
    let pairs: Pairs<'_> =
        serde_json::from_str(text).map_err(|err| ManualError::InvalidJson(err.to_string()))?;
    let mut draft = Draft::default();
    for (name, value) in pairs.0 {
        let raw = value.get();
        match name.as_ref() {
            _ if raw == "null" => {}
            "labels" => labels_from_json(raw, &mut draft.labels)?,
            "to" => contacts_from_json(raw, &mut draft)?,
            name => {
                let is_text = raw.starts_with('"') || matches!(name, "severity" | "dedup_key");
                let text = scalar(raw).filter(|_| is_text);
                draft.set(name, text.as_deref())?;
            }
        }
    }
    Ok(draft)
}

fn labels_from_json(raw: &str, labels: &mut Labels) -> Result<(), ManualError> {
    let expected = "expected an object of texts, such as {\"team\": \"web\"}";
    let pairs: Pairs<'_> = serde_json::from_str(raw).map_err(|_| wrong("labels", expected))?;
    let mut sorted = BTreeMap::new();
    for (name, value) in pairs.0 {
        let text = scalar(value.get()).ok_or_else(|| wrong(format!("labels.{name}"), "expected text"))?;
        sorted.insert(name, text);
    }
    labels.extend(sorted);
    Ok(())
}

fn contacts_from_json(raw: &str, draft: &mut Draft) -> Result<(), ManualError> {
    let expected = "expected a list of contact names, such as [\"jin\"]";
    if raw.starts_with('"') {
        return draft.add_contact("to", &string(raw));
    }
    let items: Items<'_, { CONTACTS_MAX + 1 }> =
        serde_json::from_str(raw).map_err(|_| wrong("to", expected))?;
    for (number, item) in items.kept.iter().enumerate() {
        let field = format!("to[{number}]");
        let name = scalar(item.get()).filter(|_| item.get().starts_with('"'));
        draft.add_contact(&field, &name.ok_or_else(|| wrong(field.as_str(), "expected a contact name"))?)?;
    }
    Ok(())
}

/// `None` if the text is no form with a title.
fn from_form(text: &str) -> Result<Option<Draft>, ManualError> {
    let pairs = form::pairs(text, FORM_FIELDS_MAX);
    if !pairs.iter().any(|(name, value)| name == "title" && !value.trim().is_empty()) {
        return Ok(None);
    }
    let mut draft = Draft::default();
    for (name, value) in pairs {
        if name == "to" {
            for contact in value.split(',').filter(|name| !name.trim().is_empty()) {
                draft.add_contact("to", contact)?;
            }
        } else if let Some(label) = name.strip_prefix("labels.") {
            draft.labels.insert(label, &value);
        } else {
            draft.set(&name, Some(&value))?;
        }
    }
    Ok(Some(draft))
}

fn from_text(text: &str) -> Draft {
    let (title, body) = text::split_first_line(text);
    Draft { title: title.to_owned(), body: body.to_owned(), ..Draft::default() }
}

/// Names are shown cut: they are the caller's, of any length.
fn wrong(field: impl AsRef<str>, problem: impl Into<String>) -> ManualError {
    const FIELD_BYTES_MAX: usize = 64;
    ManualError::Field { field: text::one_line(field.as_ref(), FIELD_BYTES_MAX), problem: problem.into() }
}
