//! Who is notified of an alert.

use super::present::Facts;
use crate::{
    alert::{Alert, AlertState, ContactName},
    roster::{self, Person},
};

/// The alert's own list, if it has one, goes before the policy, unless none of these people is there any more.
pub(super) fn of(facts: Facts<'_>) -> Vec<&Person> {
    among(facts.present.people, facts.alert)
}

fn among<'a>(people: &'a [Person], alert: &Alert) -> Vec<&'a Person> {
    let named: Vec<_> = people.iter().filter(|person| alert.to.contains(&person.name)).collect();
    if named.is_empty() { people.iter().collect() } else { named }
}

/// Whether something begins for a contact who was given up and is tried anew.
pub fn can_try_anew(alert: &Alert, contact: &ContactName, people: &[Person]) -> bool {
    match alert.state {
        AlertState::Triggered => among(people, alert).iter().any(|person| person.name == *contact),
        AlertState::Resolved => !alert.openings.superseded && roster::find(people, contact).is_some(),
        AlertState::Acknowledged | AlertState::Noted => false,
    }
}
