//! The whole way: a real Munin with the contact lines that `bongsu setup munin` prints, `bongsu serve`, and
//! the phones of the sandbox. One push for each change, none for what is repeated.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    bongsu_process::{Bongsu, Phones},
    munin_lab::MuninLab,
};

/// A run of Munin tells at once; curl asks again after 1, 2, 4, … seconds. This is for a busy machine.
const SOON: Duration = Duration::from_secs(30);
const DISKS: (&str, &str) = (
    "df",
    "graph_title 디스크 사용량\n\
     _dev_sda1.label / (루트)\n_dev_sda1.warning 80\n_dev_sda1.critical 90\n\
     _dev_sdb1.label /home\n_dev_sdb1.warning 80\n_dev_sdb1.critical 10:90\n",
);
const LOAD: (&str, &str) =
    ("load", "graph_title Load average\nload.label load\nload.warning 5\nload.critical 10\n");

#[tokio::test]
async fn each_change_of_a_plugin_is_told_and_no_repeat_of_it() {
    let (phones, bongsu, mut munin) = stage(&[DISKS, LOAD]).await;
    munin.set("load", "load.value 1\n");
    disks(&munin, "50", "50");
    munin.run().await;
    assert_eq!(bongsu.alerts().await.len(), 0, "all is well");

    disks(&munin, "95", "50");
    munin.run().await;
    let alert = bongsu.alert_that("the alert", SOON, of("df")).await;
    assert_eq!((&alert["severity"], &alert["state"]), (&json!("high"), &json!("triggered")));
    assert_eq!((&alert["labels"]["host"], &alert["labels"]["group"]), (&json!("web01"), &json!("학과")));
    assert!(alert["title"].as_str().unwrap().contains("디스크 사용량"), "{alert}");
    assert!(alert["body"].as_str().unwrap().contains("/ (루트)"), "{alert}");
    phones.told(&alert, &["triggered"]).await;

    for times in [2, 3] {
        munin.run().await;
        bongsu.heard(&alert, times, SOON).await;
    }
    // The other disk joins it, then the first is well: the plugin stays critical.
    disks(&munin, "95", "5");
    munin.run().await;
    bongsu.heard(&alert, 4, SOON).await;
    disks(&munin, "50", "5");
    munin.run().await;
    bongsu.heard(&alert, 5, SOON).await;
    // Munin begins anew, and so does what it remembers.
    munin.restart_node().await;
    munin.forget_what_was_told();
    munin.run().await;
    bongsu.heard(&alert, 6, SOON).await;
    // Less bad is not news that wakes anybody.
    disks(&munin, "50", "85");
    munin.run().await;
    bongsu.same_alert_when(&alert, "it is less bad", SOON, |alert| alert["severity"] == "warning").await;
    phones.told(&alert, &["triggered"]).await;

    // Another plugin is another alert.
    munin.set("load", "load.value 6\n");
    munin.run().await;
    let load = bongsu.alert_that("the other alert", SOON, of("load")).await;
    assert_eq!(load["severity"], "warning");
    phones.told(&load, &["triggered"]).await;

    disks(&munin, "50", "50");
    munin.run().await;
    bongsu.same_alert_when(&alert, "it is over", SOON, resolved).await;
    phones.told(&alert, &["triggered", "resolved"]).await;
    phones.told(&load, &["triggered"]).await;

    disks(&munin, "91", "50");
    munin.run().await;
    let again = bongsu.alert_that("it again", SOON, |alert| of("df")(alert) && !resolved(alert)).await;
    phones.told(&again, &["triggered"]).await;
    assert_eq!((&again["dedup_key"], &again["round"]), (&alert["dedup_key"], &json!(2)));
    assert_eq!(bongsu.alerts().await.len(), 3);
}

#[tokio::test]
async fn a_value_that_stays_unknown_is_told_once() {
    let (phones, bongsu, munin) = stage(&[DISKS]).await;
    for _ in 0..3 {
        disks(&munin, "U", "50");
        munin.run().await;
    }
    assert_eq!(bongsu.alerts().await.len(), 0, "Munin waits for three unknown values");
    munin.run().await;
    let alert = bongsu.alert_that("the alert", SOON, of("df")).await;
    assert_eq!(alert["severity"], "warning");
    munin.run().await;
    bongsu.heard(&alert, 2, SOON).await;
    phones.told(&alert, &["triggered"]).await;
    disks(&munin, "50", "50");
    munin.run().await;
    bongsu.same_alert_when(&alert, "it is over", SOON, resolved).await;
    phones.told(&alert, &["triggered", "resolved"]).await;
}

