//! Whether the promise holds, and what keeps it from holding: for `/readyz`.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    dead_letters::Unseen,
    vitals::{Standstill, Vitals},
};
use crate::{
    alert::Part,
    clock::Clock,
    store::{Damaged, Health, Store},
};

/// A store that does not say how it is within this time does not work.
const HEALTH_PATIENCE: SignedDuration = SignedDuration::from_secs(2);

/// How the store is, in a bounded time.
pub async fn health(store: &dyn Store, clock: &dyn Clock) -> Health {
    tokio::select! {
        biased;
        health = store.health() => health,
        () = clock.sleep(HEALTH_PATIENCE) => Health {
            problem: Some("the store does not answer".to_owned()),
            free_bytes: None,
            is_moved: false, scheduled: 0,
            damaged: Vec::new(),
        },
    }
}

/// What somebody should know, with a code for programs that never changes its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Remark {
    StoreNotWritable { detail: String },
    StandingStill { part: Part, since: Timestamp, detail: String },
    AlertsUnreached { count: usize, detail: String },
    DeadLetters { count: usize, detail: String },
    ContactsOutOfReach { count: usize, detail: String },
    StoreDamaged { damaged: Vec<Damaged>, detail: String },
    RepeatsEnded { count: usize, detail: String },
    Storm { contacts: usize, since: Option<Timestamp>, detail: String },
}

#[derive(Clone, Debug, Serialize)]
pub struct Condition {
    /// Why the promise does not hold; empty = it does.
    pub reasons: Vec<Remark>,
    /// It does, and yet.
    pub notices: Vec<Remark>,
}

impl Condition {
    pub fn of(vitals: &Vitals, health: &Health, dead_letters: Unseen) -> Self {
        let mut reasons = Vec::new();
        if let Some(detail) = health.problem.clone() {
            reasons.push(Remark::StoreNotWritable { detail });
        }
        reasons.extend(vitals.standstills().into_iter().map(|Standstill { part, since }| {
            let detail = format!("{part} stands still: {}", part.meaning());
            Remark::StandingStill { part, since, detail }
        }));
        let count = vitals.unreached();
        if 0 < count {
            let detail = format!("{count} open alerts have reached nobody for certain");
            reasons.push(Remark::AlertsUnreached { count, detail });
        }
        let count = dead_letters.untold;
        if 0 < count {
            let detail =
                format!("{count} notifications were given up, and nobody has looked at /v1/dead-letters");
            reasons.push(Remark::DeadLetters { count, detail });
        }

        let mut notices = Vec::new();
        let count = dead_letters.told;
        if 0 < count {
            let detail =
                format!("{count} notifications were given up and the others told: see /v1/dead-letters");
            notices.push(Remark::ContactsOutOfReach { count, detail });
        }
        if !health.damaged.is_empty() {
            let (damaged, detail) = (health.damaged.clone(), left_out(&health.damaged));
            notices.push(Remark::StoreDamaged { damaged, detail });
        }
        let count = vitals.unanswered();
        if 0 < count {
            let detail =
                format!("nobody acknowledged {count} open alerts, and people are not reminded any more");
            notices.push(Remark::RepeatsEnded { count, detail });
        }
        let storm = vitals.storm();
        if 0 < storm.contacts {
            let detail = "what goes beyond the budgets is told in digests".to_owned();
            notices.push(Remark::Storm { contacts: storm.contacts, since: storm.since, detail });
        }
        Self { reasons, notices }
    }

    pub fn is_ready(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// What of the store cannot be read, for people.
pub(super) fn left_out(damaged: &[Damaged]) -> String {
    let damaged: Vec<String> = damaged.iter().map(ToString::to_string).collect();
    format!("cannot be read and is left out: {}; nothing was deleted", damaged.join(", "))
}

/// Whether an event that comes now would be accepted.
pub fn accepts(vitals: &Vitals, health: &Health) -> bool {
    let hangs = |standstill: &Standstill| standstill.part == Part::Store;
    health.is_writable() && !vitals.standstills().iter().any(hangs)
}
