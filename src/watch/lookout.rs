//! Looks after all parts of the program and after the store. What is wrong is told by an alert of our own where that
//! reaches people, else past the store.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;
use tracing::warn;

use super::{
    BypassParts, ONCE_CLOSES_AFTER, OwnEvent,
    bypass::Bypass,
    condition, firing,
    life::{Life, Pace},
    over,
    vitals::{Fault, LOOK_EVERY, STILL_AFTER, Standstill, Vitals},
};
use crate::{
    alert::{Admission, Event, Part, Severity},
    clock::Clock,
    queue::Queue,
    store::{Damaged, FREE_BYTES_MIN, Health, Store, Wanted},
};

/// A store that does not answer within this time is asked again at the next look.
const STORE_PATIENCE: SignedDuration = SignedDuration::from_secs(2);

/// A look says no more after this: well before the next one would take the whole process for asleep.
const LOOK_MAX: SignedDuration = SignedDuration::from_secs(10);

/// People are told below this many free bytes, and again above [`ROOM_BYTES`] that there is room: not at each byte
/// around one limit.
const LOW_BYTES: u64 = 2 * FREE_BYTES_MIN;
const ROOM_BYTES: u64 = 3 * FREE_BYTES_MIN;

/// People are told of an account that is at fault for this long.
const FAULT_LASTS: SignedDuration = SignedDuration::from_mins(10);

/// What lasts is said again this often: somebody may have resolved its alert.
const SAID_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

pub struct Lookout {
    vitals: Arc<Vitals>,
    clock: Arc<dyn Clock>,
    store: Arc<dyn Store>,
    queue: Arc<Queue>,
    /// Kept when the task ends and is started again.
    told: Mutex<Told>,
}

struct Told {
    bypass: Bypass,
    /// Each alert of our own, as it was posted last.
    alerts: BTreeMap<String, Said>,
    ends: BTreeMap<Part, u64>,
    damage: ToldDamage,
}

#[derive(Clone, Copy)]
struct Said {
    is_open: bool,
    at: Timestamp,
}

/// How much of each kind people know to be left out of the store, and when that was posted last.
#[derive(Default)]
struct ToldDamage {
    counts: BTreeMap<&'static str, usize>,
    posted_at: Option<Timestamp>,
}

/// Something that is either wrong or not.
struct Topic {
    key: String,
    /// `None` = all is well.
    severity: Option<Severity>,
    title: String,
    body: String,
}

impl Lookout {
    pub fn new(vitals: Arc<Vitals>, store: Arc<dyn Store>, queue: Arc<Queue>, bypass: BypassParts) -> Self {
        let (clock, bypass) = (vitals.clock().clone(), Bypass::new(bypass));
        let told =
            Told { bypass, alerts: BTreeMap::new(), ends: BTreeMap::new(), damage: ToldDamage::default() };
        Self { vitals, clock, store, queue, told: Mutex::new(told) }
    }

    pub async fn run(self: Arc<Self>, life: Life) {
        let mut pace = Pace::new(life, LOOK_EVERY);
        loop {
            self.look().await;
            if !pace.next().await {
                break;
            }
        }
    }

