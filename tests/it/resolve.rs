//! It is over: what waits is cancelled, and whoever was told is told so.

use bongsu::sandbox::Answer;

use crate::harness::{Harness, Setting, problem, recovery};

#[tokio::test]
async fn whoever_was_told_is_told_of_the_end_by_push() {
    let h = Harness::start().await;
    h.zabbix(problem("disk full")).await;
    h.settled().await;
    h.zabbix(recovery("disk full")).await;
    h.settled().await;
    let pushes = h.pushes();
    assert_eq!(pushes.len(), 2);
    assert!(pushes[1].starts_with("resolved: "), "{pushes:?}");
    let seen = h.sandbox.fcm().pushes();
    assert_eq!(seen[0].data("tag"), seen[1].data("tag"), "the phone folds both");
}

#[tokio::test]
async fn an_end_before_anybody_was_told_is_told_in_one_message_that_says_both() {
    let h = Harness::start().await;
    h.sandbox.fcm().script([Answer::internal()]);
    h.zabbix(problem("disk full")).await;
    h.settled().await;
    h.zabbix(recovery("disk full")).await;
    h.settled().await;
    assert_eq!(h.pushes().len(), 1);
    h.pass(60).await;
    assert_eq!((h.pushes().len(), h.texts().len()), (1, 0), "the retry and the text are cancelled");
}

#[tokio::test]
async fn the_end_is_texted_to_whoever_was_texted_if_so_configured() {
    let h = Harness::with(Setting { more: "[sms]\nresolved = true".into(), ..Setting::default() }).await;
    h.zabbix(problem("site down").severity(5)).await;
    h.settled().await;
    h.zabbix(recovery("site down").severity(5)).await;
    h.settled().await;
    assert_eq!((h.pushes().len(), h.texts().len()), (2, 2));
}

#[tokio::test]
async fn an_alert_that_nobody_mentions_for_a_week_resolves_itself() {
    let h = Harness::start().await;
    let opened = h.zabbix(problem("disk full").severity(2)).await;
    h.settled().await;
    h.pass(7 * 24 * 3_600 + 1).await;
    assert_eq!(h.alert(&opened).await["resolved"]["by"], "close_after");
}
