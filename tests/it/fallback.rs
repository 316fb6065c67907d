//! FCM fails in every way it can, and the text goes out when it must: at once where waiting is
//! pointless, at `accept_within` (20 s) otherwise, and never twice.

use bongsu::sandbox::Answer;

use crate::harness::{Harness, JIN, Setting, problem, recovery};

/// FCM gives this answer to everything; says what was attempted before and after the deadline.
async fn attempts_with(answer: Answer) -> (Vec<String>, Vec<String>) {
    let h = Harness::start().await;
    h.sandbox.fcm().always(answer);
    let result = h.zabbix(problem("disk full")).await;
    h.settled().await;
    let before = h.attempts(&result).await;
    h.pass(19).await;
    let texts_before = h.texts().len();
    h.pass(1).await;
    let after = h.attempts(&result).await;
    assert_eq!(h.texts().len(), 1, "one text in the end");
    assert_eq!(texts_before == 1, before.iter().any(|attempt| attempt.starts_with("sms")));
    h.pass(120).await;
    assert_eq!(h.texts().len(), 1, "and it stays one");
    (before, after)
}

#[tokio::test]
async fn a_dead_token_is_retired_and_texted_at_once() {
    let h = Harness::start().await;
    h.sandbox.fcm().always(Answer::unregistered());
    let first = h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(h.attempts(&first).await, ["push rejected device_gone", "sms accepted"]);
    h.zabbix(problem("swap full").id("460")).await;
    h.settled().await;
    assert_eq!(h.sandbox.fcm().counts().seen, 1, "the dead token is not tried again");
    assert_eq!(h.texts().len(), 2);
}

#[tokio::test]
async fn a_retired_token_stays_retired_after_a_restart() {
    let mut h = Harness::start().await;
    h.sandbox.fcm().script([Answer::unregistered()]);
    h.zabbix(problem("disk full")).await;
    h.settled().await;
    h.restart().await;
    h.zabbix(problem("swap full").id("460")).await;
    h.settled().await;
    assert_eq!(h.sandbox.fcm().counts().seen, 1);
    assert_eq!(h.texts().len(), 2);
}

#[tokio::test]
async fn faults_that_waiting_cannot_mend_are_texted_at_once_and_keep_the_token() {
    for (answer, attempt) in [
        (Answer::invalid_argument(), "push rejected message"),
        (Answer::third_party_auth(), "push deferred platform_fault"),
        (Answer::service_disabled(), "push deferred project_fault"),
    ] {
        let (before, _) = attempts_with(answer).await;
        assert_eq!(before, [attempt, "sms accepted"]);
        // The token still works once the fault is mended.
    }
}

#[tokio::test]
async fn a_token_of_another_project_is_left_alone_until_a_start_may_have_brought_the_right_key() {
    let mut h = Harness::start().await;
    h.sandbox.fcm().always(Answer::sender_id_mismatch());
    let result = h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(h.attempts(&result).await, ["push rejected device_mismatch", "sms accepted"]);
    let result = h.zabbix(problem("swap full").id("460")).await;
    h.settled().await;
    assert_eq!(h.attempts(&result).await, ["sms accepted"], "not asked again");

    h.sandbox.fcm().always(Answer::Ok);
    h.restart().await;
    let result = h.zabbix(problem("load").id("461")).await;
    h.settled().await;
    assert_eq!(h.attempts(&result).await, ["push accepted"]);
}

#[tokio::test]
async fn passing_failures_are_texted_at_the_deadline() {
    for answer in [Answer::internal(), Answer::html_502(), Answer::unavailable(None)] {
        let (before, after) = attempts_with(answer).await;
        assert_eq!(before, ["push deferred unavailable"]);
        assert!(after.contains(&"sms accepted".to_owned()), "{after:?}");
        assert_eq!(
            after.iter().filter(|attempt| attempt.starts_with("push")).count(),
            2,
            "tried again after 10 s"
        );
    }
}

