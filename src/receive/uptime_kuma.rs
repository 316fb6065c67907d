//! Uptime Kuma 1 and 2: one heartbeat of one monitor.
//!
//! As JSON, as a form field `data` (multipart) that holds the same JSON, or as form fields `heartbeat`,
//! `monitor` and `msg`. The Test button and notices about certificates have only `msg`.
//!
//! Only what is named here is taken from a monitor: version 1 sends passwords along.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use jiff::Timestamp;
use regex_lite::Regex;

use super::{
    Post, Reading, form,
    json::{Pairs, Texts, string},
    labels::{Labels, tags_from_json},
    link, multipart,
    text::{self, split_first_line},
    time,
    words::{RESOLVED, noted},
};
use crate::alert::{DedupKey, Event, EventStatus, Kind, Severity};

/// Members of a monitor that are kept, and as which label.
const LABELS: &str = "name=monitor pathName=path type=type hostname=hostname port=port
    description=description keyword=keyword";

const FORM_FIELDS_MAX: usize = 512;

/// What counts down in a notice.
static DAYS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bin -?[0-9]+ days?\b").expect("well formed"));

/// What the Test button writes after the notification's name.
const TEST_ENDING: &str = " Testing";

/// `None` if it comes from another sender.
pub(super) fn read(post: &Post<'_>) -> Option<Reading> {
    match multipart::json_object(post.text) {
        Some(object) => read_heartbeat(post, &Pairs::read(object)?),
        None => read_form(post),
    }
}

/// `None` if there is neither a heartbeat nor a monitor.
pub(super) fn read_heartbeat(post: &Post<'_>, top: &Pairs<'_>) -> Option<Reading> {
    if top.raw("heartbeat").is_none() && top.raw("monitor").is_none() {
        return None;
    }
    event(post, top.object("monitor"), top.object("heartbeat").as_ref(), top.text("msg"))
}

fn read_form(post: &Post<'_>) -> Option<Reading> {
    let fields = form::pairs(post.text.trim(), FORM_FIELDS_MAX);
    let field =
        |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_ref());
    let (heartbeat, monitor) = (field("heartbeat")?, field("monitor")?);
    event(post, Pairs::read(monitor), Pairs::read(heartbeat).as_ref(), field("msg").map(str::to_owned))
}

fn event(
    post: &Post<'_>,
    monitor: Option<Pairs<'_>>,
    heartbeat: Option<&Pairs<'_>>,
    message: Option<String>,
) -> Option<Reading> {
    let Some(monitor) = monitor else { return notice(&message?) };
    let beat = |name: &str| heartbeat.and_then(|heartbeat| heartbeat.text(name));
    let id = monitor.text("id").or_else(|| beat("monitorID"));
    let name = monitor.text("name").or_else(|| id.as_ref().map(|id| format!("monitor {id}")))?;
    let message = beat("msg").or(message).unwrap_or_default();
    let status = status(&beat("status").unwrap_or_default(), &message);
    let at = time_of(beat);
    let is_firing = status == EventStatus::Firing;
    let is_over = status == RESOLVED;
    let down = post.integration.severity.get("down").copied().unwrap_or(Severity::High);
    let key = id.map_or_else(|| DedupKey::derived("monitor", &[&name]), DedupKey::new);
    let event = Event {
        status,
        severity: is_firing.then_some(down),
        body: text::body(&message),
        labels: labels(&monitor),
        source_url: link::first(monitor.text("url")),
        said_at: at,
        ended_at: at.filter(|_| is_over),
        ..Event::firing(key, text::title(&format!("{name} is down")))
    };
    Some(event.into())
}

/// 0 down, 1 up, 2 pending, 3 under maintenance.
fn status(word: &str, message: &str) -> EventStatus {
    let note = |what: &str| noted(format!("{what}: {message}").trim_end_matches([':', ' ']));
    match word.trim() {
        "1" => RESOLVED,
        "2" => note("pending"),
        "3" => note("under maintenance"),
        _ => EventStatus::Firing,
    }
}

/// `time` is UTC whatever the server's zone; old versions only have the local time and its offset.
fn time_of(beat: impl Fn(&str) -> Option<String>) -> Option<Timestamp> {
    let local = || Some(format!("{}{}", beat("localDateTime")?.trim(), beat("timezoneOffset")?.trim()));
    beat("time").and_then(|text| time::utc(&text)).or_else(|| time::utc(&local()?))
}

fn labels(monitor: &Pairs<'_>) -> Texts {
    let mut labels = Labels::default();
    let names = LABELS.split_ascii_whitespace().filter_map(|names| names.split_once('='));
    labels.extend(names.filter_map(|(member, label)| Some((label, monitor.text(member)?))));
    if let Some(tags) = monitor.raw("tags").and_then(tags_from_json) {
        labels.insert_tags(&tags);
    }
    labels.finish()
}

/// The Test button, or a certificate that `will expire in 14 days`: that comes daily with another number, and is one
/// alert.
fn notice(message: &str) -> Option<Reading> {
    let message = if message.starts_with('"') { string(message) } else { message.to_owned() };
    let (title, rest) = split_first_line(&message);
    let title = text::title(title);
    let is_test = title.ends_with(TEST_ENDING);
    let any_day = DAYS.replace_all(&title, "in days").into_owned();
    let key = DedupKey::derived(if is_test { "test" } else { "notice" }, &[&any_day]);
    let is_empty = title.is_empty();
    let event = Event {
        severity: (!is_test).then_some(Severity::Warning),
        body: text::body(rest),
        kind: if is_test { Kind::Test } else { Kind::Problem },
        ..Event::firing(key, title)
    };
    (!is_empty).then(|| event.into())
}
