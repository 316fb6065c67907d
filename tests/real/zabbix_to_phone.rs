//! The whole way: a real Zabbix, the media type that `bongsu setup zabbix` prints, `bongsu serve`, and
//! the phones of the sandbox. Each promise is looked at from all three sides: what Bongsu's API says,
//! what the phones got, and what Zabbix believes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    bongsu_process::{Bongsu, Phones, RUNG_WITHIN},
    zabbix_lab::{Message, MessageState, Scene, SceneSpec, UpdateProblem, ZabbixLab},
};

/// Zabbix looks for new messages every 3 s and for updates every 5 s; this is for a busy machine.
const SOON: Duration = Duration::from_secs(30);
/// What Bongsu missed comes with the next attempts, 10 s apart; a recovery waits for its problem's.
const CAUGHT_UP_WITHIN: Duration = Duration::from_mins(1);
/// Attempts as shipped are 10 s apart, so a seventh that failed means a minute of absence.
const ATTEMPTS_OF_A_MINUTE: u32 = 7;
/// A minute, and time for a busy machine.
const A_MINUTE_PASSES_WITHIN: Duration = Duration::from_mins(2);

#[tokio::test]
async fn all_that_happens_to_a_problem_is_one_alert_and_the_next_problem_is_another() {
    let (phones, bongsu, scene) = stage("life").await;
    let event = scene.problem(4).await;
    let alert = bongsu.alert_when(&event, SOON, |alert| alert["state"] == "triggered").await;
    assert_eq!((&alert["severity"], &alert["labels"]["팀"]), (&json!("high"), &json!("web")));
    phones.told(&alert, &["triggered"]).await;

    scene.lab.update_problem(&event, UpdateProblem::AcknowledgeWithComment("제가 봅니다")).await;
    let taken = bongsu.alert_when(&event, SOON, |alert| alert["state"] == "acknowledged").await;
    assert_eq!(taken["acknowledged"]["by"], "Zabbix Administrator (Admin)");

    scene.lab.update_problem(&event, UpdateProblem::Comment("디스크 교체 중")).await;
    bongsu.alert_when(&event, SOON, |alert| comments(alert).len() == 2).await;

    scene.lab.update_problem(&event, UpdateProblem::Severity(5)).await;
    bongsu.alert_when(&event, SOON, |alert| alert["severity"] == "disaster").await;
    // A raise to disaster rings again and is texted, although somebody has it: it is worse than they know.
    phones.told(&alert, &["triggered", "acknowledged"]).await;
    crate::until("the text of the raise", RUNG_WITHIN, async || {
        (phones.texts(&alert).len() == 1).then_some(())
    })
    .await;

    scene.lab.update_problem(&event, UpdateProblem::Close("끝")).await;
    let over = bongsu.alert_when(&event, SOON, |alert| alert["state"] == "resolved").await;
    phones.told(&alert, &["triggered", "acknowledged", "resolved"]).await;
    // Problem, three updates, and the two messages of a closing by hand.
    let messages = scene.lab.messages_sent(&event, 6, SOON).await;
    no_retries(&messages);
    let over = bongsu.alert(over["id"].as_str().unwrap()).await;
    assert_eq!(over["id"], alert["id"]);
    let mut expected = vec![
        "opened",
        "acknowledged Zabbix Administrator (Admin)",
        "comment 제가 봅니다",
        "comment 디스크 교체 중",
        "severity high to disaster",
        "resolved",
    ];
    // Who closed it and why is kept, whichever of the two came first.
    if over["resolved"]["note"] != "closed by Zabbix Administrator (Admin): 끝" {
        expected.push("comment closed by Zabbix Administrator (Admin): 끝");
    }
    assert_eq!(history(&over), expected);

    scene.recover(4).await;
    let second = scene.problem(4).await;
    let alert = bongsu.alert_when(&second, SOON, |alert| alert["state"] == "triggered").await;
    scene.recover(4).await;
    bongsu.alert_when(&second, SOON, |alert| alert["state"] == "resolved").await;
    phones.told(&alert, &["triggered", "resolved"]).await;
    no_retries(&scene.lab.messages_sent(&second, 2, SOON).await);
    assert_eq!(bongsu.alerts().await.len(), 2, "two problems, two alerts");
    scene.remove().await;
}

