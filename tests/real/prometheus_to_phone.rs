//! The whole way: a real Prometheus, with and without real Alertmanagers, set up by what `bongsu setup` prints,
//! `bongsu serve`, and the phones of the sandbox. One push for each change, none for what is repeated.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    bongsu_process::{Bongsu, Phones},
    prometheus_lab::{Alertmanager, Disks, Prometheus},
};

/// Scrape, rule, group and flush take a second each, a repeat ten; this is for a busy machine.
pub(crate) const SOON: Duration = Duration::from_mins(1);
/// How often Prometheus repeats what fires. So what it told an Alertmanager outlives a restart of it.
const SELDOM: &str = "10s";
pub(crate) const OFTEN: &str = "1s";
/// So many repeats show that none of them is told.
pub(crate) const REPEATS: u64 = 3;

#[tokio::test]
async fn each_alert_of_a_group_is_told_when_it_changes_and_not_when_its_group_is_repeated() {
    let (phones, bongsu, disks) = stage().await;
    let alertmanager = Alertmanager::start(&bongsu.setup(&["alertmanager"])).await;
    let _prometheus = Prometheus::start(&disks, SELDOM, &alerting(&[&alertmanager])).await;

    disks.set("web01", 95.0);
    let first = bongsu.alert_that("the first alert", SOON, full("web01")).await;
    assert_eq!((&first["severity"], &first["state"]), (&json!("high"), &json!("triggered")));
    assert_eq!(first["labels"]["team"], "서버");
    phones.told(&first, &["triggered"]).await;
    let push = &phones.pushes(&first)[0];
    assert!(push.data("title").contains("디스크 web01 \"95%\" <b> & {가득}"), "{push:?}");
    assert!(push.data("body").contains("둘째 줄:\n\\path"), "{push:?}");

    // Now the group holds both, so each of its messages repeats the first.
    disks.set("web02", 97.5);
    let second = bongsu.alert_that("the second alert", SOON, full("web02")).await;
    bongsu.heard_again(&first, REPEATS, SOON).await;
    phones.told(&second, &["triggered"]).await;
    phones.told(&first, &["triggered"]).await;

    // One ends, the other goes on: both states are in one message.
    disks.set("web01", 50.0);
    bongsu.same_alert_when(&first, "the first is over", SOON, resolved).await;
    phones.told(&first, &["triggered", "resolved"]).await;
    bongsu.heard_again(&second, REPEATS, SOON).await;
    phones.told(&second, &["triggered"]).await;

    // It comes back: another alert, told anew.
    disks.set("web01", 99.0);
    let again = bongsu.alert_that("the first again", SOON, |alert| full("web01")(alert) && !resolved(alert));
    let again = again.await;
    assert_ne!(again["id"], first["id"]);
    assert_eq!((&again["dedup_key"], &again["round"]), (&first["dedup_key"], &json!(2)));
    phones.told(&again, &["triggered"]).await;

    disks.set("web01", 50.0);
    disks.set("web02", 50.0);
    for alert in [&again, &second] {
        bongsu.same_alert_when(alert, "all is over", SOON, resolved).await;
        phones.told(alert, &["triggered", "resolved"]).await;
    }
    phones.told(&first, &["triggered", "resolved"]).await;
    assert_eq!(bongsu.alerts().await.len(), 3, "two disks, one of them full twice");
}

#[tokio::test]
async fn an_alertmanager_that_is_restarted_tells_nobody_anything_new() {
    let (phones, bongsu, disks) = stage().await;
    let mut alertmanager = Alertmanager::start(&bongsu.setup(&["alertmanager"])).await;
    let _prometheus = Prometheus::start(&disks, SELDOM, &alerting(&[&alertmanager])).await;
    disks.set("web01", 95.0);
    let alert = bongsu.alert_that("the alert", SOON, full("web01")).await;
    phones.told(&alert, &["triggered"]).await;

    alertmanager.restart().await;
    bongsu.heard_again(&alert, REPEATS, SOON).await;
    alertmanager.restart_with_nothing().await;
    bongsu.heard_again(&alert, REPEATS, SOON).await;
    phones.told(&alert, &["triggered"]).await;

    disks.set("web01", 50.0);
    bongsu.same_alert_when(&alert, "it is over", SOON, resolved).await;
    phones.told(&alert, &["triggered", "resolved"]).await;
    assert_eq!(bongsu.alerts().await.len(), 1);
}

#[tokio::test]
async fn a_prometheus_that_is_restarted_tells_nobody_anything_new() {
    let (phones, bongsu, disks) = stage().await;
    let alertmanager = Alertmanager::start(&bongsu.setup(&["alertmanager"])).await;
    let alerting = alerting(&[&alertmanager]);
    let mut prometheus = Prometheus::start(&disks, SELDOM, &alerting).await;
    disks.set("web01", 95.0);
    let alert = bongsu.alert_that("the alert", SOON, full("web01")).await;
    phones.told(&alert, &["triggered"]).await;

    prometheus.restart().await;
    prometheus.told().await;
    bongsu.heard_again(&alert, REPEATS, SOON).await;
    phones.told(&alert, &["triggered"]).await;

    disks.set("web01", 50.0);
    bongsu.same_alert_when(&alert, "it is over", SOON, resolved).await;
    phones.told(&alert, &["triggered", "resolved"]).await;
    assert_eq!(bongsu.alerts().await.len(), 1);
}

