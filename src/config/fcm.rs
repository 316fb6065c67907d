//! `[fcm]`: push.

use std::{ops::RangeInclusive, path::PathBuf};

use jiff::SignedDuration;
use secrecy::SecretString;

use super::{
    check::{Section, wrong_type},
    files,
    network::{Network, base_url, network},
    raw::{Field, RawFcm},
    units::{Rate, one_of},
};

/// A key file has some 2.4 kB.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;
const ACCEPT_WITHIN: RangeInclusive<SignedDuration> =
    SignedDuration::from_millis(100)..=SignedDuration::from_hours(1);
const ACCEPT_WITHIN_DEFAULT: SignedDuration = SignedDuration::from_secs(20);
/// FCM keeps a message for at most four weeks.
const TTL: RangeInclusive<SignedDuration> =
    SignedDuration::from_secs(1)..=SignedDuration::from_hours(24 * 28);
const TTL_DEFAULT: SignedDuration = SignedDuration::from_hours(1);
const BASE_URL_DEFAULT: &str = "https://fcm.googleapis.com";
/// The variable that Google's own libraries read.
const KEY_VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// Google's own limits for one device.
const PER_DEVICE_DEFAULT: [&str; 2] = ["240/1m", "5000/1h"];

#[derive(Clone, Debug)]
pub struct Fcm {
    pub key_path: PathBuf,
    /// Its text; `deliver::fcm::key` reads it.
    pub key_json: SecretString,
    /// No trailing slash.
    pub base_url: String,
    pub network: Network,
    /// How long a push may remain unaccepted before the text goes out.
    pub accept_within: SignedDuration,
    /// How long a push is useful.
    pub ttl: SignedDuration,
    pub android: Android,
    /// Pushes per device; empty = no limit.
    pub per_device: Vec<Rate>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Android {
    /// High-priority data messages: the app shows them and can confirm.
    #[default]
    Data,
    /// The system shows them.
    Notification,
}

pub(super) fn fcm(section: &mut Section<'_, '_>, raw: &RawFcm) -> Option<Fcm> {
    section.not_built_unless(raw.receipt_within(), &"off".into());
    let key = key_file(section, raw.service_account());
    let androids = [("data", Android::Data), ("notification", Android::Notification)];
    let accept_within = section.duration(raw.accept_within(), &ACCEPT_WITHIN);
    let ttl = section.duration(raw.ttl(), &TTL);
    let per_device = section.rates(raw.per_device(), &PER_DEVICE_DEFAULT);
    let base_url = base_url(section, raw.base_url(), BASE_URL_DEFAULT);
    let android = section.read(raw.android(), one_of(&androids)).unwrap_or_default();
    let network = network(section, raw.extra_ca(), raw.proxy());
    let (key_path, key_json) = key?;
    Some(Fcm {
        key_path,
        key_json: key_json.into(),
        base_url,
        network,
        accept_within: accept_within.unwrap_or(ACCEPT_WITHIN_DEFAULT),
        ttl: ttl.unwrap_or(TTL_DEFAULT),
        android,
        per_device,
    })
}

/// The key file's path and text.
fn key_file(section: &mut Section<'_, '_>, field: Field<'_>) -> Option<(PathBuf, String)> {
    let path = match field.value {
        Some(value) => named_key_file(section, field, value),
        None => default_key_file(section, field),
    }?;
    if files::is_open_to_others(&path) {
        section.warning(field, format!("{} can be read by other users, use mode 0600", path.display()));
    }
    let problem = match files::read(&path, KEY_FILE_BYTES_MAX) {
        Ok(text) if text.trim().is_empty() => format!("{} is empty", path.display()),
        Ok(text) => return Some((path, text)),
        Err(error) => error.to_string(),
    };
    section.problem(field, problem);
    None
}

fn named_key_file(section: &mut Section<'_, '_>, field: Field<'_>, value: &toml::Value) -> Option<PathBuf> {
    let table = value.as_table().filter(|table| table.len() == 1);
    let path = table.and_then(|table| table.get("file")?.as_str());
    if path.is_none() {
        section.problem(field, wrong_type("{ file = \"PATH\" }", value));
    }
    path.map(|path| section.check.resolve(path))
}

/// The variable's path is used as it is: Google's libraries start at the working directory, too.
fn default_key_file(section: &mut Section<'_, '_>, field: Field<'_>) -> Option<PathBuf> {
    let path = (section.check.environment)(KEY_VARIABLE).filter(|path| !path.is_empty());
    if path.is_none() {
        let wanted = format!("{{ file = \"PATH\" }} or environment variable {KEY_VARIABLE}");
        section.missing(field.key, &wanted);
    }
    path.map(PathBuf::from)
}