#[tokio::test]
async fn two_users_with_the_media_are_told_once_and_zabbix_sees_every_message_sent() {
    let phones = Phones::start().await;
    let bongsu = Bongsu::start(&phones).await;
    let scene = build("two_users", &bongsu, Differing { users: 2, ..Differing::default() }).await;
    let event = scene.problem(4).await;
    no_retries(&scene.lab.messages_sent(&event, 2, SOON).await);
    let alert = bongsu.alert_when(&event, SOON, |alert| alert["count"] == 2).await;
    scene.lab.update_problem(&event, UpdateProblem::AcknowledgeWithComment("제가 봅니다")).await;
    no_retries(&scene.lab.messages_sent(&event, 4, SOON).await);
    scene.recover(4).await;
    no_retries(&scene.lab.messages_sent(&event, 6, SOON).await);
    phones.told(&alert, &["triggered", "resolved"]).await;
    let alert = bongsu.alert(alert["id"].as_str().unwrap()).await;
    let once = ["opened", "acknowledged Zabbix Administrator (Admin)", "comment 제가 봅니다", "resolved"];
    assert_eq!(history(&alert), once);
    assert_eq!(bongsu.alerts().await.len(), 1);
    assert_eq!(phones.texts(&alert).len(), 0);
    scene.remove().await;
}

#[tokio::test]
async fn the_problem_in_zabbix_leads_to_the_page_of_its_alert() {
    let (_phones, bongsu, scene) = stage("link").await;
    let event = scene.problem(4).await;
    let alert = bongsu.alert_when(&event, SOON, |alert| alert["state"] == "triggered").await;
    let tag = |name: &str, value: &Value| (name.to_owned(), value.as_str().unwrap().to_owned());
    let expected = [tag("__bongsu_alert_id", &alert["id"]), tag("__bongsu_url", &alert["url"])];
    let menu = crate::until("our tags and the menu entry", SOON, async || {
        let tags = scene.lab.tags(&event).await;
        let menu = scene.lab.menu(&event).await;
        (expected.iter().all(|ours| tags.contains(ours)) && !menu.is_empty()).then_some(menu)
    })
    .await;
    // One entry for each media type that is in Zabbix, those of failed tests included: all lead to one page.
    let ours = tag("Bongsu", &alert["url"]);
    assert!(menu.iter().all(|entry| *entry == ours), "{menu:?}");
    let (status, page) = bongsu.open_link(&menu[0].1).await;
    assert_eq!(status, 200);
    // The host's name has what HTML must not take literally.
    assert!(page.contains("fire 4 on 웹 서버 &lt;1&gt; &quot;bongsu_link"), "{page}");
    scene.remove().await;
}

#[tokio::test]
async fn a_bongsu_that_was_down_for_a_minute_misses_nothing() {
    let (phones, mut bongsu, scene) = stage("down").await;
    let before = scene.problem(2).await;
    let told_before = bongsu.alert_when(&before, SOON, |alert| alert["state"] == "triggered").await;
    phones.told(&told_before, &["triggered"]).await;
    scene.lab.messages_sent(&before, 1, SOON).await;

    bongsu.kill();
    let (fired, disaster, both) = (scene.problem(3).await, scene.problem(5).await, scene.problem(4).await);
    scene.recover(2).await; // the end of what it had told
    scene.recover(4).await; // a whole life while it was away
    crate::until("a minute of failed attempts", A_MINUTE_PASSES_WITHIN, async || {
        let messages = scene.lab.messages(&fired).await;
        messages.first().is_some_and(|message| ATTEMPTS_OF_A_MINUTE <= message.retries).then_some(())
    })
    .await;
    bongsu.boot().await;

    for (event, messages) in [(&before, 2), (&fired, 1), (&disaster, 1), (&both, 2)] {
        let messages = scene.lab.messages_sent(event, messages, CAUGHT_UP_WITHIN).await;
        assert!(messages.iter().all(|message| message.error.is_empty()), "{messages:?}");
    }
    let is = |state: &'static str| move |alert: &Value| alert["state"] == state;
    phones.told(&bongsu.alert_when(&before, SOON, is("resolved")).await, &["triggered", "resolved"]).await;
    phones.told(&bongsu.alert_when(&fired, SOON, is("triggered")).await, &["triggered"]).await;
    phones.told(&bongsu.alert_when(&both, SOON, is("resolved")).await, &["triggered", "resolved"]).await;
    let disaster = bongsu.alert_when(&disaster, SOON, is("triggered")).await;
    phones.told(&disaster, &["triggered"]).await;
    crate::until("the text of the disaster", RUNG_WITHIN, async || {
        (phones.texts(&disaster).len() == 1).then_some(())
    })
    .await;
    assert_eq!(bongsu.alerts().await.len(), 4, "each problem is one alert");
    scene.remove().await;
}

