//! What was accepted is there after a restart, and its deadlines are kept.

use bongsu::sandbox::Answer;

use crate::harness::{Harness, Setting, problem, recovery};

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

/// A host boots with its clock in local time; later somebody sets it right and starts us again.
async fn restart_hours_earlier(h: &mut Harness) {
    h.stop().await;
    h.clock.set_back(jiff::SignedDuration::from_hours(9));
    h.restart().await;
    h.settled().await;
}

#[tokio::test]
async fn a_retry_that_a_clock_hours_ahead_has_dated_goes_out_at_the_next_start() {
    let mut h = Harness::start().await;
    h.sandbox.fcm().always(Answer::internal());
    h.sandbox.sms().always(Answer::silent_503());
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    h.pass(20).await;
    assert_eq!((h.pushes().len(), h.texts().len()), (0, 0), "both roads are down");
    h.sandbox.sms().always(Answer::Ok);
    restart_hours_earlier(&mut h).await;
    assert_eq!(h.texts().len(), 1, "{}", h.alert(&opened).await);
    h.pass(1_500).await;
    assert_eq!(h.texts().len(), 1, "and it stays one");
}

#[tokio::test]
async fn the_text_of_a_push_that_fails_comes_in_its_time_after_a_clock_was_hours_ahead() {
    let mut h = Harness::start().await;
    h.sandbox.fcm().always(Answer::internal());
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    restart_hours_earlier(&mut h).await;
    assert_eq!(h.attempts(&opened).await.len(), 2, "the push is tried again at once");
    h.pass(19).await;
    assert_eq!(h.texts().len(), 0);
    h.pass(1).await;
    assert_eq!(h.texts().len(), 1, "{}", h.alert(&opened).await);
    h.pass(1_500).await;
    assert_eq!(h.texts().len(), 1, "and it stays one");
}

#[tokio::test]
async fn a_text_without_an_answer_is_sent_once_more_and_never_again_after_a_clock_was_hours_ahead() {
    let mut h = Harness::start().await;
    h.sandbox.fcm().always(Answer::unregistered());
    h.sandbox.sms().script([Answer::Reset]);
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    restart_hours_earlier(&mut h).await;
    h.pass(59).await;
    assert_eq!(h.attempts(&opened).await.last().map(String::as_str), Some("sms unknown"));
    h.pass(1).await;
    h.pass(1_500).await;
    let texts: Vec<_> =
        h.attempts(&opened).await.into_iter().filter(|attempt| attempt.starts_with("sms")).collect();
    assert_eq!(texts, ["sms unknown", "sms accepted"]);
}

/// What the ledger says of each text: gateway and outcome.
async fn texts_of(h: &Harness, opened: &serde_json::Value) -> Vec<String> {
    let alert = h.alert(opened).await;
    let rows = alert["journal"].as_array().expect("a journal").iter();
    let texts = rows.filter(|row| row["transport"] == "sms" && row["entry"] == "attempt");
    let word = |value: &serde_json::Value| value.as_str().expect("a word").to_owned();
    texts.map(|row| format!("{} {}", word(&row["destination"]), word(&row["outcome"]))).collect()
}

#[tokio::test]
async fn a_gateway_that_leaves_the_configuration_is_passed_over() {
    let contacts = "[[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\n".to_owned();
    let setting = Setting { fcm: None, contacts, gateways: vec!["one", "two"], ..Setting::default() };
    let mut h = Harness::with(setting).await;
    let put_off = Answer::Status { status: 503, headers: Vec::new(), body: String::new() };
    h.sandbox.sms().always(put_off);
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(texts_of(&h, &opened).await, ["one deferred", "two deferred"]);
    h.sandbox.sms().always(Answer::Ok);
    // The first one is gone, and another has its place.
    h.restart_with("name = \"one\"", "name = \"three\"").await;
    h.settled().await;
    h.pass(60).await;
    assert_eq!(texts_of(&h, &opened).await, ["one deferred", "two deferred", "three accepted"]);
    assert_eq!(h.texts().len(), 1);
    h.restart_with("name = \"three\"", "name = \"four\"").await;
    h.settled().await;
    h.pass(600).await;
    assert_eq!(h.texts().len(), 1, "who sent it does not matter any more");
}
