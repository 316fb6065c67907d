//! As many devices and contacts as the configuration allows, and everything fails at once: what becomes of
//! hundreds of attempts in one plan is written all the same, and people are told.

use std::fmt::Write as _;

use bongsu::sandbox::Answer;
use serde_json::json;

use crate::harness::{Harness, JIN_PHONE, Setting, problem, recovery};

/// As many as the configuration allows.
const DEVICES: usize = 500;
const CONTACTS: usize = 200;

/// jin has all the devices, and a phone.
async fn five_hundred_devices() -> Harness {
    let tokens: Vec<_> = (0..DEVICES).map(|number| format!("phone-{number}")).collect();
    let contacts =
        format!("[[contact]]\nname = \"jin\"\nphone = \"{JIN_PHONE}\"\ndevices = {}\n", json!(tokens));
    Harness::with(Setting { fcm: Some("per_device = []".to_owned()), contacts, ..Setting::default() }).await
}

/// Waits for so many pushes in all.
async fn wait_for_pushes(h: &Harness, count: usize) {
    h.sandbox.wait_until(|sandbox| count as u64 <= sandbox.fcm().counts().seen).await;
}

async fn count_of(h: &Harness, result: &serde_json::Value, attempt: &str) -> usize {
    h.attempts(result).await.iter().filter(|made| *made == attempt).count()
}

#[tokio::test]
async fn five_hundred_pushes_that_hang_end_in_one_text_and_a_resolution_that_is_told() {
    let h = five_hundred_devices().await;
    h.sandbox.fcm().always(Answer::Hang);
    let opened = h.zabbix(problem("disk full")).await;
    wait_for_pushes(&h, DEVICES).await;
    // All of them expire in one plan.
    h.pass_while_hanging(16);
    h.until(async || count_of(&h, &opened, "push unknown").await == DEVICES).await;
    h.pass_while_hanging(4);
    h.wait_for_texts(1).await;
    h.sandbox.fcm().always(Answer::Ok);
    h.sandbox.fcm().release();
    h.settled().await;
    h.pass(60).await;
    h.zabbix(recovery("disk full")).await;
    h.settled().await;
    let resolved = h.pushes().iter().filter(|push| push.starts_with("resolved: ")).count();
    assert_eq!((h.texts().len(), resolved), (1, DEVICES));
}

#[tokio::test]
async fn a_resolution_while_five_hundred_pushes_hang_is_told() {
    let h = five_hundred_devices().await;
    h.sandbox.fcm().always(Answer::Hang);
    h.zabbix(problem("disk full")).await;
    wait_for_pushes(&h, DEVICES).await;
    h.pass_while_hanging(20);
    h.wait_for_texts(1).await;
    // The pushes of the second try hang, too, and those of the end come on top.
    h.sandbox.fcm().always(Answer::Ok);
    h.zabbix(recovery("disk full")).await;
    h.until(async || DEVICES <= h.pushes().iter().filter(|push| push.starts_with("resolved: ")).count())
        .await;
    h.sandbox.fcm().release();
    h.settled().await;
    assert_eq!(h.texts().len(), 1);
}

#[tokio::test]
async fn five_hundred_pushes_of_a_process_that_is_gone_are_tried_again_at_the_next_start() {
    let mut h = five_hundred_devices().await;
    h.sandbox.fcm().always(Answer::Hang);
    let opened = h.zabbix(problem("disk full")).await;
    wait_for_pushes(&h, DEVICES).await;
    h.sandbox.fcm().always(Answer::Ok);
    h.pass_while_hanging(1);
    h.kill_and_restart().await;
    h.settled().await;
    assert_eq!(count_of(&h, &opened, "push unknown").await, DEVICES);
    h.pass(60).await;
    assert_eq!(count_of(&h, &opened, "push accepted").await, DEVICES);
}

#[tokio::test]
async fn contacts_that_fail_together_are_told_of_by_few_messages_that_count_them_all() {
    let contacts = (0..CONTACTS).fold(String::new(), |mut all, number| {
        let name = format!("{number}-{}", "n".repeat(60));
        let _ = writeln!(all, "[[contact]]\nname = \"{name}\"\ndevices = [\"phone-{number}\"]");
        all
    });
    let h = Harness::with(Setting { contacts, gateways: Vec::new(), ..Setting::default() }).await;
    for number in 0..CONTACTS / 2 {
        h.sandbox.fcm().answer_for_token(&format!("phone-{number}"), Answer::unregistered());
    }
    h.zabbix(problem("disk full")).await;
    h.settled().await;
    h.pass(60).await;
    let said = h.sandbox.fcm().pushes();
    let words: Vec<_> = said
        .iter()
        .filter(|push| push.accepted && push.data("body").contains("could not reach"))
        .map(|push| push.data("body").to_owned())
        .collect();
    assert!((CONTACTS / 2..=CONTACTS).contains(&words.len()), "once or twice each: {}", words.len());
    let counting = words.iter().filter(|words| words.contains("n, 1") && words.contains(" +"));
    assert!(CONTACTS / 2 <= counting.count(), "three are named, the others counted: {words:?}");
    assert_eq!(h.get_as("/readyz", "").await.0, 200);
}
