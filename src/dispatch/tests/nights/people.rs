//! Who is notified, and by what they are known to providers.

use super::*;

/// Devices that each may have; only the second of `ara` is one too many.
pub(super) const NAMES: [&str; 4] = ["jin", "min", "ara", "dal"];

pub(super) fn name(number: usize) -> ContactName {
    NAMES[number].parse().expect("a name")
}

/// jin and dal have a device and a phone, min has only a phone, ara only a device.
pub(super) fn person(number: usize) -> Person {
    let has_device = number != 1;
    let phone = (number != 2).then(|| phone(number));
    let devices = has_device.then(|| Device::new(target(number))).into_iter().collect();
    Person { name: name(number), language: Language::En, phone, devices }
}

fn phone(number: usize) -> PhoneNumber {
    PhoneNumber::parse(&format!("+8210000000{number:02}")).expect("a number")
}

fn target(number: usize) -> PushTarget {
    PushTarget::Token(format!("token of {}", NAMES[number]))
}

pub(super) fn owner(of: &PushTarget) -> ContactName {
    name((0..NAMES.len()).find(|number| target(*number) == *of).expect("a device that is known"))
}

pub(super) fn subscriber(of: &PhoneNumber) -> ContactName {
    name((0..NAMES.len()).find(|number| phone(*number) == *of).expect("a number that is known"))
}
