//! Whether the promise holds, and what keeps it from holding: for `/readyz`.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::vitals::{Standstill, Vitals};
use crate::{
    alert::Part,
    clock::Clock,
    store::{Health, Store},
};

/// A store that does not say how it is within this time does not work.
const HEALTH_PATIENCE: SignedDuration = SignedDuration::from_secs(2);

/// How the store is, in a bounded time.
pub async fn health(store: &dyn Store, clock: &dyn Clock) -> Health {
    tokio::select! {
        biased;
        health = store.health() => health,
        () = clock.sleep(HEALTH_PATIENCE) => Health {
            writable: false,
            problem: Some("the store does not answer".to_owned()),
            free_bytes: None,
            scheduled: 0,
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
    StoreDamaged { detail: String },
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
    pub fn of(vitals: &Vitals, health: &Health) -> Self {
        let mut reasons = Vec::new();
        let problem = health.problem.clone();
        if !health.writable {
            let detail = problem.clone().unwrap_or_else(|| "the store takes no new alerts".to_owned());
            reasons.push(Remark::StoreNotWritable { detail });
        }
        reasons.extend(vitals.standstills().into_iter().map(|Standstill { part, since }| {
            let detail = format!("{part} stands still: {}", part.meaning());
            Remark::StandingStill { part, since, detail }
        }));
        let count = vitals.unreached();
        if 0 < count {
            let detail = format!("{count} open alerts reached nobody and have no channel left");
            reasons.push(Remark::AlertsUnreached { count, detail });
        }

        let mut notices = Vec::new();
        if let Some(detail) = problem.filter(|_| health.writable) {
            notices.push(Remark::StoreDamaged { detail });
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

/// Whether an event that comes now would be accepted.
pub fn accepts(vitals: &Vitals, health: &Health) -> bool {
    let hangs = |standstill: &Standstill| standstill.part == Part::Store;
    health.writable && !vitals.standstills().iter().any(hangs)
}
