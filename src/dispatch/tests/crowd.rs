//! The most that the configuration allows, and nearly everything fails: every plan of it is written.

use super::*;
use crate::{
    alert::{Address, AlertState, Notification, Others, RejectCause, Resolution, ResolvedBy, Subject},
    plan::{self, Budgets, DeviceBook, Present, Settlement},
    store::{AlertWrite, Commit, Expect, Lane, VALUE_BYTES_MAX},
};

/// As many as the configuration allows.
const CONTACTS: usize = 200;
const DEVICES: usize = 500;

/// Steps of 10 s.
const STEPS: u32 = 200;

/// The longest names there are, of four bytes a character.
fn crowd() -> Vec<Person> {
    let person = |number: usize| {
        let name = format!("{number:03}{}", "🔥".repeat(ContactName::CHARS_MAX - 3));
        let devices = (number..DEVICES).step_by(CONTACTS);
        let device = |number| Device {
            id: DeviceId(u64::MAX - number as u64),
            target: PushTarget::Token(format!("token {number}")),
        };
        Person { name: name.parse().expect("a name"), devices: devices.map(device).collect(), ..person_jin() }
    };
    (0..CONTACTS).map(person).collect()
}

fn crowded_rules() -> Rules {
    let gateway = GatewayRule { reports: true, asks: true, ..rules().gateways[0].clone() };
    Rules {
        push: true,
        gateways: vec![gateway.clone(), GatewayRule { name: "other".into(), ..gateway }],
        texts_resolved: true,
        text_budget: Vec::new(),
        repeats: BUILT_IN_REPEATS,
        ..rules()
    }
}

/// What a request comes to; `None` if it hangs. Half of the people have neither a phone nor a device that works, and
/// that shows little by little.
fn outcome(send: &plan::Send, luck: u32) -> Option<Outcome> {
    let detail = "봉".repeat(5_000);
    let works = "100" <= send.contact.as_str();
    match (&send.address, luck % 16) {
        (Address::Device(_), 6..16) if !works => {
            Some(Outcome::Rejected { cause: RejectCause::Refused, detail })
        }
        (Address::Gateway(_), 4..16) if !works => {
            Some(Outcome::Rejected { cause: RejectCause::Recipient, detail })
        }
        (_, 0..4) => None,
        (_, 4 | 5) => Some(Outcome::Unknown { detail }),
        (Address::Gateway(_), 6..10) => Some(Outcome::Rejected { cause: RejectCause::Recipient, detail }),
        (Address::Gateway(_), 10..13) => Some(Outcome::Accepted { provider_id: None }),
        _ => Some(Outcome::Deferred { cause: DeferCause::Unavailable, retry_after: None, detail }),
    }
}

#[tokio::test]
async fn whatever_fails_for_the_most_people_and_devices_every_plan_is_written() {
    let (rules, people) = (crowded_rules(), crowd());
    let (store, budgets, devices) = (MemoryStore::new(), Budgets::new(&rules), DeviceBook::default());
    let event =
        Event { severity: Some(Severity::High), ..Event::firing(DedupKey::new("x"), "\"".repeat(512)) };
    let mut alert = Alert::opened(AlertId::from_bytes([7; 16]), "zabbix", &event, T0);
    alert.body = "\"".repeat(8_192);
    let (mut expect, mut longest, mut luck) = (Expect::FIRST_ROUND, 0, 1_u32);
    let mut told_of_others = 0;
    for step in 0..STEPS {
        let now = T0 + SignedDuration::from_secs(10 * i64::from(step));
        let present = Present {
            now,
            running_since: T0,
            epoch: Epoch::default(),
            room: usize::MAX,
            rules: &rules,
            people: &people,
            devices: &devices,
            budgets: &budgets,
            chance: 0.5,
            entropy: [0; 10],
        };
        if step == 20 {
            alert.severity = Severity::Disaster;
        }
        if step == STEPS / 2 {
            alert.state = AlertState::Resolved;
            alert.resolved = Some(Resolution { by: ResolvedBy::Sender, at: now, note: None, ended_at: None });
        }
        let plan = plan::advance(&mut alert, &present);
        for send in plan.sends {
            luck = luck.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if let Some(outcome) = outcome(&send, luck >> 20) {
                plan::settle(&mut alert, &Settlement { send, outcome, segments: 1, ended: now }, &present);
            }
        }
        let write = AlertWrite::of(alert, expect, plan.due);
        longest = longest.max(serde_json::to_vec(&write.alert).expect("it is JSON").len());
        let commits = store.commit(Lane::Deliver, std::slice::from_ref(&write)).await.expect("it works");
        let [Commit::Done(version)] = commits.as_slice() else { panic!("step {step}: {commits:?}") };
        (alert, expect) = (write.alert, Expect::Version(*version));
        for contact in alert.progress.contacts.values() {
            let about_others = |one: &&Notification| matches!(one.subject, Subject::Unreachable { .. });
            told_of_others = told_of_others.max(contact.notifications.iter().filter(about_others).count());
        }
    }
    // One may have arrived, and goes on by push; then it became graver.
    assert_eq!(told_of_others, 3, "messages about others at a time, however many fail");
    let failed = alert.progress.contacts.values().filter(|contact| contact.others != Others::NotTold).count();
    assert!(CONTACTS / 2 <= failed, "{failed} failed");
    assert!(10 * VALUE_BYTES_MAX < longest, "{longest} bytes: that was no crowd");
    println!("the longest document has {longest} bytes");
}
