//! Our own health, as far as it is in memory: which part has left a sign of life and when, alerts that reach nobody
//! or that nobody answered, storms. `/readyz` shows it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    alert::{Address, Alert, AlertId, Part},
    clock::Clock,
};

/// Most alerts of a sort that are remembered; beyond this the count no longer rises.
const ALERTS_MAX: usize = 10_000;

/// Every part wakes this often to leave a sign of life, also with nothing to do.
pub const SIGN_EVERY: SignedDuration = SignedDuration::from_secs(20);

/// How often the watch looks after all parts.
pub(super) const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// A part without a sign of life for this long stands still: its next one was due, and it has not come within 30 s.
pub(super) const STILL_AFTER: SignedDuration = SignedDuration::from_secs(50);

/// So does dispatch while an alert is due for this long.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// Between two looks of the watch: if more has passed, the whole process or its host was stopped.
const ASLEEP_AFTER: SignedDuration = SignedDuration::from_secs(20);

#[derive(Debug)]
pub struct Vitals {
    clock: Arc<dyn Clock>,
    /// [`Alert::reaches_nobody_from`] then.
    unreached: Noted,
    /// [`Alert::went_unanswered`] holds.
    unanswered: Noted,
    storm: Mutex<StormStatus>,
    /// Accounts with providers, by name, as their answers show them.
    accounts: Mutex<BTreeMap<String, Option<Fault>>>,
    signs: Mutex<Signs>,
}

/// Alerts of which something holds from some time on, as they were last planned.
#[derive(Debug, Default)]
struct Noted(Mutex<BTreeMap<AlertId, Timestamp>>);

/// An account is at fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) since: Timestamp,
    /// The last answer that showed it.
    pub(super) last: Timestamp,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct StormStatus {
    pub contacts: usize,
    pub since: Option<Timestamp>,
}

#[derive(Debug)]
struct Signs {
    parts: BTreeMap<Part, Signed>,
    /// When the watch looked last.
    looked_at: Timestamp,
    /// No part is blamed for the time before: nothing ran then.
    awake_since: Timestamp,
    /// Since when an alert has been due that is not planned.
    overdue_since: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Signed {
    last: Timestamp,
    /// It waits for its next turn.
    is_at_rest: bool,
    /// Its task has ended, and the next one has left no sign yet.
    gone_since: Option<Timestamp>,
    /// How often its task has ended though nobody had stopped it.
    ends: u64,
}

/// A part that does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Standstill {
    pub part: Part,
    pub since: Timestamp,
}

impl Vitals {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let now = clock.now();
        let signs = Signs { parts: BTreeMap::new(), looked_at: now, awake_since: now, overdue_since: None };
        Self {
            clock,
            unreached: Noted::default(),
            unanswered: Noted::default(),
            storm: Mutex::default(),
            accounts: Mutex::default(),
            signs: Mutex::new(signs),
        }
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// From now on every part is expected to live, also one that never begins.
    pub fn expect_all(&self) {
        for part in Part::ALL {
            self.sign(part);
        }
    }

    /// This part lives. Whoever has signed once is expected to go on.
    pub(super) fn sign(&self, part: Part) {
        let now = self.clock.now();
        let mut signs = lock(&self.signs);
        let ends = signs.parts.get(&part).map_or(0, |signed| signed.ends);
        signs.parts.insert(part, Signed { last: now, is_at_rest: false, gone_since: None, ends });
    }

    /// Whether this part waits for its next turn.
    pub(super) fn rest(&self, part: Part, is_at_rest: bool) {
        if let Some(signed) = lock(&self.signs).parts.get_mut(&part) {
            signed.is_at_rest = is_at_rest;
        }
    }

    /// The task of this part has ended, and nobody had stopped it.
    pub(super) fn ended(&self, part: Part) {
        let now = self.clock.now();
        if let Some(signed) = lock(&self.signs).parts.get_mut(&part) {
            signed.gone_since.get_or_insert(now);
            signed.ends += 1;
        }
    }

    /// How often the task of each part has ended though nobody had stopped it.
    pub fn ends(&self) -> BTreeMap<Part, u64> {
        lock(&self.signs).parts.iter().map(|(part, signed)| (*part, signed.ends)).collect()
    }

