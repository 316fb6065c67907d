//! `[fcm]`: push.

use std::{ops::RangeInclusive, path::PathBuf};

use jiff::SignedDuration;
use secrecy::SecretString;

use super::{
    check::{Section, wrong_type},
    files,
    network::{Network, base_url, network},
    raw::{Leaf, RawFcm},
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
    /// Where the service account's key file is.
    pub key_path: PathBuf,
    /// Its text; `deliver::fcm::key` reads it.
    pub key_json: SecretString,
    /// Default `https://fcm.googleapis.com`; no trailing slash.
    pub base_url: String,
    pub network: Network,
    /// How long a push may remain unaccepted before the text goes out; default 20 s.
    pub accept_within: SignedDuration,
    /// How long a push is useful; default 1 h.
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
    section.not_built_unless("receipt_within", raw.receipt_within.as_ref(), &"off".into());
    let key = key_file(section, raw.service_account.as_ref());
    let accept_within = section.duration("accept_within", raw.accept_within.as_ref(), &ACCEPT_WITHIN);
    let ttl = section.duration("ttl", raw.ttl.as_ref(), &TTL);
    let per_device = section.rates("per_device", raw.per_device.as_ref(), &PER_DEVICE_DEFAULT);
    let base_url = base_url(section, raw.base_url.as_ref(), BASE_URL_DEFAULT);
    let android = [("data", Android::Data), ("notification", Android::Notification)];
    let android = section.read("android", raw.android.as_ref(), one_of(&android));
    let network = network(section, raw.extra_ca.as_ref(), raw.proxy.as_ref());
    let (key_path, key_json) = key?;
    Some(Fcm {
        key_path,
        key_json: key_json.into(),
        base_url,
        network,
        accept_within: accept_within.unwrap_or(ACCEPT_WITHIN_DEFAULT),
        ttl: ttl.unwrap_or(TTL_DEFAULT),
        android: android.unwrap_or_default(),
        per_device,
    })
}

/// The key file's path and text.
fn key_file(section: &mut Section<'_, '_>, field: Option<&Leaf>) -> Option<(PathBuf, String)> {
    let path = match field {
        Some(field) => named_key_file(section, field),
        None => default_key_file(section),
    }?;
    let at = field.map_or_else(|| section.header(), Leaf::span);
    if files::is_open_to_others(&path) {
        let what = format!("{} can be read by other users, use mode 0600", path.display());
        section.warning(at.clone(), "service_account", what);
    }
    match files::read(&path, KEY_FILE_BYTES_MAX) {
        Ok(text) if text.trim().is_empty() => {
            section.problem(at, "service_account", format!("{} is empty", path.display()));
            None
        }
        Ok(text) => Some((path, text)),
        Err(error) => {
            section.problem(at, "service_account", error.to_string());
            None
        }
    }
}

fn named_key_file(section: &mut Section<'_, '_>, field: &Leaf) -> Option<PathBuf> {
    let table = field.get_ref().as_table().filter(|table| table.len() == 1);
    let path = table.and_then(|table| table.get("file")?.as_str());
    if path.is_none() {
        let wanted = wrong_type("{ file = \"PATH\" }", field.get_ref());
        section.problem(field.span(), "service_account", wanted);
    }
    path.map(|path| section.check.resolve(path))
}

/// The variable's path is used as it is: Google's libraries start at the working directory, too.
fn default_key_file(section: &mut Section<'_, '_>) -> Option<PathBuf> {
    let path = (section.check.environment)(KEY_VARIABLE).filter(|path| !path.is_empty());
    if path.is_none() {
        let wanted = format!("{{ file = \"PATH\" }} or environment variable {KEY_VARIABLE}");
        section.missing("service_account", &wanted);
    }
    path.map(PathBuf::from)
}
