//! `[fcm]`, and how providers are reached.

use std::{ops::RangeInclusive, path::PathBuf};

use jiff::SignedDuration;

use super::{
    Android, Fcm, Network,
    check::{Section, wrong_type},
    files,
    raw::{Leaf, RawFcm},
    units::{self, found},
};

/// A key file has some 2.4 kB.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;
/// The certificates of all public authorities together have some 220 kB.
const CA_FILE_BYTES_MAX: u64 = 1024 * 1024;
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

/// `[fcm]`
pub(super) fn fcm(section: &mut Section<'_, '_>, raw: &RawFcm) -> Option<Fcm> {
    section.not_built_unless("receipt_within", raw.receipt_within.as_ref(), &"off".into());
    let key = key_file(section, raw.service_account.as_ref());
    let accept_within = section
        .read("accept_within", raw.accept_within.as_ref(), |text| units::duration(text, &ACCEPT_WITHIN));
    let ttl = section.read("ttl", raw.ttl.as_ref(), |text| units::duration(text, &TTL));
    let per_device = section
        .list("per_device", raw.per_device.as_ref(), units::rate)
        .unwrap_or_else(|| PER_DEVICE_DEFAULT.iter().filter_map(|rate| units::rate(rate).ok()).collect());
    let base_url = base_url(section, raw.base_url.as_ref(), BASE_URL_DEFAULT);
    let android = section.read("android", raw.android.as_ref(), |text| match text {
        "data" => Ok(Android::Data),
        "notification" => Ok(Android::Notification),
        _ => Err(format!("expected \"data\" or \"notification\"{}", found(text))),
    });
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
