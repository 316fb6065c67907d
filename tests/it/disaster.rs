//! A disaster goes by both roads at once.

use crate::harness::{Harness, problem, update};

#[tokio::test]
async fn a_disaster_is_pushed_and_texted_at_once_and_each_once() {
    let h = Harness::start().await;
    h.zabbix(problem("site down").severity(5)).await;
    h.settled().await;
    assert_eq!((h.pushes().len(), h.texts().len()), (1, 1));
    h.pass(299).await;
    assert_eq!((h.pushes().len(), h.texts().len()), (1, 1));
    h.pass(1).await;
    assert_eq!((h.pushes().len(), h.texts().len()), (2, 2), "nobody took it within 5 minutes");
}

#[tokio::test]
async fn a_raise_to_disaster_texts_whoever_was_only_pushed() {
    let h = Harness::start().await;
    h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(h.texts().len(), 0);
    h.zabbix(update("disk full", "changed severity from High to Disaster").severity(5)).await;
    h.settled().await;
    assert_eq!(h.texts().len(), 1);
}

#[tokio::test]
async fn a_disaster_that_somebody_has_when_it_opens_is_pushed_once_and_not_texted() {
    let h = Harness::start().await;
    h.zabbix(update("site down", "acknowledged").severity(5)).await;
    h.zabbix(problem("site down").severity(5)).await;
    h.settled().await;
    assert_eq!((h.pushes().len(), h.texts().len()), (1, 0));
    h.pass(7_200).await;
    assert_eq!((h.pushes().len(), h.texts().len()), (1, 0));
}