#[tokio::test]
async fn while_the_first_bongsu_is_dead_the_second_rings_the_phones() {
    let phones = Phones::start().await;
    let (mut first, second) = (Bongsu::start(&phones).await, Bongsu::start(&phones).await);
    let second_url = second.events_url();
    let parameters = [("bongsu_url_2", second_url.as_str())];
    let scene = build("dead", &first, Differing { parameters: &parameters, ..Differing::default() }).await;
    first.kill();
    let event = scene.problem(4).await;
    let alert = second.alert_when(&event, SOON, |alert| alert["state"] == "triggered").await;
    phones.told(&alert, &["triggered"]).await;
    let messages = scene.lab.messages_sent(&event, 1, SOON).await;
    no_retries(&messages);
    crate::until("the tag of the one that took it", SOON, async || {
        let url = ("__bongsu_url".to_owned(), alert["url"].as_str().unwrap().to_owned());
        scene.lab.tags(&event).await.contains(&url).then_some(())
    })
    .await;

    // The first is back and never heard of the problem, so its end goes to the second as well.
    first.boot().await;
    scene.recover(4).await;
    second.alert_when(&event, SOON, |alert| alert["state"] == "resolved").await;
    phones.told(&alert, &["triggered", "resolved"]).await;
    no_retries(&scene.lab.messages_sent(&event, 2, SOON).await);
    assert_eq!(first.alerts().await.len(), 0);
    scene.remove().await;
}

#[tokio::test]
async fn what_people_write_reaches_the_phone_as_they_wrote_it() {
    let (phones, bongsu, scene) = stage("text").await;
    let value = "ERR 디스크 \"가득\" 🔥\n둘째 줄: C:\\temp 'q' <b>&amp; ${x} {{y}}\n셋째 줄 ㈜봉수 👩‍🚒";
    let event = scene.problem_with_text(value).await;
    let alert = bongsu.alert_when(&event, SOON, |alert| alert["state"] == "triggered").await;
    assert!(alert["body"].as_str().unwrap().ends_with(value), "{alert}");
    assert!(alert["title"].as_str().unwrap().starts_with("text on 웹 서버 <1> \"bongsu_text"), "{alert}");
    phones.told(&alert, &["triggered"]).await;
    let push = &phones.pushes(&alert)[0];
    assert!(push.data("body").contains(value), "{}", push.data("body"));
    assert!(push.data("title").starts_with("[재난] text on 웹 서버 <1> \"bongsu_text"), "{push:?}");

    let comment = "\"모두\" 😴 자는 중\n둘째 줄 \\ <끝>";
    scene.lab.update_problem(&event, UpdateProblem::Comment(comment)).await;
    let alert = bongsu.alert_when(&event, SOON, |alert| !comments(alert).is_empty()).await;
    assert_eq!(comments(&alert), [comment]);
    no_retries(&scene.lab.messages_sent(&event, 2, SOON).await);
    scene.remove().await;
}

