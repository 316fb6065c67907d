//! Texts through SMS companies. Each `[[sms.gateway]]` is one [`SmsTransport`]:
//!
//! ```text
//! breaker ─▶ provider: request ─▶ wire ─▶ provider: reading ─▶ breaker
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
mod answer;
mod encoding;
mod euc_kr;
mod fit;
mod gateway;
mod gsm7;
mod http;
mod kannel;
mod nhn;
mod number;
mod provider;
mod setup;
mod solapi;
mod spell;
#[cfg(test)]
mod testing;
mod twilio;

pub use crate::config::Encoding;
pub use account::{Balance, Finding, Look};
pub use encoding::segments;
pub use fit::{Fitted, TextRules, WORDS_UNITS_MIN, fit};
pub use setup::SmsSetupError;

use super::SmsTransport;
use crate::{
    alert::PhoneNumber,
    clock::Clock,
    config::{self, GatewayProvider},
};
use gateway::Gateway;
use provider::Provider;
use setup::SetupProblem;

/// The gateways in the order they are tried. Checks everything that can be checked without a request.
pub fn gateways(
    sms: &config::Sms,
    clock: Arc<dyn Clock>,
) -> Result<Vec<Arc<dyn SmsTransport>>, SmsSetupError> {
    let gateway = move |config: &config::Gateway| -> Result<Arc<dyn SmsTransport>, SmsSetupError> {
        Ok(Arc::new(Gateway::new(config, provider(config), Arc::clone(&clock))?))
    };
    sms.gateways.iter().map(gateway).collect()
}

/// Whether a text to this number is one segment whatever the configuration says.
pub fn is_one_segment(provider: &GatewayProvider, to: &PhoneNumber) -> bool {
    matches!(provider, GatewayProvider::Solapi { .. } | GatewayProvider::Nhn { .. })
        && number::abroad(to).is_some()
}

fn provider(config: &config::Gateway) -> Result<Box<dyn Provider>, SetupProblem> {
    let from = config.from.as_deref();
    Ok(match &config.provider {
        GatewayProvider::Solapi { base_url, api_key, api_secret } => {
            Box::new(solapi::Solapi::new(base_url, api_key, api_secret, from)?)
        }
        GatewayProvider::Twilio(twilio) => Box::new(twilio::Twilio::new(twilio, from)?),
        GatewayProvider::Kannel { url, username, password } => {
            Box::new(kannel::Kannel::new(url, username, password, from)?)
        }
        GatewayProvider::Nhn { base_url, app_key, secret_key } => {
            Box::new(nhn::Nhn::new(base_url, app_key, secret_key, from)?)
        }
        GatewayProvider::Http(template) => Box::new(http::HttpProvider::new(template, from)?),
    })
}
