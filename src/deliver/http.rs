//! The one way to make an HTTP client: identified, bounded, no redirects.

use std::time::Duration;

use crate::config::Network;

/// Longest wait for a connection, TLS included.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The PEM text holds no certificate.
    #[error("`extra_ca` holds no readable PEM certificate")]
    ExtraCa(#[source] reqwest::Error),
    /// The proxy's URL cannot be used.
    #[error("`proxy` cannot be used as a proxy")]
    Proxy(#[source] reqwest::Error),
    /// TLS or the system's certificates are not usable.
    #[error("could not set up TLS")]
    Tls(#[source] reqwest::Error),
}

/// A builder with what every client of ours has; the caller adds its protocol's rules.
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
