//! `provider = "http"`: a gateway that the file describes whole.

use std::collections::BTreeMap;

use super::answer::{self, AcceptedRule, PointerRule};
use crate::config::{
    check::Section,
    raw::{Field, RawGateway},
    template,
    units::{found, one_of, pointer},
};
use secrecy::{ExposeSecret, SecretString};

const BODY_TYPES: [(&str, BodyType); 4] =
    [("json", BodyType::Json), ("form", BodyType::Form), ("raw", BodyType::Raw), ("url", BodyType::Url)];
const ENCODINGS: [(&str, Encoding); 3] =
    [("gsm7", Encoding::Gsm7), ("ucs2", Encoding::Ucs2), ("euc-kr", Encoding::EucKr)];

#[derive(Clone, Debug)]
pub struct HttpGateway {
    pub method: String,
    /// May hold placeholders, percent-encoded for their place.
    pub url: SecretString,
    pub headers: BTreeMap<String, SecretString>,
    /// How placeholders in the body are escaped.
    pub body_type: BodyType,
    /// With placeholders such as `{{to}}`.
    pub body: SecretString,
    /// What an accepted message looks like.
    pub accepted: AcceptedRule,
    /// What a permanent refusal looks like.
    pub rejected: Option<PointerRule>,
    /// JSON pointer of the provider's message id in the answer.
    pub id_pointer: Option<String>,
    /// How the company writes texts; `None` = GSM-7 or UCS-2, whichever a text needs.
    pub encoding: Option<Encoding>,
}

/// How a text is written on its way to a phone: which characters there are, and how many fit into a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// The GSM 7-bit default alphabet and its extension.
    Gsm7,
    /// Two bytes for most characters, four for emoji (UTF-16).
    Ucs2,
    /// What Korean carriers take: one byte for ASCII, two for Hangul and much else.
    EucKr,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyType {
    /// Values are escaped as JSON string content.
    #[default]
    Json,
    /// Values are percent-encoded as form fields.
    Form,
    /// Values go in as they are.
    Raw,
    /// As form; for bodies that are URLs or query strings.
    Url,
}

pub(super) fn http(section: &mut Section<'_, '_>, raw: &RawGateway) -> Option<HttpGateway> {
    let method = section.read(raw.method(), |text| match text.to_ascii_uppercase() {
        method if ["GET", "POST", "PUT"].contains(&method.as_str()) => Ok(method),
        _ => Err(format!("expected \"GET\", \"POST\" or \"PUT\"{}", found(text))),
    });
    let body_type = section.read(raw.body_type(), one_of(&BODY_TYPES)).unwrap_or_default();
    let url = section.must_secret(raw.url());
    // A GET says everything in its URL; an empty body is none.
    let body = match (&raw.body, method.as_deref()) {
        (None, Some("GET")) => Some(SecretString::default()),
        _ => section.must_secret(raw.body()),
    };
    let headers = headers(section, raw);
    let accepted = answer::accepted(section, raw.accepted.as_ref());
    let rejected = raw.rejected.as_ref().and_then(|part| answer::rejected(section, part));
    let id_pointer = section.read(raw.id_pointer(), pointer);
    let encoding = section.read(raw.encoding(), one_of(&ENCODINGS));
    let (url, body) = (url?, body?);
    match template::check_url(url.expose_secret()) {
        Ok(url) => section.warn_if_plain(raw.url(), &url, "credentials and texts"),
        Err(wanted) => section.problem(raw.url(), wanted),
    }
    check_contents(section, raw, &url, &body);
    if body_type == BodyType::Json
        && raw.body.is_some()
        && let Err(wanted) = template::check_json(body.expose_secret())
    {
        section.problem(raw.body(), wanted);
    }
    let method = method.unwrap_or_else(|| "POST".to_owned());
    Some(HttpGateway { method, url, headers, body_type, body, accepted, rejected, id_pointer, encoding })
}

/// The placeholders of URL and body: known ones only, and those without which a text cannot arrive.
fn check_contents(section: &mut Section<'_, '_>, raw: &RawGateway, url: &SecretString, body: &SecretString) {
    let mut all = Vec::new();
    for (field, text) in [(raw.url(), url), (raw.body(), body)] {
        // An unknown placeholder may be a misspelt {{to}}: one error about it is enough.
        let Some(known) = placeholders(section, raw, field, text) else { return };
        all.extend(known);
    }
    let field = if raw.body.is_some() { raw.body() } else { raw.url() };
    if let Some(wanted) = template::missing(&all) {
        section.problem(field, wanted);
    }
}

fn placeholders(
    section: &mut Section<'_, '_>,
    raw: &RawGateway,
    field: Field<'_>,
    text: &SecretString,
) -> Option<Vec<&'static str>> {
    let known = template::placeholders(text.expose_secret());
    let known = known.map_err(|wanted| section.problem(field, wanted)).ok()?;
    if raw.from.is_none() && known.contains(&"{{from}}") {
        section.missing("from", &format!("a sender, because `{}` uses {{{{from}}}}", field.key));
    }
    Some(known)
}

fn headers(section: &mut Section<'_, '_>, raw: &RawGateway) -> BTreeMap<String, SecretString> {
    let mut headers = BTreeMap::new();
    for (name, leaf) in raw.headers.iter().flat_map(|headers| headers.get_ref()) {
        let key = format!("headers.{}", name.get_ref());
        if !template::is_header_name(name.get_ref()) {
            let field = Field::from(key.as_str()).or_at(name);
            section.problem(field, "expected the name of an HTTP header");
            continue;
        }
        let field = Field::new(&key, Some(leaf));
        let Some(value) = section.secret(field) else { continue };
        placeholders(section, raw, field, &value);
        if template::is_header_value(value.expose_secret()) {
            headers.insert(name.get_ref().clone(), value);
        } else {
            section.problem(field, "expected printable ASCII characters in one line");
        }
    }
    headers
}