#[tokio::test]
async fn a_quota_with_retry_after_is_honoured_and_texted_at_the_deadline() {
    let (before, after) = attempts_with(Answer::quota(Some(45))).await;
    assert_eq!(before, ["push deferred throttled"]);
    assert_eq!(after, ["push deferred throttled", "sms accepted"], "no push before Retry-After is over");
}

#[tokio::test]
async fn a_refused_connection_is_texted_at_the_deadline() {
    let h = Harness::with(Setting {
        fcm: Some("base_url = \"http://127.0.0.1:1\"".into()),
        ..Setting::default()
    })
    .await;
    let result = h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(h.attempts(&result).await, ["push deferred unreachable"]);
    h.pass(20).await;
    assert_eq!(h.texts().len(), 1);
}

#[tokio::test]
async fn a_hung_socket_does_not_hold_back_the_text() {
    let h = Harness::start().await;
    h.sandbox.fcm().always(Answer::Hang);
    let result = h.zabbix(problem("disk full")).await;
    h.sandbox.wait_until(|sandbox| sandbox.fcm().counts().seen == 1).await;
    h.pass_while_hanging(19);
    h.pass_while_hanging(1);
    h.wait_for_texts(1).await;
    assert!(h.texts()[0].contains("disk full"));
    h.sandbox.fcm().always(Answer::Ok);
    h.sandbox.fcm().release();
    h.settled().await;
    h.zabbix(recovery("disk full")).await;
    h.settled().await;
    let attempts = h.attempts(&result).await;
    assert_eq!(attempts.iter().filter(|attempt| *attempt == "sms accepted").count(), 1);
    assert!(attempts.contains(&"push unknown".to_owned()), "{attempts:?}");
}

#[tokio::test]
async fn a_revoked_key_is_texted_at_once_and_google_is_left_alone_for_a_while() {
    let h = Harness::start().await;
    h.sandbox.token().always(Answer::invalid_grant());
    for event in 0..5 {
        h.zabbix(problem("disk full").id(&event.to_string())).await;
    }
    h.settled().await;
    assert_eq!(h.texts().len(), 5);
    assert_eq!(h.sandbox.fcm().counts().seen, 0);
}

#[tokio::test]
async fn an_expired_access_token_is_refreshed_and_the_push_goes_out() {
    let h = Harness::start().await;
    h.sandbox.fcm().script([Answer::unauthorized()]);
    let result = h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(h.attempts(&result).await, ["push deferred credential", "push accepted"]);
    assert_eq!(h.texts().len(), 0);
}

#[tokio::test]
async fn without_fcm_everything_is_texted() {
    let h = Harness::with(Setting {
        fcm: None,
        contacts: "[[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\n".into(),
        ..Setting::default()
    })
    .await;
    h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(h.texts().len(), 1);
}

#[tokio::test]
async fn a_gateway_that_is_down_passes_to_the_next_at_once() {
    let h = Harness::with(Setting { gateways: vec!["sms-one", "sms-two"], ..Setting::default() }).await;
    h.sandbox.fcm().answer_for_token(JIN, Answer::invalid_argument());
    h.sandbox.sms().script([Answer::silent_503()]);
    let result = h.zabbix(problem("disk full")).await;
    h.settled().await;
    let alert = h.alert(&result).await;
    let text = &alert["notifications"][1];
    assert_eq!(
        (text["destination"].as_str(), text["state"].as_str()),
        (Some("sms-two"), Some("accepted")),
        "{alert}"
    );
}

#[tokio::test]
async fn a_text_without_an_answer_is_sent_once_more_after_a_minute() {
    let h = Harness::start().await;
    h.sandbox.fcm().always(Answer::invalid_argument());
    h.sandbox.sms().script([Answer::Reset]);
    let result = h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(h.attempts(&result).await.last().map(String::as_str), Some("sms unknown"));
    h.pass(59).await;
    assert_eq!(h.sandbox.sms().counts().seen, 1);
    h.pass(1).await;
    assert_eq!(h.attempts(&result).await.last().map(String::as_str), Some("sms accepted"));
    h.pass(3_600).await;
    assert_eq!(h.sandbox.sms().counts().seen, 2 + 1, "one more for the repeat");
}
