//! `[[contact]]`: who is told, and whether they can be.

use std::collections::BTreeMap;

use super::{
    check::{Check, Section},
    phone,
    raw::{Part, RawContact},
    secret::is_placeholder,
    sms::Sms,
    units::{self, Wanted},
};
use crate::alert::{ContactName, DeviceId, Language, PhoneNumber, PushTarget, Severity};

/// FCM's registration tokens have some 160 to 250 characters; this is room for what comes after them.
const TARGET_BYTES_MAX: usize = 4096;

/// Most contacts, and most devices of all of them: an alert's open destinations live in its document, which is
/// written whole whenever some of them have answered.
const CONTACTS_MAX: usize = 200;
const DEVICES_MAX: usize = 500;

/// How the sample file's number ends.
const SAMPLE_PHONE_TAIL: &str = "00000000";

#[derive(Clone, Debug)]
pub struct Contact {
    pub name: ContactName,
    pub phone: Option<PhoneNumber>,
    pub language: Language,
    pub devices: Vec<PushTarget>,
}

/// Which roads the rest of the file opens.
pub(super) struct Roads<'a> {
    pub push: bool,
    pub sms: &'a Sms,
    /// Whether there is a gateway, even one with mistakes in it: those are reported once, there.
    pub gateway: bool,
}

/// Everyone who is told, with at least one road each.
pub(super) fn contacts(
    check: &mut Check<'_>,
    raw: &[Part<RawContact>],
    language: Language,
    roads: &Roads<'_>,
) -> Vec<Contact> {
    if raw.is_empty() {
        check.problem(0, "[[contact]]: missing, expected at least one person to tell".to_owned());
    }
    let mut contacts: Vec<Contact> = Vec::new();
    let mut owners: BTreeMap<DeviceId, ContactName> = BTreeMap::new();
    for part in raw {
        let mut section = check.section("[[contact]]", part.span());
        let Some(mut contact) = contact(&mut section, &part.get_ref().0, language) else { continue };
        if contacts.iter().any(|other| other.name == contact.name) {
            let what = format!("`{}` is the name of an earlier contact too", contact.name);
            section.problem(part.span(), "name", what);
        }
        let devices = part.get_ref().0.devices.as_ref().map_or(part.span(), toml::Spanned::span);
        contact.devices.retain(|device| {
            let id = device.device_id();
            match owners.insert(id, contact.name.clone()) {
                None => true,
                Some(owner) => {
                    let what = format!("device {id} is in the list of `{owner}` already");
                    section.warning(devices.clone(), "devices", what);
                    // One phone may belong to two people on purpose, but it rings once for each of them.
                    owner != contact.name
                }
            }
        });
        check_roads(&mut section, &part.get_ref().0, &contact, roads);
        contacts.push(contact);
    }
    if CONTACTS_MAX < raw.len() {
        let what = format!("[[contact]]: {} of them, at most {CONTACTS_MAX} are possible", raw.len());
        check.problem(0, what);
    }
    // One phone of two people counts for both of them: it is pushed to twice.
    let devices: usize = contacts.iter().map(|contact| contact.devices.len()).sum();
    if DEVICES_MAX < devices {
        let what = format!("[[contact]]: {devices} devices in all, at most {DEVICES_MAX} are possible");
        check.problem(0, what);
    }
    contacts
}

fn contact(section: &mut Section<'_, '_>, raw: &RawContact, language: Language) -> Option<Contact> {
    let name = section.name(raw.name.as_ref(), "a name such as \"jin\"", |text| {
        text.parse::<ContactName>().map_err(|error| error.to_string())
    });
    let phone = section.read("phone", raw.phone.as_ref(), phone::number);
    if let (Some(phone), Some(field)) = (&phone, &raw.phone)
        && let Some(doubt) = doubt(phone)
    {
        section.warning(field.span(), "phone", doubt);
    }
    let own_language = section.read("language", raw.language.as_ref(), units::language);
    let devices = section.list("devices", raw.devices.as_ref(), target).unwrap_or_default();
    Some(Contact { name: name?, phone, language: own_language.unwrap_or(language), devices })
}

fn doubt(phone: &PhoneNumber) -> Option<&'static str> {
    if phone.expose().ends_with(SAMPLE_PHONE_TAIL) {
        return Some("looks like a sample, nobody has such a number");
    }
    phone::doubt(phone)
}

/// A token or `fid:…`; errors do not repeat it.
fn target(text: &str) -> Result<PushTarget, Wanted> {
    let text = text.trim();
    let id = text.strip_prefix("fid:").unwrap_or(text);
    let is_word = !id.is_empty() && id.bytes().all(|b| b.is_ascii_graphic());
    if is_placeholder(id) {
        Err("still holds a placeholder, expected a registration token or \"fid:INSTALLATION-ID\"".to_owned())
    } else if is_word && id.len() <= TARGET_BYTES_MAX {
        text.parse().map_err(|impossible| match impossible {})
    } else {
        Err("expected a registration token or \"fid:INSTALLATION-ID\" without spaces".to_owned())
    }
}

fn check_roads(section: &mut Section<'_, '_>, raw: &RawContact, contact: &Contact, roads: &Roads<'_>) {
    let header = section.header();
    let texts = roads.gateway && (roads.sms.always_at.is_some() || roads.sms.fallback_at.is_some());
    // A key that is there but wrong has its own error, and would be a road without it.
    let has_phone = raw.phone.is_some();
    let has_device = raw
        .devices
        .as_ref()
        .is_some_and(|devices| devices.get_ref().as_array().is_none_or(|all| !all.is_empty()));
    if has_device && !roads.push {
        section.warning(header.clone(), "devices", "no push reaches them without [fcm]");
    }
    if has_phone && !roads.gateway {
        section.warning(header.clone(), "phone", "no text reaches it without [[sms.gateway]]");
    }
    match (has_device && roads.push, has_phone && texts) {
        (false, false) => {
            let push = if roads.push { "it has no `devices`" } else { "there is no [fcm] for pushes" };
            let text = match (roads.gateway, texts) {
                (false, _) => "there is no [[sms.gateway]] for texts",
                (true, false) => "texts are off in [sms]",
                (true, true) => "it has no `phone`",
            };
            let line = section.check.line_of(header.start);
            let open_push = match (roads.push, has_device) {
                (true, _) => "give it devices",
                (false, true) => "add [fcm]",
                (false, false) => "give it devices with [fcm]",
            };
            let open_text = match (roads.gateway, texts, has_phone) {
                (true, true, _) => "give it a phone",
                (true, false, _) => "turn texts on",
                (false, _, true) => "add [[sms.gateway]]",
                (false, _, false) => "give it a phone with [[sms.gateway]]",
            };
            let what = format!(
                "contact `{}` (line {line}) can be reached by no road: {push} and {text}; {open_text}, or {open_push}",
                contact.name
            );
            section.check.problem(header.start, what);
        }
        (true, false) if roads.gateway && !has_phone => {
            section.warning(header, "phone", "missing: no text follows when a push fails");
        }
        (false, true) if roads.push || roads.sms.fallback_at != Some(Severity::NotClassified) => {
            section.warning(header, "devices", only_texts(roads.sms));
        }
        (true, _) | (false, true) => {}
    }
}

fn only_texts(sms: &Sms) -> String {
    match sms.fallback_at.into_iter().chain(sms.always_at).min() {
        Some(Severity::NotClassified) | None => "missing: this contact is told by text only".to_owned(),
        Some(least) => format!("missing: this contact is told by text only, and of nothing below {least}"),
    }
}
