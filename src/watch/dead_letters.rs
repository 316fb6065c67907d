//! Whom nobody could notify of what: each stays until an operator has looked, or until it was told after all.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    iter,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::{sync::OnceCell, task::JoinSet};
use tracing::error;

use crate::{
    alert::{Alert, AlertId, ContactName, GivenUp, Severity},
    clock::Clock,
    store::{Lane, Record, Store, StoreError, when_available},
};

/// Most that are kept; one more takes the place of the oldest that needs nobody's look, else of the oldest.
const KEPT_MAX: u16 = 10_000;

/// One contact who could not be notified of one alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its place among those that are kept.
    slot: u16,
    pub alert_id: AlertId,
    pub contact: ContactName,
    pub reason: String,
    /// As how severe the alert was told, or was to be.
    pub severity: Severity,
    pub at: Timestamp,
    /// The others were notified that this contact was not reached.
    pub others_told: bool,
    #[serde(flatten)]
    pub stands: Stands,
}

/// How a dead letter stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Stands {
    Unseen,
    /// An operator has looked.
    Seen {
        by: String,
        since: Timestamp,
    },
    /// An operator had it tried once more.
    Retried {
        by: String,
        since: Timestamp,
    },
    /// It was told after all.
    Told {
        since: Timestamp,
    },
}

impl Record for DeadLetter {
    const KIND: &'static str = "dead letter";

    fn key(&self) -> Vec<u8> {
        self.slot.to_be_bytes().to_vec()
    }
}

impl DeadLetter {
    /// As it stands in addresses: the alert and the contact.
    pub fn id(&self) -> String {
        format!("{}:{}", self.alert_id, self.contact)
    }

    fn is_unseen(&self) -> bool {
        self.stands == Stands::Unseen
    }

    /// Giving up once more, or on what is more severe, is another thing.
    fn is_settled(&self, severity: Severity) -> bool {
        self.severity < severity || matches!(self.stands, Stands::Retried { .. } | Stands::Told { .. })
    }
}

/// Dead letters that nobody has looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// Of these nobody knows.
    pub untold: usize,
    /// Of these the others know.
    pub told: usize,
}

impl Unseen {
    pub fn in_all(self) -> usize {
        self.told + self.untold
    }
}

/// Those that are kept.
#[derive(Default)]
struct Letters {
    by_alert: BTreeMap<AlertId, BTreeMap<ContactName, DeadLetter>>,
    /// Whose each slot is.
    owners: BTreeMap<u16, (AlertId, ContactName)>,
}

pub struct DeadLetters {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    letters: Mutex<Letters>,
    /// Held from reading a letter until what it becomes is written.
    changing: tokio::sync::Mutex<()>,
    /// Set once what earlier processes kept was read.
    read: OnceCell<()>,
}

