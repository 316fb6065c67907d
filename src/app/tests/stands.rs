//! While alerts are not carried, people are told past the store.

use super::*;

/// Everything works again: `/readyz` says so, and after a while the ledger has what was done meanwhile.
async fn recovers(scene: &Scene, attempts: usize) {
    scene.pass(25).await;
    assert!(scene.reasons().await.is_empty());
    assert!(scene.own_alerts().await.is_empty());
    scene.pass(30).await;
    let own = scene.own_alerts().await;
    assert_eq!(own.len(), 1, "{own:?}");
    assert_eq!((&own[0]["state"], &own[0]["severity"]), (&Value::from("resolved"), &Value::from("disaster")));
    let rows = own[0]["journal"].as_array().expect("a journal").iter();
    let rows: Vec<String> = rows
        .filter(|row| row["entry"] == "attempt" && row["subject"] == "opened")
        .map(|row| format!("{} {} {}", row["contact"], row["transport"], row["outcome"]))
        .collect();
    assert_eq!(rows.len(), attempts, "{rows:?}");
    assert!(rows.iter().all(|row| row.ends_with("\"accepted\"")), "{rows:?}");
}

#[tokio::test]
async fn an_index_that_cannot_be_read_is_told_by_push_and_text_within_a_minute_and_once_an_hour() {
    let scene = Scene::start().await;
    assert!(scene.reasons().await.is_empty());
    scene.faults().due_fails.store(true, Ordering::SeqCst);
    assert_eq!(scene.post("disk full").await, 202);
    scene.pass(45).await;
    scene.told(0, 0).await;
    scene.pass(15).await;
    assert_eq!(scene.reasons().await, ["standing_still dispatch"]);
    assert_eq!(scene.get("/healthz").await.0, 200, "what comes is accepted");
    scene.told(1, 2).await;
    assert_eq!(scene.pushes(), ["[재난] 봉수 자체가 멈췄습니다: 발송"]);
    let texts = scene.texts();
    assert!(texts.iter().any(|text| text.contains("알림이 발송되지 않으니")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("alerts are not being sent")), "{texts:?}");

    scene.pass(3_540).await;
    scene.told(1, 2).await;
    scene.pass(60).await;
    scene.told(2, 4).await;

    scene.faults().due_fails.store(false, Ordering::SeqCst);
    scene.pass(1).await;
    scene.until(async || scene.pushes().len() == 3).await;
    assert_eq!(scene.pushes()[2], "[중대] disk full");
    recovers(&scene, 6).await;
    scene.until(async || scene.pushes().len() == 4).await;
    assert!(scene.pushes()[3].starts_with("[해결] Bongsu itself stands still"), "{:?}", scene.pushes());
}

#[tokio::test]
async fn a_store_that_never_answers_hangs_neither_the_probes_nor_the_watch() {
    let scene = Scene::start().await;
    scene.pass(1).await;
    scene.faults().hangs.send_replace(true);
    scene.pass(59).await;
    let reasons = scene.reasons().await;
    for reason in ["store_not_writable", "standing_still store", "standing_still dispatch"] {
        assert!(reasons.contains(&reason.to_owned()), "{reason}: {reasons:?}");
    }
    assert_eq!(scene.get("/healthz").await.0, 503);
    assert_eq!(scene.get("/metrics").await.0, 200);
    scene.told(1, 2).await;
    assert!(scene.pushes()[0].starts_with("[재난] 봉수 자체가 멈췄습니다"), "{:?}", scene.pushes());

    scene.faults().hangs.send_replace(false);
    recovers(&scene, 3).await;
    assert_eq!(scene.get("/healthz").await.0, 200);
}

#[tokio::test]
async fn a_write_that_hangs_is_noticed_though_nothing_is_to_be_sent() {
    let scene = Scene::start().await;
    scene.pass(1).await;
    scene.faults().hangs.send_replace(true);
    let accepting = scene.post("disk full");
    let watching = async {
        scene.pass(50).await;
        assert_eq!(scene.get("/healthz").await.0, 503, "no event would be accepted");
        assert!(scene.reasons().await.contains(&"standing_still store".to_owned()));
        scene.faults().hangs.send_replace(false);
    };
    assert_eq!(tokio::join!(accepting, watching).0, 202);
}

#[tokio::test]
async fn a_store_that_takes_no_writes_is_told_though_it_can_be_read() {
    let scene = Scene::start().await;
    scene.faults().refuses_writes.store(true, Ordering::SeqCst);
    assert_eq!(scene.post("disk full").await, 503);
    scene.pass(60).await;
    assert_eq!(scene.reasons().await, ["standing_still store"]);
    scene.told(1, 2).await;
    scene.faults().refuses_writes.store(false, Ordering::SeqCst);
    recovers(&scene, 3).await;
}