#[tokio::test]
async fn what_plugins_call_things_reaches_the_phone_as_it_is_and_does_nothing_else() {
    let odd = "graph_title 큐 \"in|out\" <b>50%</b> #1 $HOME `id` ${var:host}\n\
               pipe.label a|b \"c\" 'd' {{ e }}\npipe.critical 10\n";
    let (phones, bongsu, munin) = stage(&[("odd", odd)]).await;
    munin.set("odd", "pipe.value 95\npipe.extinfo see \"x\" | 50% $(touch /tmp/x) \\\\ 🔥\n");
    munin.run().await;
    let alert = bongsu.alert_that("the alert", SOON, of("odd")).await;
    phones.told(&alert, &["triggered"]).await;
    let push = &phones.pushes(&alert)[0];
    assert!(
        push.data("title").contains("큐 \"in|out\" <b>50%</b> #1 $HOME `id` ${var:host}"),
        "{}",
        push.data("title")
    );
    for told in ["a|b \"c\" 'd' {{ e }}", "95.00", "see \"x\" | 50% $(touch /tmp/x) \\\\ 🔥"] {
        assert!(push.data("body").contains(told), "{told}: {}", push.data("body"));
    }
}

#[tokio::test]
async fn what_munin_said_while_bongsu_was_away_is_told_when_it_is_back() {
    let (phones, mut bongsu, munin) = stage(&[DISKS, LOAD]).await;
    munin.set("load", "load.value 1\n");
    disks(&munin, "95", "50");
    munin.run().await;
    let before = bongsu.alert_that("the alert before", SOON, of("df")).await;
    phones.told(&before, &["triggered"]).await;

    bongsu.kill();
    munin.set("load", "load.value 11\n");
    disks(&munin, "50", "50");
    munin.run().await;
    bongsu.boot().await;
    bongsu.same_alert_when(&before, "the end that was missed", SOON, resolved).await;
    let after = bongsu.alert_that("the problem that was missed", SOON, of("load")).await;
    phones.told(&before, &["triggered", "resolved"]).await;
    phones.told(&after, &["triggered"]).await;
    assert_eq!(bongsu.alerts().await.len(), 2);
}

#[tokio::test]
async fn an_end_that_got_lost_is_made_up_for_by_the_next_run() {
    let (phones, mut bongsu, munin) = stage(&[DISKS]).await;
    disks(&munin, "95", "50");
    munin.run().await;
    let alert = bongsu.alert_that("the alert", SOON, of("df")).await;
    phones.told(&alert, &["triggered"]).await;

    let key_file = bongsu.setup(&["munin", "--key"]);
    assert!(key_file.contains("retry = 8\n"), "{key_file}");
    munin.tell(&contact(&bongsu, &munin), &key_file.replace("retry = 8\n", "retry = 0\n"));
    bongsu.kill();
    disks(&munin, "50", "50");
    munin.run().await;
    munin.curl_gave_up().await;
    bongsu.boot().await;
    munin.run().await;
    bongsu.same_alert_when(&alert, "it is over", SOON, resolved).await;
    phones.told(&alert, &["triggered", "resolved"]).await;
    assert_eq!(bongsu.alerts().await.len(), 1);
}

/// Phones, a Bongsu that reaches them, and a Munin that tells it as `bongsu setup munin` says.
async fn stage(plugins: &[(&str, &str)]) -> (Phones, Bongsu, MuninLab) {
    let phones = Phones::start().await;
    let bongsu = Bongsu::start(&phones).await;
    let munin = MuninLab::start(plugins).await;
    munin.tell(&contact(&bongsu, &munin), &bongsu.setup(&["munin", "--key"]));
    (phones, bongsu, munin)
}

fn contact(bongsu: &Bongsu, munin: &MuninLab) -> String {
    bongsu.setup(&["munin", "--key-file", &munin.key_file().display().to_string()])
}

fn disks(munin: &MuninLab, root: &str, home: &str) {
    munin.set("df", &format!("_dev_sda1.value {root}\n_dev_sdb1.value {home}\n"));
}

fn of(plugin: &'static str) -> impl Fn(&Value) -> bool {
    move |alert| alert["labels"]["plugin"] == plugin
}

fn resolved(alert: &Value) -> bool {
    alert["state"] == "resolved"
}
