//! `[[contact]]`: who is notified, and whether they can be.

use std::collections::BTreeMap;

use super::{
    check::{Check, Section},
    phone,
    raw::{Part, RawContact, Table},
    secret::is_placeholder,
    sms::Sms,
    units::{self, Wanted},
};
use crate::{
    alert::{ContactName, DeviceId, Language, PhoneNumber, PushTarget, Severity},
    roster::{Device, Person},
};

/// FCM's registration tokens have some 160 to 250 characters; this is room for what comes after them.
const TARGET_BYTES_MAX: usize = 4096;

/// Most contacts, and most devices of all of them: an alert's open destinations live in its document, which is
/// written whole whenever some of them have answered.
const CONTACTS_MAX: usize = 200;
const DEVICES_MAX: usize = 500;

/// How the sample file's number ends.
const SAMPLE_PHONE_TAIL: &str = "00000000";

/// Which roads the rest of the file opens.
pub(super) struct Roads<'a> {
    pub push: bool,
    pub sms: &'a Sms,
    /// Whether there is a gateway, even one with mistakes in it: those are reported once, there.
    pub gateway: bool,
}

impl Roads<'_> {
    fn texts(&self) -> bool {
        self.gateway && (self.sms.always_at.is_some() || self.sms.fallback_at.is_some())
    }
}

/// Everyone who is notified, with at least one road each.
pub(super) fn contacts(
    check: &mut Check<'_>,
    raw: &[Part<RawContact>],
    language: Language,
    roads: &Roads<'_>,
) -> Vec<Person> {
    if raw.is_empty() {
        check.problem(0, "[[contact]]: missing, expected at least one person to tell".to_owned());
    }
    let mut people: Vec<Person> = Vec::new();
    let mut owners: BTreeMap<DeviceId, ContactName> = BTreeMap::new();
    for part in raw {
        let Table(raw) = part.get_ref();
        let mut section = check.section("[[contact]]", part.span().start);
        let Some(mut person) = person(&mut section, raw, language) else { continue };
        if people.iter().any(|other| other.name == person.name) {
            section.problem("name", format!("`{}` is the name of an earlier contact too", person.name));
        }
        person.devices.retain(|Device { id, .. }| match owners.insert(*id, person.name.clone()) {
            None => true,
            Some(owner) => {
                let what = format!("device {id} is in the list of `{owner}` already");
                section.warning(raw.devices(), what);
                // One phone may belong to two people on purpose, but it rings once for each of them.
                owner != person.name
            }
        });
        check_roads(&mut section, raw, &person.name, roads);
        people.push(person);
    }
    check.at_most(CONTACTS_MAX, "[[contact]]", raw);
    // One phone of two people counts for both of them: it is pushed to twice.
    let devices: usize = people.iter().map(|person| person.devices.len()).sum();
    if DEVICES_MAX < devices {
        let what = format!("[[contact]]: {devices} devices in all, at most {DEVICES_MAX} are possible");
        check.problem(0, what);
    }
    people
}

fn person(section: &mut Section<'_, '_>, raw: &RawContact, language: Language) -> Option<Person> {
    let name = section.name(raw.name(), "a name such as \"jin\"", |text| {
        text.parse::<ContactName>().map_err(|error| error.to_string())
    });
    let phone = section.read(raw.phone(), phone::number);
    if let Some(doubt) = phone.as_ref().and_then(doubt) {
        section.warning(raw.phone(), doubt);
    }
    let language = section.read(raw.language(), units::language).unwrap_or(language);
    let devices = section.list(raw.devices(), |text| target(text).map(Device::new)).unwrap_or_default();
    Some(Person { name: name?, language, phone, devices })
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

fn check_roads(section: &mut Section<'_, '_>, raw: &RawContact, name: &ContactName, roads: &Roads<'_>) {
    // A key that is there but wrong has its own error, and would be a road without it.
    let has_phone = raw.phone.is_some();
    let devices = raw.devices().value;
    let has_device = devices.is_some_and(|devices| devices.as_array().is_none_or(|all| !all.is_empty()));
    if has_device && !roads.push {
        section.warning("devices", "no push reaches them without [fcm]");
    }
    if has_phone && !roads.gateway {
        section.warning("phone", "no text reaches it without [[sms.gateway]]");
    }
    match (has_device && roads.push, has_phone && roads.texts()) {
        (false, false) => {
            let line = section.check.line_of(section.at);
            let why = no_road(roads, has_phone, has_device);
            let what = format!("contact `{name}` (line {line}) can be reached by no road: {why}");
            section.check.problem(section.at, what);
        }
        (true, false) if roads.gateway && !has_phone => {
            section.warning("phone", "missing: no text follows when a push fails");
        }
        (false, true) if roads.push || roads.sms.fallback_at != Some(Severity::NotClassified) => {
            section.warning("devices", only_texts(roads.sms));
        }
        (true, _) | (false, true) => {}
    }
}

/// Why neither a push nor a text arrives, and what would help.
fn no_road(roads: &Roads<'_>, has_phone: bool, has_device: bool) -> String {
    const NO_FCM: &str = "there is no [fcm] for pushes";
    const NO_GATEWAY: &str = "there is no [[sms.gateway]] for texts";
    let (no_push, open_push) = match (roads.push, has_device) {
        (true, _) => ("it has no `devices`", "give it devices"),
        (false, true) => (NO_FCM, "add [fcm]"),
        (false, false) => (NO_FCM, "give it devices with [fcm]"),
    };
    let (no_text, open_text) = match (roads.gateway, has_phone) {
        (true, _) if roads.texts() => ("it has no `phone`", "give it a phone"),
        (true, _) => ("texts are off in [sms]", "turn texts on"),
        (false, true) => (NO_GATEWAY, "add [[sms.gateway]]"),
        (false, false) => (NO_GATEWAY, "give it a phone with [[sms.gateway]]"),
    };
    format!("{no_push} and {no_text}; {open_text}, or {open_push}")
}

fn only_texts(sms: &Sms) -> String {
    match sms.fallback_at.into_iter().chain(sms.always_at).min() {
        Some(Severity::NotClassified) | None => "missing: this contact is told by text only".to_owned(),
        Some(least) => format!("missing: this contact is told by text only, and of nothing below {least}"),
    }
}
