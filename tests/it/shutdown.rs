//! Stopping accepts nothing more and loses nothing.

use crate::harness::{Harness, problem};

#[tokio::test]
async fn everything_answered_before_a_stop_is_there_after_it() {
    let mut h = Harness::start().await;
    for event in 0..50 {
        h.zabbix(problem("disk full").id(&event.to_string())).await;
    }
    h.restart().await;
    h.settled().await;
    assert_eq!(h.get("/v1/alerts?limit=500").await["alerts"].as_array().map(Vec::len), Some(50));
    let counts = h.sandbox.fcm().accepted_counts();
    assert_eq!(counts.len(), 50, "every alert was pushed");
    assert!(counts.values().all(|pushes| *pushes == 1), "and once: {counts:?}");
}
