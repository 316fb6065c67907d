use super::*;

#[tokio::test]
async fn the_switch_breaks_a_company_and_repairs_it() {
    let scene = Scene::start().await;
    let token = scene.access_token().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let switch = async |body: &str| scene.post("/switch", &form, body.into()).await.expect("an answer").0;
    assert_eq!(switch("road=fcm&state=unavailable").await, 303);
    let (status, _, body) = scene.push(&token, &disk_full("a")).await.expect("an answer");
    assert_eq!((status, &error_of(&body)["status"]), (503, &json!("UNAVAILABLE")));
    assert_eq!(scene.text(&json!({ "to": "+821012345678", "text": "x" })).await.0, 200);
    assert_eq!(switch("road=sms&state=unavailable").await, 303);
    assert_eq!(scene.text(&json!({ "to": "+821012345678", "text": "x" })).await.0, 503);
    assert!(scene.get("/").await.2.contains("road broken"));

    assert_eq!(switch("road=fcm&state=working").await, 303);
    assert_eq!(scene.push(&token, &disk_full("a")).await.expect("an answer").0, 200);
    assert_eq!(switch("road=fcm&state=on_fire").await, 422);
    assert_eq!(switch("road=pigeon&state=working").await, 422);
    let elsewhere = [form[0], ("sec-fetch-site", "cross-site")];
    assert_eq!(
        scene.post("/switch", &elsewhere, "road=sms&state=working".into()).await.expect("an answer").0,
        403
    );
}

#[tokio::test]
async fn the_page_shows_the_phones_and_runs_nothing_from_a_message() {
    let phones =
        vec![Phone { name: "jin".into(), addresses: vec!["phone-1".into(), "+821012345678".into()] }];
    let hint = "curl -d 'title=<hello>' …".to_owned();
    let scene = Scene::start_with(Options { hint, phones, ..Options::default() }).await;
    let (status, headers, empty) = scene.get("/").await;
    assert_eq!(status, 200);
    assert!(headers["content-security-policy"].starts_with("default-src 'none'; script-src 'self'"));
    assert!(empty.contains("No message yet.") && empty.contains("title=&lt;hello&gt;"), "{empty}");

    let token = scene.access_token().await;
    for target in ["phone-1", "phone-1", "phone-2"] {
        scene.push(&token, &disk_full(target)).await.expect("an answer");
    }
    scene.text(&json!({ "to": "+821012345678", "text": "디스크 부족" })).await;
    let (_, _, page) = scene.get("/").await;
    assert!(page.contains("disk &lt;full&gt;") && !page.contains("disk <full>"), "{page}");
    assert!(page.contains("https:&#x2f;&#x2f;alerts.example.org") && !page.contains("javascript:"), "{page}");
    assert!(page.contains("ringing") && page.contains("×2") && page.contains("디스크 부족"), "{page}");

    let state: Value = serde_json::from_str(&scene.get("/state.json").await.2).expect("JSON");
    let phones = state["phones"].as_array().expect("phones");
    let shown: Vec<_> = phones
        .iter()
        .map(|phone| (phone["name"].as_str(), phone["messages"].as_array().map(Vec::len)))
        .collect();
    assert_eq!(shown, [(Some("jin"), Some(2)), (Some("A device"), Some(1))]);
    scene.clock.advance(SignedDuration::from_secs(6));
    assert!(!scene.get("/board").await.2.contains("ringing"), "phones stop ringing");
    for path in ["/phones.css", "/phones.js"] {
        assert_eq!(scene.get(path).await.0, 200);
    }
}

#[tokio::test]
async fn a_browser_that_waits_hears_of_the_next_message() {
    let scene = Scene::start().await;
    let token = scene.access_token().await;
    let version = |body: &str| {
        serde_json::from_str::<Value>(body).expect("JSON")["version"].as_u64().expect("a version")
    };
    let before = version(&scene.get("/state.json").await.2);
    let (path, message) = (format!("/state.json?after={before}"), disk_full("a"));
    let (news, pushed) = tokio::join!(scene.get(&path), scene.push(&token, &message));
    assert_eq!(pushed.expect("an answer").0, 200);
    assert!(before < version(&news.2));
}
