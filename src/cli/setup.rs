//! `bongsu setup SENDER`: what a sender needs, with address and key filled in.

use std::{fmt::Write as _, io};

use minijinja::{AutoEscape, Environment, context};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// The media type, as Zabbix imports it.
const ZABBIX_MEDIA_TYPE: &str = include_str!("../../templates/setup/zabbix.yaml");

/// What to do with it, in the words of Zabbix's menus.
const ZABBIX_STEPS: &str = include_str!("../../templates/setup/zabbix-steps.txt");

/// Stands where a key belongs that is not known; the media type refuses to send with it.
const KEY_PLACEHOLDER: &str = "<PUT THE KEY HERE>";

/// Where and as whom a Zabbix posts.
#[derive(Clone, Debug)]
pub struct ZabbixSetup {
    /// The `name` of the `[[integration]]`.
    pub integration_name: String,
    /// The `public_url` of the configuration.
    pub public_url: String,
    /// The integration's key; `None` leaves a placeholder to be replaced in Zabbix.
    pub key: Option<SecretString>,
}

/// Why no set-up could be written.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The sender could not post there.
    #[error("`public_url` is not an absolute http or https URL: `{0}`")]
    PublicUrl(String),
    /// An HTTP header cannot carry it.
    #[error(
        "the key of integration `{0}` is empty or holds a control character, which no HTTP header can carry"
    )]
    Key(String),
    /// A template in this program is wrong.
    #[error("could not render the set-up of {sender}")]
    Template {
        /// Whose.
        sender: &'static str,
        /// Where in it.
        #[source]
        source: minijinja::Error,
    },
    /// Standard output or standard error is gone.
    #[error("could not write the set-up")]
    Write(#[from] io::Error),
}

/// Writes the media type (YAML, for Zabbix 6.0 to 7.4) to `out` and the steps to follow to `steps`.
pub fn zabbix(
    out: &mut dyn io::Write,
    steps: &mut dyn io::Write,
    inputs: &ZabbixSetup,
) -> Result<(), SetupError> {
    let url = events_url(&inputs.public_url, &inputs.integration_name)?;
    let key = match &inputs.key {
        Some(key) => header_value(key.expose_secret())
            .ok_or_else(|| SetupError::Key(inputs.integration_name.clone()))?,
        None => KEY_PLACEHOLDER,
    };
    let values = context! {
        url => &url,
        key,
        key_missing => inputs.key.is_none(),
        plain_http => url.starts_with("http://"),
        name => &inputs.integration_name,
    };
    // Both are rendered before either is written: half a media type must not reach a file.
    let media_type = render("zabbix", ZABBIX_MEDIA_TYPE, &values)?;
    let told = render("zabbix", ZABBIX_STEPS, &values)?;
    out.write_all(media_type.as_bytes())?;
    out.flush()?;
    steps.write_all(told.as_bytes())?;
    Ok(steps.flush()?)
}

/// `PUBLIC_URL/v1/events/NAME`, the name percent-encoded.
fn events_url(public_url: &str, integration_name: &str) -> Result<String, SetupError> {
    let refused = || SetupError::PublicUrl(public_url.to_owned());
    let mut url = Url::parse(public_url).map_err(|_| refused())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused());
    }
    url.set_query(None);
    url.set_fragment(None);
    url.path_segments_mut().map_err(|()| refused())?.pop_if_empty().extend([
        "v1",
        "events",
        integration_name,
    ]);
    Ok(url.into())
}

/// The text, if an HTTP header can carry it as it is.
fn header_value(text: &str) -> Option<&str> {
    let trimmed = text.trim();
    (!trimmed.is_empty() && !trimmed.contains(char::is_control)).then_some(trimmed)
}

fn render(sender: &'static str, template: &str, values: &minijinja::Value) -> Result<String, SetupError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.add_filter("yaml", yaml_string);
    let rendered =
        environment.render_str(template, values).map_err(|source| SetupError::Template { sender, source })?;
    // The engine drops a template's last line break.
    Ok(rendered + "\n")
}

/// A double-quoted YAML scalar: nothing in `text` can end it or be read as anything but text.
#[expect(clippy::needless_pass_by_value, reason = "a filter owns its arguments")]
fn yaml_string(text: String) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_printable(c) => quoted.push(c),
            c if u32::from(c) <= 0xFFFF => {
                write!(quoted, "\\u{:04X}", u32::from(c)).expect("a String takes every write");
            }
            c => write!(quoted, "\\U{:08X}", u32::from(c)).expect("a String takes every write"),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether YAML 1.2 (§ 5.1, c-printable) lets a character stand for itself; line breaks do not.
fn is_printable(c: char) -> bool {
    !matches!(c,
        '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

#[cfg(test)]
mod tests;
