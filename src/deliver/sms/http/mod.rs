//! Any company that takes one HTTP request a message: the operator writes the request, we fill it in.

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::{
    Body, Client, Method, Request, Url,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use secrecy::ExposeSecret;
use serde_json::Value;

mod answer;
mod template;

use super::{
    fit::{Fitted, TextRules},
    provider::{Built, Provider},
    setup::SetupProblem,
};
use crate::{
    alert::{AlertId, PhoneNumber, Severity},
    config::{BodyType, Encoding, HttpGateway, PointerRule},
    deliver::{
        Text,
        wire::{Answer, Reading},
    },
};
use template::{Escape, Template};

pub(super) struct HttpProvider {
    method: Method,
    url: Template,
    headers: Vec<(HeaderName, Template)>,
    body: Option<Template>,
    from: String,
    config: Arc<HttpGateway>,
}

impl HttpProvider {
    /// Fills every part in with an example, so that a part that cannot work is found at start.
    pub(super) fn new(config: &Arc<HttpGateway>, from: Option<&str>) -> Result<Self, SetupProblem> {
        let method = Method::from_bytes(config.method.to_ascii_uppercase().as_bytes())
            .map_err(|_| SetupProblem::field("method", "is no HTTP method"))?;
        let url = parse("url", config.url.expose_secret(), Escape::Url)?;
        let mut headers = Vec::new();
        for (name, value) in &config.headers {
            let place = format!("headers.{name}");
            let parsed = name.parse().map_err(|_| SetupProblem::field(&place, "is no header name"))?;
            headers.push((parsed, parse(&place, value.expose_secret(), Escape::Header)?));
        }
        let body = match config.body.expose_secret() {
            "" => None,
            body => Some(parse("body", body, Escape::Body(config.body_type))?),
        };
        check_pointers(config)?;
        let provider = Self {
            method,
            url,
            headers,
            body,
            from: from.unwrap_or_default().to_owned(),
            config: Arc::clone(config),
        };
        if from.is_none() && provider.templates().any(Template::needs_from) {
            return Err(SetupProblem::NoFrom);
        }
        provider.check_example()?;
        Ok(provider)
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let headers = self.headers.iter().map(|(_, value)| value);
        std::iter::once(&self.url).chain(headers).chain(&self.body)
    }

    fn check_example(&self) -> Result<(), SetupProblem> {
        let request = self.fill(&example())?;
        let is_json = |body: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        if self.config.body_type == BodyType::Json && !body_of(&request).is_none_or(is_json) {
            let advice = "is no JSON once its placeholders are filled in; texts need quotes around them, and other \
                          kinds of body need `body_type`";
            return Err(SetupProblem::field("body", advice));
        }
        Ok(())
    }

    fn fill(&self, text: &Text) -> Result<Request, SetupProblem> {
        let url = Url::parse(&self.url.fill(text, &self.from))
            .map_err(|_| SetupProblem::field("url", "is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(SetupProblem::field("url", "is neither http nor https"));
        }
        let mut request = Request::new(self.method.clone(), url);
        for (name, value) in &self.headers {
            let value = value.fill(text, &self.from);
            let mut value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| SetupProblem::field(&format!("headers.{name}"), "holds what no header can"))?;
            value.set_sensitive(true);
            request.headers_mut().append(name, value);
        }
        *request.body_mut() = self.body.as_ref().map(|body| Body::from(body.fill(text, &self.from)));
        Ok(request)
    }

    /// The values we send, as an answer might repeat them: secrets, numbers, the text.
    fn private(&self, text: &Text) -> Vec<String> {
        // It could be filled in for the request, so it can be again.
        let Ok(request) = self.fill(text) else { return Vec::new() };
        let url = request.url();
        let mut private =
            [url.username(), url.password().unwrap_or_default(), url.path()].map(str::to_owned).to_vec();
        private.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
        private.extend(
            request.headers().values().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
        );
        private
            .extend(body_of(&request).map(|body| values_of(body, self.config.body_type)).unwrap_or_default());
        private
    }
}

impl Provider for HttpProvider {
    fn rules(&self, _: &PhoneNumber, max_segments: u8) -> TextRules {
        let fixed = |encoding| TextRules::fixed(encoding, max_segments);
        self.config.encoding.map_or_else(|| TextRules::automatic(max_segments), fixed)
    }

    fn request(&self, client: &Client, text: &Text, _: Timestamp) -> Built {
        let mut request = self.fill(text).map_err(|problem| problem.to_string())?;
        if request.body().is_some() && !request.headers().contains_key(CONTENT_TYPE) {
            let kind = HeaderValue::from_static(content_type(self.config.body_type));
            request.headers_mut().insert(CONTENT_TYPE, kind);
        }
        // Not from its parts: only a client reads a name and password out of an address.
        let (method, url) = (request.method().clone(), request.url().clone());
        let builder = client.request(method, url).headers(std::mem::take(request.headers_mut()));
        Ok(match request.body_mut().take() {
            Some(body) => builder.body(body),
            None => builder,
        })
    }

    fn reading(&self, answer: &Answer, text: &Text) -> Reading {
        answer::classify(&self.config, answer, &self.private(text))
    }
}

fn parse(place: &str, source: &str, escape: Escape) -> Result<Template, SetupProblem> {
    Template::parse(source, escape).map_err(|problem| SetupProblem::field(place, &problem))
}

/// A pointer that cannot match would turn every accepted text into a deferred one.
fn check_pointers(config: &HttpGateway) -> Result<(), SetupProblem> {
    let of = |rule: Option<&PointerRule>| rule.map(|rule| rule.pointer.clone());
    for (place, pointer) in [
        ("accepted.pointer", of(config.accepted.value.as_ref())),
        ("rejected.pointer", of(config.rejected.as_ref())),
        ("id_pointer", config.id_pointer.clone()),
    ] {
        if pointer.is_some_and(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
            return Err(SetupProblem::field(place, "is no JSON pointer: it must begin with `/`"));
        }
    }
    Ok(())
}

fn content_type(body_type: BodyType) -> &'static str {
    match body_type {
        BodyType::Json => "application/json",
        BodyType::Form | BodyType::Url => "application/x-www-form-urlencoded",
        BodyType::Raw => "text/plain; charset=utf-8",
    }
}

fn body_of(request: &Request) -> Option<&[u8]> {
    request.body()?.as_bytes()
}

/// Not the names of its fields: they are no secret, and help to read an error.
fn values_of(body: &[u8], body_type: BodyType) -> Vec<String> {
    match body_type {
        BodyType::Json => serde_json::from_slice(body).map(|json| leaves_of(&json)).unwrap_or_default(),
        BodyType::Form | BodyType::Url => {
            url::form_urlencoded::parse(body).map(|(_, value)| value.into_owned()).collect()
        }
        BodyType::Raw => vec![String::from_utf8_lossy(body).into_owned()],
    }
}

fn leaves_of(json: &Value) -> Vec<String> {
    match json {
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(values) => values.iter().flat_map(leaves_of).collect(),
        Value::Object(fields) => fields.values().flat_map(leaves_of).collect(),
        Value::Null | Value::Bool(_) => Vec::new(),
    }
}

/// Has what breaks templates: quotes, line ends, characters outside ASCII.
fn example() -> Text {
    Text {
        to: PhoneNumber::parse("+821000000000").expect("well formed"),
        fitted: Fitted::verbatim("\"서버실\" & 100%\n", Encoding::Ucs2),
        alert_id: AlertId::from_bytes([0; 16]),
        attempt: 1,
        severity: Severity::Disaster,
        report_url: String::new(),
    }
}

#[cfg(test)]
mod tests;
