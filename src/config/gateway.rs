//! `[[sms.gateway]]`

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    ops::{Range, RangeInclusive},
    sync::Arc,
};

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use toml::Spanned;

use super::{
    BodyType, Gateway, GatewayProvider, HttpGateway, TwilioGateway, answer,
    check::{Check, Section, wrong_type},
    push::{base_url, network},
    raw::{Leaf, Part, RawGateway, Words},
    template,
    units::{self, Wanted, found},
};

const TIMEOUT: RangeInclusive<SignedDuration> = SignedDuration::from_secs(1)..=SignedDuration::from_secs(60);
const TIMEOUT_DEFAULT: SignedDuration = SignedDuration::from_secs(10);
/// Segments a day: what ten people may get in texts that are no disasters, by the budgets' defaults.
const PER_DAY_DEFAULT: NonZeroU32 = NonZeroU32::new(1_000).expect("not zero");
/// Three segments hold a link and what it is about in every alphabet; one of UCS-2 holds either.
const MAX_SEGMENTS_DEFAULT: u8 = 3;
/// Joined texts of more parts are cut or refused by many carriers.
const MAX_SEGMENTS: RangeInclusive<i64> = 1..=10;
const SOLAPI_URL_DEFAULT: &str = "https://api.solapi.com";
const TWILIO_URL_DEFAULT: &str = "https://api.twilio.com";
const NHN_URL_DEFAULT: &str = "https://sms.api.nhncloudservice.com";
/// Where a Kannel takes texts, unless its configuration says otherwise.
const KANNEL_PATH: &str = "/cgi-bin/sendsms";

/// Digits of a whole number with its country code; fewer are a short code.
const FROM_DIGITS: RangeInclusive<usize> = 8..=15;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Solapi,
    Twilio,
    Kannel,
    Nhn,
    Http,
}

const KINDS: &str = "\"solapi\", \"twilio\", \"kannel\", \"nhn\" or \"http\"";

/// Every gateway, in the order of the file.
pub(super) fn gateways(check: &mut Check<'_>, raw: &[Part<RawGateway>]) -> Vec<Gateway> {
    let mut gateways: Vec<Gateway> = Vec::new();
    for part in raw {
        let mut section = check.section("[[sms.gateway]]", part.span());
        let Some(gateway) = gateway(&mut section, &part.get_ref().0) else { continue };
        if gateways.iter().any(|other| other.name == gateway.name) {
            section.problem(part.span(), "name", "an earlier gateway has this name too");
        }
        gateways.push(gateway);
    }
    gateways
}