impl DeadLetters {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            letters: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            read: OnceCell::new(),
        }
    }

    /// Reads what earlier processes kept; what cannot be read is left out. What an operator had tried once more, and
    /// was not, is to be looked at again.
    pub async fn restore(&self) {
        let clock = self.clock.as_ref();
        if let Err(error) = when_available(clock, "the dead letters of earlier runs", || self.read()).await {
            error!(error = %error, "could not read the dead letters of earlier runs yet: {error}");
        }
        let is_retried = |letter: &&DeadLetter| matches!(letter.stands, Stands::Retried { .. });
        let retried: BTreeSet<AlertId> =
            self.letters().values().filter(is_retried).map(|letter| letter.alert_id).collect();
        for id in retried {
            let read = when_available(clock, "what was tried once more", || self.store.get(id)).await;
            let Ok(Some(stored)) = read else { continue };
            let note = || async { self.note([&stored.alert]).await.into_values().next().map_or(Ok(()), Err) };
            if let Err(error) = when_available(clock, "what was tried once more", note).await {
                error!(alert.id = %id, error = %error, "could not look at what was tried once more: {error}");
            }
        }
    }

    /// Until this has worked nothing is written: it might take the place of what was not read.
    async fn read(&self) -> Result<(), StoreError> {
        let read = async || {
            let kept = self.store.all::<DeadLetter>().await?;
            let mut letters = self.letters();
            for letter in kept {
                letters.insert(letter);
            }
            Ok(())
        };
        self.read.get_or_try_init(read).await?;
        Ok(())
    }

    /// Keeps whom these alerts, as they are about to be written, give up, and notes who was told after all. That is
    /// durable when this returns, but where the store is damaged; the alerts of which it may be written later, and why not
    /// now.
    pub async fn note<'a>(
        &self,
        alerts: impl IntoIterator<Item = &'a Alert>,
    ) -> HashMap<AlertId, StoreError> {
        if let Err(error) = self.read().await {
            let gives_up = |alert: &&Alert| alert.given_up().next().is_some();
            return alerts.into_iter().filter(gives_up).map(|alert| (alert.id, error.clone())).collect();
        }
        let alerts: Vec<&Alert> = alerts.into_iter().collect();
        let changed_by = || self.letters().changed_by(alerts.iter().copied(), self.clock.now());
        if changed_by().is_empty() {
            return HashMap::new();
        }
        let _changing = self.changing.lock().await;
        let mut writes = JoinSet::new();
        for letter in changed_by() {
            let store = self.store.clone();
            writes.spawn(async move { (store.put(Lane::Deliver, &letter).await, letter) });
        }
        let mut failed = HashMap::new();
        for (written, letter) in writes.join_all().await {
            match written {
                Ok(()) => self.letters().insert(letter),
                // No try would write it, and the others are to be told of it: it is kept until the next start.
                Err(error @ StoreError::Damaged(_)) => {
                    error!(alert.id = %letter.alert_id, error = %error, "a dead letter cannot be written down: {error}");
                    self.letters().insert(letter);
                }
                Err(error) => drop(failed.insert(letter.alert_id, error)),
            }
        }
        failed
    }

    /// Those that nobody has looked at first, and the latest first.
    pub fn all(&self) -> Vec<DeadLetter> {
        let mut all: Vec<DeadLetter> = self.letters().values().cloned().collect();
        all.sort_by(|one, other| {
            let order = other.is_unseen().cmp(&one.is_unseen()).then_with(|| other.at.cmp(&one.at));
            order.then_with(|| one.contact.cmp(&other.contact))
        });
        all
    }

    pub fn unseen(&self) -> Unseen {
        let mut unseen = Unseen::default();
        for letter in self.letters().values().filter(|letter| letter.is_unseen()) {
            *if letter.others_told { &mut unseen.told } else { &mut unseen.untold } += 1;
        }
        unseen
    }

    /// An operator has looked at it. `None` if there is none with this id.
    pub async fn see(&self, id: &str, by: &str) -> Result<Option<DeadLetter>, StoreError> {
        let since = self.clock.now();
        self.change(id, |letter| match letter.stands {
            Stands::Unseen => Stands::Seen { by: by.to_owned(), since },
            Stands::Seen { .. } | Stands::Retried { .. } | Stands::Told { .. } => letter.stands.clone(),
        })
        .await
    }

    /// An operator has it tried once more. `None` if there is none with this id.
    pub async fn retry(&self, id: &str, by: &str) -> Result<Option<DeadLetter>, StoreError> {
        let since = self.clock.now();
        self.change(id, |_| Stands::Retried { by: by.to_owned(), since }).await
    }

    /// Nothing came of having `before` tried once more: it stands as it did. What cannot be written down holds until the
    /// next start, which takes no retry for a success.
    pub async fn take_back_retry(&self, before: &DeadLetter) -> Result<(), StoreError> {
        let is_retried = |letter: &DeadLetter| matches!(letter.stands, Stands::Retried { .. });
        let _changing = self.changing.lock().await;
        let Some(letter) = self.find(&before.id()).filter(is_retried) else { return Ok(()) };
        let as_before = DeadLetter { stands: before.stands.clone(), ..letter };
        self.letters().insert(as_before.clone());
        self.store.put(Lane::Deliver, &as_before).await
    }

    pub fn find(&self, id: &str) -> Option<DeadLetter> {
        let (alert_id, contact) = id.split_once(':')?;
        let (alert_id, contact) = (alert_id.parse().ok()?, contact.parse().ok()?);
        self.letters().get(alert_id, &contact).cloned()
    }

    async fn change(
        &self,
        id: &str,
        change: impl FnOnce(&DeadLetter) -> Stands,
    ) -> Result<Option<DeadLetter>, StoreError> {
        let _changing = self.changing.lock().await;
        let Some(letter) = self.find(id) else { return Ok(None) };
        let stands = change(&letter);
        if stands == letter.stands {
            return Ok(Some(letter));
        }
        let changed = DeadLetter { stands, ..letter };
        self.store.put(Lane::Deliver, &changed).await?;
        self.letters().insert(changed.clone());
        Ok(Some(changed))
    }

    fn letters(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Letters {
    fn values(&self) -> impl Iterator<Item = &DeadLetter> {
        self.by_alert.values().flat_map(BTreeMap::values)
    }

    fn get(&self, alert_id: AlertId, contact: &ContactName) -> Option<&DeadLetter> {
        self.by_alert.get(&alert_id)?.get(contact)
    }

    /// In place of the one that had its slot.
    fn insert(&mut self, letter: DeadLetter) {
        let owner = (letter.alert_id, letter.contact.clone());
        let before = self.owners.insert(letter.slot, owner.clone()).filter(|before| *before != owner);
        if let Some((alert_id, contact)) = before
            && let Some(of_alert) = self.by_alert.get_mut(&alert_id)
        {
            of_alert.remove(&contact);
            if of_alert.is_empty() {
                self.by_alert.remove(&alert_id);
            }
        }
        self.by_alert.entry(letter.alert_id).or_default().insert(letter.contact.clone(), letter);
    }

    /// The slots of new letters, one after the other. One that holds what cannot be read stays as it is.
    fn slots(&self) -> impl Iterator<Item = u16> {
        let oldest = || {
            let mut oldest: Vec<&DeadLetter> = self.values().collect();
            oldest.sort_by_key(|letter| (letter.is_unseen(), letter.at));
            oldest.into_iter().map(|letter| letter.slot)
        };
        let unused = self.owners.last_key_value().map_or(0, |(last, _)| last + 1)..KEPT_MAX;
        unused.chain(iter::once_with(oldest).flatten())
    }

    /// The letters that these alerts change or add.
    fn changed_by<'a>(&self, alerts: impl IntoIterator<Item = &'a Alert>, now: Timestamp) -> Vec<DeadLetter> {
        let (mut changed, mut slots) = (Vec::new(), self.slots());
        for alert in alerts {
            let severity = alert.told_as();
            for GivenUp { contact, reason, is_told } in alert.given_up() {
                match self.get(alert.id, contact) {
                    Some(known) if known.is_settled(severity) => changed.push(DeadLetter {
                        reason: reason.to_owned(),
                        severity,
                        at: now,
                        others_told: is_told,
                        stands: Stands::Unseen,
                        ..known.clone()
                    }),
                    Some(known) if known.others_told == is_told => {}
                    Some(known) => {
                        // Whoever has looked took it that the others know.
                        let stands = if is_told { known.stands.clone() } else { Stands::Unseen };
                        changed.push(DeadLetter { others_told: is_told, stands, ..known.clone() });
                    }
                    None => changed.extend(slots.next().map(|slot| DeadLetter {
                        slot,
                        alert_id: alert.id,
                        contact: contact.clone(),
                        reason: reason.to_owned(),
                        severity,
                        at: now,
                        others_told: is_told,
                        stands: Stands::Unseen,
                    })),
                }
            }
            for known in self.by_alert.get(&alert.id).into_iter().flat_map(BTreeMap::values) {
                let contact = alert.progress.contacts.get(&known.contact);
                let news = alert.news(&alert.progress);
                let is_told = contact.is_some_and(|it| it.knows(news) && it.unreachable.is_none());
                if is_told && !matches!(known.stands, Stands::Told { .. }) {
                    changed.push(DeadLetter { stands: Stands::Told { since: now }, ..known.clone() });
                }
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests;
