//! Thousands of alerts at once. Nobody is drowned and nobody is ruined; what is not told alone is counted
//! in a digest, exactly; and the ledger shows all of it.

mod books;

use bongsu::sandbox::Answer;
use jiff::SignedDuration;
use serde_json::{Value, json};

use self::books::Books;
use crate::harness::{GENERIC_KEY, Harness, Setting, VIEWER, problem};

/// Alerts of the replay. `cargo bench --bench storm` plays it on the real clock.
const ALERTS: usize = 2_800;

/// People of the replay.
const PEOPLE: usize = 10;

/// Of so many alerts, one is a disaster.
const DISASTERS_ONE_IN: usize = 10;

/// Most events in one body.
const EVENTS_PER_BODY: usize = 1_000;

/// Segments a person may get in an hour: `sms.budget` and `sms.disaster_budget`, as they are by default.
const SEGMENTS_PER_HOUR: u64 = 40 + 20;

pub(crate) fn phone(person: usize) -> String {
    format!("+8210123456{person:02}")
}

/// Everybody has a device and a phone.
fn people(count: usize) -> String {
    let contact = |person: usize| {
        let phone = phone(person);
        format!("[[contact]]\nname = \"p{person}\"\nphone = \"{phone}\"\ndevices = [\"device-{person}\"]\n")
    };
    (0..count).map(contact).collect()
}

fn severity(number: usize) -> &'static str {
    if number.is_multiple_of(DISASTERS_ONE_IN) {
        "disaster"
    } else if number.is_multiple_of(3) {
        "average"
    } else if number.is_multiple_of(7) {
        "warning"
    } else {
        "high"
    }
}

async fn post(h: &Harness, events: Vec<Value>) {
    for body in events.chunks(EVENTS_PER_BODY) {
        let (status, answer) =
            h.post("/v1/events/scripts", GENERIC_KEY, &Value::Array(body.to_vec()).to_string()).await;
        assert_eq!(status, 202, "{answer}");
    }
}

fn firing(alerts: usize) -> Vec<Value> {
    let event = |number: usize| json!({ "title": format!("host{number} down"), "dedup_key": number, "severity": severity(number) });
    (0..alerts).map(event).collect()
}

async fn an_hour(h: &Harness) {
    h.settled_after_a_storm().await;
    for seconds in [5; 24].into_iter().chain([60; 60]) {
        h.clock.advance(SignedDuration::from_secs(seconds));
        h.settled_after_a_storm().await;
    }
}

