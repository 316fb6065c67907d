//! How a provider is reached: its address, a certificate authority, a proxy.

use std::fmt;

use url::Url;

use super::{check::Section, raw::Leaf, units};

/// The certificates of all public authorities together have some 220 kB.
const CA_FILE_BYTES_MAX: u64 = 1024 * 1024;

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

/// `base_url`, without trailing slash.
pub(super) fn base_url(section: &mut Section<'_, '_>, field: Option<&Leaf>, default: &str) -> String {
    let Some(url) = section.read("base_url", field, units::base_url) else {
        return default.to_owned();
    };
    if let Some(field) = field.filter(|_| units::is_plain_to_elsewhere(&url)) {
        section.warning(
            field.span(),
            "base_url",
            "http:// to another machine: credentials travel unprotected",
        );
    }
    url.as_str().trim_end_matches('/').to_owned()
}

/// `extra_ca` and `proxy`.
pub(super) fn network(
    section: &mut Section<'_, '_>,
    extra_ca: Option<&Leaf>,
    proxy: Option<&Leaf>,
) -> Network {
    let extra_ca_pem = section.file("extra_ca", extra_ca, CA_FILE_BYTES_MAX);
    if let (Some(pem), Some(field)) = (&extra_ca_pem, extra_ca)
        && !pem.contains("-----BEGIN CERTIFICATE-----")
    {
        section.problem(
            field.span(),
            "extra_ca",
            "expected a PEM file with a line -----BEGIN CERTIFICATE-----",
        );
    }
    Network { extra_ca: extra_ca_pem, proxy: section.read("proxy", proxy, units::web_url) }
}
