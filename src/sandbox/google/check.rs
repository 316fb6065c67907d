//! Is this a message that Google would take?

use serde_json::{Map, Value};

use super::schema::{Field, Kind, REQUEST, TARGETS};
use crate::sandbox::answer::Answer;

pub(super) const PAYLOAD_BYTES_MAX: usize = 4096;
pub(super) const TOPIC_PAYLOAD_BYTES_MAX: usize = 2048;
const TTL_SECONDS_MAX: f64 = 28.0 * 86_400.0;
const COLLAPSE_ID_BYTES_MAX: usize = 64;
const QUOTED_CHARS_MAX: usize = 64;

/// Why Google would refuse it, and the path of the value that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    at: String,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    /// The JSON reader found a name that the schema does not have.
    UnknownName(String),
    /// The JSON reader could not make the schema's type out of the value.
    WrongType(&'static str, String),
    /// FCM itself does not like the value.
    BadValue(String),
    TooBig,
}

impl What {
    fn here(self) -> Flaw {
        Flaw { at: String::new(), what: self }
    }
}

impl Flaw {
    /// Google's words for it.
    pub(super) fn answer(&self) -> Answer {
        let at = &self.at;
        match &self.what {
            What::UnknownName(name) => {
                let place = if at.is_empty() { String::new() } else { format!(" at '{at}'") };
                let description = format!(
                    "Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field."
                );
                Answer::unreadable_field(at, &description)
            }
            What::WrongType(kind, value) => {
                Answer::unreadable_field(at, &format!("Invalid value at '{at}' ({kind}), {value}"))
            }
            What::BadValue(description) => Answer::invalid_field(at, description),
            What::TooBig => Answer::too_big(),
        }
    }

    /// The same flaw, seen from one object further out.
    fn under(self, name: &str) -> Self {
        let dot = if self.at.is_empty() || self.at.starts_with('[') { "" } else { "." };
        Self { at: format!("{name}{dot}{}", self.at), what: self.what }
    }
}

/// Checks a whole request body: names and types first, then what FCM itself asks for.
pub(super) fn check(request: &Value) -> Result<(), Flaw> {
    let Value::Object(fields) = request else {
        return Err(wrong("Message", request));
    };
    check_object(REQUEST, fields)?;
    let none = Map::new();
    let message = member(fields, "message").and_then(Value::as_object).unwrap_or(&none);
    check_target(message).and_then(|()| check_apns(message)).map_err(|flaw| flaw.under("message"))?;
    let is_broadcast = member(message, "topic").or_else(|| member(message, "condition")).is_some();
    let limit = if is_broadcast { TOPIC_PAYLOAD_BYTES_MAX } else { PAYLOAD_BYTES_MAX };
    if limit < payload_bytes(message) { Err(What::TooBig.here()) } else { Ok(()) }
}

/// A member under its snake-case or camel-case name; null is the same as absent.
pub(super) fn member<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    let value = object.get(name).or_else(|| {
        let mut others = object.iter().filter(|(key, _)| name.contains('_') && is_same_name(name, key));
        others.next().map(|(_, value)| value)
    });
    value.filter(|value| !value.is_null())
}

fn check_object(fields: &[Field], object: &Map<String, Value>) -> Result<(), Flaw> {
    for (key, value) in object {
        let Some((_, kind)) = fields.iter().find(|(name, _)| is_same_name(name, key)) else {
            return Err(What::UnknownName(key.clone()).here());
        };
        if !value.is_null() {
            check_value(*kind, value).map_err(|flaw| flaw.under(key))?;
        }
    }
    Ok(())
}

/// `key` is `name`, which is in snake case, or its camel case.
fn is_same_name(name: &str, key: &str) -> bool {
    if name == key {
        return true;
    }
    let mut key = key.bytes();
    let mut is_capital = false;
    for byte in name.bytes() {
        if byte == b'_' {
            is_capital = true;
            continue;
        }
        let expected = if is_capital { byte.to_ascii_uppercase() } else { byte };
        is_capital = false;
        if key.next() != Some(expected) {
            return false;
        }
    }
    key.next().is_none()
}

fn check_value(kind: Kind, value: &Value) -> Result<(), Flaw> {
    match kind {
        Kind::Text => text(value).map(drop),
        Kind::Formed(is_formed, words) => {
            if is_formed(text(value)?) {
                Ok(())
            } else {
                Err(bad(words))
            }
        }
        Kind::Bool => value.as_bool().map(drop).ok_or_else(|| wrong("TYPE_BOOL", value)),
        Kind::Integer => value.as_i64().map(drop).ok_or_else(|| wrong("TYPE_INT32", value)),
        Kind::Number => value.as_f64().map(drop).ok_or_else(|| wrong("TYPE_FLOAT", value)),
        Kind::Texts => each(value, |item| text(item).map(drop)),
        Kind::Duration => duration(value),
        Kind::Durations => each(value, duration),
        Kind::Word(words) => word(words, value),
        Kind::TextMap => text_map(value),
        Kind::Data => data(value),
        Kind::Object(fields) => match value.as_object() {
            Some(object) => check_object(fields, object),
            None => Err(wrong("Message", value)),
        },
        Kind::Free => value.as_object().map(drop).ok_or_else(|| wrong("Struct", value)),
    }
}

