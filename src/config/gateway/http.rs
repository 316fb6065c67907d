//! `provider = "http"`: a gateway that the file describes whole.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use toml::Spanned;

use super::answer::{self, AcceptedRule, PointerRule};
use crate::config::{
    check::Section,
    raw::{Leaf, RawGateway, Words},
    template,
    units::{found, one_of, pointer},
};

const BODY_TYPES: [(&str, BodyType); 4] =
    [("json", BodyType::Json), ("form", BodyType::Form), ("raw", BodyType::Raw), ("url", BodyType::Url)];
const ENCODINGS: [(&str, Encoding); 3] =
    [("gsm7", Encoding::Gsm7), ("ucs2", Encoding::Ucs2), ("euc-kr", Encoding::EucKr)];

#[derive(Clone, Debug)]
pub struct HttpGateway {
    /// Default POST.
    pub method: String,
    /// May hold placeholders, percent-encoded for their place.
    pub url: SecretString,
    pub headers: BTreeMap<String, SecretString>,
    /// How placeholders in the body are escaped.
    pub body_type: BodyType,
    /// The body, with placeholders such as `{{to}}`.
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

/// How a text is written on its way to a phone: which characters there are, and how many go into
/// a segment.
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
    let method = section.read("method", raw.method.as_ref(), |text| match text.to_ascii_uppercase() {
        method if ["GET", "POST", "PUT"].contains(&method.as_str()) => Ok(method),
        _ => Err(format!("expected \"GET\", \"POST\" or \"PUT\"{}", found(text))),
    });
    let body_type =
        section.read("body_type", raw.body_type.as_ref(), one_of(&BODY_TYPES)).unwrap_or_default();
    let url = section.must_secret("url", raw.url.as_ref());
    // A GET says everything in its URL; an empty body is none.
    let body = match (raw.body.as_ref(), method.as_deref()) {
        (None, Some("GET")) => Some(SecretString::default()),
        (body, _) => section.must_secret("body", body),
    };
    let headers = headers(section, raw);
    let accepted = answer::accepted(section, raw.accepted.as_ref());
    let rejected = raw.rejected.as_ref().and_then(|part| answer::rejected(section, part));
    let id_pointer = section.read("id_pointer", raw.id_pointer.as_ref(), pointer);
    let encoding = section.read("encoding", raw.encoding.as_ref(), one_of(&ENCODINGS));
    let (url, body) = (url?, body?);
    check_url(section, raw.url.as_ref(), &url);
    check_contents(section, raw, &url, &body);
    if let Some(field) = raw.body.as_ref().filter(|_| body_type == BodyType::Json)
        && let Err(wanted) = template::check_json(body.expose_secret())
    {
        section.problem(field.span(), "body", wanted);
    }
    let method = method.unwrap_or_else(|| "POST".to_owned());
    Some(HttpGateway { method, url, headers, body_type, body, accepted, rejected, id_pointer, encoding })
}

fn check_url(section: &mut Section<'_, '_>, field: Option<&Leaf>, url: &SecretString) {
    let Some(field) = field else { return };
    match template::check_url(url.expose_secret()) {
        Ok(url) => section.warn_if_plain("url", field, &url, "credentials and texts"),
        Err(wanted) => section.problem(field.span(), "url", wanted),
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
