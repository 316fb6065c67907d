//! `[[integration]]` and `[[operator]]`: who may knock, and with which key.

use std::{
    collections::BTreeMap,
    ops::{Range, RangeInclusive},
};

use jiff::{SignedDuration, tz::TimeZone};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Hmac, Integration, IntegrationKind, Map, MapField, Operator, Role,
    answer::pointer,
    check::{Check, Section},
    raw::{Leaf, Part, RawHmac, RawIntegration, RawOperator, Words},
    template::is_header_name,
    units::{self, Wanted, found},
};
use crate::alert::Severity;

const CLOSE_AFTER: RangeInclusive<SignedDuration> =
    SignedDuration::from_secs(1)..=SignedDuration::from_hours(24 * 3653);
const CLOSE_AFTER_DEFAULT: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Names we use ourselves: alerts by hand, and our own.
const MANUAL: &str = "manual";
const OURS: &str = "bongsu";

/// Every key seen so far and whose it is: a key says who knocks, so no two may share one.
#[derive(Default)]
pub(super) struct Keys(Vec<(SecretString, String)>);

impl Keys {
    fn add(&mut self, section: &mut Section<'_, '_>, name: &str, field: Option<&Leaf>, key: &SecretString) {
        let owner = self.0.iter().find(|(other, _)| other.expose_secret() == key.expose_secret());
        if let (Some((_, owner)), Some(field)) = (owner, field) {
            let what = format!("{owner} has the same key, expected another: a key says who is calling");
            section.problem(field.span(), name, what);
        }
        self.0.push((key.clone(), section.label.clone()));
    }
}

/// Everything that may post events.
pub(super) fn integrations(
    check: &mut Check<'_>,
    raw: &[Part<RawIntegration>],
    keys: &mut Keys,
) -> Vec<Integration> {
    let mut integrations: Vec<Integration> = Vec::new();
    for part in raw {
        let mut section = check.section("[[integration]]", part.span());
        let Some(integration) = integration(&mut section, &part.get_ref().0, keys) else { continue };
        if integrations.iter().any(|other| other.name == integration.name) {
            section.problem(part.span(), "name", "an earlier integration has this name too");
        }
        integrations.push(integration);
    }
    integrations
}

fn integration(section: &mut Section<'_, '_>, raw: &RawIntegration, keys: &mut Keys) -> Option<Integration> {
    let name = section.must_read("name", raw.name.as_ref(), "a name such as \"zabbix\"", integration_name);
    if let Some(name) = &name {
        section.label = format!("[[integration]] `{name}`");
    }
    let kind = section.must_read("kind", raw.kind.as_ref(), "a kind such as \"zabbix\"", kind);
    let hmac = raw.hmac.as_ref().and_then(|part| hmac(section, &part.get_ref().0, part.span()));
    let key = section.must_key("key", raw.key.as_ref());
    if let Some(key) = &key {
        keys.add(section, "key", raw.key.as_ref(), key);
    }
    let time_zone = section.read("time_zone", raw.time_zone.as_ref(), units::time_zone);
    let close_after =
        section.read("close_after", raw.close_after.as_ref(), |text| units::duration(text, &CLOSE_AFTER));
    let severity = severities(section, &raw.severity);
    let map = map(section, &raw.map);
    Some(Integration {
        name: name?,
        kind: kind?,
        key: key?,
        hmac,
        time_zone: time_zone.unwrap_or(TimeZone::UTC),
        close_after: close_after.unwrap_or(CLOSE_AFTER_DEFAULT),
        severity,
        map,
    })
}

fn integration_name(text: &str) -> Result<String, Wanted> {
    let name = units::name(text)?;
    let folded = name.to_ascii_lowercase();
    if folded == MANUAL || folded.starts_with(OURS) {
        Err(format!(
            "`{MANUAL}` and names that start with `{OURS}` are our own, expected another{}",
            found(text)
        ))
    } else {
        Ok(name)
    }
}

fn kind(text: &str) -> Result<IntegrationKind, Wanted> {
    let known = IntegrationKind::ALL.iter().find(|(name, _)| *name == text);
    known.map(|(_, kind)| *kind).ok_or_else(|| {
        let names: Vec<&str> = IntegrationKind::ALL.iter().map(|(name, _)| *name).collect();
        let near = units::did_you_mean(text, &names);
        format!("expected one of {}{}{near}", names.join(", "), found(text))
    })
}