fn text(value: &Value) -> Result<&str, Flaw> {
    value.as_str().ok_or_else(|| wrong("TYPE_STRING", value))
}

fn wrong(kind: &'static str, value: &Value) -> Flaw {
    What::WrongType(kind, value.to_string().chars().take(QUOTED_CHARS_MAX).collect()).here()
}

fn bad(words: &str) -> Flaw {
    What::BadValue(words.to_owned()).here()
}

fn each(value: &Value, check: impl Fn(&Value) -> Result<(), Flaw>) -> Result<(), Flaw> {
    let items = value.as_array().ok_or_else(|| wrong("List", value))?;
    for (index, item) in items.iter().enumerate() {
        check(item).map_err(|flaw| flaw.under(&format!("[{index}]")))?;
    }
    Ok(())
}

fn duration(value: &Value) -> Result<(), Flaw> {
    let digits = text(value)?.strip_suffix('s').unwrap_or_default();
    let is_decimal = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && !digits.starts_with('.');
    match digits.parse::<f64>() {
        Ok(seconds) if is_decimal && seconds <= TTL_SECONDS_MAX => Ok(()),
        Ok(_) if is_decimal => Err(bad("Duration is out of range")),
        Ok(_) | Err(_) => Err(wrong("type.googleapis.com/google.protobuf.Duration", value)),
    }
}

fn word(words: &[&str], value: &Value) -> Result<(), Flaw> {
    let is_known = match value {
        Value::String(text) => words.iter().any(|word| word.eq_ignore_ascii_case(text)),
        Value::Number(number) => number.as_u64().is_some_and(|number| number < words.len() as u64),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    };
    if is_known { Ok(()) } else { Err(wrong("TYPE_ENUM", value)) }
}

fn text_map(value: &Value) -> Result<(), Flaw> {
    let map = value.as_object().ok_or_else(|| wrong("Map", value))?;
    for (index, item) in map.values().enumerate() {
        text(item).map_err(|flaw| flaw.under(&format!("[{index}].value")))?;
    }
    Ok(())
}

fn data(value: &Value) -> Result<(), Flaw> {
    text_map(value)?;
    let is_reserved = |key: &str| {
        key == "from" || key == "message_type" || key.starts_with("google") || key.starts_with("gcm")
    };
    let keys = value.as_object().into_iter().flat_map(Map::keys);
    match keys.into_iter().find(|key| is_reserved(key)) {
        Some(key) => Err(bad(&format!("Invalid data payload key: {key}"))),
        None => Ok(()),
    }
}

fn check_target(message: &Map<String, Value>) -> Result<(), Flaw> {
    let mut targets = TARGETS.iter().filter(|name| member(message, name).is_some());
    match (targets.next(), targets.next()) {
        (Some(_), None) => Ok(()),
        (None, _) => Err(bad("Recipient of the message is not set.")),
        (Some(_), Some(second)) => {
            let set_twice = format!("oneof field 'target' is already set. Cannot set '{second}'");
            Err(What::WrongType("oneof", set_twice).here())
        }
    }
}

/// What Google asks of messages to iPhones before it passes them on to Apple.
fn check_apns(message: &Map<String, Value>) -> Result<(), Flaw> {
    let Some(config) = member(message, "apns") else { return Ok(()) };
    let bad = |field: &str, words: &str| Err(bad(words).under(field).under("apns"));
    let header = |name: &str| config.get("headers").and_then(|h| h.get(name)).and_then(Value::as_str);
    if header("apns-collapse-id").is_some_and(|id| COLLAPSE_ID_BYTES_MAX < id.len()) {
        return bad("headers.apns-collapse-id", "apns-collapse-id is longer than 64 bytes");
    }
    let priority = header("apns-priority");
    if priority.is_some_and(|priority| !matches!(priority, "1" | "5" | "10")) {
        return bad("headers.apns-priority", "Invalid apns-priority");
    }
    let Some(payload) = config.get("payload") else { return Ok(()) };
    let Some(aps) = payload.get("aps") else { return Ok(()) };
    if !aps.is_object() {
        return bad("payload.aps", "aps must be an object");
    }
    let is_silent = aps.get("content-available").is_some() && aps.get("alert").is_none();
    if is_silent && priority != Some("5") {
        return bad("headers.apns-priority", "A background message must have apns-priority 5");
    }
    Ok(())
}

/// Keys and values of what the platform with the largest share receives.
fn payload_bytes(message: &Map<String, Value>) -> usize {
    let bytes = |object: Option<&Value>, name| {
        object.and_then(Value::as_object).and_then(|o| member(o, name)).map_or(0, value_bytes)
    };
    let [android, apns, webpush] = ["android", "apns", "webpush"].map(|name| member(message, name));
    let common = ["data", "notification"].map(|name| member(message, name).map_or(0, value_bytes));
    let for_android = bytes(android, "data") + bytes(android, "notification");
    let for_apple = bytes(apns, "payload");
    let for_web = bytes(webpush, "data") + bytes(webpush, "notification");
    common.iter().sum::<usize>() + for_android.max(for_apple).max(for_web)
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(value_bytes).sum(),
        Value::Object(object) => object.iter().map(|(key, value)| key.len() + value_bytes(value)).sum(),
        Value::Null => 0,
        Value::Bool(_) | Value::Number(_) => value.to_string().len(),
    }
}

#[cfg(test)]
mod tests;
