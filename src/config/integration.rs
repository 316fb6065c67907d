//! `[[integration]]`: who may post events, and how their words are read.

use std::{collections::BTreeMap, ops::RangeInclusive};

use jiff::{SignedDuration, tz::TimeZone};
use secrecy::SecretString;

use super::{
    check::{Check, Section},
    keys::Keys,
    raw::{Field, Part, RawHmac, RawIntegration, Table, Words},
    secret::WANTED,
    template::is_header_name,
    units::{self, Wanted, found, pointer},
};
use crate::alert::{OURS, Severity};

const CLOSE_AFTER: RangeInclusive<SignedDuration> =
    SignedDuration::from_secs(1)..=SignedDuration::from_hours(24 * 3653);
const CLOSE_AFTER_DEFAULT: SignedDuration = SignedDuration::from_hours(24 * 7);

/// The integration of alerts that operators raise by hand; no sender may have this name.
pub const MANUAL: &str = "manual";

#[derive(Clone, Debug)]
pub struct Integration {
    /// In the URL `/v1/events/NAME`.
    pub name: String,
    pub kind: IntegrationKind,
    /// Bearer, Basic password or `?key=`.
    pub key: SecretString,
    /// Where it is there, every body has to be signed, and a signed one needs no key.
    pub hmac: Option<Hmac>,
    /// Zone of the sender's times without offset.
    pub time_zone: TimeZone,
    /// An alert that no event mentioned for this time resolves itself.
    pub close_after: SignedDuration,
    /// The sender's words (lower case) → severities, over the defaults.
    pub severity: BTreeMap<String, Severity>,
    /// Where a sender whose names we do not know says what.
    pub map: Map,
}

/// `hmac`: HMAC-SHA-256 over the raw body, as hexadecimal digits in a header.
#[derive(Clone, Debug)]
pub struct Hmac {
    pub secret: SecretString,
    /// Where the signature is.
    pub header: String,
    /// Where the time of the signature is (seconds since 1970), which is then signed in front of the body,
    /// with a colon between. `None` = no such header.
    pub timestamp_header: Option<String>,
}

/// `[integration.map]`: JSON pointers (RFC 6901), for bodies whose names we do not know.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// The list of events; `None` = the body is one event, or a list of them. All others start at the event.
    pub events: Option<String>,
    /// Our name of a field → where it is.
    pub fields: Vec<(MapField, String)>,
}

/// What a pointer of `[integration.map]` points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapField {
    Title,
    Body,
    /// A word or a number.
    Severity,
    /// Firing, resolved, acknowledged and their like.
    Status,
    /// What events of one alert have in common.
    DedupKey,
    Host,
    Service,
    Url,
    StartsAt,
}

