//! The server's books and the providers' books, side by side.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bongsu::{
    alert::PushTarget,
    clock::{Clock, SystemClock},
    sandbox::{SEEN_MAX, Sandbox},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::server::{PEOPLE, Site};

/// Everything must be told by then: after a text without an answer Bongsu waits for a minute, a digest
/// may come a minute after the last, and the machine may be slow. A hope that fails loudly, not a measurement.
const TOLD_MAX: SignedDuration = SignedDuration::from_mins(4);

/// How often it is looked whether everything is told.
const LOOK_EVERY: SignedDuration = SignedDuration::from_millis(500);

/// An alert and an address: a device's token, or a number.
pub(crate) type Place = (String, String);

/// One line of the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) number: u64,
    pub(crate) subject: String,
    pub(crate) outcome: String,
    pub(crate) detail: String,
}

/// What the server says.
#[derive(Debug, Default)]
pub(crate) struct ServerBooks {
    /// By id, each with its notifications and its journal.
    pub(crate) alerts: BTreeMap<String, Value>,
    /// Where each attempt went.
    pub(crate) attempts: BTreeMap<Place, Vec<Attempt>>,
}

/// What the providers saw.
#[derive(Debug, Default)]
pub(crate) struct ProviderBooks {
    /// States told by accepted pushes.
    pub(crate) pushes: BTreeMap<Place, Vec<String>>,
    /// Accepted texts.
    pub(crate) texts: BTreeMap<Place, u64>,
}

impl ServerBooks {
    /// Waits until nothing is left to tell, then reads everything.
    pub(crate) async fn read(site: &Site, clock: &Arc<SystemClock>) -> Result<Self, String> {
        let (began, mut alerts) = (clock.now(), BTreeMap::new());
        loop {
            let ids = listing(site).await?;
            if ids.iter().all(|id| alerts.contains_key(id)) {
                break;
            }
            // A digest may have been opened meanwhile.
            alerts = told(site, ids, clock, began).await?;
        }
        let mut attempts: BTreeMap<Place, Vec<Attempt>> = BTreeMap::new();
        for line in pages(site, "attempts").await? {
            let (place, attempt) = attempt_of(&line).ok_or_else(|| format!("a strange attempt: {line}"))?;
            attempts.entry(place).or_default().push(attempt);
        }
        Ok(Self { alerts, attempts })
    }
}

impl ProviderBooks {
    pub(crate) fn read(sandbox: &Sandbox) -> Result<Self, String> {
        let (pushes, texts) = (sandbox.fcm(), sandbox.sms());
        let seen = pushes.counts().seen.max(texts.counts().seen);
        if u64::try_from(SEEN_MAX).is_ok_and(|max| max < seen) {
            return Err(format!("{seen} requests are more than the {SEEN_MAX} that the sandbox remembers"));
        }
        let mut books = Self::default();
        for push in pushes.pushes().iter().filter(|push| push.accepted) {
            let place = (push.data("alert_id").to_owned(), push.target.clone());
            books.pushes.entry(place).or_default().push(push.data("state").to_owned());
        }
        for text in texts.texts().into_iter().filter(|text| text.accepted) {
            *books.texts.entry((text.alert_id, text.to)).or_default() += 1;
        }
        Ok(books)
    }

    /// How many messages an address accepted.
    pub(crate) fn accepted(&self, place: &Place) -> u64 {
        let pushes = self.pushes.get(place).map_or(0, Vec::len);
        u64::try_from(pushes).expect("fits") + self.texts.get(place).copied().unwrap_or_default()
    }

    pub(crate) fn places(&self) -> BTreeSet<Place> {
        self.pushes.keys().chain(self.texts.keys()).cloned().collect()
    }
}

/// Every alert as it is when none of its notifications is under way or waiting.
async fn told(
    site: &Site,
    mut open: Vec<String>,
    clock: &Arc<SystemClock>,
    began: Timestamp,
) -> Result<BTreeMap<String, Value>, String> {
    let mut told = BTreeMap::new();
    while !open.is_empty() {
        let mut still_open = Vec::new();
        let mut example = String::new();
        for id in open {
            let alert = site.get(&format!("/v1/alerts/{id}")).await?;
            if let Some(waiting) = waiting(&alert) {
                example = format!("alert {id}: {waiting}");
                still_open.push(id);
            } else {
                told.insert(id, alert);
            }
        }
        open = still_open;
        if TOLD_MAX < clock.now().duration_since(began) && !open.is_empty() {
            return Err(format!("{} alerts are not told after {TOLD_MAX:#}, such as {example}", open.len()));
        }
        if !open.is_empty() {
            clock.sleep(LOOK_EVERY).await;
        }
    }
    Ok(told)
}

fn waiting(alert: &Value) -> Option<&Value> {
    if let Some(digest) = alert.get("digest").filter(|_| text(alert, "state") == "triggered")
        && count_of(digest) == 0
    {
        return Some(digest);
    }
    let is_open = |state: &str| state == "waiting" || state == "in_flight";
    let notifications = alert.get("notifications")?.as_array()?;
    notifications.iter().find(|one| one.get("state").and_then(Value::as_str).is_some_and(is_open))
}

async fn listing(site: &Site) -> Result<Vec<String>, String> {
    let alerts = pages(site, "alerts").await?;
    Ok(alerts.iter().map(|alert| text(alert, "id").to_owned()).collect())
}

/// Every page of `GET /v1/NAME`.
async fn pages(site: &Site, name: &str) -> Result<Vec<Value>, String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let mut page = site.get(&format!("/v1/{name}?limit=500{cursor}")).await?;
        if let Some(Value::Array(items)) = page.get_mut(name).map(Value::take) {
            all.extend(items);
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}

fn attempt_of(line: &Value) -> Option<(Place, Attempt)> {
    let (_, phone, devices) = PEOPLE.iter().find(|(name, ..)| *name == text(line, "contact"))?;
    let address = match text(line, "transport") {
        "push" => devices.iter().find(|token| describe(token) == text(line, "destination"))?,
        _ => phone,
    };
    let attempt = Attempt {
        number: line.get("attempt")?.as_u64()?,
        subject: text(line, "subject").to_owned(),
        outcome: text(line, "outcome").to_owned(),
        detail: text(line, "detail").to_owned(),
    };
    Some(((text(line, "alert_id").to_owned(), (*address).to_owned()), attempt))
}

fn describe(token: &str) -> String {
    format!("device {}", PushTarget::Token(token.to_owned()).device_id())
}

/// A field that holds text; empty where there is none.
pub(crate) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// How many alerts a digest counts; 0 while it collects.
pub(crate) fn count_of(digest: &Value) -> u64 {
    digest.get("count").and_then(Value::as_u64).unwrap_or_default()
}
