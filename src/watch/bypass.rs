//! What the store cannot hold is told past it: from memory, one push to each device and one text to each contact, at
//! most once an hour, however often it comes and goes; whom nothing has reached is tried again sooner. Once all works
//! again, one alert in the ledger says what happened, with every attempt; who was told is notified of the end.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tokio_util::task::TaskTracker;
use tracing::{error, info};

use super::{firing, vitals::Standstill};
use crate::{
    alert::{
        Address, Alert, AlertId, ContactName, ContactProgress, Entry, Notified, OURS, Outcome, Part,
        Resolution, ResolvedBy, Row, Severity, Subject, Texted, Transport,
    },
    clock::Clock,
    deliver::{Channels, Outage, Push, PushTransport},
    plan::{self, Send, Settlement},
    roster::{Device, Person, Roster},
    store::{AlertWrite, Commit, Expect, Lane, Store, StoreError},
};

/// Whom something may have reached is told at most this often, unless another outage begins that stops something else.
const TELL_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// It is over when nothing has stood still for this long.
const OVER_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Tries of one message, and the pause between them.
const TRIES_MAX: usize = 3;
const TRY_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// Whom nothing has reached is tried again after `retry.max` within these bounds.
const AGAIN_AFTER: RangeInclusive<SignedDuration> =
    SignedDuration::from_mins(1)..=SignedDuration::from_mins(10);

/// Most attempts of one outage that the ledger gets.
const ROWS_MAX: usize = 2_000;

/// What telling past the store needs.
pub struct BypassParts {
    pub channels: Channels,
    pub roster: Arc<Roster>,
    pub clock: Arc<dyn Clock>,
    pub tasks: TaskTracker,
    /// `retry.max`.
    pub try_every: SignedDuration,
}

pub(super) struct Bypass {
    parts: BypassParts,
    incident: Option<Incident>,
    /// Who has heard of outages that are over.
    heard: HashMap<ContactName, Heard>,
}

/// What one contact has heard of within an hour.
struct Heard {
    at: Timestamp,
    /// What stood still.
    parts: BTreeSet<Part>,
}

struct Incident {
    /// What the ledger gets in the end.
    alert: Alert,
    /// Shared with each message that is on its way.
    attempts: Arc<Mutex<Attempts>>,
    /// When each contact was tried last.
    tried: BTreeMap<ContactName, Timestamp>,
    /// What stood still in it and carries alerts.
    parts: BTreeSet<Part>,
    /// Since when nothing has stood still any more.
    over_since: Option<Timestamp>,
}

#[derive(Default)]
struct Attempts {
    count: u32,
    rows: Vec<Row>,
    /// When something was sent last that may have reached this contact.
    reached: HashMap<ContactName, Timestamp>,
    /// What each contact knows.
    contacts: BTreeMap<ContactName, ContactProgress>,
    /// Whom a message is on its way to.
    under_way: BTreeSet<ContactName>,
}

impl Bypass {
    pub(super) fn new(parts: BypassParts) -> Self {
        Self { parts, incident: None, heard: HashMap::new() }
    }

    /// These parts stand still: who has not been told within the last hour is.
    pub(super) fn stands(&mut self, standstills: &[Standstill]) {
        let now = self.parts.clock.now();
        let try_every = self.parts.try_every.clamp(*AGAIN_AFTER.start(), *AGAIN_AFTER.end());
        let Some(since) = standstills.iter().map(|standstill| standstill.since).min() else { return };
        let parts: Vec<Part> = standstills.iter().map(|standstill| standstill.part).collect();
        let incident =
            self.incident.get_or_insert_with(|| Incident::new(&parts, since, self.parts.clock.as_ref()));
        incident.over_since = None;
        incident.parts.extend(parts.iter().filter(|part| part.carries_alerts()));
        let outage = Arc::new(Outage { parts, since: incident.alert.starts_at });
        for person in self.parts.roster.now().iter() {
            let is_known = self.heard.get(&person.name).is_some_and(|heard| heard.covers(incident, now));
            if is_known || !incident.is_due(&person.name, now, try_every) {
                continue;
            }
            error!("{}: {} is told past the store", incident.alert.title, person.name);
            incident.tried.insert(person.name.clone(), now);
            locked(&incident.attempts).under_way.insert(person.name.clone());
            let message = Message {
                channels: self.parts.channels.clone(),
                clock: self.parts.clock.clone(),
                alert: incident.alert.clone(),
                outage: outage.clone(),
                person: person.clone(),
                attempts: incident.attempts.clone(),
            };
            self.parts.tasks.spawn(message.send());
        }
    }

