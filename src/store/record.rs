//! Small documents beside the alerts, each written whole. A new kind of them is a type here or where it belongs,
//! and no line in an engine.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tracing::error;

use super::{Lane, Store, StoreError, when_available};
use crate::{alert::DeviceId, clock::Clock};

pub trait Record: Serialize + DeserializeOwned + Sync {
    /// One word or two, for the engine's keys and for errors; no `/`.
    const KIND: &'static str;

    /// Unique within its kind; `all` reads in this order.
    fn key(&self) -> Vec<u8>;
}

impl dyn Store {
    /// Writes a record in place of the one with its key; durable when it returns.
    pub async fn put<R: Record>(&self, lane: Lane, record: &R) -> Result<(), StoreError> {
        let json = serde_json::to_value(record).expect("records have text keys and no fallible serializer");
        self.put_record(lane, R::KIND, record.key(), json).await
    }

    /// In the order of their keys. One that cannot be read is left out: see [`Damage`](super::Damage).
    pub async fn all<R: Record>(&self) -> Result<Vec<R>, StoreError> {
        let mut all = Vec::new();
        for (key, json) in self.records(R::KIND).await? {
            match serde_json::from_value(json) {
                Ok(record) => all.push(record),
                // Where it fails, not what is there.
                Err(error) => {
                    self.damage().note(R::KIND, key.escape_ascii(), format!("{:?} error", error.classify()));
                }
            }
        }
        Ok(all)
    }

    /// True if a record of this kind was left out, as far as they were read.
    pub fn has_lost<R: Record>(&self) -> bool {
        self.damage().concerns(R::KIND)
    }

    /// The key that signs what this installation hands out: the one kept, or else `fresh`, which is kept from now
    /// on. Whatever is damaged: without a key no alert is told.
    pub async fn signing_key(&self, clock: &dyn Clock, fresh: [u8; 32]) -> [u8; 32] {
        let keep = || async move {
            match self.all().await?.pop() {
                Some(SigningKeyRecord(kept)) => Ok(kept),
                None => self.put(Lane::Deliver, &SigningKeyRecord(fresh)).await.map(|()| fresh),
            }
        };
        let key = when_available(clock, "the signing key", keep).await.unwrap_or_else(|error| {
            error!(error = %error, "the signing key cannot be kept, another one is made at the next start: {error}");
            fresh
        });
        if key == fresh && self.has_lost::<SigningKeyRecord>() {
            error!(
                "the signing key could not be read, and a new one is made: reports of texts sent before are refused"
            );
        }
        key
    }
}

/// A device that is never used again: its token is dead. A quarantine is not kept: the next start may bring
/// another key or another token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRecord {
    pub id: DeviceId,
    pub retired_at: Timestamp,
    /// The provider's words.
    pub reason: String,
}

impl Record for DeviceRecord {
    const KIND: &'static str = "device";

    fn key(&self) -> Vec<u8> {
        self.id.0.to_be_bytes().to_vec()
    }
}

/// What we know of a heartbeat beyond the configuration; it may have left the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatRecord {
    pub name: String,
    pub first_call: Timestamp,
    /// When it called last, as far as that was saved.
    pub last_call: Timestamp,
    /// Since when its silence counts.
    pub silent_since: Timestamp,
}

impl Record for HeartbeatRecord {
    const KIND: &'static str = "heartbeat";

    fn key(&self) -> Vec<u8> {
        self.name.clone().into_bytes()
    }
}

/// There is at most one.
#[derive(Serialize, Deserialize)]
struct SigningKeyRecord([u8; 32]);

impl Record for SigningKeyRecord {
    const KIND: &'static str = "signing key";

    fn key(&self) -> Vec<u8> {
        Vec::new()
    }
}