    async fn look(&self) {
        let mut told = self.told.lock().await;
        // These are told as damage.
        let damaged = self.store.damage().alerts();
        let is_damaged = |id| damaged.contains(&id);
        let (waiting, health) = tokio::join!(
            self.within(self.store.next_due(Wanted::all_but(&is_damaged))),
            condition::health(self.store.as_ref(), self.clock.as_ref())
        );
        // After that: the whole process may have been stopped meanwhile.
        self.vitals.wake();
        if let Some(Ok(since)) = waiting {
            self.vitals.note_waiting(since);
        }
        let now = self.clock.now();
        let mut still = self.vitals.standstills();
        still.retain(|standstill| STILL_AFTER <= now.duration_since(standstill.since));
        if still.iter().any(|standstill| standstill.part.carries_alerts()) {
            told.bypass.stands(&still);
            return;
        }
        let Told { bypass, alerts, ends, damage } = &mut *told;
        if let Some(Err(error)) = self.within(bypass.works(self.store.as_ref())).await {
            warn!(error = %error, "could not keep what was told past the store: {error}");
        }
        let accounts = self.vitals.accounts();
        let accounts: Vec<Topic> =
            accounts.iter().filter_map(|(name, fault)| account(name, *fault, now, alerts)).collect();
        for topic in topics(&still, &health, alerts).into_iter().chain(accounts) {
            if LOOK_MAX <= self.clock.now().duration_since(now) {
                return;
            }
            self.say(topic, alerts).await;
        }
        self.say_damage(&health.damaged, damage).await;
        for (part, count) in self.vitals.ends() {
            let known = ends.entry(part).or_default();
            if *known < count && self.post(OwnEvent::once(started_again(part, count))).await.is_some() {
                *known = count;
            }
        }
    }

    /// Posts what has changed.
    async fn say(&self, topic: Topic, alerts: &mut BTreeMap<String, Said>) {
        let Topic { key, severity, title, body } = topic;
        // At start an alert of an earlier run may be open, so its end is said once, too.
        let (is_open, at) = (severity.is_some(), self.clock.now());
        let known = alerts.get(&key).filter(|said| said.is_open == is_open);
        if known.is_some_and(|said| !is_open || at.duration_since(said.at) < SAID_AGAIN_AFTER) {
            return;
        }
        let event = match severity {
            Some(severity) => {
                if known.is_none() {
                    warn!("{title}: {body}");
                }
                firing(key.clone(), severity, title, body)
            }
            None => over(key.clone(), title, None),
        };
        if self.post(OwnEvent::lasting(event)).await.is_some() {
            alerts.insert(key, Said { is_open, at });
        }
    }

    /// Posts what is left out of the store if there is more of it than people know, and their last alert about it has
    /// closed.
    async fn say_damage(&self, damaged: &[Damaged], told: &mut ToldDamage) {
        let now = self.clock.now();
        let is_news = |of: &Damaged| told.counts.get(of.kind).is_none_or(|known| *known < of.count);
        // Not at the very moment at which the last one closes: it might be joined.
        let is_early = told.posted_at.is_some_and(|at| now.duration_since(at) <= ONCE_CLOSES_AFTER);
        if is_early || !damaged.iter().any(is_news) {
            return;
        }
        let title = "Bongsu: the store is damaged in part".to_owned();
        let event = firing("bongsu:damaged", Severity::High, title, condition::left_out(damaged));
        let admission = self.post(OwnEvent::once(event)).await;
        if admission.is_some() {
            told.posted_at = Some(now);
        }
        // Where one was open still, nobody was notified of what is new.
        if admission == Some(Admission::Opened) {
            told.counts = damaged.iter().map(|of| (of.kind, of.count)).collect();
        }
    }

    async fn post(&self, event: OwnEvent<'_>) -> Option<Admission> {
        match self.within(event.post(&self.queue)).await? {
            Ok(admitted) => admitted.map(|admitted| admitted.admission),
            Err(error) => {
                warn!(error = %error, "could not keep an alert about ourselves: {error}");
                None
            }
        }
    }

    async fn within<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.clock.sleep(STORE_PATIENCE) => None,
        }
    }
}