#[tokio::test]
async fn a_gateway_that_refuses_is_tried_a_few_times() {
    let scene = Scene::start().await;
    scene.sandbox.sms().always(crate::sandbox::Answer::silent_503());
    scene.sandbox.fcm().script([crate::sandbox::Answer::internal()]);
    scene.faults().due_fails.store(true, Ordering::SeqCst);
    scene.pass(60).await;
    let refused = async || {
        scene.pass(1).await;
        (scene.pushes().len(), scene.sandbox.sms().counts().seen) == (1, 6)
    };
    scene.until(refused).await;
    scene.pass(120).await;
    assert_eq!((scene.pushes().len(), scene.sandbox.sms().counts().seen), (1, 6));
    scene.faults().due_fails.store(false, Ordering::SeqCst);
    scene.pass(60).await;
    let own = scene.own_alerts().await;
    let rows = own[0]["journal"].as_array().expect("a journal").iter();
    let attempts = rows.filter(|row| row["entry"] == "attempt" && row["subject"] == "opened");
    assert_eq!(attempts.count(), 8, "{own:?}");
}

#[tokio::test]
async fn whom_nothing_reaches_is_tried_again_soon_and_whom_something_may_have_reached_in_an_hour() {
    let scene = Scene::start().await;
    scene.sandbox.sms().always(crate::sandbox::Answer::silent_503());
    scene.faults().due_fails.store(true, Ordering::SeqCst);
    scene.pass(60).await;
    let tried = async |texts: u64| {
        let all_seen = async || {
            scene.pass(1).await;
            scene.sandbox.sms().counts().seen == texts
        };
        scene.until(all_seen).await;
    };
    tried(6).await;
    assert_eq!((scene.pushes().len(), scene.texts().len()), (1, 0), "jin has a push, and min nothing");
    scene.pass(240).await;
    assert_eq!(scene.sandbox.sms().counts().seen, 6);
    scene.sandbox.sms().always(crate::sandbox::Answer::Ok);
    scene.pass(60).await;
    scene.told(1, 1).await;
    scene.pass(600).await;
    scene.told(1, 1).await;
}

/// It stands still for about a minute, and then all works for another one.
async fn flaps(scene: &Scene) {
    scene.faults().due_fails.store(true, Ordering::SeqCst);
    scene.pass(60).await;
    assert_eq!(scene.reasons().await, ["standing_still dispatch"]);
    scene.faults().due_fails.store(false, Ordering::SeqCst);
    scene.pass(60).await;
    assert!(scene.reasons().await.is_empty());
}

#[tokio::test]
async fn an_outage_that_comes_and_goes_is_told_once_an_hour_with_its_end_once() {
    let scene = Scene::start().await;
    flaps(&scene).await;
    // jin hears of the end by push; min has no device, and texts of ends are off.
    scene.told(2, 2).await;
    for _ in 0..10 {
        flaps(&scene).await;
        scene.told(2, 2).await;
    }
    assert_eq!(scene.own_alerts().await.len(), 11, "the ledger has each");
    scene.pass(2_460).await;
    flaps(&scene).await;
    scene.told(4, 4).await;
    let pushes = scene.pushes();
    let (begins, ends): (Vec<_>, Vec<_>) = pushes.iter().partition(|push| push.starts_with("[재난]"));
    assert_eq!((begins.len(), ends.len()), (2, 2), "{pushes:?}");
}

#[tokio::test]
async fn another_outage_within_the_hour_is_told_if_something_else_stands_still() {
    let scene = Scene::start().await;
    flaps(&scene).await;
    scene.told(2, 2).await;
    scene.faults().refuses_writes.store(true, Ordering::SeqCst);
    scene.pass(60).await;
    assert_eq!(scene.reasons().await, ["standing_still store"]);
    scene.told(3, 4).await;
    scene.faults().refuses_writes.store(false, Ordering::SeqCst);
    scene.pass(60).await;
    scene.told(4, 4).await;
    flaps(&scene).await;
    scene.told(4, 4).await;
}

#[tokio::test]
async fn who_could_not_be_told_of_an_outage_is_told_that_it_was_and_of_the_next_one() {
    let scene = Scene::start().await;
    scene.sandbox.sms().always(crate::sandbox::Answer::silent_503());
    scene.faults().due_fails.store(true, Ordering::SeqCst);
    scene.pass(60).await;
    let tried = async || {
        scene.pass(1).await;
        (scene.pushes().len(), scene.sandbox.sms().counts().seen) == (1, 6)
    };
    scene.until(tried).await;
    scene.sandbox.sms().always(crate::sandbox::Answer::Ok);
    scene.faults().due_fails.store(false, Ordering::SeqCst);
    scene.pass(60).await;
    scene.told(2, 1).await;
    flaps(&scene).await;
    // min hears of it; jin knows.
    scene.told(2, 2).await;
}

#[tokio::test]
async fn dispatch_that_fails_again_and_again_is_told() {
    let scene = Scene::start().await;
    scene.faults().due_panics.store(usize::MAX, Ordering::SeqCst);
    assert_eq!(scene.post("disk full").await, 202);
    scene.pass(10).await;
    assert_eq!(scene.reasons().await, ["standing_still dispatch"]);
    scene.pass(50).await;
    scene.told(1, 2).await;
    scene.faults().due_panics.store(0, Ordering::SeqCst);
    scene.pass(11).await;
    scene.until(async || scene.pushes().iter().any(|title| title == "[중대] disk full")).await;
    assert!(scene.reasons().await.is_empty());
}