    /// The watch looks. If it comes late, nobody else could leave a sign either.
    pub(super) fn wake(&self) {
        let now = self.clock.now();
        let mut signs = lock(&self.signs);
        if ASLEEP_AFTER < now.duration_since(signs.looked_at) {
            signs.awake_since = now;
        }
        signs.looked_at = now;
    }

    /// Takes the earliest time at which an alert is or was due.
    pub(super) fn note_waiting(&self, due: Option<Timestamp>) {
        let now = self.clock.now();
        let mut signs = lock(&self.signs);
        let since = due.map(|due| due.max(signs.awake_since));
        signs.overdue_since = since.filter(|since| OVERDUE_AFTER <= now.duration_since(*since));
    }

    /// Parts whose task is gone, or that have left no sign of life for too long; for dispatch also while an alert
    /// waits for too long.
    pub fn standstills(&self) -> Vec<Standstill> {
        let now = self.clock.now();
        let signs = lock(&self.signs);
        let standstill = |(part, signed): (&Part, &Signed)| {
            let heard = signed.last.max(signs.awake_since);
            let silent = (STILL_AFTER <= now.duration_since(heard)).then_some(heard);
            let overdue = signs.overdue_since.filter(|_| *part == Part::Dispatch);
            let since = [signed.gone_since, silent, overdue].into_iter().flatten().min();
            since.map(|since| Standstill { part: *part, since })
        };
        signs.parts.iter().filter_map(standstill).collect()
    }

    /// False while the watch looks or is due to, or the store is due for a write. For tests and tools.
    pub fn is_up_to_date(&self) -> bool {
        let now = self.clock.now();
        let signs = lock(&self.signs);
        let holds = |part, holds: &dyn Fn(&Signed) -> bool| signs.parts.get(&part).is_none_or(holds);
        let is_early = |signed: &Signed, every| now.duration_since(signed.last) < every;
        holds(Part::Watch, &|signed| signed.is_at_rest && is_early(signed, LOOK_EVERY))
            && holds(Part::Store, &|signed| is_early(signed, SIGN_EVERY))
    }

    /// Remembers an alert that reaches nobody or went unanswered, forgets one of which that no longer holds.
    pub fn note(&self, alert: &Alert) {
        self.unreached.note(alert.id, alert.reaches_nobody_from());
        self.unanswered.note(alert.id, alert.went_unanswered().then_some(Timestamp::MIN));
    }

    pub fn unreached(&self) -> usize {
        self.unreached.count(self.clock.now())
    }

    pub fn unanswered(&self) -> usize {
        self.unanswered.count(self.clock.now())
    }

    /// An answer of then shows that the account behind this address is at fault.
    pub fn show_fault(&self, address: &Address, at: Timestamp) {
        let mut accounts = lock(&self.accounts);
        let fault =
            accounts.entry(account(address)).or_default().get_or_insert(Fault { since: at, last: at });
        fault.last = at;
    }

    /// The account behind this address works.
    pub fn show_works(&self, address: &Address) {
        lock(&self.accounts).insert(account(address), None);
    }

    pub(super) fn accounts(&self) -> BTreeMap<String, Option<Fault>> {
        lock(&self.accounts).clone()
    }

    pub fn show_storm(&self, storm: StormStatus) {
        *lock(&self.storm) = storm;
    }

    pub fn storm(&self) -> StormStatus {
        *lock(&self.storm)
    }
}

impl Noted {
    fn note(&self, id: AlertId, from: Option<Timestamp>) {
        let mut alerts = lock(&self.0);
        match from {
            None => drop(alerts.remove(&id)),
            Some(from) if alerts.len() < ALERTS_MAX => drop(alerts.insert(id, from)),
            Some(_) => {}
        }
    }

    fn count(&self, now: Timestamp) -> usize {
        lock(&self.0).values().filter(|from| **from <= now).count()
    }
}

fn account(address: &Address) -> String {
    address.gateway().map_or_else(|| "Firebase".to_owned(), ToString::to_string)
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