    /// Nothing stands still. After a while without relapse, and when every message has come to its end, the ledger
    /// gets its rows; who was told is notified of the end as of any other.
    pub(super) async fn works(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        let Some(incident) = &mut self.incident else { return Ok(()) };
        let since = *incident.over_since.get_or_insert(now);
        if now.duration_since(since) < OVER_AFTER || 1 < Arc::strong_count(&incident.attempts) {
            return Ok(());
        }
        // Where nobody was told of it, nobody is told of its end.
        let due = (!incident.tried.is_empty()).then_some(now);
        let write = AlertWrite::of(incident.as_over(since), Expect::FIRST_ROUND, due);
        match store.commit(Lane::Deliver, &[write]).await?.pop() {
            Some(Commit::Failed(error)) => return Err(error),
            // A conflict: it was written by an earlier call that heard no answer.
            Some(Commit::Done(_) | Commit::Conflict(_)) | None => {}
        }
        info!("all works again since {since}");
        self.heard.retain(|_, heard| now.duration_since(heard.at) < TELL_EVERY);
        for (contact, at) in &locked(&incident.attempts).reached {
            let heard = Heard { at: *at, parts: BTreeSet::new() };
            let heard = self.heard.entry(contact.clone()).or_insert(heard);
            heard.at = *at;
            heard.parts.extend(&incident.parts);
        }
        self.incident = None;
        Ok(())
    }
}

impl Heard {
    /// Whether this outage is no news to who has heard this.
    fn covers(&self, incident: &Incident, now: Timestamp) -> bool {
        now.duration_since(self.at) < TELL_EVERY && incident.parts.is_subset(&self.parts)
    }
}

impl Incident {
    fn new(parts: &[Part], since: Timestamp, clock: &dyn Clock) -> Self {
        let names: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
        let meanings: Vec<&str> = parts.iter().map(|part| part.meaning()).collect();
        let title = format!("Bongsu itself stands still: {}", names.join(", "));
        let event = firing(format!("standing-still:{since}"), Severity::Disaster, title, meanings.join("\n"));
        let now = clock.now();
        let id = AlertId::new(now, clock.chance().bytes());
        let alert = Alert { starts_at: since, ..Alert::opened(id, OURS, &event, now) };
        Self {
            alert,
            attempts: Arc::default(),
            tried: BTreeMap::new(),
            parts: BTreeSet::new(),
            over_since: None,
        }
    }

    fn is_due(&self, contact: &ContactName, now: Timestamp, try_every: SignedDuration) -> bool {
        let has_passed = |at: Option<&Timestamp>, pause| at.is_none_or(|at| pause <= now.duration_since(*at));
        let attempts = locked(&self.attempts);
        !attempts.under_way.contains(contact)
            && has_passed(self.tried.get(contact), try_every)
            && has_passed(attempts.reached.get(contact), TELL_EVERY)
    }

    fn as_over(&self, since: Timestamp) -> Alert {
        let mut alert = self.alert.clone();
        alert.to = self.tried.keys().cloned().collect();
        let attempts = locked(&self.attempts);
        alert.attempts = attempts.count;
        alert.rows.extend(attempts.rows.iter().cloned());
        alert.progress.contacts.clone_from(&attempts.contacts);
        alert.resolve(Resolution::by(ResolvedBy::Sender, since));
        alert
    }
}

