//! Providers that are out for hours: nothing is given up in silence.

use bongsu::sandbox::Answer;
use jiff::SignedDuration;

use serde_json::json;

use crate::harness::{Harness, OPERATOR, Setting, problem};

/// jin has a phone that takes pushes, and no number.
fn push_only() -> Setting {
    let contacts = "[[contact]]\nname = \"jin\"\ndevices = [\"jins-phone\"]\n";
    Setting { contacts: contacts.into(), gateways: Vec::new(), ..Setting::default() }
}

async fn pass_slowly(h: &Harness, minutes: i64) {
    for _ in 0..minutes {
        h.clock.advance(SignedDuration::from_mins(1));
        h.settled().await;
    }
}

#[tokio::test]
async fn an_outage_longer_than_fcm_ttl_delays_and_loses_nothing() {
    let h = Harness::with(push_only()).await;
    h.sandbox.fcm().always(Answer::internal());
    h.zabbix(problem("disk full").severity(3)).await;
    h.settled().await;
    assert_eq!(h.get_as("/readyz", "").await.0, 200, "it is on its way");
    pass_slowly(&h, 180).await;
    let (status, ready) = h.get_as("/readyz", "").await;
    assert_eq!(status, 503, "{ready}");
    h.sandbox.fcm().always(Answer::Ok);
    pass_slowly(&h, 6).await;
    assert!(h.sandbox.fcm().pushes().iter().any(|push| push.accepted), "tried within retry.max");
    assert_eq!(h.get_as("/readyz", "").await.0, 200);
}

#[tokio::test]
async fn what_waits_for_an_account_goes_at_once_when_it_works_again() {
    let h = Harness::with(push_only()).await;
    h.sandbox.fcm().always(Answer::service_disabled());
    for number in 0..5 {
        h.zabbix(problem("disk full").id(&number.to_string()).severity(3)).await;
        pass_slowly(&h, 1).await;
    }
    pass_slowly(&h, 30).await;
    h.sandbox.fcm().always(Answer::Ok);
    while !h.sandbox.fcm().pushes().iter().any(|push| push.accepted) {
        h.clock.advance(SignedDuration::from_secs(1));
        h.settled().await;
    }
    let told = |of: &str| {
        let pushes = h.sandbox.fcm().pushes();
        pushes.iter().filter(|push| push.accepted && push.data("title").contains(of)).count()
    };
    assert_eq!(told("disk full"), 5, "all five in the same instant");
}

#[tokio::test]
async fn an_account_that_is_refused_for_long_is_told_by_the_other_road_until_it_works() {
    let h = Harness::start().await;
    let pushes = |of: &str| h.pushes().iter().filter(|push| push.contains(of)).count();
    let disaster = async |id: &str| {
        h.zabbix(problem("no power").id(id).severity(5)).await;
        h.settled().await;
    };
    h.sandbox.sms().always(Answer::json(401, &json!({"code": 20003, "message": "Authenticate"})));
    disaster("1").await;
    pass_slowly(&h, 9).await;
    assert_eq!(pushes("refuses our account"), 0, "it may pass");
    pass_slowly(&h, 3).await;
    assert_eq!(pushes("refuses our account"), 1);
    let ours = h.get("/v1/alerts?integration=bongsu").await["alerts"][0].clone();
    h.act(&ours["id"], "resolve").await;
    h.settled().await;
    let resolved = pushes("refuses our account");
    pass_slowly(&h, 62).await;
    assert!(resolved < pushes("refuses our account"), "somebody resolved it, and it is refused still");

    h.sandbox.sms().always(Answer::Ok);
    disaster("2").await;
    pass_slowly(&h, 12).await;
    let ours = h.get("/v1/alerts?integration=bongsu").await;
    let states: Vec<_> =
        ours["alerts"].as_array().expect("alerts").iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["resolved", "resolved"], "{ours:#}");
}

#[tokio::test]
async fn a_disaster_that_comes_and_goes_and_that_nobody_takes_is_repeated() {
    let h = Harness::start().await;
    let mut at = Vec::new();
    for minute in 0..240 {
        let before = h.texts().len();
        let status = if minute % 4 < 2 { "firing" } else { "resolved" };
        if minute % 2 == 0 {
            let said = json!({ "title": "core switch", "dedup_key": "core", "severity": "disaster", "status": status });
            assert_eq!(h.post("/v1/alerts", OPERATOR, &said.to_string()).await.0, 202);
        }
        h.pass(60).await;
        at.extend((before..h.texts().len()).map(|_| minute));
    }
    let late = at.iter().filter(|minute| 120 <= **minute).count();
    assert!(2 <= late, "hourly at least: {at:?}");
    assert!(at.len() < 25, "and no oftener than an open alert: {at:?}");
}