/// All that may be wrong while alerts are carried, as far as it is known. `told` says which alerts are open.
fn topics(still: &[Standstill], health: &Health, told: &BTreeMap<String, Said>) -> Vec<Topic> {
    let part = |part: &Part| Topic {
        key: format!("bongsu:standing-still:{part}"),
        severity: still.iter().any(|standstill| standstill.part == *part).then_some(Severity::High),
        title: format!("Bongsu: {part} stands still"),
        body: part.meaning().to_owned(),
    };
    let mut topics: Vec<Topic> = Part::ALL.iter().filter(|part| !part.carries_alerts()).map(part).collect();
    topics.push(Topic {
        key: "bongsu:store-moved".to_owned(),
        severity: health.is_moved.then_some(Severity::Disaster),
        title: "Bongsu refuses new alerts: the folder of its store was removed or moved".to_owned(),
        body: "What was accepted is told as long as this process runs. Put the folder back as it was, or stop it, and start \
               with a backup."
            .to_owned(),
    });
    if let Some(free) = health.free_bytes {
        topics.extend(disk(free, told));
    }
    topics
}

/// `None` where there is nothing to say: it is at fault for less than [`FAULT_LASTS`], or was not asked since that was
/// said.
fn account(name: &str, fault: Option<Fault>, now: Timestamp, told: &BTreeMap<String, Said>) -> Option<Topic> {
    let key = format!("bongsu:account:{name}");
    let is_said = |last: Timestamp| told.get(&key).is_some_and(|said| said.is_open && last < said.at);
    if fault.is_some_and(|Fault { since, last }| now.duration_since(since) < FAULT_LASTS || is_said(last)) {
        return None;
    }
    Some(Topic {
        severity: fault.map(|_| Severity::High),
        title: format!("Bongsu: {name} refuses our account"),
        body: "Nothing goes out by it: look at its key, rights and money. The attempts in the ledger say what it answers."
            .to_owned(),
        key,
    })
}

fn disk(free: u64, told: &BTreeMap<String, Said>) -> [Topic; 2] {
    let mebibytes = |bytes: u64| bytes / (1024 * 1024);
    let body = format!("{} MiB are free, and {} MiB are needed.", mebibytes(free), mebibytes(FREE_BYTES_MIN));
    let key = "bongsu:disk".to_owned();
    let enough = if told.get(&key).is_some_and(|said| said.is_open) { ROOM_BYTES } else { LOW_BYTES };
    let low = Topic {
        key,
        severity: (free < enough).then_some(Severity::High),
        title: "Bongsu: the disk of the store is nearly full".to_owned(),
        body: format!("{body} With less new alerts are refused."),
    };
    let full = Topic {
        key: "bongsu:disk-full".to_owned(),
        severity: (free < FREE_BYTES_MIN).then_some(Severity::Disaster),
        title: "Bongsu refuses new alerts: the disk of the store is full".to_owned(),
        body,
    };
    [low, full]
}

fn started_again(part: Part, times: u64) -> Event {
    let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
    let body = format!(
        "It had ended by itself, {times} so far; until it runs again {}. That is a defect: please report it with the log.",
        part.meaning()
    );
    firing(
        format!("bongsu:started-again:{part}"),
        Severity::High,
        format!("Bongsu: {part} was started again"),
        body,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_said_to_be_refused_after_ten_minutes_and_again_only_if_it_still_is() {
        let at = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let fault = |since, last| Some(Fault { since: at(since), last: at(last) });
        let none = BTreeMap::new();
        let told =
            |is_open| BTreeMap::from([("bongsu:account:west".to_owned(), Said { is_open, at: at(100) })]);
        let severity = |fault, now, told: &BTreeMap<String, Said>| {
            account("west", fault, at(now), told).map(|topic| topic.severity)
        };
        let refused = Some(Some(Severity::High));
        // One that was refused a moment ago may have been before we were started.
        assert_eq!(severity(fault(0, 9), 9, &none), None);
        assert_eq!(severity(fault(0, 0), 10, &none), refused);
        assert_eq!(severity(fault(0, 99), 170, &told(true)), None, "nobody has asked it since");
        assert_eq!(severity(fault(0, 101), 170, &told(true)), refused);
        assert_eq!(severity(fault(101, 101), 120, &told(false)), refused);
        assert_eq!(severity(None, 120, &told(true)), Some(None));
        assert_eq!(severity(None, 120, &none), Some(None), "an earlier run may have said it");
    }
}
