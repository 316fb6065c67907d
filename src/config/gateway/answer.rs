//! `accepted` and `rejected`: how a gateway's answer is understood.

use std::ops::RangeInclusive;

use crate::config::{
    check::{Section, wrong_type},
    raw::{Field, Part, RawAnswerRule, Table},
    units::{Wanted, found, pointer},
};

#[derive(Clone, Debug)]
pub struct AcceptedRule {
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
    let Table(rule) = part.get_ref();
    let status = word(section, rule.status().named("accepted.status"), status);
    let value = if rule.pointer.is_none() && rule.equals.is_none() {
        None
    } else {
        pointer_rule(section, "accepted", part)
    };
    AcceptedRule { status: status.unwrap_or(default), value }
}

pub(super) fn rejected(section: &mut Section<'_, '_>, part: &Part<RawAnswerRule>) -> Option<PointerRule> {
    let status = part.get_ref().0.status().named("rejected.status");
    if status.value.is_some() {
        section.problem(status, "unknown key, expected `pointer` and `equals`");
    }
    pointer_rule(section, "rejected", part)
}

fn pointer_rule(section: &mut Section<'_, '_>, key: &str, part: &Part<RawAnswerRule>) -> Option<PointerRule> {
    let Table(rule) = part.get_ref();
    let (at, equals) = (format!("{key}.pointer"), format!("{key}.equals"));
    let (at, equals) = (rule.pointer().named(&at), rule.equals().named(&equals));
    if at.value.is_none() {
        section.problem(at.or_at(part), "missing, expected a JSON pointer such as \"/ok\"");
    }
    let equals = word(section, equals, |text| Ok(text.to_owned()));
    Some(PointerRule { pointer: section.read(at, pointer)?, equals })
}

/// A string, number or boolean as text: answers are compared as text.
fn word<T>(
    section: &mut Section<'_, '_>,
    field: Field<'_>,
    read: impl FnOnce(&str) -> Result<T, Wanted>,
) -> Option<T> {
    let read = match field.value? {
        toml::Value::String(text) => read(text),
        toml::Value::Integer(number) => read(&number.to_string()),
        toml::Value::Boolean(flag) => read(&flag.to_string()),
        other @ (toml::Value::Float(_)
        | toml::Value::Datetime(_)
        | toml::Value::Array(_)
        | toml::Value::Table(_)) => Err(wrong_type("a string", other)),
    };
    read.map_err(|wanted| section.problem(field, wanted)).ok()
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
