//! Which alert the fields of an unknown sender are about.
//!
//! A problem and its recovery must have the same key, and two problems never: there would be no notification of the
//! second. So a key that was sent counts, except where it numbers the problems of a Nagios core: that number is 0 by
//! the time of the recovery. There the key is what is checked (source, host and service), as it is wherever the
//! state of a host or service comes without a title.

use super::{
    super::{text, title_state},
    facts::{Facts, is_downtime_or_flapping},
    names::{
        CHECK_STATE, CHOSEN_KEY, CONSOLE_ACTION, KEY, OTHER_ID, PROBLEM_ID, SERVICE, SOURCE, STATE, TITLE,
    },
};
use crate::alert::DedupKey;

/// What a Nagios core sends notifications of (`NOTIFICATIONTYPE`), in lower case; downtimes and flapping beside them.
const NOTIFICATIONS: [&str; 4] = ["problem", "recovery", "acknowledgement", "custom"];

/// States of a host, and of a service, of Nagios and the programs like it.
const HOST_STATES: [&str; 3] = ["up", "down", "unreachable"];
const SERVICE_STATES: [&str; 6] = ["ok", "warning", "warn", "critical", "crit", "unknown"];

pub(super) fn dedup_key(facts: &Facts<'_>) -> DedupKey {
    if let Some(key) = sent(facts) {
        return DedupKey::new(key);
    }
    let word = |names| facts.fields.word(names).unwrap_or_default();
    let (source, host, service) = (word(SOURCE), facts.host().unwrap_or_default().trim(), word(SERVICE));
    let condition = if is_of_a_check(facts) { String::new() } else { condition(facts, host, service) };
    DedupKey::derived("generic", &[source, host, service, &condition])
}

/// The key that was sent. Nagios writes problem id 0 once a problem is over.
pub(super) fn sent<'a>(facts: &Facts<'a>) -> Option<&'a str> {
    let names = if is_of_a_check(facts) { CHOSEN_KEY } else { KEY };
    facts.fields.texts(names).into_iter().map(str::trim).find(|key| *key != "0")
}

/// What distinguishes one problem of a host or service from the next.
fn condition(facts: &Facts<'_>, host: &str, service: &str) -> String {
    let has_state = facts.state_of_fields().is_some();
    let without_state = if has_state { title_state::without_any } else { title_state::without_leading };
    let (has_host, has_service) = (!host.is_empty(), !service.is_empty());
    if let Some(title) = facts.fields.text(TITLE) {
        let title = text::title(title);
        let bare = without_state(&title);
        return if bare.is_empty() && !has_host && !has_service { title } else { bare };
    }
    if has_host && has_service || has_state && (has_host || has_service) {
        return String::new();
    }
    without_state(&text::title(facts.first_line().unwrap_or_default()))
}

/// True for a message of Nagios, Icinga, Checkmk or a program like them about one check of one host. What is
/// acknowledged there they do not notify of again.
pub(super) fn is_of_a_check(facts: &Facts<'_>) -> bool {
    if facts.host().is_none() {
        return false;
    }
    let has = |names| facts.fields.text(names).is_some();
    let is_notification = |name| facts.fields.text(name).is_some_and(is_notification);
    is_notification("notificationtype") || has(CHECK_STATE) || has(PROBLEM_ID) || {
        // Fields that were chosen for another program have other names.
        let is_notified =
            || CONSOLE_ACTION.split_ascii_whitespace().any(is_notification) || is_numbered(facts);
        !has(TITLE) && has_state_of_check(facts) && is_notified()
    }
}

/// A number of a problem; a 0 is that of a problem that is over. An `id` beside a host alone may be that of one of
/// its checks, which have no other name.
fn is_numbered(facts: &Facts<'_>) -> bool {
    let mut names = KEY.split_ascii_whitespace();
    let sent = names.find(|name| facts.fields.text(name).is_some());
    sent.is_some_and(|name| {
        OTHER_ID.contains(&name) && (name != "id" || facts.fields.text(SERVICE).is_some())
    })
}

fn has_state_of_check(facts: &Facts<'_>) -> bool {
    let has_service = facts.fields.text(SERVICE).is_some();
    let states = if has_service { &SERVICE_STATES[..] } else { &HOST_STATES };
    facts.fields.texts(STATE).iter().any(|word| states.contains(&word.trim().to_lowercase().as_str()))
}

fn is_notification(word: &str) -> bool {
    NOTIFICATIONS.contains(&word.trim().to_lowercase().as_str()) || is_downtime_or_flapping(word)
}