fn gateway(section: &mut Section<'_, '_>, raw: &RawGateway) -> Option<Gateway> {
    let name = section.must_read("name", raw.name.as_ref(), "a name such as \"solapi\"", units::name);
    if let Some(name) = &name {
        section.label = format!("[[sms.gateway]] `{name}`");
    }
    let kind = section.must_read("provider", raw.provider.as_ref(), KINDS, |text| {
        kind(text).ok_or_else(|| format!("expected {KINDS}{}", found(text)))
    });
    let from = section.read("from", raw.from.as_ref(), |text| match text.trim() {
        "" => Err("is empty, expected the sender's number or name".to_owned()),
        from => Ok(from.to_owned()),
    });
    let timeout = section.read("timeout", raw.timeout.as_ref(), |text| units::duration(text, &TIMEOUT));
    let per_day = per_day(section, raw.per_day.as_ref());
    let network = network(section, raw.extra_ca.as_ref(), raw.proxy.as_ref());
    let max_segments = section
        .number("max_segments", raw.max_segments.as_ref(), &MAX_SEGMENTS)
        .and_then(|count| u8::try_from(count).ok());
    // Which other keys belong here depends on the provider, so without one they are left alone.
    let kind = kind?;
    refuse_keys_of_others(section, raw, kind);
    let provider = match kind {
        Kind::Solapi => solapi(section, raw),
        Kind::Twilio => twilio(section, raw).map(|twilio| GatewayProvider::Twilio(Arc::new(twilio))),
        Kind::Kannel => kannel(section, raw),
        Kind::Nhn => nhn(section, raw),
        Kind::Http => http(section, raw).map(|http| GatewayProvider::Http(Arc::new(http))),
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

fn kind(provider: &str) -> Option<Kind> {
    match provider {
        "solapi" => Some(Kind::Solapi),
        "twilio" => Some(Kind::Twilio),
        "kannel" => Some(Kind::Kannel),
        "nhn" => Some(Kind::Nhn),
        "http" => Some(Kind::Http),
        _ => None,
    }
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

/// Whether a gateway of this provider may have `key`; one that nobody knows may have every key.
pub(super) fn takes(provider: &str, key: &str) -> bool {
    let owners = OWNERS.iter().find(|(owned, ..)| *owned == key).map(|(_, owners, _)| *owners);
    kind(provider).zip(owners).is_none_or(|(kind, owners)| owners.contains(&kind))
}

fn refuse_keys_of_others(section: &mut Section<'_, '_>, raw: &RawGateway, kind: Kind) {
    for (key, owners, place) in OWNERS {
        if let Some(place) = place(raw).filter(|_| !owners.contains(&kind)) {
            section.problem(place, key, "does not belong to this gateway's provider");
        }
    }
}

fn solapi(section: &mut Section<'_, '_>, raw: &RawGateway) -> Option<GatewayProvider> {
    if raw.from.is_none() {
        section.missing("from", "the number registered with Solapi, such as \"029302266\"");
    }
    let base_url = base_url(section, raw.base_url.as_ref(), SOLAPI_URL_DEFAULT);
    let api_key = section.must_secret("api_key", raw.api_key.as_ref());
    let api_secret = section.must_secret("api_secret", raw.api_secret.as_ref());
    Some(GatewayProvider::Solapi {
        base_url,
        api_key: api_key?.expose_secret().to_owned(),
        api_secret: api_secret?,
    })
}

fn twilio(section: &mut Section<'_, '_>, raw: &RawGateway) -> Option<TwilioGateway> {
    match (&raw.from, &raw.messaging_service_sid) {
        (None, None) => {
            section.missing(
                "from",
                "a number of the account, such as \"+15005550006\", or messaging_service_sid",
            );
        }
        (Some(_), Some(service)) => {
            let problem = "either this or `from`: a messaging service chooses the sender itself";
            section.problem(service.span(), "messaging_service_sid", problem);
        }
        (Some(from), None) => {
            let digits = from.get_ref().as_str().map(str::trim).unwrap_or_default();
            if FROM_DIGITS.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
                section.warning(from.span(), "from", format!("Twilio wants +{digits}"));
            }
        }
        (None, Some(_)) => {}
    }
    let base_url = base_url(section, raw.base_url.as_ref(), TWILIO_URL_DEFAULT);
    let account_sid =
        section.must_read("account_sid", raw.account_sid.as_ref(), "the account's SID, AC…", |text| {
            sid(text, "AC")
        });
    let auth_token = section.must_secret("auth_token", raw.auth_token.as_ref());
    let messaging_service_sid =
        section.read("messaging_service_sid", raw.messaging_service_sid.as_ref(), |text| sid(text, "MG"));
    Some(TwilioGateway {
        base_url,
        account_sid: account_sid?,
        auth_token: auth_token?,
        messaging_service_sid,
    })
}

/// Twilio's names of things: two letters for the kind, and 32 hexadecimal digits.
fn sid(text: &str, kind: &str) -> Result<String, Wanted> {
    let digits = text.strip_prefix(kind).unwrap_or_default();
    if digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected {kind} and 32 hexadecimal digits{}", found(text)))
    }
}

fn kannel(section: &mut Section<'_, '_>, raw: &RawGateway) -> Option<GatewayProvider> {
    if raw.from.is_none() {
        section.missing("from", "the sender's number or name, as the network behind Kannel wants it");
    }
    let url = section.must_secret("url", raw.url.as_ref());
    let username = section
        .must_read("username", raw.username.as_ref(), "a sendsms-user of Kannel", |text| Ok(text.to_owned()));
    let password = section.must_secret("password", raw.password.as_ref());
    let mut url = match units::web_url(url?.expose_secret()) {
        Ok(url) => url,
        Err(wanted) => {
            section.problem(raw.url.as_ref().map(Spanned::span).unwrap_or_default(), "url", wanted);
            return None;
        }
    };
    if let Some(field) = raw.url.as_ref().filter(|_| units::is_plain_to_elsewhere(&url)) {
        let warning = "http:// to another machine: credentials and texts travel unprotected";
        section.warning(field.span(), "url", warning);
    }
    if url.path() == "/" {
        url.set_path(KANNEL_PATH);
    }
    Some(GatewayProvider::Kannel {
        url: SecretString::from(url.to_string()),
        username: username?,
        password: password?,
    })
}

fn nhn(section: &mut Section<'_, '_>, raw: &RawGateway) -> Option<GatewayProvider> {
    if raw.from.is_none() {
        section.missing("from", "the number registered with NHN Cloud, such as \"029302266\"");
    }
    let base_url = base_url(section, raw.base_url.as_ref(), NHN_URL_DEFAULT);
    let app_key = section.must_secret("api_key", raw.api_key.as_ref());
    let secret_key = section.must_secret("api_secret", raw.api_secret.as_ref());
    let app_key = app_key?.expose_secret().to_owned();
    if !app_key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        let at = raw.api_key.as_ref().map(Spanned::span).unwrap_or_default();
        section.problem(at, "api_key", "expected an app key: letters, digits, `-` and `_`");
        return None;
    }
    Some(GatewayProvider::Nhn { base_url, app_key, secret_key: secret_key? })
}

