//! `bongsu setup SENDER`: what a sender needs, with address and key filled in.

mod choose;
mod quote;
mod sheet;

use std::io;

use minijinja::{AutoEscape, Environment, context};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

pub use self::{
    choose::{ChooseError, choose},
    quote::option,
    sheet::Sheet,
};
use crate::{chance, config::Hmac};

/// Stands where a key belongs that is not known; what we print for Zabbix refuses to send with it.
const KEY_PLACEHOLDER: &str = "<PUT THE KEY HERE>";

/// Where the contact lines for Munin find the key, unless told otherwise.
pub const MUNIN_KEY_FILE: &str = "/etc/munin/bongsu.curl";

/// Where and as whom a sender posts.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub integration_name: String,
    /// Where the sender reaches us: the `public_url` of the configuration, or another address of ours.
    pub base_url: String,
    /// The integration's key; `None` leaves a placeholder to be replaced by hand.
    pub key: Option<SecretString>,
    /// How Grafana signs; `None` = it does not.
    pub signature: Option<Hmac>,
    /// The file that the contact lines for Munin name: an absolute path.
    pub munin_key_file: String,
    /// There is `[fcm]`: tests, which go by push only, ring somebody.
    pub pushes: bool,
    /// What no node can know, for the beginning of each message of Munin: letters and digits.
    pub munin_mark: String,
    /// What the steps repeat wherever they say `bongsu setup …`: empty, or options that begin with a space.
    pub options: String,
}

impl Inputs {
    /// For a sender that signs nothing and keeps its key in the usual file.
    pub fn new(
        integration_name: impl Into<String>,
        base_url: impl Into<String>,
        key: Option<SecretString>,
    ) -> Self {
        Self {
            integration_name: integration_name.into(),
            base_url: base_url.into(),
            key,
            signature: None,
            munin_key_file: MUNIN_KEY_FILE.to_owned(),
            pushes: true,
            munin_mark: format!("{:016x}", u64::from_be_bytes(chance::bytes())),
            options: String::new(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("`public_url` or --url is not an absolute http or https URL: `{0}`")]
    BaseUrl(String),
    /// An HTTP header cannot carry it, or we would not recognise it there.
    #[error(
        "the key of integration `{0}` cannot be sent in an HTTP header: expected visible ASCII characters, \
         with spaces only between them; try `openssl rand -hex 24`"
    )]
    Key(String),
    /// Munin's configuration, or the shell it starts, would read it as something else.
    #[error(
        "--key-file: expected an absolute path of letters, digits and / . _ -, found `{0}`: Munin hands it to a shell"
    )]
    KeyFile(String),
    #[error("could not render the set-up of {sheet:?}")]
    Template {
        sheet: Sheet,
        #[source]
        source: minijinja::Error,
    },
    #[error("could not write the set-up")]
    Write(#[from] io::Error),
}

/// Writes what goes into the sender to `out` and the steps to follow to `steps`.
pub fn write(
    sheet: Sheet,
    out: &mut dyn io::Write,
    steps: &mut dyn io::Write,
    inputs: &Inputs,
) -> Result<(), SetupError> {
    // Both are rendered before either is written: half a file must not reach a sender.
    let (file, told) = print(sheet, inputs)?;
    out.write_all(file.as_bytes())?;
    out.flush()?;
    steps.write_all(told.as_bytes())?;
    Ok(steps.flush()?)
}

/// The file and the steps.
fn print(sheet: Sheet, inputs: &Inputs) -> Result<(String, String), SetupError> {
    let url = events_url(&inputs.base_url, &inputs.integration_name)?;
    let sendable = |secret: &SecretString| {
        let key = quote::header_value(secret.expose_secret()).map(str::to_owned);
        key.ok_or_else(|| SetupError::Key(inputs.integration_name.clone()))
    };
    let key = inputs.key.as_ref().map_or(Ok(KEY_PLACEHOLDER.to_owned()), sendable)?;
    if !quote::is_plain_path(&inputs.munin_key_file) {
        return Err(SetupError::KeyFile(inputs.munin_key_file.clone()));
    }
    let signature = inputs.signature.as_ref().map(|signature| {
        context! {
            secret => signature.secret.expose_secret(),
            header => &signature.header,
            timestamp_header => &signature.timestamp_header,
        }
    });
    let is_usual = inputs.munin_key_file == MUNIN_KEY_FILE;
    let values = context! {
        url => url.as_str(),
        url_with_key => with_key(&url, &key),
        scheme => url.scheme(),
        target => target(&url),
        path => url.path(),
        key,
        key_missing => inputs.key.is_none(),
        signature,
        plain_http => url.scheme() == "http",
        loopback => is_loopback(&url),
        name => &inputs.integration_name,
        uid => quote::grafana_uid(&inputs.integration_name),
        key_file => &inputs.munin_key_file,
        key_file_option => if is_usual { String::new() } else { option("key-file", &inputs.munin_key_file) },
        pushes => inputs.pushes,
        mark => &inputs.munin_mark,
        options => &inputs.options,
    };
    render(sheet, &values).map_err(|source| SetupError::Template { sheet, source })
}

/// `BASE_URL/v1/events/NAME`, the name percent-encoded.
fn events_url(base_url: &str, integration_name: &str) -> Result<Url, SetupError> {
    let refused = || SetupError::BaseUrl(base_url.to_owned());
    let mut url = Url::parse(base_url).map_err(|_| refused())?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err(refused());
    }
    url.set_query(None);
    url.set_fragment(None);
    url.path_segments_mut().map_err(|()| refused())?.pop_if_empty().extend([
        "v1",
        "events",
        integration_name,
    ]);
    Ok(url)
}

/// For senders that can set no header.
fn with_key(url: &Url, key: &str) -> String {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("key", key);
    url.into()
}

/// `HOST:PORT`, the port also where it goes without saying.
fn target(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn render(sheet: Sheet, values: &minijinja::Value) -> Result<(String, String), minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.add_filter("yaml", |text: String| quote::yaml(&text));
    environment.add_filter("grafana", |text: String| quote::yaml(&quote::grafana(&text)));
    environment.add_filter("curl", |text: String| quote::curl(&text));
    environment.add_filter("json", |text: String| quote::json(&text));
    environment.add_filter("shell", |text: String| quote::shell(&text));
    environment.add_template("cautions.txt", sheet::CAUTIONS)?;
    environment.add_template("cautions-ko.txt", sheet::CAUTIONS_KO)?;
    // The engine drops a template's last line break.
    let file = environment.render_str(sheet.file(), values)? + "\n";
    let steps = environment.render_str(sheet.steps(), values)? + "\n";
    Ok((file, steps))
}

#[cfg(test)]
mod tests;
