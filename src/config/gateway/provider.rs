//! What each company asks of its customers.

use std::{ops::RangeInclusive, sync::Arc};

use super::http::HttpGateway;
use crate::config::{
    check::Section,
    network::base_url,
    raw::RawGateway,
    units::{self, Wanted, found},
};
use secrecy::{ExposeSecret, SecretString};

const SOLAPI_URL_DEFAULT: &str = "https://api.solapi.com";
const TWILIO_URL_DEFAULT: &str = "https://api.twilio.com";
const NHN_URL_DEFAULT: &str = "https://sms.api.nhncloudservice.com";
/// Where a Kannel takes texts, unless its configuration says otherwise.
const KANNEL_PATH: &str = "/cgi-bin/sendsms";
/// Digits of a whole number with its country code; fewer are a short code.
const FROM_DIGITS: RangeInclusive<usize> = 8..=15;

#[derive(Clone, Debug)]
pub enum GatewayProvider {
    /// Solapi (Korea).
    Solapi {
        /// No trailing slash.
        base_url: String,
        api_key: String,
        api_secret: SecretString,
    },
    /// Twilio (the world).
    Twilio(Arc<TwilioGateway>),
    /// A Kannel of one's own.
    Kannel {
        /// Its `sendsms`; may hold more parameters, such as `smsc`.
        url: SecretString,
        username: String,
        password: SecretString,
    },
    /// NHN Cloud (Korea).
    Nhn {
        /// No trailing slash.
        base_url: String,
        /// Names the project; a part of every address.
        app_key: String,
        secret_key: SecretString,
    },
    /// Anything that takes one HTTP request a message.
    Http(Arc<HttpGateway>),
}

impl GatewayProvider {
    /// It tells by itself what became of a text.
    pub fn reports(&self) -> bool {
        match self {
            Self::Twilio(_) | Self::Kannel { .. } => true,
            Self::Solapi { .. } | Self::Nhn { .. } | Self::Http(_) => false,
        }
    }

    /// It can be asked what became of a text.
    pub fn can_be_asked(&self) -> bool {
        match self {
            Self::Solapi { .. } | Self::Twilio(_) | Self::Nhn { .. } => true,
            Self::Kannel { .. } | Self::Http(_) => false,
        }
    }
}

#[derive(Clone, Debug)]
pub struct TwilioGateway {
    /// No trailing slash.
    pub base_url: String,
    pub account_sid: String,
    /// Opens the account, and signs what Twilio posts to us.
    pub auth_token: SecretString,
    /// Chooses the sender; without it `from` is used.
    pub messaging_service_sid: Option<String>,
}

pub(super) fn solapi(section: &mut Section<'_, '_>, raw: &RawGateway) -> Option<GatewayProvider> {
    if raw.from.is_none() {
        section.missing("from", "the number registered with Solapi, such as \"029302266\"");
    }
    let base_url = base_url(section, raw.base_url(), SOLAPI_URL_DEFAULT);
    let api_key = section.must_secret(raw.api_key());
    let api_secret = section.must_secret(raw.api_secret());
    Some(GatewayProvider::Solapi {
        base_url,
        api_key: api_key?.expose_secret().to_owned(),
        api_secret: api_secret?,
    })
}

pub(super) fn twilio(section: &mut Section<'_, '_>, raw: &RawGateway) -> Option<GatewayProvider> {
    let (from, service) = (raw.from(), raw.messaging_service_sid());
    match (from.value, service.value) {
        (None, None) => {
            let wanted = "a number of the account, such as \"+15005550006\", or messaging_service_sid";
            section.missing("from", wanted);
        }
        (Some(_), Some(_)) => {
            section.problem(service, "either this or `from`: a messaging service chooses the sender itself");
        }
        (Some(number), None) => {
            let digits = number.as_str().map(str::trim).unwrap_or_default();
            if FROM_DIGITS.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
                section.warning(from, format!("Twilio wants +{digits}"));
            }
        }
        (None, Some(_)) => {}
    }
    let base_url = base_url(section, raw.base_url(), TWILIO_URL_DEFAULT);
    let account_sid =
        section.must_read(raw.account_sid(), "the account's SID, AC…", |text| sid(text, "AC"));
    let auth_token = section.must_secret(raw.auth_token());
    let messaging_service_sid = section.read(service, |text| sid(text, "MG"));
    Some(GatewayProvider::Twilio(Arc::new(TwilioGateway {
        base_url,
        account_sid: account_sid?,
        auth_token: auth_token?,
        messaging_service_sid,
    })))
}

/// Twilio's names of things: two letters for the kind, and 32 hexadecimal digits.
fn sid(text: &str, kind: &str) -> Result<String, Wanted> {
    let digits = text.strip_prefix(kind).unwrap_or_default();
    if digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected {kind} and 32 hexadecimal digits{}", found(text)))
    }
}

pub(super) fn kannel(section: &mut Section<'_, '_>, raw: &RawGateway) -> Option<GatewayProvider> {
    if raw.from.is_none() {
        section.missing("from", "the sender's number or name, as the network behind Kannel wants it");
    }
    let url = section.must_secret(raw.url());
    let username = section.must_read(raw.username(), "a sendsms-user of Kannel", |text| Ok(text.to_owned()));
    let password = section.must_secret(raw.password());
    let url = units::web_url(url?.expose_secret());
    let mut url = url.map_err(|wanted| section.problem(raw.url(), wanted)).ok()?;
    section.warn_if_plain(raw.url(), &url, "credentials and texts");
    if url.path() == "/" {
        url.set_path(KANNEL_PATH);
    }
    Some(GatewayProvider::Kannel {
        url: SecretString::from(url.to_string()),
        username: username?,
        password: password?,
    })
}

pub(super) fn nhn(section: &mut Section<'_, '_>, raw: &RawGateway) -> Option<GatewayProvider> {
    if raw.from.is_none() {
        section.missing("from", "the number registered with NHN Cloud, such as \"029302266\"");
    }
    let base_url = base_url(section, raw.base_url(), NHN_URL_DEFAULT);
    let app_key = section.must_secret(raw.api_key());
    let secret_key = section.must_secret(raw.api_secret());
    let app_key = app_key?.expose_secret().to_owned();
    if !app_key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        section.problem(raw.api_key(), "expected an app key: letters, digits, `-` and `_`");
        return None;
    }
    Some(GatewayProvider::Nhn { base_url, app_key, secret_key: secret_key? })
}