/// What one contact is told.
struct Message {
    channels: Channels,
    clock: Arc<dyn Clock>,
    alert: Alert,
    outage: Arc<Outage>,
    person: Person,
    attempts: Arc<Mutex<Attempts>>,
}

impl Message {
    /// By push and by text at once.
    async fn send(self) {
        let pushes = async {
            if let Some(push) = &self.channels.push {
                for device in &self.person.devices {
                    self.push(push.as_ref(), device).await;
                }
            }
        };
        tokio::join!(pushes, self.text());
    }

    async fn push(&self, transport: &dyn PushTransport, device: &Device) {
        let mut about = self.channels.composer.about_outage(&self.alert, &self.outage, self.clock.now());
        for number in 1..=TRIES_MAX {
            let send = self.begin(Address::Device(device.id));
            let message = about.push(&send, self.person.language);
            let push = Push { target: device.target.clone(), message };
            let outcome = transport.send(push).await;
            let is_over = matches!(outcome, Outcome::Accepted { .. } | Outcome::Rejected { .. });
            self.keep(send, outcome, 0);
            if is_over || number == TRIES_MAX {
                return;
            }
            self.clock.sleep(TRY_AGAIN_AFTER).await;
        }
    }

    /// Through the gateways in order, until one has it or may have it.
    async fn text(&self) {
        let about = self.channels.composer.about_outage(&self.alert, &self.outage, self.clock.now());
        for number in 1..=TRIES_MAX {
            for gateway in &self.channels.gateways {
                let send = self.begin(Address::Gateway(gateway.name().clone()));
                let Some(text) = about.text(&send, &self.person, gateway.as_ref()) else { return };
                let segments = text.fitted.segments;
                let outcome = gateway.send(text).await;
                let may_arrive = outcome.short().may_arrive();
                self.keep(send, outcome, segments);
                if may_arrive {
                    return;
                }
            }
            if self.channels.gateways.is_empty() || number == TRIES_MAX {
                return;
            }
            self.clock.sleep(TRY_AGAIN_AFTER).await;
        }
    }

    fn begin(&self, address: Address) -> Send {
        let mut attempts = locked(&self.attempts);
        attempts.count += 1;
        let (attempt, contact, began) = (attempts.count, self.person.name.clone(), self.clock.now());
        Send { attempt, contact, subject: Subject::Opened, severity: Severity::Disaster, address, began }
    }

    fn keep(&self, send: Send, outcome: Outcome, segments: u8) {
        let (number, contact) = (send.attempt, &send.contact);
        let (transport, word) = (send.address.transport(), outcome.as_str());
        info!("attempt {number} past the store, {} to {contact}: {word}", transport.as_str());
        let ended = self.clock.now();
        let reached = outcome.short().may_arrive().then(|| (contact.clone(), send.began));
        let notified =
            if matches!(outcome, Outcome::Accepted { .. }) { Notified::Yes } else { Notified::Maybe };
        let texted = if transport == Transport::Sms { Texted::Yes } else { Texted::No };
        let row = plan::attempt_row(&Settlement { send, outcome, segments, ended });
        let mut attempts = locked(&self.attempts);
        if let Some((contact, at)) = reached {
            let known = attempts.contacts.entry(contact.clone()).or_default();
            known.certain = known.certain.max(notified);
            known.known_as = Severity::Disaster;
            known.texted = known.texted.max(texted);
            attempts.reached.insert(contact, at);
        }
        if attempts.rows.len() < ROWS_MAX {
            attempts.rows.push(Row { at: ended, entry: Entry::Attempt(row) });
        }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        locked(&self.attempts).under_way.remove(&self.person.name);
    }
}

fn locked(attempts: &Mutex<Attempts>) -> MutexGuard<'_, Attempts> {
    attempts.lock().unwrap_or_else(PoisonError::into_inner)
}