#[tokio::test]
async fn the_test_button_rings_the_phones_as_a_test() {
    let (phones, bongsu, scene) = stage("button").await;
    let returned = scene.lab.press_test(&scene.media_type_id).await.unwrap();
    let returned: Value = serde_json::from_str(&returned).unwrap();
    let id = returned["tags"]["__bongsu_alert_id"].as_str().unwrap();
    let alert = bongsu.alert(id).await;
    assert_eq!((&alert["test"], &alert["state"]), (&json!(true), &json!("triggered")));
    phones.told(&alert, &["test"]).await;
    assert_eq!(phones.texts(&alert).len(), 0);
    assert!(phones.pushes(&alert)[0].data("title").starts_with("[시험] "));
    scene.remove().await;
}

#[tokio::test]
async fn a_wrong_key_is_readable_in_zabbix_and_told_to_people() {
    let phones = Phones::start().await;
    let bongsu = Bongsu::start(&phones).await;
    let parameters = [("bongsu_key", "not-the-key-0123456789")];
    let fields = json!({"attempt_interval": "1s"});
    let scene = build("key", &bongsu, Differing { parameters: &parameters, fields, users: 1 }).await;
    let event = scene.problem(4).await;
    let expected =
        "Bongsu did not take the message. bongsu_url: HTTP 401: this is not the key of integration `zabbix`";
    crate::until("the reason in Zabbix", SOON, async || {
        let messages = scene.lab.messages(&event).await;
        let message = messages.first()?;
        assert_ne!(message.state, MessageState::Sent);
        message.error.contains(expected).then_some(())
    })
    .await;
    let refused = scene.lab.press_test(&scene.media_type_id).await.unwrap_err();
    assert!(refused.contains(expected), "{refused}");
    // Whoever set up a sender with a wrong key looks at neither: so the phones say it, too.
    let alert = bongsu.alert_when("bongsu:wrong-key", SOON, |_| true).await;
    phones.told(&alert, &["triggered"]).await;
    assert!(phones.pushes(&alert)[0].data("title").contains("repeated wrong keys for zabbix"));
    assert_eq!(bongsu.alerts().await.len(), 1, "nothing else was accepted");
    scene.remove().await;
}

/// What a scene has that others have not.
struct Differing<'a> {
    parameters: &'a [(&'a str, &'a str)],
    fields: Value,
    users: usize,
}

impl Default for Differing<'_> {
    fn default() -> Self {
        Self { parameters: &[], fields: json!({}), users: 1 }
    }
}

/// Phones, a Bongsu that reaches them, and a Zabbix that posts to it as shipped.
async fn stage(name: &str) -> (Phones, Bongsu, Scene) {
    let phones = Phones::start().await;
    let bongsu = Bongsu::start(&phones).await;
    let scene = build(name, &bongsu, Differing::default()).await;
    (phones, bongsu, scene)
}

async fn build(name: &str, bongsu: &Bongsu, differing: Differing<'_>) -> Scene {
    let Differing { parameters, fields, users } = differing;
    let media_type = bongsu.setup(&["zabbix"]);
    let spec = SceneSpec { name, media_type, parameters, fields, users };
    Scene::build(ZabbixLab::connect().await, spec).await
}

fn no_retries(messages: &[Message]) {
    let at_once = messages.iter().all(|message| message.state == MessageState::Sent && message.retries == 0);
    assert!(at_once, "{messages:?}");
}

/// What happened to an alert, attempts aside.
fn history(alert: &Value) -> Vec<String> {
    let word = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = alert["journal"].as_array().unwrap().iter();
    rows.filter_map(|row| match row["entry"].as_str().unwrap() {
        "attempt" => None,
        "comment" => Some(format!("comment {}", word(row, "text"))),
        "acknowledged" => Some(format!("acknowledged {}", word(row, "by"))),
        "severity" => Some(format!("severity {} to {}", word(row, "from"), word(row, "to"))),
        other => Some(other.to_owned()),
    })
    .collect()
}

fn comments(alert: &Value) -> Vec<String> {
    history(alert).iter().filter_map(|row| row.strip_prefix("comment ").map(str::to_owned)).collect()
}
