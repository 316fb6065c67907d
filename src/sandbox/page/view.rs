//! What the page shows, made from the records.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::Page;
use crate::{
    alert::Severity,
    sandbox::{
        Phone,
        script::Breakage,
        seen::{Counts, PushSeen, Record, TextSeen},
        stage::Stage,
    },
};

const LOOKED_AT_MAX: usize = 1_000;
const PHONES_MAX: usize = 48;
const MESSAGES_MAX: usize = 20;
const RINGING: SignedDuration = SignedDuration::from_secs(5);
const ADDRESS_CHARS_MAX: usize = 24;
const RAW_CHARS_MAX: usize = 300;

/// The switch's word for not broken.
pub(super) const WORKING: &str = "working";

#[derive(Debug, Serialize)]
pub(super) struct View {
    version: u64,
    roads: [Road; 2],
    phones: Vec<PhoneView>,
    /// Phones that found no room.
    more_phones: usize,
    counts_only: bool,
    has_messages: bool,
    hint: String,
}

#[derive(Debug, Serialize)]
struct Road {
    key: &'static str,
    name: &'static str,
    state: &'static str,
    counts: Counts,
    choices: [Choice; 4],
}

#[derive(Debug, Serialize)]
struct Choice {
    state: &'static str,
    label: &'static str,
    is_on: bool,
}

#[derive(Debug, Serialize)]
struct PhoneView {
    name: String,
    /// Shortened: a real token would be a secret, and it is long.
    addresses: Vec<String>,
    messages: Vec<MessageView>,
    more_messages: usize,
    ringing: bool,
}

#[derive(Debug, Default, Serialize)]
struct MessageView {
    at: Timestamp,
    road: &'static str,
    severity: Option<Severity>,
    state: String,
    title: String,
    body: String,
    integration: String,
    /// Where a tap leads; empty for nowhere.
    url: String,
    ack_url: String,
    ringing: bool,
    /// Pushes with one tag replace each other on a phone; this many were folded into this one.
    times: u32,
    #[serde(skip)]
    tag: String,
}

impl View {
    pub(super) fn of(page: &Page) -> Self {
        // The version first: what happens while we look is news to the next request.
        let version = *page.ground.changes().borrow();
        let now = page.ground.now();
        let pushes = page.fcm.newest(LOOKED_AT_MAX).into_iter().filter(|push| push.accepted);
        let texts = page.sms.newest(LOOKED_AT_MAX).into_iter().filter(|text| text.accepted);
        let pushes = pushes.map(|push| (push.target.clone(), message_of_push(&push, now)));
        let texts = texts.map(|text| (text.to.clone(), message_of_text(text, now)));
        let mut messages: Vec<(String, MessageView)> = pushes.chain(texts).collect();
        // Stable, so messages of one millisecond stay in the order of their company.
        messages.sort_by_key(|(_, message)| std::cmp::Reverse(message.at));

        let known = |phone: &Phone| PhoneView::new(phone.name.clone(), phone.addresses.clone());
        let mut phones: Vec<PhoneView> = page.phones.iter().map(known).collect();
        let has_messages = !messages.is_empty();
        for (address, message) in messages {
            let known = phones.iter().position(|phone| phone.addresses.contains(&address));
            let index = known.unwrap_or_else(|| {
                phones.push(PhoneView::stranger(address));
                phones.len() - 1
            });
            if let Some(phone) = phones.get_mut(index) {
                phone.take(message);
            }
        }
        let more_phones = phones.len().saturating_sub(PHONES_MAX);
        phones.truncate(PHONES_MAX);
        for address in phones.iter_mut().flat_map(|phone| &mut phone.addresses) {
            *address = shortened(address);
        }
        Self {
            version,
            roads: [road("fcm", "FCM", &page.fcm), road("sms", "SMS", &page.sms)],
            more_phones,
            phones,
            counts_only: page.fcm.record() == Record::CountsOnly,
            has_messages,
            hint: page.hint.clone(),
        }
    }
}

