//! While alerts are carried, people are told of what ails Bongsu by alerts of its own.

use super::*;

async fn is_told(scene: &Scene, title: &str) {
    scene.until(async || scene.pushes().iter().any(|push| push.contains(title))).await;
}

async fn titles(scene: &Scene, state: &str) -> Vec<String> {
    let own = scene.own_alerts().await.into_iter().filter(|alert| alert["state"] == state);
    own.map(|alert| alert["title"].as_str().expect("a title").to_owned()).collect()
}

#[tokio::test]
async fn a_task_that_panics_is_started_again_and_told_once_an_hour() {
    let scene = Scene::start().await;
    scene.faults().purges_panic.store(2, Ordering::SeqCst);
    scene.pass(60).await;
    assert_eq!(scene.reasons().await, ["standing_still janitor"], "it is gone");
    scene.pass(5).await;
    assert!(scene.reasons().await.is_empty(), "and back");
    is_told(&scene, "[중대] Bongsu: janitor was started again").await;
    scene.pass(120).await;
    let own = scene.own_alerts().await;
    assert_eq!((own.len(), &own[0]["count"]), (1, &Value::from(2)), "{own:?}");
    scene.told(1, 1).await;
    let (_, metrics) = scene.get("/metrics").await;
    let line = "bongsu_tasks_started_again{part=\"janitor\"} 2";
    assert!(metrics.as_str().expect("text").contains(line), "{metrics}");
}

#[tokio::test]
async fn dispatch_that_panics_goes_on_and_what_was_under_way_is_unknown() {
    let scene = Scene::start().await;
    scene.sandbox.fcm().script([crate::sandbox::Answer::Hang]);
    assert_eq!(scene.post("disk full").await, 202);
    scene.until(async || scene.sandbox.fcm().counts().seen == 1).await;
    scene.faults().due_panics.store(1, Ordering::SeqCst);
    assert_eq!(scene.post("swap full").await, 202);
    scene.until(async || !scene.reasons().await.is_empty()).await;
    scene.pass(1).await;
    is_told(&scene, "swap full").await;
    scene.sandbox.fcm().release();
    scene.pass(12).await;
    is_told(&scene, "disk full").await;
    let (_, list) = scene.get("/v1/attempts").await;
    let unknown =
        list["attempts"].as_array().expect("a list").iter().filter(|row| row["outcome"] == "unknown");
    assert_eq!(unknown.count(), 1, "{list}");
    is_told(&scene, "Bongsu: dispatch was started again").await;
}

#[tokio::test]
async fn an_alert_on_which_dispatch_fails_holds_up_no_other() {
    let scene = Scene::start().await;
    scene.faults().due_panics.store(1, Ordering::SeqCst);
    for title in ["one", "two", "three"] {
        assert_eq!(scene.post(title).await, 202);
    }
    let (_, list) = scene.get("/v1/alerts").await;
    let mut alerts = list["alerts"].as_array().expect("a list").iter();
    let poison = alerts.find(|alert| alert["title"] == "one").expect("an alert")["id"].as_str();
    let poison = poison.expect("an id").parse().expect("an id");
    *scene.faults().poison.lock().expect("no panic") = Some(poison);
    scene.pass(70).await;
    is_told(&scene, "two").await;
    is_told(&scene, "three").await;
    assert!(!scene.pushes().iter().any(|title| title.ends_with("one")), "{:?}", scene.pushes());
    assert_eq!(scene.reasons().await, ["standing_still dispatch"], "it waits, however often it is due");
}

#[tokio::test]
async fn a_part_that_stands_still_while_alerts_are_carried_is_told_by_an_alert_until_it_goes_on() {
    let scene = Scene::start().await;
    scene.faults().purges_hang.send_replace(true);
    scene.pass(115).await;
    assert_eq!(scene.reasons().await, ["standing_still janitor"]);
    is_told(&scene, "[중대] Bongsu: janitor stands still").await;
    scene.faults().purges_hang.send_replace(false);
    scene.pass(10).await;
    assert!(scene.reasons().await.is_empty());
    is_told(&scene, "[해결] Bongsu: janitor stands still").await;
    assert_eq!(titles(&scene, "resolved").await, ["Bongsu: janitor stands still"]);
}

