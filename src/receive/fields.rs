//! A body as a flat set of named texts, whether it came as JSON or as a form.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    form,
    json::{Pairs, string},
    labels::{Tags, tags_from_json},
};

/// A Zabbix media type has about 30.
const FIELDS_MAX: usize = 512;
/// With the names of the objects around it.
const NAME_BYTES_MAX: usize = 256;
const DEPTH_MAX: usize = 4;

/// What Checkmk and Nagios put before the names of their macros in the environment of a script.
const ENVIRONMENTS: [&str; 2] = ["NOTIFY_", "NAGIOS_"];

/// Named values. A name is found in lower case and without `_`, `.`, `-`, `$` and spaces, so that `EVENT.ID`,
/// `event_id`, `EventId` are one name; an object inside the object gives the names of both (`{"host": {"name": …}}`
/// is `host_name`). Variables of Nagios and Checkmk go without the program's name: `NOTIFY_HOSTNAME` is `hostname`.
///
/// Where several names are asked for, they are found-by names in one text, separated by white space.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    entries: BTreeMap<String, Entry<'a>>,
}

#[derive(Debug)]
struct Entry<'a> {
    /// Lower case, `.`, `-` and spaces as `_`: what the value is called as a label.
    label: String,
    /// The found-by name of the outermost object around it; its own at the top.
    top: String,
    value: Value<'a>,
}