fn road<T>(key: &'static str, name: &'static str, company: &Stage<T>) -> Road {
    let broken = company.broken();
    let state = |broken: Option<Breakage>| broken.map_or(WORKING, Breakage::as_str);
    let choices = [
        (None, "Working"),
        (Some(Breakage::Unavailable), "Broken (503)"),
        (Some(Breakage::CutOff), "Cuts the line"),
        (Some(Breakage::Hanging), "Hangs"),
    ];
    let choices = choices.map(|(of, label)| Choice { state: state(of), label, is_on: broken == of });
    Road { key, name, state: state(broken), counts: company.counts(), choices }
}

impl PhoneView {
    fn new(name: String, addresses: Vec<String>) -> Self {
        Self { name, addresses, messages: Vec::new(), more_messages: 0, ringing: false }
    }

    fn stranger(address: String) -> Self {
        let is_number = address.bytes().all(|b| b.is_ascii_digit() || b == b'+');
        let name = if is_number { "A phone number" } else { "A device" };
        Self::new(name.to_owned(), vec![address])
    }

    /// Messages come newest first, so an older one with the same tag was replaced.
    fn take(&mut self, message: MessageView) {
        self.ringing |= message.ringing;
        let is_same = |newer: &&mut MessageView| !message.tag.is_empty() && newer.tag == message.tag;
        if let Some(newer) = self.messages.iter_mut().find(is_same) {
            newer.times += 1;
        } else if self.messages.len() < MESSAGES_MAX {
            self.messages.push(message);
        } else {
            self.more_messages += 1;
        }
    }
}

fn message_of_push(push: &PushSeen, now: Timestamp) -> MessageView {
    let own = |key: &str| push.data(key).to_owned();
    let shown = |key: &str| {
        let paths = ["/notification", "/android/notification", "/apns/payload/aps/alert"];
        let found = paths.iter().find_map(|path| push.message.pointer(path)?.get(key)?.as_str());
        if push.data(key).is_empty() { found.unwrap_or_default().to_owned() } else { own(key) }
    };
    let (title, mut body) = (shown("title"), shown("body"));
    if title.is_empty() && body.is_empty() {
        body = push.message.to_string().chars().take(RAW_CHARS_MAX).collect();
    }
    MessageView {
        at: push.at,
        road: "push",
        severity: push.data("severity").parse().ok(),
        state: own("state"),
        title,
        body,
        integration: own("integration"),
        url: link(push.data("url")),
        ack_url: link(push.data("ack_url")),
        ringing: now.duration_since(push.at) < RINGING,
        times: 1,
        tag: tag_of(&push.message, push.data("tag")),
    }
}

/// What the platform folds by, if the app's own tag is not there.
fn tag_of(message: &Value, own: &str) -> String {
    let paths = ["/android/notification/tag", "/apns/headers/apns-collapse-id"];
    let found = paths.iter().find_map(|path| message.pointer(path)?.as_str());
    if own.is_empty() { found.unwrap_or_default().to_owned() } else { own.to_owned() }
}

fn message_of_text(text: TextSeen, now: Timestamp) -> MessageView {
    MessageView {
        at: text.at,
        road: "text",
        body: text.text,
        integration: shortened(&text.from),
        ringing: now.duration_since(text.at) < RINGING,
        times: 1,
        ..MessageView::default()
    }
}

/// Only web addresses become links: a `javascript:` one would run.
fn link(url: &str) -> String {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if is_web { url.to_owned() } else { String::new() }
}

fn shortened(address: &str) -> String {
    if address.chars().count() <= ADDRESS_CHARS_MAX {
        return address.to_owned();
    }
    let head: String = address.chars().take(ADDRESS_CHARS_MAX - 6).collect();
    let tail: Vec<char> = address.chars().rev().take(4).collect();
    format!("{head}…{}", tail.iter().rev().collect::<String>())
}
