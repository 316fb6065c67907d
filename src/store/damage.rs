//! Rows that a store cannot read: left out, logged once, and counted, so that people learn of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt::{self, Display, Formatter},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use crate::alert::AlertId;

/// Most rows of a kind that are counted and logged; beyond this the count no longer rises.
const ROWS_PER_KIND_MAX: usize = 1_000;

pub(super) const ALERT: &str = "alert";
pub(super) const JOURNAL_CHUNK: &str = "journal chunk";
pub(super) const DIGEST_ROW: &str = "digest row";
/// When an alert is due.
pub(super) const SCHEDULE_ROW: &str = "due time";
/// Which round of a thread is the latest.
pub(super) const THREAD: &str = "thread";
pub(crate) const CHARGE: &str = "charge";
/// Of the engine itself: whatever lay on it.
pub(super) const PAGE: &str = "page";

/// What was left out since the store was opened.
#[derive(Debug, Default)]
pub struct Damage {
    rows: Mutex<BTreeMap<&'static str, BTreeSet<String>>>,
}

/// How many rows of one kind were left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damaged {
    /// A word or two: `alert`, `charge`, `page`, or the kind of a small record.
    pub kind: &'static str,
    pub count: usize,
}

impl Display for Damaged {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.count)
    }
}

impl Damage {
    /// `row` tells it from the others of its kind; neither may hold anything secret.
    pub(super) fn note(&self, kind: &'static str, row: impl Display, detail: impl Display) {
        let row = row.to_string();
        let mut rows = self.rows();
        let known = rows.entry(kind).or_default();
        if known.len() < ROWS_PER_KIND_MAX && !known.contains(&row) {
            tracing::error!(kind, row, "the store is damaged, {kind} {row} is left out: {detail}");
            known.insert(row);
        }
    }

    /// This alert, or what belongs to it, cannot be read or replaced.
    pub fn note_alert(&self, id: AlertId, detail: impl Display) {
        self.note(ALERT, id, detail);
    }

    /// The alerts that were left out.
    pub fn alerts(&self) -> HashSet<AlertId> {
        let rows = self.rows();
        rows.get(ALERT).into_iter().flatten().filter_map(|id| id.parse().ok()).collect()
    }

    /// In the order of their kinds; only those of which something was left out.
    pub(super) fn counts(&self) -> Vec<Damaged> {
        let rows = self.rows();
        rows.iter().map(|(kind, rows)| Damaged { kind, count: rows.len() }).collect()
    }

    /// Something of this kind was left out, or a page that may have held it.
    pub(super) fn concerns(&self, kind: &str) -> bool {
        [kind, PAGE].iter().any(|kind| self.rows().contains_key(kind))
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<&'static str, BTreeSet<String>>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