impl MapField {
    /// Every field, by its key in the file.
    pub const ALL: [(&'static str, Self); 9] = [
        ("title", Self::Title),
        ("body", Self::Body),
        ("severity", Self::Severity),
        ("status", Self::Status),
        ("dedup_key", Self::DedupKey),
        ("host", Self::Host),
        ("service", Self::Service),
        ("url", Self::Url),
        ("starts_at", Self::StartsAt),
    ];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrationKind {
    /// Zabbix 6.0 to 7.4, with our media type or one like it.
    Zabbix,
    /// Grafana 8 and later (and older ones, whose shape is another).
    Grafana,
    /// Prometheus Alertmanager; also Prometheus, vmalert and Loki pointed straight at us.
    Alertmanager,
    Munin,
    /// `WhaTap`'s webhook plugins.
    Whatap,
    /// Uptime Kuma 1 and 2.
    UptimeKuma,
    /// Anything with curl.
    Generic,
}

impl IntegrationKind {
    /// Every kind, by its name in the file.
    pub const ALL: [(&'static str, Self); 7] = [
        ("zabbix", Self::Zabbix),
        ("grafana", Self::Grafana),
        ("alertmanager", Self::Alertmanager),
        ("munin", Self::Munin),
        ("whatap", Self::Whatap),
        ("uptime_kuma", Self::UptimeKuma),
        ("generic", Self::Generic),
    ];

    /// Whether its events name the rule that fires in a label `alertname`, as Prometheus began it.
    pub fn has_alertnames(self) -> bool {
        match self {
            Self::Grafana | Self::Alertmanager => true,
            Self::Zabbix | Self::Munin | Self::Whatap | Self::UptimeKuma | Self::Generic => false,
        }
    }
}

pub(super) fn integrations(
    check: &mut Check<'_>,
    raw: &[Part<RawIntegration>],
    keys: &mut Keys,
) -> Vec<Integration> {
    check.each("[[integration]]", raw, |section, raw| integration(section, raw, keys))
}

fn integration(section: &mut Section<'_, '_>, raw: &RawIntegration, keys: &mut Keys) -> Option<Integration> {
    let name = section.name(raw.name(), "a name such as \"zabbix\"", integration_name);
    let kind = section.must_read(raw.kind(), "a kind such as \"zabbix\"", kind);
    let hmac = raw.hmac.as_ref().and_then(|part| hmac(section, part));
    let key = keys.read(section, raw.key());
    let time_zone = section.read(raw.time_zone(), units::time_zone);
    let close_after = section.duration(raw.close_after(), &CLOSE_AFTER);
    Some(Integration {
        severity: severities(section, &raw.severity),
        map: map(section, &raw.map),
        name: name?,
        kind: kind?,
        key: key?,
        hmac,
        time_zone: time_zone.unwrap_or(TimeZone::UTC),
        close_after: close_after.unwrap_or(CLOSE_AFTER_DEFAULT),
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
        let names = IntegrationKind::ALL.map(|(name, _)| name);
        let near = units::did_you_mean(text, &names);
        format!("expected one of {}{}{near}", names.join(", "), found(text))
    })
}

/// Where Grafana puts its signature unless told otherwise.
const SIGNATURE_HEADER: &str = "X-Grafana-Alerting-Signature";

fn hmac(section: &mut Section<'_, '_>, part: &Part<RawHmac>) -> Option<Hmac> {
    let Table(raw) = part.get_ref();
    let secret = raw.secret().named("hmac.secret");
    if secret.value.is_none() {
        section.problem(secret.or_at(part), format!("missing, {WANTED}"));
    }
    let secret = section.secret(secret);
    let header = section.read(raw.header().named("hmac.header"), header_name);
    let timestamp_header = section.read(raw.timestamp_header().named("hmac.timestamp_header"), |text| {
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
        let known = MapField::ALL.iter().find(|(name, _)| name == word.get_ref()).map(|(_, field)| *field);
        if known.is_none() && word.get_ref() != MAP_EVENTS {
            let names = MapField::ALL.map(|(name, _)| name).join(", ");
            let wanted = format!("unknown key, expected one of {MAP_EVENTS}, {names}");
            section.problem(Field::from(key.as_str()).or_at(word), wanted);
            continue;
        }
        let Some(pointer) = section.read(Field::new(&key, Some(leaf)), pointer) else { continue };
        match known {
            Some(field) => map.fields.push((field, pointer)),
            None => map.events = Some(pointer),
        }
    }
    map
}

fn severities(section: &mut Section<'_, '_>, raw: &Words) -> BTreeMap<String, Severity> {
    let mut words = BTreeMap::new();
    for (word, leaf) in raw {
        let key = format!("severity.{}", word.get_ref());
        let field = Field::new(&key, Some(leaf));
        let Some(severity) = section.read(field, units::severity) else { continue };
        if words.insert(word.get_ref().trim().to_lowercase(), severity).is_some() {
            let field = Field::from(key.as_str()).or_at(word);
            section.problem(field, "is there in another case too, expected each word once");
        }
    }
    words
}
