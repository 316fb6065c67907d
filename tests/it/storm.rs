//! Thousands of alerts at once. Nobody is drowned and nobody is ruined; what is not told alone is counted
//! in a digest, exactly; and the ledger shows all of it.

mod books;

use bongsu::sandbox::Answer;
use jiff::SignedDuration;
use serde_json::{Value, json};

use self::books::{Books, disaster_text_limit};
use crate::harness::{GENERIC_KEY, Harness, Setting};

/// Alerts of the replay. `cargo bench --bench storm` plays it on the real clock.
const ALERTS: usize = 2_800;

/// People of the replay.
const PEOPLE: usize = 10;

/// Of so many alerts, one is a disaster.
const DISASTERS_ONE_IN: usize = 10;

/// Most events in one body.
const EVENTS_PER_BODY: usize = 1_000;

/// Segments a person may get in an hour: `sms.budget` and `sms.disaster_budget`, as they are by default.
const SEGMENTS_PER_HOUR: usize = 40 + 20;

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
    match number {
        _ if number % DISASTERS_ONE_IN == 0 => "disaster",
        _ if number % 3 == 0 => "average",
        _ if number % 7 == 0 => "warning",
        _ => "high",
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
    let event = |number: usize| {
        json!({ "title": format!("host{number} down"), "dedup_key": number, "severity": severity(number) })
    };
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
    for (person, segments) in books.segments_within(SignedDuration::from_hours(1)) {
        assert!(segments <= SEGMENTS_PER_HOUR, "p{person} got {segments} segments: {}", books.line(weather));
    }
    books
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_storm_with_fcm_up() {
    let books = replay("up", Answer::Ok).await;
    assert!(books.first_push_after() < SignedDuration::from_secs(2));
    for (person, segments) in books.segments_within(SignedDuration::from_hours(1)) {
        let least = disaster_text_limit();
        assert!(least <= segments, "p{person}: every disaster that the budget allows is texted, {segments}");
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