fn http(section: &mut Section<'_, '_>, raw: &RawGateway) -> Option<HttpGateway> {
    let method = section.read("method", raw.method.as_ref(), |text| match text.to_ascii_uppercase() {
        method if ["GET", "POST", "PUT"].contains(&method.as_str()) => Ok(method),
        _ => Err(format!("expected \"GET\", \"POST\" or \"PUT\"{}", found(text))),
    });
    let body_type = section
        .read("body_type", raw.body_type.as_ref(), |text| match text {
            "json" => Ok(BodyType::Json),
            "form" => Ok(BodyType::Form),
            "raw" => Ok(BodyType::Raw),
            "url" => Ok(BodyType::Url),
            _ => Err(format!("expected \"json\", \"form\", \"raw\" or \"url\"{}", found(text))),
        })
        .unwrap_or_default();
    let url = section.must_secret("url", raw.url.as_ref());
    // A GET says everything in its URL; an empty body is none.
    let body = match (raw.body.as_ref(), method.as_deref()) {
        (None, Some("GET")) => Some(SecretString::default()),
        (body, _) => section.must_secret("body", body),
    };
    let headers = headers(section, raw);
    let accepted = answer::accepted(section, raw.accepted.as_ref());
    let rejected = raw.rejected.as_ref().and_then(|part| answer::rejected(section, part));
    let id_pointer = section.read("id_pointer", raw.id_pointer.as_ref(), answer::pointer);
    let encoding = section.read("encoding", raw.encoding.as_ref(), units::encoding);
    let (url, body) = (url?, body?);
    check_url(section, raw, &url);
    check_contents(section, raw, &url, &body);
    if let Some(field) = raw.body.as_ref().filter(|_| body_type == BodyType::Json)
        && let Err(wanted) = template::check_json(body.expose_secret())
    {
        section.problem(field.span(), "body", wanted);
    }
    let method = method.unwrap_or_else(|| "POST".to_owned());
    Some(HttpGateway { method, url, headers, body_type, body, accepted, rejected, id_pointer, encoding })
}

fn check_url(section: &mut Section<'_, '_>, raw: &RawGateway, url: &SecretString) {
    let Some(at) = raw.url.as_ref().map(Spanned::span) else { return };
    match template::check_url(url.expose_secret()) {
        Ok(url) if units::is_plain_to_elsewhere(&url) => {
            section.warning(
                at,
                "url",
                "http:// to another machine: credentials and texts travel unprotected",
            );
        }
        Ok(_) => {}
        Err(wanted) => section.problem(at, "url", wanted),
    }
}

/// The placeholders of URL and body: known ones only, and those without which a text cannot arrive.
fn check_contents(section: &mut Section<'_, '_>, raw: &RawGateway, url: &SecretString, body: &SecretString) {
    let mut all = Vec::new();
    for (key, field, text) in [("url", &raw.url, url), ("body", &raw.body, body)] {
        let known = placeholders(section, key, field.as_ref(), text);
        if raw.from.is_none() && known.as_ref().is_some_and(|known| known.contains(&"{{from}}")) {
            section.missing("from", &format!("a sender, because `{key}` uses {{{{from}}}}"));
        }
        // An unknown placeholder may be a misspelt {{to}}: one error about it is enough.
        let Some(known) = known else { return };
        all.extend(known);
    }
    let (key, field) = if raw.body.is_some() { ("body", &raw.body) } else { ("url", &raw.url) };
    if let (Some(wanted), Some(field)) = (template::missing(&all), field) {
        section.problem(field.span(), key, wanted);
    }
}

fn placeholders(
    section: &mut Section<'_, '_>,
    key: &str,
    field: Option<&Leaf>,
    text: &SecretString,
) -> Option<Vec<&'static str>> {
    let known = template::placeholders(text.expose_secret());
    known.map_err(|wanted| section.problem(field.map(Spanned::span).unwrap_or_default(), key, wanted)).ok()
}

fn headers(section: &mut Section<'_, '_>, raw: &RawGateway) -> BTreeMap<String, SecretString> {
    let none = Words::new();
    let fields = raw.headers.as_ref().map_or(&none, |headers| headers.get_ref());
    let mut headers = BTreeMap::new();
    for (name, field) in fields {
        let key = format!("headers.{}", name.get_ref());
        if !template::is_header_name(name.get_ref()) {
            section.problem(name.span(), &key, "expected the name of an HTTP header");
            continue;
        }
        let Some(value) = section.secret(&key, Some(field)) else { continue };
        let known = placeholders(section, &key, Some(field), &value).unwrap_or_default();
        if raw.from.is_none() && known.contains(&"{{from}}") {
            section.missing("from", &format!("a sender, because `{key}` uses {{{{from}}}}"));
        }
        if template::is_header_value(value.expose_secret()) {
            headers.insert(name.get_ref().clone(), value);
        } else {
            section.problem(field.span(), &key, "expected printable ASCII characters in one line");
        }
    }
    headers
}
