//! Who may do what: integration keys and operator tokens, compared in constant time.

use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{Digest, SHA256, digest},
};
use axum::http::{HeaderMap, Uri};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

use super::extract::text_of;
use crate::config::{Config, Integration, Operator};

/// A key longer than this is wrong, in bytes.
const KEY_BYTES_MAX: usize = 1_024;

/// The keys of the configuration. Only their digests are kept and compared.
pub struct Keys {
    integrations: HashMap<String, Keyed<Arc<Integration>>>,
    operators: Vec<Keyed<Operator>>,
}

struct Keyed<T> {
    digest: Digest,
    owner: T,
}

impl<T> Keyed<T> {
    fn fits(&self, presented: &Digest) -> bool {
        verify_slices_are_equal(presented.as_ref(), self.digest.as_ref()).is_ok()
    }
}

/// What key of an integration a request holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresentedKey {
    None,
    Right,
    Wrong,
}

impl Keys {
    pub fn new(config: &Config) -> Self {
        let integration = |integration: &Integration| {
            let owner = Arc::new(integration.clone());
            (integration.name.clone(), Keyed { digest: digest_of(&integration.key), owner })
        };
        let operator =
            |operator: &Operator| Keyed { digest: digest_of(&operator.token), owner: operator.clone() };
        Self {
            integrations: config.integrations.iter().map(integration).collect(),
            operators: config.operators.iter().map(operator).collect(),
        }
    }

    /// The integration of this name, and what key the request holds.
    pub fn integration(
        &self,
        name: &str,
        headers: &HeaderMap,
        uri: &Uri,
    ) -> Option<(&Arc<Integration>, PresentedKey)> {
        let expected = self.integrations.get(name)?;
        let key = match presented(headers, uri) {
            None => PresentedKey::None,
            Some(presented) if expected.fits(&presented) => PresentedKey::Right,
            Some(_) => PresentedKey::Wrong,
        };
        Some((&expected.owner, key))
    }

    /// The integration whose key the request holds, among those that are `wanted`.
    pub fn integration_with_key(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
        wanted: impl Fn(&Integration) -> bool,
    ) -> Option<&Arc<Integration>> {
        let integrations = self.integrations.values().filter(|keyed| wanted(&keyed.owner));
        owner(integrations, &presented(headers, uri)?)
    }

    /// The operator whose token the request holds.
    pub fn operator(&self, headers: &HeaderMap, uri: &Uri) -> Option<&Operator> {
        owner(self.operators.iter(), &presented(headers, uri)?)
    }
}

/// Compares every key, so that the time tells nothing.
fn owner<'k, T>(keys: impl Iterator<Item = &'k Keyed<T>>, presented: &Digest) -> Option<&'k T> {
    keys.fold(None, |found, keyed| keyed.fits(presented).then_some(&keyed.owner).or(found))
}

/// The digest of the key in the request: Bearer, the password of Basic, or `?key=`.
fn presented(headers: &HeaderMap, uri: &Uri) -> Option<Digest> {
    let key = from_header(headers).or_else(|| from_query(uri))?;
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

fn digest_of(secret: &SecretString) -> Digest {
    digest(&SHA256, secret.expose_secret().as_bytes())
}
