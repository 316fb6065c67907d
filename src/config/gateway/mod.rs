//! `[[sms.gateway]]`: by which companies texts go.

mod answer;
mod http;
mod provider;

use std::{num::NonZeroU32, ops::RangeInclusive, sync::Arc};

use jiff::SignedDuration;
use toml::Spanned;

pub use self::{
    answer::{AcceptedRule, PointerRule, StatusRule},
    http::{BodyType, Encoding, HttpGateway},
    provider::{GatewayProvider, TwilioGateway},
};
use super::{
    check::{Check, Section, wrong_type},
    network::{Network, network},
    raw::{Field, Part, RawGateway},
    units::{self, one_of, quoted},
};
use crate::alert::GatewayName;

const TIMEOUT: RangeInclusive<SignedDuration> = SignedDuration::from_secs(1)..=SignedDuration::from_secs(60);
const TIMEOUT_DEFAULT: SignedDuration = SignedDuration::from_secs(10);
/// Segments a day: what ten people may get in texts that are no disasters, by the budgets' defaults.
const PER_DAY_DEFAULT: NonZeroU32 = NonZeroU32::new(1_000).expect("not zero");
/// Three segments hold a link and what it is about in every alphabet; one of UCS-2 holds either.
const MAX_SEGMENTS_DEFAULT: u8 = 3;
/// Joined texts of more parts are cut or refused by many carriers.
const MAX_SEGMENTS: RangeInclusive<i64> = 1..=10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Solapi,
    Twilio,
    Kannel,
    Nhn,
    Http,
}

const KINDS: [(&str, Kind); 5] = [
    ("solapi", Kind::Solapi),
    ("twilio", Kind::Twilio),
    ("kannel", Kind::Kannel),
    ("nhn", Kind::Nhn),
    ("http", Kind::Http),
];

#[derive(Clone, Debug)]
pub struct Gateway {
    pub name: GatewayName,
    /// The sender's number, as the provider wants it.
    pub from: Option<String>,
    /// How long a request may take.
    pub timeout: SignedDuration,
    /// Segments in any 24 hours; above it takes only what no limit may drop. `None` = no limit.
    pub per_day: Option<NonZeroU32>,
    pub network: Network,
    /// That one text may cost.
    pub max_segments: u8,
    pub provider: GatewayProvider,
}

/// In the order of the file.
pub(super) fn gateways(check: &mut Check<'_>, raw: &[Part<RawGateway>]) -> Vec<Gateway> {
    check.each("[[sms.gateway]]", raw, gateway)
}

fn gateway(section: &mut Section<'_, '_>, raw: &RawGateway) -> Option<Gateway> {
    let name = section.name(raw.name(), "a name such as \"solapi\"", units::name);
    let kind = section.must_read(raw.provider(), &quoted(&KINDS), one_of(&KINDS));
    let from = section.read(raw.from(), |text| match text.trim() {
        "" => Err("is empty, expected the sender's number or name".to_owned()),
        from => Ok(from.to_owned()),
    });
    let timeout = section.duration(raw.timeout(), &TIMEOUT);
    let per_day = per_day(section, raw.per_day());
    let network = network(section, raw.extra_ca(), raw.proxy());
    let max_segments = section.number(raw.max_segments(), &MAX_SEGMENTS);
    let max_segments = max_segments.and_then(|count| u8::try_from(count).ok());
    // Which other keys belong here depends on the provider, so without one they are left alone.
    let kind = kind?;
    refuse_keys_of_others(section, raw, kind);
    let provider = match kind {
        Kind::Solapi => provider::solapi(section, raw),
        Kind::Twilio => provider::twilio(section, raw),
        Kind::Kannel => provider::kannel(section, raw),
        Kind::Nhn => provider::nhn(section, raw),
        Kind::Http => http::http(section, raw).map(|http| GatewayProvider::Http(Arc::new(http))),
    };
    Some(Gateway {
        name: GatewayName::from(name?.as_str()),
        from,
        timeout: timeout.unwrap_or(TIMEOUT_DEFAULT),
        per_day,
        network,
        max_segments: max_segments.unwrap_or(MAX_SEGMENTS_DEFAULT),
        provider: provider?,
    })
}

/// Segments a day, or `off`.
fn per_day(section: &mut Section<'_, '_>, field: Field<'_>) -> Option<NonZeroU32> {
    let Some(value) = field.value else { return Some(PER_DAY_DEFAULT) };
    if value.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("off")) {
        return None;
    }
    let limit = value.as_integer().and_then(|count| u32::try_from(count).ok()).and_then(NonZeroU32::new);
    if limit.is_none() {
        let found =
            value.as_integer().map_or_else(|| wrong_type("", value), |count| format!("found {count}"));
        let found = found.rsplit(", ").next().unwrap_or_default().to_owned();
        let wanted = format!("expected a number of segments (1 or more) or \"off\", {found}");
        section.problem(field, wanted);
    }
    limit
}

/// At which byte of the file a key stands, if it does.
type Place = fn(&RawGateway) -> Option<usize>;

/// Keys that do not belong to every provider, those that they belong to, and where they stand.
const OWNERS: [(&str, &[Kind], Place); 17] = [
    ("base_url", &[Kind::Solapi, Kind::Nhn, Kind::Twilio], |raw| raw.base_url().at),
    ("api_key", &[Kind::Solapi, Kind::Nhn], |raw| raw.api_key().at),
    ("api_secret", &[Kind::Solapi, Kind::Nhn], |raw| raw.api_secret().at),
    ("method", &[Kind::Http], |raw| raw.method().at),
    ("url", &[Kind::Http, Kind::Kannel], |raw| raw.url().at),
    ("headers", &[Kind::Http], |raw| start(raw.headers.as_ref())),
    ("body_type", &[Kind::Http], |raw| raw.body_type().at),
    ("body", &[Kind::Http], |raw| raw.body().at),
    ("accepted", &[Kind::Http], |raw| start(raw.accepted.as_ref())),
    ("rejected", &[Kind::Http], |raw| start(raw.rejected.as_ref())),
    ("id_pointer", &[Kind::Http], |raw| raw.id_pointer().at),
    ("encoding", &[Kind::Http], |raw| raw.encoding().at),
    ("account_sid", &[Kind::Twilio], |raw| raw.account_sid().at),
    ("auth_token", &[Kind::Twilio], |raw| raw.auth_token().at),
    ("messaging_service_sid", &[Kind::Twilio], |raw| raw.messaging_service_sid().at),
    ("username", &[Kind::Kannel], |raw| raw.username().at),
    ("password", &[Kind::Kannel], |raw| raw.password().at),
];

fn start<T>(table: Option<&Spanned<T>>) -> Option<usize> {
    Some(table?.span().start)
}

/// Whether a gateway of this provider may have `key`; an unknown provider may have every key.
pub(super) fn takes(provider: &str, key: &str) -> bool {
    let owners = OWNERS.iter().find(|(owned, ..)| *owned == key).map(|(_, owners, _)| *owners);
    one_of(&KINDS)(provider).ok().zip(owners).is_none_or(|(kind, owners)| owners.contains(&kind))
}

fn refuse_keys_of_others(section: &mut Section<'_, '_>, raw: &RawGateway, kind: Kind) {
    for (key, owners, place) in OWNERS {
        let at = place(raw);
        if at.is_some() && !owners.contains(&kind) {
            section.problem(Field { key, at, value: None }, "does not belong to this gateway's provider");
        }
    }
}
