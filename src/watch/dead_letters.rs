//! Whom nobody could notify of what: each stays until an operator has looked, or until it was told after all.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::{sync::OnceCell, task::JoinSet};
use tracing::error;

use crate::{
    alert::{Alert, AlertId, ContactName, GivenUp},
    clock::Clock,
    store::{Lane, Record, Store, StoreError},
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

    /// Giving up once more is another thing.
    fn is_settled(&self) -> bool {
        matches!(self.stands, Stands::Retried { .. } | Stands::Told { .. })
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

type Letters = BTreeMap<AlertId, BTreeMap<ContactName, DeadLetter>>;

pub struct DeadLetters {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    letters: Mutex<Letters>,
    /// Set once what earlier processes kept was read.
    read: OnceCell<()>,
}

impl DeadLetters {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, letters: Mutex::default(), read: OnceCell::new() }
    }

    /// Reads what earlier processes kept; what cannot be read is left out. What an operator had tried once more, and
    /// was not, is to be looked at again.
    pub async fn restore(&self) {
        if let Err(error) = self.read().await {
            error!(error = %error, "could not read the dead letters of earlier runs yet: {error}");
        }
        let is_retried = |letter: &&DeadLetter| matches!(letter.stands, Stands::Retried { .. });
        let retried: BTreeSet<AlertId> =
            values(&self.letters()).filter(is_retried).map(|letter| letter.alert_id).collect();
        for id in retried {
            if let Ok(Some(stored)) = self.store.get(id).await {
                self.note([&stored.alert]).await;
            }
        }
    }

    /// Until this has worked nothing is written: it might take the place of what was not read.
    async fn read(&self) -> Result<(), StoreError> {
        let read = async || {
            let kept = self.store.all::<DeadLetter>().await?;
            let mut letters = self.letters();
            for letter in kept {
                insert(&mut letters, letter);
            }
            Ok(())
        };
        self.read.get_or_try_init(read).await?;
        Ok(())
    }

    /// Keeps whom these alerts, as they are about to be written, give up, and notes who was told after all. That is
    /// durable when this returns; the alerts of which it could not be written, and why.
    pub async fn note<'a>(
        &self,
        alerts: impl IntoIterator<Item = &'a Alert>,
    ) -> HashMap<AlertId, StoreError> {
        if let Err(error) = self.read().await {
            let gives_up = |alert: &&Alert| alert.given_up().next().is_some();
            return alerts.into_iter().filter(gives_up).map(|alert| (alert.id, error.clone())).collect();
        }
        let mut changed = Vec::new();
        for alert in alerts {
            self.note_one(alert, &mut changed);
        }
        let mut writes = JoinSet::new();
        for letter in changed {
            let store = self.store.clone();
            writes.spawn(async move { (store.put(Lane::Deliver, &letter).await, letter) });
        }
        let mut failed = HashMap::new();
        for (written, letter) in writes.join_all().await {
            match written {
                Ok(()) => self.keep(letter),
                Err(error) => drop(failed.insert(letter.alert_id, error)),
            }
        }
        failed
    }

    /// Adds the letters that this alert changes.
    fn note_one(&self, alert: &Alert, changed: &mut Vec<DeadLetter>) {
        let now = self.clock.now();
        let letters = self.letters();
        let of_alert = letters.get(&alert.id);
        for GivenUp { contact, reason, is_told } in alert.given_up() {
            match of_alert.and_then(|known| known.get(contact)) {
                Some(known) if known.is_settled() => changed.push(DeadLetter {
                    reason: reason.to_owned(),
                    at: now,
                    others_told: is_told,
                    stands: Stands::Unseen,
                    ..known.clone()
                }),
                Some(known) if known.others_told == is_told => {}
                Some(known) => changed.push(DeadLetter { others_told: is_told, ..known.clone() }),
                None => changed.push(DeadLetter {
                    slot: free_slot(&letters, changed.len()),
                    alert_id: alert.id,
                    contact: contact.clone(),
                    reason: reason.to_owned(),
                    at: now,
                    others_told: is_told,
                    stands: Stands::Unseen,
                }),
            }
        }
        for known in of_alert.into_iter().flat_map(BTreeMap::values) {
            let contact = alert.progress.contacts.get(&known.contact);
            let is_told = contact.is_some_and(|it| it.has_heard() && it.unreachable.is_none());
            if is_told && !matches!(known.stands, Stands::Told { .. }) {
                changed.push(DeadLetter { stands: Stands::Told { since: now }, ..known.clone() });
            }
        }
    }

    fn keep(&self, letter: DeadLetter) {
        let mut letters = self.letters();
        letters.retain(|_, of_alert| {
            of_alert.retain(|_, other| other.slot != letter.slot);
            !of_alert.is_empty()
        });
        insert(&mut letters, letter);
    }

    /// Those that nobody has looked at first, and the latest first.
    pub fn all(&self) -> Vec<DeadLetter> {
        let mut all: Vec<DeadLetter> = values(&self.letters()).cloned().collect();
        all.sort_by(|one, other| {
            let order = other.is_unseen().cmp(&one.is_unseen()).then_with(|| other.at.cmp(&one.at));
            order.then_with(|| one.contact.cmp(&other.contact))
        });
        all
    }

    pub fn unseen(&self) -> Unseen {
        let mut unseen = Unseen::default();
        for letter in values(&self.letters()).filter(|letter| letter.is_unseen()) {
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

    /// Nothing came of having `before` tried once more: it stands as it did.
    pub async fn take_back_retry(&self, before: &DeadLetter) -> Result<(), StoreError> {
        let stands = |letter: &DeadLetter| match letter.stands {
            Stands::Retried { .. } => before.stands.clone(),
            Stands::Unseen | Stands::Seen { .. } | Stands::Told { .. } => letter.stands.clone(),
        };
        self.change(&before.id(), stands).await.map(drop)
    }

    pub fn find(&self, id: &str) -> Option<DeadLetter> {
        values(&self.letters()).find(|letter| letter.id() == id).cloned()
    }

    async fn change(
        &self,
        id: &str,
        change: impl FnOnce(&DeadLetter) -> Stands,
    ) -> Result<Option<DeadLetter>, StoreError> {
        let Some(letter) = self.find(id) else { return Ok(None) };
        let stands = change(&letter);
        let changed = DeadLetter { stands, ..letter };
        self.store.put(Lane::Deliver, &changed).await?;
        self.keep(changed.clone());
        Ok(Some(changed))
    }

    fn letters(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn insert(letters: &mut Letters, letter: DeadLetter) {
    letters.entry(letter.alert_id).or_default().insert(letter.contact.clone(), letter);
}

fn values(letters: &Letters) -> impl Iterator<Item = &DeadLetter> {
    letters.values().flat_map(BTreeMap::values)
}

/// The place of the next but `taken` letter.
fn free_slot(letters: &Letters, taken: usize) -> u16 {
    let mut is_used = vec![false; usize::from(KEPT_MAX)];
    for letter in values(letters) {
        if let Some(used) = is_used.get_mut(usize::from(letter.slot)) {
            *used = true;
        }
    }
    let free = is_used.iter().enumerate().filter(|(_, used)| !**used).nth(taken);
    let free = free.and_then(|(slot, _)| u16::try_from(slot).ok());
    free.unwrap_or_else(|| {
        let mut oldest: Vec<&DeadLetter> = values(letters).collect();
        oldest.sort_by_key(|letter| (letter.is_unseen(), letter.at));
        oldest.get(taken).map_or(0, |letter| letter.slot)
    })
}

#[cfg(test)]
mod tests;