#[derive(Debug)]
enum Value<'a> {
    Text(Cow<'a, str>),
    /// Zabbix had no value for it and sent the macro's name.
    Macro,
    /// Nothing, or what Zabbix or Nagios send for it.
    Absent,
    /// An array or an object, as it was written.
    Nested(&'a str),
}

impl<'a> Fields<'a> {
    /// Reads a JSON object. An error names a position and no part of the text, if the text begins with `{`.
    pub(super) fn from_json(text: &'a str) -> Result<Self, serde_json::Error> {
        let mut fields = Self::default();
        for (name, value) in serde_json::from_str::<Pairs<'a>>(text)?.0 {
            fields.insert_json(&name, None, value.get(), 1);
        }
        Ok(fields)
    }

    pub(super) fn from_form(text: &'a str) -> Self {
        Self::from_parts(form::pairs(text.trim(), FIELDS_MAX))
    }

    /// Names and values that were taken apart elsewhere.
    pub(super) fn from_parts<N: AsRef<str>, V: Into<Cow<'a, str>>>(
        parts: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut fields = Self::default();
        for (name, value) in parts.into_iter().take(FIELDS_MAX) {
            fields.insert(name.as_ref(), None, text_or_absent(value.into()));
        }
        fields
    }

    /// Adds a value that was found otherwise, under a found-by name.
    pub(super) fn add(&mut self, name: &str, value: String) {
        let value = text_or_absent(Cow::Owned(value));
        self.entries.insert(name.to_owned(), Entry { label: name.to_owned(), top: name.to_owned(), value });
    }

    /// The first of these that has a value.
    pub(super) fn text(&self, names: &str) -> Option<&str> {
        self.values(names).next()
    }

    /// As [`Self::text`], without spaces around it.
    pub(super) fn word(&self, names: &str) -> Option<&str> {
        self.text(names).map(str::trim)
    }

    /// Every value of these names, in the order of `names`.
    pub(super) fn texts(&self, names: &str) -> Vec<&str> {
        self.values(names).collect()
    }

    fn values(&self, names: &str) -> impl Iterator<Item = &str> {
        names.split_ascii_whitespace().filter_map(|name| match &self.entries.get(name)?.value {
            Value::Text(text) => Some(text.as_ref()),
            Value::Macro | Value::Absent | Value::Nested(_) => None,
        })
    }

    /// The first of these that is an array or object, as it was written.
    pub(super) fn nested(&self, names: &str) -> Option<&'a str> {
        names.split_ascii_whitespace().find_map(|name| match self.entries.get(name)?.value {
            Value::Nested(raw) => Some(raw),
            Value::Text(_) | Value::Macro | Value::Absent => None,
        })
    }

    pub(super) fn tags(&self, name: &str) -> Option<Tags> {
        tags_from_json(self.nested(name).or_else(|| self.text(name))?)
    }

    pub(super) fn day_and_time(&self, day: &str, time: &str) -> Option<String> {
        Some(format!("{} {}", self.word(day)?, self.word(time)?))
    }

    /// With or without a value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    pub(super) fn is_macro(&self, name: &str) -> bool {
        self.entries.get(name).is_some_and(|entry| matches!(entry.value, Value::Macro))
    }

    /// What is neither known itself nor inside an object that is known, nor looks like a credential:
    /// label name and value, sorted by name.
    pub(super) fn rest(&self, is_known: impl Fn(&str) -> bool) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().filter_map(move |(name, entry)| {
            let Value::Text(text) = &entry.value else { return None };
            let is_left_over = !is_known(name) && !is_known(&entry.top) && !is_credential(name);
            is_left_over.then_some((entry.label.as_str(), text.as_ref()))
        })
    }

    fn insert_json(&mut self, name: &str, top: Option<&str>, raw: &'a str, depth: usize) {
        if NAME_BYTES_MAX < name.len() || FIELDS_MAX <= self.entries.len() {
            return;
        }
        match raw.as_bytes().first() {
            Some(b'"') => self.insert(name, top, text_or_absent(Cow::Owned(string(raw)))),
            Some(b'[') => self.insert(name, top, Value::Nested(raw)),
            Some(b'{') => {
                self.insert(name, top, Value::Nested(raw));
                if depth == DEPTH_MAX {
                    return;
                }
                let outermost = top.map_or_else(|| squeezed(name), str::to_owned);
                for (inner, value) in Pairs::read(raw).map(|pairs| pairs.0).unwrap_or_default() {
                    self.insert_json(&format!("{name}_{inner}"), Some(&outermost), value.get(), depth + 1);
                }
            }
            Some(b'n') | None => self.insert(name, top, Value::Absent),
            Some(_) => self.insert(name, top, Value::Text(Cow::Borrowed(raw))),
        }
    }

    /// Of two spellings of one name, the first that has a value stays.
    fn insert(&mut self, name: &str, top: Option<&str>, value: Value<'a>) {
        let plain = ENVIRONMENTS.iter().find_map(|prefix| name.strip_prefix(prefix));
        // What a notification script of Checkmk is called with: its address and its key.
        if plain.is_some_and(|name| name.starts_with("PARAMETER")) {
            return;
        }
        let name = plain.unwrap_or(name);
        let key = squeezed(name);
        let has_value =
            self.entries.get(&key).is_some_and(|entry| !matches!(entry.value, Value::Absent | Value::Macro));
        if has_value || NAME_BYTES_MAX < name.len() {
            return;
        }
        let mut label = lower_case(name.trim_matches(|c: char| c == '$' || c.is_whitespace()));
        if label.contains(['.', '-', ' ']) {
            label = label.replace(['.', '-', ' '], "_");
        }
        let top = top.map_or_else(|| key.clone(), str::to_owned);
        self.entries.insert(key, Entry { label, top, value });
    }
}

/// The found-by form of a name.
fn squeezed(name: &str) -> String {
    let mut name = lower_case(name);
    name.retain(|c| !matches!(c, '_' | '.' | '-' | '$' | ' '));
    name
}

/// Character by character, unlike `str::to_lowercase`: a name means the same wherever it stands.
fn lower_case(name: &str) -> String {
    // Every event has two dozen names, nearly all of them plain.
    if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        name.chars().flat_map(char::to_lowercase).collect()
    }
}

/// Media types often send all their parameters, the key of the integration among them.
fn is_credential(name: &str) -> bool {
    const WHOLE: &str = "key auth pass httpproxy proxy idempotencykey routingkey servicekey integrationkey";
    const PARTS: &str = "token secret password passwd apikey authorization authheader credential cookie";
    WHOLE.split(' ').any(|whole| name == whole) || PARTS.split(' ').any(|part| name.contains(part))
}

