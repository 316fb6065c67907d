//! Who is notified of an alert.

use jiff::Timestamp;

use super::{present::Facts, quiet};
use crate::{
    alert::{Alert, AlertState, ContactName},
    roster::{self, Person},
};

/// The alert's own list, if it has one, goes before the policy, unless none of these people is there any more.
pub(super) fn of(facts: Facts<'_>) -> Vec<&Person> {
    among(facts.present.people, facts.alert)
}

/// Whether this contact is one of them.
pub(super) fn contains(audience: &[&Person], name: &ContactName) -> bool {
    audience.iter().any(|person| person.name == *name)
}

pub(super) fn among<'a>(people: &'a [Person], alert: &Alert) -> Vec<&'a Person> {
    let named: Vec<_> = people.iter().filter(|person| alert.to.contains(&person.name)).collect();
    if named.is_empty() { people.iter().collect() } else { named }
}

/// Whether something begins for a contact who was given up and is tried anew.
pub fn can_try_anew(alert: &Alert, contact: &ContactName, people: &[Person], now: Timestamp) -> bool {
    if quiet::until(alert, &alert.progress.planned).is_some_and(|until| now < until) {
        return false;
    }
    match alert.state {
        AlertState::Triggered | AlertState::Acknowledged => {
            alert.is_free() && contains(&among(people, alert), contact)
        }
        AlertState::Resolved => alert.openings.tells_itself() && roster::find(people, contact).is_some(),
        AlertState::Noted => false,
    }
}
