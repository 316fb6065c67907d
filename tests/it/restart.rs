//! What was accepted is there after a restart, and its deadlines are kept.

use bongsu::sandbox::Answer;

use crate::harness::{Harness, problem, recovery};

#[tokio::test]
async fn a_deadline_that_passed_while_we_were_down_fires_at_start() {
    let mut h = Harness::start().await;
    h.sandbox.fcm().always(Answer::internal());
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    h.stop().await;
    h.clock.advance(jiff::SignedDuration::from_secs(600));
    h.restart().await;
    h.settled().await;
    assert_eq!(h.texts().len(), 1);
    assert_eq!(h.alert(&opened).await["state"], "triggered");
}

#[tokio::test]
async fn dedupe_and_history_survive_a_restart() {
    let mut h = Harness::start().await;
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    h.restart().await;
    let again = h.zabbix(problem("disk full")).await;
    assert_eq!(
        (&again["admission"], &again["alert_id"]),
        (&serde_json::json!("joined"), &opened["alert_id"])
    );
    h.zabbix(recovery("disk full")).await;
    h.settled().await;
    assert_eq!(h.pushes().len(), 2);
    assert_eq!(h.attempts(&opened).await, ["push accepted", "push accepted"]);
}

#[tokio::test]
async fn a_request_under_way_at_a_clean_stop_is_settled() {
    let mut h = Harness::start().await;
    h.sandbox.fcm().script([Answer::Hang]);
    let opened = h.zabbix(problem("disk full")).await;
    h.sandbox.wait_until(|sandbox| sandbox.fcm().counts().seen == 1).await;
    let fcm = h.sandbox.fcm();
    tokio::join!(h.stop(), async { fcm.release() });
    h.restart().await;
    h.settled().await;
    assert_eq!(h.attempts(&opened).await, ["push accepted"], "{}", h.alert(&opened).await);
}
