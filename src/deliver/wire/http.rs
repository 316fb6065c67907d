//! The one way to make an HTTP client: identified, bounded, no redirects. And what its requests are made of.

use std::time::Duration;

use serde_json::Value;

use crate::config::Network;

/// Longest wait for a connection, TLS included.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("`extra_ca` holds no readable PEM certificate")]
    ExtraCa(#[source] reqwest::Error),
    #[error("`proxy` cannot be used as a proxy")]
    Proxy(#[source] reqwest::Error),
    #[error("could not set up TLS")]
    Tls(#[source] reqwest::Error),
}

pub(crate) fn http_url(address: &str) -> Option<reqwest::Url> {
    reqwest::Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// A form or a query.
pub(crate) fn form_of(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The object without fields that have no value.
pub(crate) fn without_nulls(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    object
}

/// What every client of ours has; the caller adds its protocol's rules.
#[expect(clippy::disallowed_methods, reason = "the one place that starts a client")]
pub(crate) fn client_builder(network: &Network) -> Result<reqwest::ClientBuilder, ClientError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("bongsu/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT);
    if let Some(pem) = &network.extra_ca {
        let certificates =
            reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(ClientError::ExtraCa)?;
        for certificate in certificates {
            builder = builder.add_root_certificate(certificate);
        }
    }
    if let Some(proxy) = &network.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy.as_str()).map_err(ClientError::Proxy)?);
    }
    Ok(builder)
}