fn text_or_absent(text: Cow<'_, str>) -> Value<'_> {
    let trimmed = text.trim();
    if is_unresolved_macro(trimmed) {
        Value::Macro
    } else if trimmed.is_empty() || trimmed == "*UNKNOWN*" || is_macro_of_nagios(trimmed) {
        Value::Absent
    } else {
        Value::Text(text)
    }
}

/// True for a text that is a Zabbix macro and nothing else: `{EVENT.ID}`, `{$URL}`, `{#DISK}`, `{EVENT.TAGS.scope}`,
/// `{{ITEM.VALUE}.regsub(…)}`. Within a longer text it is literal: Zabbix does not expand macros inside of values.
fn is_unresolved_macro(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
        return false;
    };
    if inner.contains('\n') {
        return false;
    }
    let tag = inner.strip_prefix("EVENT.RECOVERY.TAGS.").or_else(|| inner.strip_prefix("EVENT.TAGS."));
    if let Some(tag) = tag {
        return !tag.contains(['{', '}']);
    }
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "_.:\"#<>-".contains(c))
    };
    match inner.strip_prefix(['$', '#', '?', '{']) {
        Some(_) if inner.starts_with('{') => {
            inner.ends_with(')')
                && inner.split_once("}.").is_some_and(|(name, _)| is_name(name.trim_start_matches('{')))
        }
        Some(rest) => rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')),
        None => is_name(inner),
    }
}

/// True for `$SERVICEPROBLEMID$` and nothing else: Nagios leaves the macros of a service as they stand in what it
/// sends about a host.
fn is_macro_of_nagios(text: &str) -> bool {
    let name = text.strip_prefix('$').and_then(|text| text.strip_suffix('$')).unwrap_or_default();
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "_:-.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_value_that_is_a_macro_as_a_whole_is_absent() {
        for absent in [
            "{EVENT.ID}",
            "{EVENT.RECOVERY.TAGSJSON}",
            "{EVENT.TAGS.scope}",
            "{EVENT.TAGS.my tag}",
            "{$ZABBIX.URL}",
            "{$MAX:\"a b\"}",
            "{#DISK}",
            "{HOST.NAME1}",
            "{{ITEM.VALUE}.regsub(\"a b\", \"\\1\")}",
            "*UNKNOWN*",
            "$SERVICEPROBLEMID$",
            "$_HOSTOWNER$",
            " ",
            "",
        ] {
            assert!(matches!(text_or_absent(absent.into()), Value::Absent | Value::Macro), "{absent}");
        }
        for text in [
            "CPU of {HOST.NAME}",
            "{HOST.NAME} is down",
            "{}",
            "{\"a\":1}",
            "{web01}",
            "[{A}]",
            "{A} {B}",
            "{\n}",
            "$5$",
            "$HOME is full$",
            "$$",
        ] {
            assert!(matches!(text_or_absent(text.into()), Value::Text(_)), "{text}");
        }
    }

    #[test]
    fn names_are_found_in_every_spelling_and_scalars_are_text() {
        let text = r#"{"EVENT.ID": 459, "Host-Name": "", "HOST.NAME": "웹-01", "ok": true, "none": null,
            "host": {"address": {"v4": "::1"}}, "list": [1], "half": "a\ud83d"}"#;
        let fields = Fields::from_json(text).expect("JSON");
        for (name, value) in [
            ("eventid", Some("459")),
            ("hostname", Some("웹-01")),
            ("ok", Some("true")),
            ("none", None),
            ("hostaddressv4", Some("::1")),
            ("half", Some("a\u{FFFD}\u{FFFD}\u{FFFD}")),
        ] {
            assert_eq!(fields.text(name), value, "{name}");
        }
        assert_eq!(fields.nested("list"), Some("[1]"));
        let rest: Vec<_> = fields.rest(|name| ["eventid", "host", "half"].contains(&name)).collect();
        assert_eq!(rest, [("host_name", "웹-01"), ("ok", "true")]);
    }

    #[test]
    fn credentials_are_never_kept() {
        let fields =
            Fields::from_form("API.Token=a&AuthHeader=b&HTTPProxy=c&bongsu_password=d&item_key=system.cpu");
        assert_eq!(fields.rest(|_| false).collect::<Vec<_>>(), [("item_key", "system.cpu")]);
        let fields = Fields::from_form("NOTIFY_PARAMETER_2=a&routing_key=b&NOTIFY_HOSTADDRESS=10.0.0.7");
        assert_eq!(fields.rest(|_| false).collect::<Vec<_>>(), [("hostaddress", "10.0.0.7")]);
    }
}
