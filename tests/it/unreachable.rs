//! A human is told that another could not be reached; if nobody is left, the probes say so.

use bongsu::sandbox::Answer;

use crate::harness::{Harness, JIN, OPERATOR, Setting, problem};

fn two_people() -> Setting {
    let contacts = "[[contact]]\nname = \"jin\"\ndevices = [\"jins-phone\"]\n\
                    [[contact]]\nname = \"min\"\ndevices = [\"mins-phone\"]\n";
    Setting { contacts: contacts.into(), gateways: Vec::new(), ..Setting::default() }
}

#[tokio::test]
async fn the_others_are_told_once_that_somebody_could_not_be_reached() {
    let h = Harness::with(two_people()).await;
    h.sandbox.fcm().answer_for_token(JIN, Answer::unregistered());
    h.zabbix(problem("disk full")).await;
    h.settled().await;
    let pushes = h.pushes();
    assert_eq!(pushes.len(), 2, "{pushes:?}");
    let said = h.sandbox.fcm().pushes();
    let words = format!("{} {}", said[2].data("title"), said[2].data("body"));
    assert!(words.contains("could not reach jin"), "{words}");
    assert_eq!(h.get_as("/readyz", "").await.0, 200, "min was reached");
}

#[tokio::test]
async fn when_nobody_is_left_readyz_says_so_also_after_a_restart_and_when_it_is_over() {
    let mut h = Harness::with(two_people()).await;
    h.sandbox.fcm().always(Answer::unregistered());
    let opened = h.zabbix(problem("disk full")).await;
    h.settled().await;
    let (status, body) = h.get_as("/readyz", "").await;
    assert_eq!((status, &body["alerts_unreached"]), (503, &serde_json::json!(1)));
    let reason = &body["reasons"][0];
    assert_eq!((&reason["code"], &reason["count"]), (&"alerts_unreached".into(), &1.into()), "{body}");
    h.restart().await;
    h.settled().await;
    assert_eq!(h.get_as("/readyz", "").await.0, 503);
    h.act(&opened["alert_id"], "resolve").await;
    h.settled().await;
    let (status, body) = h.get_as("/readyz", "").await;
    assert_eq!((status, &body["reasons"][0]["code"]), (503, &serde_json::json!("dead_letters")), "{body}");
    assert_eq!(h.post("/v1/alerts", OPERATOR, "x").await.0, 202);
}
