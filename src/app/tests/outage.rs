//! Who watches and who is told: from the first moment on, once, and how it ended.

use super::*;

#[tokio::test]
async fn a_start_that_cannot_read_what_is_stored_is_told_once_and_goes_on_when_it_can() {
    let scene = Scene::start_while(Arc::default(), "", async |stage| {
        stage.faults().hangs.send_replace(true);
        stage.work().await;
        stage.pass(45).await;
        stage.told(0, 0).await;
        stage.pass(15).await;
        stage.told(1, 2).await;
        stage.faults().hangs.send_replace(false);
    });
    let scene = scene.await;
    scene.pass(60).await;
    assert!(scene.reasons().await.is_empty());
    let own = scene.own_alerts().await;
    assert_eq!((own.len(), &own[0]["state"]), (1, &Value::from("resolved")), "{own:?}");
    scene.told(2, 2).await;
}

#[tokio::test]
async fn a_start_that_is_over_in_time_is_told_to_nobody() {
    let scene = Scene::start_while(Arc::default(), "", async |stage| {
        stage.faults().hangs.send_replace(true);
        stage.work().await;
        stage.pass(45).await;
        stage.faults().hangs.send_replace(false);
    });
    let scene = scene.await;
    scene.pass(45).await;
    assert!(scene.reasons().await.is_empty());
    scene.told(0, 0).await;
}

#[tokio::test]
async fn a_start_that_waits_for_the_store_can_be_stopped() {
    let scene = Scene::start().await;
    let stop = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let config = scene.app.context.config.clone();
    scene.faults().hangs.send_replace(true);
    let start = App::start_over(scene.store.clone(), config, listener, scene.clock.clone(), stop.clone());
    let stopped = async {
        scene.work().await;
        let ask = scene.client.get(format!("http://{address}/readyz")).send();
        let passes = async {
            for _ in 0.. {
                scene.pass(1).await;
            }
        };
        let answer = tokio::select! {
            answer = ask => answer.expect("answered"),
            () = passes => unreachable!("it never ends"),
        };
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let body = answer.text().await.expect("read");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(
            (&body["ready"], &body["reasons"][0]["code"]),
            (&Value::Bool(false), &Value::from("store_not_writable")),
            "{body}"
        );
        stop.cancel();
    };
    let (started, ()) = tokio::join!(start, stopped);
    assert!(matches!(started.map(drop), Err(AppError::Unread)));
}

#[tokio::test]
async fn nobody_is_sent_a_second_message_while_the_first_is_under_way() {
    let scene = Scene::start().await;
    scene.sandbox.sms().always(crate::sandbox::Answer::Hang);
    scene.faults().due_fails.store(true, Ordering::SeqCst);
    scene.pass(60).await;
    scene.until(async || scene.sandbox.sms().counts().seen == 2).await;
    scene.pass(360).await;
    assert_eq!(scene.sandbox.sms().counts().seen, 2);
}

#[tokio::test]
async fn whom_nothing_reaches_is_not_tried_at_every_look_however_short_retries_are() {
    let more = "[retry]\ninitial = \"1s\"\nmax = \"1s\"\n";
    let scene = Scene::start_while(Arc::default(), more, async |_| {}).await;
    scene.sandbox.sms().always(crate::sandbox::Answer::silent_503());
    scene.faults().due_fails.store(true, Ordering::SeqCst);
    scene.pass(60).await;
    let all_seen = async || {
        scene.pass(1).await;
        scene.sandbox.sms().counts().seen == 6
    };
    scene.until(all_seen).await;
    let passed = scene.clock.now().duration_since(T0).as_secs();
    scene.pass(105 - passed).await;
    assert_eq!(scene.sandbox.sms().counts().seen, 6, "within a minute of the first try");
}

#[tokio::test]
async fn who_was_told_of_the_outage_is_told_of_its_end_as_of_any_other() {
    let scene = Scene::start().await;
    scene.faults().due_fails.store(true, Ordering::SeqCst);
    scene.pass(60).await;
    scene.told(1, 2).await;
    scene.faults().due_fails.store(false, Ordering::SeqCst);
    scene.pass(60).await;
    scene.until(async || scene.pushes().len() == 2).await;
    scene.pass(60).await;
    scene.told(2, 2).await;
    let journal = scene.own_alerts().await[0]["journal"].to_string();
    assert!(journal.contains("\"resolved\"") && !journal.contains("\"missed\""), "{journal}");
}