#[tokio::test]
async fn two_alertmanagers_that_lost_sight_of_each_other_are_told_once() {
    let (phones, bongsu, disks) = stage().await;
    let printed = bongsu.setup(&["alertmanager"]);
    let pair = [Alertmanager::start(&printed).await, Alertmanager::start(&printed).await];
    let _prometheus = Prometheus::start(&disks, SELDOM, &alerting(&[&pair[0], &pair[1]])).await;
    disks.set("web01", 95.0);
    let alert = bongsu.alert_that("the alert", SOON, full("web01")).await;
    for alertmanager in &pair {
        alertmanager.told(2.0).await;
    }
    phones.told(&alert, &["triggered"]).await;

    disks.set("web01", 50.0);
    bongsu.same_alert_when(&alert, "it is over", SOON, resolved).await;
    for alertmanager in &pair {
        alertmanager.knows_of_none().await;
    }
    phones.told(&alert, &["triggered", "resolved"]).await;
    assert_eq!(bongsu.alerts().await.len(), 1);
}

#[tokio::test]
async fn what_changed_while_bongsu_was_away_is_told_when_it_is_back() {
    let (phones, mut bongsu, disks) = stage().await;
    let alertmanager = Alertmanager::start(&bongsu.setup(&["alertmanager"])).await;
    let _prometheus = Prometheus::start(&disks, SELDOM, &alerting(&[&alertmanager])).await;
    disks.set("web01", 95.0);
    let before = bongsu.alert_that("the alert before", SOON, full("web01")).await;
    phones.told(&before, &["triggered"]).await;

    bongsu.kill();
    disks.set("web01", 50.0);
    disks.set("web02", 95.0);
    alertmanager.failed_to_tell().await;
    bongsu.boot().await;
    bongsu.same_alert_when(&before, "the end that was missed", SOON, resolved).await;
    phones.told(&before, &["triggered", "resolved"]).await;
    let after = bongsu.alert_that("the problem that was missed", SOON, full("web02")).await;
    phones.told(&after, &["triggered"]).await;
    assert_eq!(bongsu.alerts().await.len(), 2);
}

#[tokio::test]
async fn prometheus_without_an_alertmanager_is_told_once_for_each_change() {
    let (phones, mut bongsu, disks) = stage().await;
    let mut prometheus = Prometheus::start(&disks, OFTEN, &bongsu.setup(&["alertmanager", "--direct"])).await;
    disks.set("web01", 95.0);
    disks.set("web02", 97.5);
    let first = bongsu.alert_that("the first alert", SOON, full("web01")).await;
    let second = bongsu.alert_that("the second alert", SOON, full("web02")).await;
    assert_eq!((&first["severity"], &first["labels"]["team"]), (&json!("high"), &json!("서버")));
    bongsu.heard_again(&first, REPEATS, SOON).await;
    for alert in [&first, &second] {
        phones.told(alert, &["triggered"]).await;
    }

    // Its end is repeated for a quarter of an hour, beside what still fires.
    disks.set("web01", 50.0);
    bongsu.same_alert_when(&first, "the first is over", SOON, resolved).await;
    bongsu.heard_again(&second, REPEATS, SOON).await;
    phones.told(&first, &["triggered", "resolved"]).await;

    // After a restart the alert that still fires has another beginning.
    prometheus.restart().await;
    bongsu.heard_again(&second, REPEATS, SOON).await;
    phones.told(&second, &["triggered"]).await;

    bongsu.kill();
    disks.set("web01", 99.0);
    disks.set("web02", 50.0);
    prometheus.failed_to_tell().await;
    bongsu.boot().await;
    bongsu.same_alert_when(&second, "the end that was missed", SOON, resolved).await;
    phones.told(&second, &["triggered", "resolved"]).await;
    let again = bongsu.alert_that("the first again", SOON, |alert| full("web01")(alert) && !resolved(alert));
    phones.told(&again.await, &["triggered"]).await;
    assert_eq!(bongsu.alerts().await.len(), 3);
}

pub(crate) async fn stage() -> (Phones, Bongsu, Disks) {
    let phones = Phones::start().await;
    let bongsu = Bongsu::start(&phones).await;
    (phones, bongsu, Disks::start().await)
}

pub(crate) fn alerting(alertmanagers: &[&Alertmanager]) -> String {
    let targets: Vec<_> = alertmanagers.iter().map(|one| one.target()).collect();
    format!("alerting: {{alertmanagers: [{{static_configs: [{{targets: {targets:?}}}]}}]}}\n")
}

pub(crate) fn full(host: &'static str) -> impl Fn(&Value) -> bool {
    move |alert| alert["labels"]["instance"] == host
}

pub(crate) fn resolved(alert: &Value) -> bool {
    alert["state"] == "resolved"
}
