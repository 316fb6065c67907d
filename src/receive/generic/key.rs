//! Which alert the fields of an unknown sender are about.
//!
//! A problem and its recovery must come to the same key, and two problems never: the second would be told to nobody.
//! So a key that was sent counts, except where it numbers the problems of a Nagios core: that number is 0 by the time
//! of the recovery. What is checked (source, host and service) is the key there, as it is wherever a state is said
//! of a host or service without a title.

use super::{
    super::{
        TITLE_BYTES_MAX, stated,
        text::{one_line, split_first_line},
    },
    names::{
        CHECK_STATE, CHOSEN_KEY, DEED, KEY, MESSAGE, OTHER_ID, PROBLEM_ID, SERVICE, SOURCE, STATE, TITLE,
    },
    said::Said,
};
use crate::alert::DedupKey;

/// What a Nagios core tells of (`NOTIFICATIONTYPE`), in lower case; downtimes and flapping beside them.
const NOTIFICATIONS: [&str; 4] = ["problem", "recovery", "acknowledgement", "custom"];

/// States of a host of Nagios and its kin, and of a service.
const HOST_STATES: [&str; 3] = ["up", "down", "unreachable"];
const SERVICE_STATES: [&str; 6] = ["ok", "warning", "warn", "critical", "crit", "unknown"];

impl Said<'_> {
    pub(super) fn dedup_key(&self) -> DedupKey {
        if let Some(key) = self.key() {
            return DedupKey::new(key);
        }
        let text = |names| self.fields.text(names).map(str::trim).unwrap_or_default();
        let (source, host, service) = (text(SOURCE), self.host().unwrap_or_default().trim(), text(SERVICE));
        let title = if self.is_of_a_check() { String::new() } else { self.condition(host, service) };
        DedupKey::derived("generic", &[source, host, service, &title])
    }

    /// The key that was sent. Nagios writes problem id 0 once a problem is over.
    pub(super) fn key(&self) -> Option<&str> {
        let names = if self.is_of_a_check() { CHOSEN_KEY } else { KEY };
        names.iter().find_map(|name| self.fields.text(&[name]).map(str::trim).filter(|key| *key != "0"))
    }

    /// What tells one problem of a host or service from the next.
    fn condition(&self, host: &str, service: &str) -> String {
        let has_state = self.state().is_some();
        let without_state = |text: &str| {
            if has_state { stated::without_any(text) } else { stated::without_leading(text).into() }
        };
        if let Some(title) = self.fields.text(TITLE) {
            let title = one_line(title, TITLE_BYTES_MAX);
            let bare = without_state(&title);
            return if bare.is_empty() && host.is_empty() && service.is_empty() { title } else { bare };
        }
        let is_of = |what: &str| !what.is_empty();
        if is_of(host) && is_of(service) || has_state && (is_of(host) || is_of(service)) {
            return String::new();
        }
        let message = self.fields.text(MESSAGE).map(|message| split_first_line(message).0);
        without_state(&one_line(message.unwrap_or_default(), TITLE_BYTES_MAX))
    }

    /// True for what Nagios, Icinga, Checkmk and their kin tell of one check of one host.
    fn is_of_a_check(&self) -> bool {
        if self.host().is_none() {
            return false;
        }
        let is_notification = |name: &str| self.fields.text(&[name]).is_some_and(is_notification);
        let is_of_kin = || [CHECK_STATE, PROBLEM_ID].iter().any(|names| self.fields.text(names).is_some());
        is_notification("notificationtype") || is_of_kin() || {
            // Fields that were chosen for another program have other names.
            let is_told = || DEED.iter().any(|name| is_notification(name)) || self.is_numbered();
            self.fields.text(TITLE).is_none() && self.has_state_of_check() && is_told()
        }
    }

    /// A number of a problem; a 0 is that of a problem that is over. An `id` beside a host alone may be that of one of
    /// its checks, which have no other name.
    fn is_numbered(&self) -> bool {
        let sent = KEY.iter().find(|name| self.fields.text(&[name]).is_some());
        sent.is_some_and(|name| {
            OTHER_ID.contains(name) && (*name != "id" || self.fields.text(SERVICE).is_some())
        })
    }

    fn has_state_of_check(&self) -> bool {
        let has_service = self.fields.text(SERVICE).is_some();
        let states = if has_service { &SERVICE_STATES[..] } else { &HOST_STATES };
        self.fields.texts(STATE).iter().any(|word| states.contains(&word.trim().to_lowercase().as_str()))
    }
}

fn is_notification(word: &str) -> bool {
    let word = word.trim().to_lowercase();
    NOTIFICATIONS.contains(&word.as_str()) || word.starts_with("downtime") || word.starts_with("flapping")
}
