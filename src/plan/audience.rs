//! Who is notified of an alert.

use super::present::Facts;
use crate::roster::Person;

/// The alert's own list, if it has one, goes before the policy, unless none of these people is there any more.
pub(super) fn of(facts: Facts<'_>) -> Vec<&Person> {
    let people = facts.present.people;
    let named: Vec<_> = people.iter().filter(|person| facts.alert.to.contains(&person.name)).collect();
    if named.is_empty() { people.iter().collect() } else { named }
}
