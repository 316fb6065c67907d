//! The people of this moment: one snapshot, which can be replaced while the program runs.

use std::sync::{Arc, PoisonError, RwLock};

use crate::alert::{ContactName, DeviceId, Language, PhoneNumber, PushTarget};

/// Somebody who can be notified.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: ContactName,
    pub language: Language,
    pub phone: Option<PhoneNumber>,
    pub devices: Vec<Device>,
}

#[derive(Clone, Debug)]
pub struct Device {
    pub id: DeviceId,
    pub target: PushTarget,
}

impl Device {
    pub fn new(target: PushTarget) -> Self {
        Self { id: target.device_id(), target }
    }
}

pub fn find<'a>(people: &'a [Person], name: &ContactName) -> Option<&'a Person> {
    people.iter().find(|person| person.name == *name)
}

/// Holds the newest snapshot.
#[derive(Debug)]
pub struct Roster(RwLock<Arc<[Person]>>);

impl Roster {
    pub fn new(people: Vec<Person>) -> Self {
        Self(RwLock::new(people.into()))
    }

    /// The people as they are now; who holds it keeps seeing the same.
    pub fn now(&self) -> Arc<[Person]> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn replace(&self, people: Vec<Person>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = people.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_a_snapshot_keeps_it_and_the_next_one_sees_the_new_people() {
        let person = |name: &str| Person {
            name: name.parse().expect("a name"),
            language: Language::En,
            phone: None,
            devices: Vec::new(),
        };
        let roster = Roster::new(vec![person("jin")]);
        let before = roster.now();
        roster.replace(vec![person("jin"), person("min")]);
        assert_eq!((before.len(), roster.now().len()), (1, 2));
        assert!(find(&roster.now(), &"min".parse().expect("a name")).is_some());
    }
}
