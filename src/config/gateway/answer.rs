//! `accepted` and `rejected`: how a gateway's answer is understood.

use std::ops::RangeInclusive;

use crate::config::{
    check::{Section, wrong_type},
    raw::{Leaf, Part, RawAnswerRule},
    units::{Wanted, found, pointer},
};

/// `accepted`: a status range and optionally a value in the answer.
#[derive(Clone, Debug)]
pub struct AcceptedRule {
    /// `2xx`, or an exact status.
    pub status: StatusRule,
    pub value: Option<PointerRule>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusRule {
    /// `"2xx"`: the first digit.
    Class(u16),
    /// `"202"`
    Exact(u16),
}

/// A JSON pointer (RFC 6901) and, optionally, the value expected there, compared as text.
#[derive(Clone, Debug)]
pub struct PointerRule {
    pub pointer: String,
    /// `None` = anything but absent, null or false.
    pub equals: Option<String>,
}

/// `accepted`: by default any 2xx.
pub(super) fn accepted(section: &mut Section<'_, '_>, part: Option<&Part<RawAnswerRule>>) -> AcceptedRule {
    let default = StatusRule::Class(2);
    let Some(part) = part else { return AcceptedRule { status: default, value: None } };
    let rule = &part.get_ref().0;
    let status = word(section, "accepted.status", rule.status.as_ref(), status);
    let value = if rule.pointer.is_none() && rule.equals.is_none() {
        None
    } else {
        pointer_rule(section, "accepted", part)
    };
    AcceptedRule { status: status.unwrap_or(default), value }
}

pub(super) fn rejected(section: &mut Section<'_, '_>, part: &Part<RawAnswerRule>) -> Option<PointerRule> {
    if let Some(status) = &part.get_ref().0.status {
        section.problem(status.span(), "rejected.status", "unknown key, expected `pointer` and `equals`");
    }
    pointer_rule(section, "rejected", part)
}

fn pointer_rule(section: &mut Section<'_, '_>, key: &str, part: &Part<RawAnswerRule>) -> Option<PointerRule> {
    let rule = &part.get_ref().0;
    if rule.pointer.is_none() {
        section.problem(
            part.span(),
            &format!("{key}.pointer"),
            "missing, expected a JSON pointer such as \"/ok\"",
        );
    }
    let equals = word(section, &format!("{key}.equals"), rule.equals.as_ref(), |text| Ok(text.to_owned()));
    let pointer = section.read(&format!("{key}.pointer"), rule.pointer.as_ref(), pointer)?;
    Some(PointerRule { pointer, equals })
}

/// A string, number or boolean as text: answers are compared as text.
fn word<T>(
    section: &mut Section<'_, '_>,
    key: &str,
    field: Option<&Leaf>,
    read: impl FnOnce(&str) -> Result<T, Wanted>,
) -> Option<T> {
    let field = field?;
    let read = match field.get_ref() {
        toml::Value::String(text) => read(text),
        toml::Value::Integer(number) => read(&number.to_string()),
        toml::Value::Boolean(flag) => read(&flag.to_string()),
        other @ (toml::Value::Float(_)
        | toml::Value::Datetime(_)
        | toml::Value::Array(_)
        | toml::Value::Table(_)) => Err(wrong_type("a string", other)),
    };
    read.map_err(|wanted| section.problem(field.span(), key, wanted)).ok()
}

fn status(text: &str) -> Result<StatusRule, Wanted> {
    const CLASSES: RangeInclusive<u16> = 1..=5;
    const STATUSES: RangeInclusive<u16> = 100..=599;
    let class =
        text.strip_suffix("xx").and_then(|digit| digit.parse().ok()).filter(|class| CLASSES.contains(class));
    let exact = text.parse().ok().filter(|status| STATUSES.contains(status));
    class
        .map(StatusRule::Class)
        .or(exact.map(StatusRule::Exact))
        .ok_or_else(|| format!("expected a status such as \"2xx\" or \"202\"{}", found(text)))
}
