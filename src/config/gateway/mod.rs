//! `[[sms.gateway]]`: by which companies texts go.

mod answer;
mod http;
mod provider;

use std::{
    num::NonZeroU32,
    ops::{Range, RangeInclusive},
    sync::Arc,
};

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
    raw::{Leaf, Part, RawGateway},
    units::{self, one_of, quoted},
};

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
    /// In the ledger and in metrics.
    pub name: String,
    /// The sender's number, as the provider wants it.
    pub from: Option<String>,
    /// How long a request may take; default 10 s.
    pub timeout: SignedDuration,
    /// Segments in any 24 hours; above it takes only what no limit may drop. Default 1,000, `None` = no limit.
    pub per_day: Option<NonZeroU32>,
    pub network: Network,
    /// Most segments that one text may cost; default 3.
    pub max_segments: u8,
    pub provider: GatewayProvider,
}

/// In the order of the file.
pub(super) fn gateways(check: &mut Check<'_>, raw: &[Part<RawGateway>]) -> Vec<Gateway> {
    check.each("[[sms.gateway]]", raw, gateway)
}

fn gateway(section: &mut Section<'_, '_>, raw: &RawGateway) -> Option<Gateway> {
    let name = section.name(raw.name.as_ref(), "a name such as \"solapi\"", units::name);
    let kind = section.must_read("provider", raw.provider.as_ref(), &quoted(&KINDS), one_of(&KINDS));
    let from = section.read("from", raw.from.as_ref(), |text| match text.trim() {
        "" => Err("is empty, expected the sender's number or name".to_owned()),
        from => Ok(from.to_owned()),
    });
    let timeout = section.duration("timeout", raw.timeout.as_ref(), &TIMEOUT);
    let per_day = per_day(section, raw.per_day.as_ref());
    let network = network(section, raw.extra_ca.as_ref(), raw.proxy.as_ref());
    let max_segments = section
        .number("max_segments", raw.max_segments.as_ref(), &MAX_SEGMENTS)
        .and_then(|count| u8::try_from(count).ok());
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
        name: name?,
        from,
        timeout: timeout.unwrap_or(TIMEOUT_DEFAULT),
        per_day,
        network,
        max_segments: max_segments.unwrap_or(MAX_SEGMENTS_DEFAULT),
        provider: provider?,
    })
}

/// Segments a day, or `off`.
fn per_day(section: &mut Section<'_, '_>, field: Option<&Leaf>) -> Option<NonZeroU32> {
    let Some(field) = field else { return Some(PER_DAY_DEFAULT) };
    let value = field.get_ref();
    if value.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("off")) {
        return None;
    }
    let limit = value.as_integer().and_then(|count| u32::try_from(count).ok()).and_then(NonZeroU32::new);
    if limit.is_none() {
        let found =
            value.as_integer().map_or_else(|| wrong_type("", value), |count| format!("found {count}"));
        let found = found.rsplit(", ").next().unwrap_or_default().to_owned();
        let wanted = format!("expected a number of segments (1 or more) or \"off\", {found}");
        section.problem(field.span(), "per_day", wanted);
    }
    limit
}

/// Where a key stands in the file, if it does.
type Place = fn(&RawGateway) -> Option<Range<usize>>;

/// Keys that do not belong to every provider, those that they belong to, and where they stand.
const OWNERS: [(&str, &[Kind], Place); 17] = [
    ("base_url", &[Kind::Solapi, Kind::Nhn, Kind::Twilio], |raw| span(raw.base_url.as_ref())),
    ("api_key", &[Kind::Solapi, Kind::Nhn], |raw| span(raw.api_key.as_ref())),
    ("api_secret", &[Kind::Solapi, Kind::Nhn], |raw| span(raw.api_secret.as_ref())),
    ("method", &[Kind::Http], |raw| span(raw.method.as_ref())),
    ("url", &[Kind::Http, Kind::Kannel], |raw| span(raw.url.as_ref())),
    ("headers", &[Kind::Http], |raw| span(raw.headers.as_ref())),
    ("body_type", &[Kind::Http], |raw| span(raw.body_type.as_ref())),
    ("body", &[Kind::Http], |raw| span(raw.body.as_ref())),
    ("accepted", &[Kind::Http], |raw| span(raw.accepted.as_ref())),
    ("rejected", &[Kind::Http], |raw| span(raw.rejected.as_ref())),
    ("id_pointer", &[Kind::Http], |raw| span(raw.id_pointer.as_ref())),
    ("encoding", &[Kind::Http], |raw| span(raw.encoding.as_ref())),
    ("account_sid", &[Kind::Twilio], |raw| span(raw.account_sid.as_ref())),
    ("auth_token", &[Kind::Twilio], |raw| span(raw.auth_token.as_ref())),
    ("messaging_service_sid", &[Kind::Twilio], |raw| span(raw.messaging_service_sid.as_ref())),
    ("username", &[Kind::Kannel], |raw| span(raw.username.as_ref())),
    ("password", &[Kind::Kannel], |raw| span(raw.password.as_ref())),
];

fn span<T>(field: Option<&Spanned<T>>) -> Option<Range<usize>> {
    field.map(Spanned::span)
}

/// Whether a gateway of this provider may have `key`; an unknown provider may have every key.
pub(super) fn takes(provider: &str, key: &str) -> bool {
    let owners = OWNERS.iter().find(|(owned, ..)| *owned == key).map(|(_, owners, _)| *owners);
    one_of(&KINDS)(provider).ok().zip(owners).is_none_or(|(kind, owners)| owners.contains(&kind))
}

fn refuse_keys_of_others(section: &mut Section<'_, '_>, raw: &RawGateway, kind: Kind) {
    for (key, owners, place) in OWNERS {
        if let Some(place) = place(raw).filter(|_| !owners.contains(&kind)) {
            section.problem(place, key, "does not belong to this gateway's provider");
        }
    }
}