/// Where Grafana puts its signature unless told otherwise.
const SIGNATURE_HEADER: &str = "X-Grafana-Alerting-Signature";

fn hmac(section: &mut Section<'_, '_>, raw: &RawHmac, at: Range<usize>) -> Option<Hmac> {
    if raw.secret.is_none() {
        section.problem(
            at,
            "hmac.secret",
            "missing, expected { env = \"NAME\" }, { file = \"PATH\" } or a string",
        );
    }
    let secret = section.secret("hmac.secret", raw.secret.as_ref());
    let header = section.read("hmac.header", raw.header.as_ref(), header_name);
    let timestamp_header = section.read("hmac.timestamp_header", raw.timestamp_header.as_ref(), |text| {
        if text.is_empty() { Ok(None) } else { header_name(text).map(Some) }
    });
    Some(Hmac {
        secret: secret?,
        header: header.unwrap_or_else(|| SIGNATURE_HEADER.to_owned()),
        timestamp_header: timestamp_header.flatten(),
    })
}

fn header_name(text: &str) -> Result<String, Wanted> {
    if is_header_name(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected the name of an HTTP header such as \"{SIGNATURE_HEADER}\"{}", found(text)))
    }
}

/// The list of events, beside the fields of an event.
const MAP_EVENTS: &str = "events";

fn map(section: &mut Section<'_, '_>, raw: &Words) -> Map {
    let mut map = Map::default();
    for (word, leaf) in raw {
        let key = format!("map.{}", word.get_ref());
        let field = MapField::ALL.iter().find(|(name, _)| name == word.get_ref()).map(|(_, field)| *field);
        if field.is_none() && word.get_ref() != MAP_EVENTS {
            let names: Vec<&str> = MapField::ALL.iter().map(|(name, _)| *name).collect();
            let wanted = format!("unknown key, expected one of {MAP_EVENTS}, {}", names.join(", "));
            section.problem(word.span(), &key, wanted);
            continue;
        }
        let Some(pointer) = section.read(&key, Some(leaf), pointer) else { continue };
        match field {
            Some(field) => map.fields.push((field, pointer)),
            None => map.events = Some(pointer),
        }
    }
    map
}

fn severities(section: &mut Section<'_, '_>, raw: &Words) -> BTreeMap<String, Severity> {
    let mut words = BTreeMap::new();
    for (word, field) in raw {
        let key = format!("severity.{}", word.get_ref());
        let Some(severity) = section.read(&key, Some(field), units::severity) else { continue };
        if words.insert(word.get_ref().trim().to_lowercase(), severity).is_some() {
            section.problem(word.span(), &key, "is there in another case too, expected each word once");
        }
    }
    words
}

/// Everybody who may use the API.
pub(super) fn operators(check: &mut Check<'_>, raw: &[Part<RawOperator>], keys: &mut Keys) -> Vec<Operator> {
    let mut operators: Vec<Operator> = Vec::new();
    for part in raw {
        let mut section = check.section("[[operator]]", part.span());
        let Some(operator) = operator(&mut section, &part.get_ref().0, keys) else { continue };
        if operators.iter().any(|other| other.name == operator.name) {
            section.problem(part.span(), "name", "an earlier operator has this name too");
        }
        operators.push(operator);
    }
    operators
}

fn operator(section: &mut Section<'_, '_>, raw: &RawOperator, keys: &mut Keys) -> Option<Operator> {
    let name = section.must_read("name", raw.name.as_ref(), "a name such as \"jin\"", units::name);
    if let Some(name) = &name {
        section.label = format!("[[operator]] `{name}`");
    }
    let token = section.must_key("token", raw.token.as_ref());
    if let Some(token) = &token {
        keys.add(section, "token", raw.token.as_ref(), token);
    }
    let role = section.read("role", raw.role.as_ref(), |text| match text {
        "viewer" => Ok(Role::Viewer),
        "operator" => Ok(Role::Operator),
        _ => Err(format!("expected \"viewer\" or \"operator\"{}", found(text))),
    });
    Some(Operator { name: name?, token: token?, role: role.unwrap_or_default() })
}
