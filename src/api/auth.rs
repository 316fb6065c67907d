//! Who may do what: integration keys and operator tokens, compared in constant time.

use std::collections::HashMap;

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use axum::http::{HeaderMap, Uri, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{Config, Integration, IntegrationKind, Operator, Role};

/// A key longer than this is wrong, whatever it is; in bytes.
const KEY_BYTES_MAX: usize = 1_024;

/// Digests of all keys; the keys themselves are compared with nothing.
#[derive(Clone)]
pub struct Keys {
    integrations: HashMap<String, ([u8; 32], Integration)>,
    operators: Vec<([u8; 32], Operator)>,
}

/// Who a key belongs to.
#[derive(Clone, Copy)]
pub enum Seat<'a> {
    /// A person.
    Operator(&'a Operator),
    /// A `generic` integration, which may post manual alerts.
    Generic(&'a Integration),
}

/// What a request shows of an integration's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// No key at all.
    Nothing,
    /// The right one.
    TheKey,
    /// A wrong one.
    AnotherKey,
}

impl Keys {
    /// The keys of the configuration.
    pub fn new(config: &Config) -> Self {
        let integrations = config
            .integrations
            .iter()
            .map(|integration| (integration.name.clone(), (digest_of(&integration.key), integration.clone())))
            .collect();
        let operators =
            config.operators.iter().map(|operator| (digest_of(&operator.token), operator.clone())).collect();
        Self { integrations, operators }
    }

    /// The integration of this name, and what key the request holds.
    pub fn integration(&self, name: &str, headers: &HeaderMap, uri: &Uri) -> Option<(&Integration, Shown)> {
        let (expected, integration) = self.integrations.get(name)?;
        let shown = match presented(headers, uri) {
            None => Shown::Nothing,
            Some(key) if same(&sha256(key.as_bytes()), expected) => Shown::TheKey,
            Some(_) => Shown::AnotherKey,
        };
        Some((integration, shown))
    }

    /// The integration whose key the request holds, whichever that is.
    pub fn any_integration(&self, headers: &HeaderMap, uri: &Uri) -> Option<&Integration> {
        let presented = sha256(presented(headers, uri)?.as_bytes());
        // Every key is compared, so the time tells nothing.
        self.integrations.values().fold(None, |found, (expected, integration)| {
            same(&presented, expected).then_some(integration).or(found)
        })
    }

    /// The operator whose token the request holds.
    pub fn operator(&self, headers: &HeaderMap, uri: &Uri) -> Option<&Operator> {
        let presented = sha256(presented(headers, uri)?.as_bytes());
        // Every token is compared, so the time tells nothing.
        let matching = |(expected, operator)| same(&presented, expected).then_some(operator);
        self.operators
            .iter()
            .fold(None, |found, (expected, operator)| matching((expected, operator)).or(found))
    }

    /// Who may post a manual alert with this request's key.
    pub fn manual(&self, headers: &HeaderMap, uri: &Uri) -> Option<Seat<'_>> {
        if let Some(operator) = self.operator(headers, uri) {
            return (operator.role == Role::Operator).then_some(Seat::Operator(operator));
        }
        let presented = sha256(presented(headers, uri)?.as_bytes());
        self.integrations
            .values()
            .filter(|(_, integration)| integration.kind == IntegrationKind::Generic)
            .fold(None, |found, (expected, integration)| {
                same(&presented, expected).then_some(Seat::Generic(integration)).or(found)
            })
    }
}

/// The key in the request: Bearer, the password of Basic, or `?key=`.
fn presented(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let key = from_header(headers).or_else(|| from_query(uri))?;
    (!key.is_empty() && key.len() <= KEY_BYTES_MAX).then_some(key)
}

fn from_header(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.trim().split_once(' ')?;
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
        return pair.split_once(':').map(|(_, password)| password.to_owned());
    }
    None
}

fn from_query(uri: &Uri) -> Option<String> {
    url::form_urlencoded::parse(uri.query()?.as_bytes())
        .find(|(name, _)| name == "key")
        .map(|(_, value)| value.into_owned())
}

fn digest_of(secret: &SecretString) -> [u8; 32] {
    sha256(secret.expose_secret().as_bytes())
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    verify_slices_are_equal(a, b).is_ok()
}
