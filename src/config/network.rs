//! How a provider is reached: its address, a certificate authority, a proxy.

use std::fmt;

use url::Url;

use super::{check::Section, raw::Field, units};

/// The certificates of all public authorities together have some 220 kB.
const CA_FILE_BYTES_MAX: u64 = 1024 * 1024;
const CERTIFICATE_LINE: &str = "-----BEGIN CERTIFICATE-----";

/// How a provider is reached. Shows no URL: a proxy's may hold a password.
#[derive(Clone, Default)]
pub struct Network {
    /// PEM text of an additional certificate authority.
    pub extra_ca: Option<String>,
    pub proxy: Option<Url>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("extra_ca", &self.extra_ca.is_some())
            .field("proxy", &self.proxy.as_ref().map(Url::host_str))
            .finish()
    }
}

pub(super) fn base_url(section: &mut Section<'_, '_>, field: Field<'_>, default: &str) -> String {
    section.address(field, "credentials").unwrap_or_else(|| default.to_owned())
}

/// `extra_ca` and `proxy`.
pub(super) fn network(section: &mut Section<'_, '_>, extra_ca: Field<'_>, proxy: Field<'_>) -> Network {
    let pem = section.file(extra_ca, CA_FILE_BYTES_MAX);
    if pem.as_ref().is_some_and(|pem| !pem.contains(CERTIFICATE_LINE)) {
        section.problem(extra_ca, format!("expected a PEM file with a line {CERTIFICATE_LINE}"));
    }
    Network { extra_ca: pem, proxy: section.read(proxy, units::web_url) }
}
