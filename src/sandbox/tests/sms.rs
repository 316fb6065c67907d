use super::*;

#[tokio::test]
async fn a_text_is_taken_strictly() {
    let scene = Scene::start().await;
    let sms = scene.sandbox.sms();
    let (status, _, body) =
        scene.text(&json!({ "to": "+821012345678", "text": "서버실 온도", "alert_id": "0193" })).await;
    assert_eq!((status, body.contains("\"ok\":true")), (200, true), "{body}");
    let texts = sms.wait_for_texts(1).await;
    assert_eq!((&*texts[0].text, texts[0].provider, texts[0].answered), ("서버실 온도", "http", 200));
    for (body, code) in [
        (json!({ "to": "+821012345678", "text": "x", "subject": "y" }), "bad_request"),
        (json!({ "to": "+821012345678", "text": 1 }), "bad_request"),
        (json!({ "to": "+821012345678" }), "bad_request"),
        (json!({ "to": "+821012345678", "text": "" }), "bad_request"),
        (json!({ "to": "jin", "text": "x" }), "bad_number"),
        (json!({ "to": "+821012345678", "text": "가".repeat(1001) }), "too_long"),
    ] {
        let (status, _, reply) = scene.text(&body).await;
        assert_eq!(status, 400, "{body}");
        assert!(reply.contains(code), "{body}: {reply}");
    }
    sms.script([Answer::text_refused("bad_number")]);
    assert_eq!(scene.text(&json!({ "to": "+821012345678", "text": "x" })).await.0, 400);
    assert_eq!(sms.accepted_counts(), HashMap::from([("0193".to_owned(), 1)]));
    assert_eq!(sms.counts(), Counts { seen: 2, accepted: 1, refused: 1, unanswered: 0, malformed: 6 });
}

#[tokio::test]
async fn solapi_wants_a_fresh_signature_each_time() {
    let scene = Scene::start().await;
    let (now, sms) = (scene.clock.now(), scene.sandbox.sms());
    let message = json!({ "to": "01012345678", "from": "029302266", "text": "x", "customFields": { "alert_id": "0193" } });
    let (status, _, body) = scene.solapi(now, "salt-of-12-b", &message).await;
    assert_eq!((status, body.contains("\"registeredSuccess\":1")), (200, true), "{body}");
    let late = now.saturating_add(SignedDuration::from_mins(16)).expect("in range");
    for (date, salt, code) in [
        (now, "salt-of-12-b", "DuplicatedSignature"),
        (now, "short", "ValidationError"),
        (late, "another-salt", "RequestTimeTooSkewed"),
    ] {
        let (status, _, body) = scene.solapi(date, salt, &message).await;
        assert!(status != 200 && body.contains(code), "{status} {body}");
    }
    let authorization = "HMAC-SHA256 apiKey=x, date=2026-11-22T01:02:03Z, salt=another-salt, signature=00";
    let reply =
        scene.post("/messages/v4/send-many/detail", &[("authorization", authorization)], String::new()).await;
    assert!(reply.expect("an answer").2.contains("InvalidAPIKey"));
    let texts = sms.texts();
    assert_eq!((texts.len(), &*texts[0].alert_id, texts[0].provider), (1, "0193", "solapi"));
}

#[tokio::test]
async fn solapi_refuses_content_inside_a_200() {
    let scene = Scene::start().await;
    let now = scene.clock.now();
    for (index, (text, kind, code)) in
        [("fire 🔥", "SMS", "1029"), (&*"x".repeat(91), "SMS", "1031")].into_iter().enumerate()
    {
        let message = json!({ "to": "01012345678", "from": "029302266", "text": text, "type": kind });
        let (status, _, body) = scene.solapi(now, &format!("salt-number-{index}"), &message).await;
        assert_eq!(status, 200);
        assert!(body.contains(&format!("\"statusCode\":\"{code}\"")), "{body}");
    }
    assert_eq!(scene.sandbox.sms().counts().accepted, 0);
}
