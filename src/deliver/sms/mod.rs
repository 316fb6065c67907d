//! The road through SMS companies. Each `[[sms.gateway]]` is one [`SmsTransport`]:
//!
//! ```text
//! breaker ─▶ provider: request ─▶ exchange ─▶ provider: reading ─▶ breaker
//! ```
//!
//! A text is fitted before it is sent ([`SmsTransport::fit`]), so that its price is known first:
//!
//! ```text
//! words, link ─▶ spell: characters that can be written ─▶ fit: as many segments as may be paid for
//! ```
//!
//! `solapi`, `twilio`, `kannel`, `nhn` and `http` know one kind of provider each; the rest is common to all.

use std::sync::Arc;

mod account;
mod encoding;
mod euc_kr;
mod exchange;
mod fit;
mod gateway;
mod gsm7;
mod http;
mod http_answer;
mod http_template;
mod kannel;
mod kannel_answer;
mod nhn;
mod nhn_answer;
mod number;
mod quote;
mod solapi;
mod solapi_account;
mod solapi_answer;
mod spell;
#[cfg(test)]
mod testing;
pub(crate) mod text;
mod twilio;
mod twilio_account;
mod twilio_answer;

pub use crate::config::Encoding;
pub use account::{Balance, Look, Seen};
pub use encoding::segments;
pub use fit::{Fitted, TextRules, WORDS_UNITS_MIN, fit};

use super::{SmsTransport, http::ClientError};
use crate::{
    alert::PhoneNumber,
    clock::Clock,
    config::{self, GatewayProvider},
};
use gateway::Gateway;

/// Why a gateway cannot be used as configured. Names the gateway, never its secrets.
#[derive(Debug, thiserror::Error)]
pub enum SmsSetupError {
    /// The extra certificate authority, the proxy or TLS.
    #[error("sms gateway `{gateway}`: could not set up its client")]
    Client {
        /// Which.
        gateway: String,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// TLS or the system's certificates.
    #[error("sms gateway `{gateway}`: could not set up TLS")]
    Build {
        /// Which.
        gateway: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// Not a positive time.
    #[error("sms gateway `{gateway}`: `timeout` must be longer than nothing")]
    Timeout {
        /// Which.
        gateway: String,
    },
    /// The provider, or a placeholder, needs a sender's number.
    #[error("sms gateway `{gateway}`: `from` is missing")]
    From {
        /// Which.
        gateway: String,
    },
    /// A field cannot be used.
    #[error("sms gateway `{gateway}`: `{field}` {problem}")]
    Field {
        /// Which gateway.
        gateway: String,
        /// Which of its fields.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// The gateways in the order they are tried. Checks everything that can be checked without a request.
pub fn gateways(
    sms: &config::Sms,
    clock: Arc<dyn Clock>,
) -> Result<Vec<Arc<dyn SmsTransport>>, SmsSetupError> {
    let build_one = move |gateway| build(gateway, Arc::clone(&clock));
    sms.gateways.iter().map(build_one).collect()
}

/// Whether a text to this number is one segment whatever the configuration says.
pub fn is_one_segment(provider: &GatewayProvider, to: &PhoneNumber) -> bool {
    matches!(provider, GatewayProvider::Solapi { .. } | GatewayProvider::Nhn { .. })
        && number::abroad(to).is_some()
}

fn build(config: &config::Gateway, clock: Arc<dyn Clock>) -> Result<Arc<dyn SmsTransport>, SmsSetupError> {
    Ok(match &config.provider {
        GatewayProvider::Solapi { base_url, api_key, api_secret } => {
            let from = config.from.as_deref();
            let provider = solapi::Solapi::new(base_url, api_key, api_secret, from)
                .map_err(|problem| problem.of(&config.name))?;
            Arc::new(Gateway::new(config, provider, clock)?)
        }
        GatewayProvider::Twilio(twilio) => {
            let provider = twilio::Twilio::new(twilio, config.from.as_deref())
                .map_err(|problem| problem.of(&config.name))?;
            Arc::new(Gateway::new(config, provider, clock)?)
        }
        GatewayProvider::Kannel { url, username, password } => {
            let from = config.from.as_deref();
            let provider = kannel::Kannel::new(url, username, password, from)
                .map_err(|problem| problem.of(&config.name))?;
            Arc::new(Gateway::new(config, provider, clock)?)
        }
        GatewayProvider::Nhn { base_url, app_key, secret_key } => {
            let from = config.from.as_deref();
            let provider = nhn::Nhn::new(base_url, app_key, secret_key, from)
                .map_err(|problem| problem.of(&config.name))?;
            Arc::new(Gateway::new(config, provider, clock)?)
        }
        GatewayProvider::Http(template) => {
            let provider = http::HttpProvider::new(template, config.from.as_deref())
                .map_err(|problem| problem.of(&config.name))?;
            Arc::new(Gateway::new(config, provider, clock)?)
        }
    })
}

/// What is wrong with a provider's fields; the caller knows the gateway's name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FieldProblem {
    /// `from` is missing.
    NoFrom,
    /// A field and what is wrong with it.
    Field(String, String),
}

impl FieldProblem {
    fn field(name: &str, problem: &str) -> Self {
        Self::Field(name.to_owned(), problem.to_owned())
    }

    fn of(self, gateway: &str) -> SmsSetupError {
        let gateway = gateway.to_owned();
        match self {
            Self::NoFrom => SmsSetupError::From { gateway },
            Self::Field(field, problem) => SmsSetupError::Field { gateway, field, problem },
        }
    }
}