#[tokio::test]
async fn what_an_earlier_process_said_is_over_when_it_is() {
    let left = Arc::new(MemoryStore::new());
    let is_free = |scene: &Scene, bytes| {
        *scene.faults().health.lock().expect("no panic") = Some(Health {
            problem: None,
            free_bytes: Some(bytes),
            is_moved: false,
            scheduled: 0,
            damaged: Vec::new(),
        });
    };
    let before = Scene::start_on(left.clone()).await;
    is_free(&before, FREE_BYTES_MIN);
    before.pass(5).await;
    assert_eq!(titles(&before, "triggered").await.len(), 1);
    drop(before);
    let after = Scene::start_on(left).await;
    assert_eq!(titles(&after, "triggered").await.len(), 1, "nobody knows how it is now");
    is_free(&after, 3 * FREE_BYTES_MIN);
    after.pass(5).await;
    assert_eq!(titles(&after, "resolved").await, ["Bongsu: the disk of the store is nearly full"]);
}

#[tokio::test]
async fn a_nearly_full_disk_is_told_before_alerts_are_refused_and_when_there_is_room_again() {
    let scene = Scene::start().await;
    let free = |bytes: u64, problem: Option<&str>| {
        let problem = problem.map(str::to_owned);
        *scene.faults().health.lock().expect("no panic") = Some(Health {
            problem,
            free_bytes: Some(bytes),
            is_moved: false,
            scheduled: 0,
            damaged: Vec::new(),
        });
    };
    free(2 * FREE_BYTES_MIN, None);
    scene.pass(30).await;
    assert!(scene.own_alerts().await.is_empty());
    free(2 * FREE_BYTES_MIN - 1, None);
    scene.pass(5).await;
    is_told(&scene, "[중대] Bongsu: the disk of the store is nearly full").await;
    assert!(scene.reasons().await.is_empty());

    free(FREE_BYTES_MIN - 1, Some("too little free space"));
    scene.pass(5).await;
    is_told(&scene, "[재난] Bongsu refuses new alerts").await;
    assert_eq!(scene.reasons().await, ["store_not_writable"]);
    assert_eq!(scene.get("/healthz").await.0, 503);
    scene.pass(120).await;
    assert!(scene.texts().iter().all(|text| !text.contains("itself stands still")), "{:?}", scene.texts());

    free(2 * FREE_BYTES_MIN + 1, None);
    scene.pass(30).await;
    is_told(&scene, "[해결] Bongsu refuses new alerts").await;
    assert_eq!(titles(&scene, "triggered").await.len(), 1, "not at each byte around the limit");
    free(3 * FREE_BYTES_MIN, None);
    scene.pass(5).await;
    is_told(&scene, "[해결] Bongsu: the disk").await;
    assert!(titles(&scene, "triggered").await.is_empty());
}

#[tokio::test]
async fn damage_is_a_notice_and_told_again_when_there_is_more_of_it_but_not_within_the_hour() {
    let scene = Scene::start().await;
    let left_out = |rows: &[(&'static str, usize)]| {
        let damaged = rows.iter().map(|(kind, count)| Damaged { kind, count: *count }).collect();
        *scene.faults().health.lock().expect("no panic") =
            Some(Health { problem: None, free_bytes: None, is_moved: false, scheduled: 0, damaged });
    };
    let told = async |pushes: usize| {
        scene.until(async || pushes <= scene.pushes().len()).await;
        assert_eq!(scene.pushes().len(), pushes, "{:?}", scene.pushes());
    };
    left_out(&[("alert", 1)]);
    scene.pass(5).await;
    is_told(&scene, "Bongsu: the store is damaged in part").await;
    let (status, body) = scene.get("/readyz").await;
    let notice = serde_json::json!({
        "code": "store_damaged",
        "damaged": [{ "kind": "alert", "count": 1 }],
        "detail": "cannot be read and is left out: alert 1; nothing was deleted",
    });
    assert_eq!((status, &body["notices"]), (200, &Value::from(vec![notice])), "{body}");
    assert_eq!(body["lead"], true);

    scene.pass(600).await;
    left_out(&[("alert", 1), ("charge", 2)]);
    scene.pass(2_900).await;
    told(1).await;
    scene.pass(200).await;
    told(2).await;
    let own = &scene.own_alerts().await[0];
    assert!(own["body"].as_str().is_some_and(|body| body.contains("alert 1, charge 2")), "{own}");
    scene.pass(7_300).await;
    told(2).await;
    left_out(&[("alert", 2), ("charge", 2)]);
    scene.pass(5).await;
    told(3).await;
}

#[tokio::test]
async fn a_program_that_was_stopped_for_hours_blames_nobody_for_it() {
    let scene = Scene::start().await;
    scene.clock.advance(SignedDuration::from_hours(9));
    scene.pass(30).await;
    assert!(scene.reasons().await.is_empty());
    scene.told(0, 0).await;
    assert!(scene.own_alerts().await.is_empty());
}
