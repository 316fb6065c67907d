//! Whom nobody could notify of what: each stays until an operator has looked, or until it was told after all.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
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
}

impl DeadLetters {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, letters: Mutex::default() }
    }

    /// Reads what earlier processes kept; what cannot be read is left out.
    pub async fn restore(&self) {
        match self.store.all::<DeadLetter>().await {
            Ok(kept) => {
                let mut letters = self.letters();
                for letter in kept {
                    insert(&mut letters, letter);
                }
            }
            Err(error) => error!(error = %error, "could not read the dead letters of earlier runs: {error}"),
        }
    }

    /// Keeps whom this alert, as it is about to be written, gives up, and notes who was told after all. When this
    /// returns `Ok`, it is durable.
    pub async fn note(&self, alert: &Alert) -> Result<(), StoreError> {
        for letter in self.changed_by(alert) {
            self.put(letter).await?;
        }
        Ok(())
    }

    fn changed_by(&self, alert: &Alert) -> Vec<DeadLetter> {
        let now = self.clock.now();
        let letters = self.letters();
        let of_alert = letters.get(&alert.id);
        let mut changed: Vec<DeadLetter> = Vec::new();
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
        changed
    }

    async fn put(&self, letter: DeadLetter) -> Result<(), StoreError> {
        self.store.put(Lane::Deliver, &letter).await?;
        let mut letters = self.letters();
        letters.retain(|_, of_alert| {
            of_alert.retain(|_, other| other.slot != letter.slot);
            !of_alert.is_empty()
        });
        insert(&mut letters, letter);
        Ok(())
    }

    /// The latest first.
    pub fn all(&self) -> Vec<DeadLetter> {
        let mut all: Vec<DeadLetter> = values(&self.letters()).cloned().collect();
        all.sort_by(|one, other| other.at.cmp(&one.at).then_with(|| one.contact.cmp(&other.contact)));
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

    async fn change(
        &self,
        id: &str,
        change: impl FnOnce(&DeadLetter) -> Stands,
    ) -> Result<Option<DeadLetter>, StoreError> {
        let found = values(&self.letters()).find(|letter| letter.id() == id).cloned();
        let Some(letter) = found else { return Ok(None) };
        let stands = change(&letter);
        let changed = DeadLetter { stands, ..letter };
        self.put(changed.clone()).await?;
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