/// The replay under one kind of weather; prints its line of the table.
#[expect(clippy::print_stdout, reason = "the table is for whoever runs the replay")]
async fn replay(weather: &str, answer: Answer) -> Books {
    let h = Harness::with(Setting { contacts: people(PEOPLE), ..Setting::default() }).await;
    h.sandbox.fcm().always(answer);
    post(&h, firing(ALERTS)).await;
    an_hour(&h).await;
    let books = Books::read(&h, PEOPLE).await;
    println!("{}", books.line(weather));
    books.assert_everybody_was_told_of_everything(ALERTS);
    books.assert_digests_count_what_was_folded();
    books.assert_disasters_were_told_within_a_minute();
    books.assert_disasters_were_told_alone_while_their_budget_lasted();
    books.assert_the_ledger_has_everything_that_arrived();
    for (person, segments) in books.segments_within(SignedDuration::from_hours(1)) {
        assert!(segments <= SEGMENTS_PER_HOUR, "{person} got {segments} segments: {}", books.line(weather));
    }
    books
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_storm_with_fcm_up() {
    let books = replay("up", Answer::Ok).await;
    assert!(books.first_push_after() < SignedDuration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_goes_on_over_a_restart() {
    const FEW: usize = 3;
    let mut h = Harness::with(Setting { contacts: people(FEW), ..Setting::default() }).await;
    let (before, after) = (firing(600), firing(1_000).split_off(600));
    post(&h, before).await;
    h.restart().await;
    post(&h, after).await;
    an_hour(&h).await;
    let books = Books::read(&h, FEW).await;
    books.assert_everybody_was_told_of_everything(1_000);
    books.assert_digests_count_what_was_folded();
    books.assert_disasters_were_told_within_a_minute();
    books.assert_disasters_were_told_alone_while_their_budget_lasted();
    books.assert_the_ledger_has_everything_that_arrived();
    for (person, segments) in books.segments_within(SignedDuration::from_hours(1)) {
        assert!(segments <= SEGMENTS_PER_HOUR, "{person} got {segments} segments");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_storm_with_fcm_throttling() {
    replay("throttling", Answer::quota(Some(60))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_storm_with_fcm_down() {
    replay("down", Answer::internal()).await;
}

/// jin has a phone and no device; two texts in ten minutes.
fn a_tight_budget() -> Setting {
    Setting {
        fcm: None,
        contacts: "[[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\n".into(),
        more: "[sms]\nbudget = [\"2/10m\"]\ndisaster_budget = [\"1/10m\"]".into(),
        ..Setting::default()
    }
}

#[tokio::test]
async fn past_the_budget_alerts_are_counted_in_a_digest_and_every_place_shows_it() {
    let h = Harness::with(a_tight_budget()).await;
    let mut last = Value::Null;
    for number in 0..5 {
        last = h.zabbix(problem("disk full").id(&number.to_string())).await;
        // In this order: those that are due at the same instant are told in any.
        h.settled().await;
    }
    assert_eq!(h.texts().len(), 2);
    let (status, ready) = h.get_as("/readyz", "").await;
    assert_eq!((status, &ready["storm"]["contacts"]), (200, &json!(1)));
    let notice = &ready["notices"][0];
    assert_eq!((&notice["code"], &notice["contacts"]), (&json!("storm"), &json!(1)), "{ready}");
    let (_, metrics) = h.get_as("/metrics", "").await;
    let metrics = metrics.as_str().expect("text").to_owned();
    assert!(metrics.contains("bongsu_notifications_held_back_total 3"), "{metrics}");
    assert!(metrics.contains("bongsu_storm_contacts 1"), "{metrics}");

    h.pass(30).await;
    let text = h.texts().pop().expect("a text");
    assert!(text.contains("3 more: 3 high"), "{text}");
    let alert = h.alert(&last).await;
    let folded = alert["journal"].as_array().expect("a journal").iter().find(|row| row["entry"] == "folded");
    let digest = folded.expect("it says so")["digest"].clone();
    let digest = h.get(&format!("/v1/alerts/{}", digest.as_str().expect("an id"))).await;
    assert_eq!((&digest["digest"]["count"], &digest["state"]), (&json!(3), &json!("resolved")));
    assert_eq!(digest["resolved"]["by"], "told");
    let page = format!("/alerts/{}", last["alert_id"].as_str().expect("an id"));
    let (_, page) = h.get_as(&page, VIEWER).await;
    assert!(page.to_string().contains("told in digest"), "{page}");
}

#[tokio::test]
async fn a_budget_and_what_was_held_back_survive_a_restart() {
    let mut h = Harness::with(a_tight_budget()).await;
    for number in 0..4 {
        h.zabbix(problem("disk full").id(&number.to_string())).await;
    }
    h.settled().await;
    h.restart().await;
    h.zabbix(problem("swap full").id("9")).await;
    h.settled().await;
    assert_eq!(h.texts().len(), 2, "nothing is left, as before");
    assert_eq!(h.get_as("/readyz", "").await.1["storm"]["contacts"], 1);
    h.restart().await;
    h.settled().await;
    h.pass(30).await;
    assert_eq!(h.texts().len(), 3, "one digest for what was held back before and after");
    assert!(h.texts()[2].contains("3 more: 3 high"), "{:?}", h.texts());
    h.pass(600).await;
    h.zabbix(problem("cpu on fire").id("10")).await;
    h.settled().await;
    assert!(h.texts()[3].contains("cpu on fire"), "ten minutes later there is a budget again");
}

/// One gateway, which takes so many segments a day.
fn with_a_day(segments: u32) -> Setting {
    let more = format!(
        "[[sms.gateway]]\nname = \"one\"\nprovider = \"http\"\nurl = \"SANDBOX/sms/send\"\nper_day = {segments}\n\
         body = '{{\"to\": \"{{{{to}}}}\", \"text\": \"{{{{text}}}}\"}}'\n"
    );
    Setting { gateways: Vec::new(), more, ..Setting::default() }
}

#[tokio::test]
async fn a_gateway_that_nears_its_day_says_so_by_push_and_then_takes_only_what_must_go() {
    let h = Harness::with(with_a_day(5)).await;
    for number in 0..4 {
        h.zabbix(problem("site down").id(&number.to_string()).severity(5)).await;
        h.settled().await;
    }
    let told = |words: &str| h.pushes().iter().filter(|push| push.contains(words)).count();
    assert_eq!((told("50 %"), told("80 %"), told("100 %")), (1, 1, 0));
    h.zabbix(problem("site down").id("4").severity(5)).await;
    h.settled().await;
    assert_eq!((told("50 %"), told("80 %"), told("100 %"), h.texts().len()), (1, 1, 1, 5));
    h.zabbix(problem("site down").id("5").severity(5)).await;
    h.settled().await;
    assert_eq!(h.texts().len(), 6, "a disaster goes all the same");
    h.sandbox.fcm().always(Answer::invalid_argument());
    h.zabbix(problem("disk full").id("6")).await;
    h.settled().await;
    assert_eq!(h.texts().len(), 6, "anything else is held back");
    h.pass(30).await;
    assert_eq!(h.texts().len(), 7, "and told in a digest");
    let (_, metrics) = h.get_as("/metrics", "").await;
    assert!(
        metrics.to_string().contains("bongsu_sms_gateway_day_limit_segments{gateway=\\\"one\\\"} 5"),
        "{metrics}"
    );
}

#[tokio::test]
async fn where_there_is_no_push_a_text_says_that_a_gateway_nears_its_day() {
    let h = Harness::with(Setting { fcm: None, ..with_a_day(20) }).await;
    for number in 0..10 {
        // Not all at once: what is under way counts with the most that it may cost.
        h.zabbix(problem("site down").id(&number.to_string()).severity(5)).await;
        h.settled().await;
    }
    let told = h.texts().iter().filter(|text| text.contains("SMS gateway one: 50 % of 20 segments")).count();
    assert_eq!((told, h.texts().len()), (1, 11));
}

#[tokio::test]
async fn what_comes_and_goes_is_told_as_flapping_once_and_then_when_it_is_stable() {
    let h = Harness::start().await;
    let event = |status: &str| json!({ "title": "link down", "dedup_key": "eth0", "severity": "high", "status": status });
    let mut rounds = Vec::new();
    for _ in 0..8 {
        rounds.push(
            h.post("/v1/events/scripts", GENERIC_KEY, &event("firing").to_string()).await.1["results"][0]
                .clone(),
        );
        h.settled().await;
        h.pass(30).await;
        h.post("/v1/events/scripts", GENERIC_KEY, &event("resolved").to_string()).await;
        h.settled().await;
        h.pass(30).await;
    }
    let pushes = h.pushes();
    assert_eq!(pushes.len(), 3 * 2 + 1, "three rounds, and that it flaps: {pushes:?}");
    assert!(pushes[6].contains("Comes and goes (4 times)"), "{pushes:?}");
    h.pass(300).await;
    assert_eq!(h.pushes().len(), 8, "over for five minutes: {:?}", h.pushes());
    assert!(h.pushes()[7].starts_with("resolved"), "{:?}", h.pushes());
    for round in &rounds[3..] {
        let alert = h.alert(round).await;
        let rows = alert["journal"].as_array().expect("a journal");
        assert!(rows.iter().any(|row| row["entry"] == "flapping"), "the ledger shows it: {alert}");
    }
    h.pass(3_600).await;
    h.post("/v1/events/scripts", GENERIC_KEY, &event("firing").to_string()).await;
    h.settled().await;
    assert_eq!(h.pushes().len(), 9, "a new day: told at once");
}
