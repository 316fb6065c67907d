//! Who may do what: integration keys and operator tokens, compared in constant time.

use std::sync::Arc;

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{Digest, SHA256, digest},
};
use axum::http::{HeaderMap, Uri, request::Parts};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

use super::extract::text_of;
use crate::config::{Config, Integration, Operator};

/// A key longer than this is wrong, in bytes.
const KEY_BYTES_MAX: usize = 1_024;

/// The keys of the configuration. Only their digests are kept and compared.
pub struct Keys {
    integrations: Vec<Keyed<Arc<Integration>>>,
    operators: Vec<Keyed<Operator>>,
}

struct Keyed<T> {
    digest: Digest,
    owner: T,
}

impl<T> Keyed<T> {
    fn new(secret: &SecretString, owner: T) -> Self {
        Self { digest: digest(&SHA256, secret.expose_secret().as_bytes()), owner }
    }

    fn fits(&self, presented: &Digest) -> bool {
        verify_slices_are_equal(presented.as_ref(), self.digest.as_ref()).is_ok()
    }
}

impl Keys {
    pub fn new(config: &Config) -> Self {
        let integrations = config.integrations.iter().cloned();
        let operators = config.operators.iter().cloned();
        Self {
            integrations: integrations.map(|one| Keyed::new(&one.key.clone(), Arc::new(one))).collect(),
            operators: operators.map(|one| Keyed::new(&one.token.clone(), one)).collect(),
        }
    }

    /// The integration of this name, and whether the request may post for it: it holds the key, or none where bodies
    /// are signed. The signature is checked once the body is here.
    pub fn integration(&self, name: &str, parts: &Parts) -> Option<(&Arc<Integration>, bool)> {
        let keyed = self.integrations.iter().find(|keyed| keyed.owner.name == name)?;
        let may_post = match presented(parts) {
            Some(presented) => keyed.fits(&presented),
            None => keyed.owner.hmac.is_some(),
        };
        Some((&keyed.owner, may_post))
    }

    /// The integration whose key the request holds, among those that are `wanted`.
    pub fn integration_with_key(
        &self,
        parts: &Parts,
        wanted: impl Fn(&Integration) -> bool,
    ) -> Option<&Integration> {
        let integrations = self.integrations.iter().filter(|keyed| wanted(&keyed.owner));
        owner(integrations, &presented(parts)?).map(Arc::as_ref)
    }

    /// The operator whose token the request holds.
    pub fn operator(&self, parts: &Parts) -> Option<&Operator> {
        owner(self.operators.iter(), &presented(parts)?)
    }
}

/// Compares every key, so that the time tells nothing.
fn owner<'k, T>(keys: impl Iterator<Item = &'k Keyed<T>>, presented: &Digest) -> Option<&'k T> {
    keys.fold(None, |found, keyed| keyed.fits(presented).then_some(&keyed.owner).or(found))
}

/// The digest of the key in the request: Bearer, the password of Basic, or `?key=`.
fn presented(parts: &Parts) -> Option<Digest> {
    let key = from_header(&parts.headers).or_else(|| from_query(&parts.uri))?;
    (!key.is_empty() && key.len() <= KEY_BYTES_MAX).then(|| digest(&SHA256, key.as_bytes()))
}

fn from_header(headers: &HeaderMap) -> Option<String> {
    let (scheme, credentials) = text_of(headers, "authorization")?.trim().split_once(' ')?;
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
