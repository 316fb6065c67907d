//! Reading many documents: a listing, newest first, and what can be forgotten, oldest first.

use jiff::{SignedDuration, Timestamp};

use super::{document::Reader, handle::guarded, keys, walk::Order, work::Removal};
use crate::{
    alert::{AlertId, AlertState},
    store::{AlertFilter, AlertPage, StoreError, filter::is_purgeable, schedule::Entry},
};

/// An alert may be opened this long after its id was made: it was noted before.
const NOTED_BEFORE_OPENED_MAX: SignedDuration = SignedDuration::from_hours(25);

const PURGE_DOCUMENTS_READ_MAX: usize = 2_000;

pub(super) struct PurgeStep {
    pub(super) removals: Vec<Removal>,
    /// The last document looked at; `None` at the end of what can be purged.
    pub(super) reached: Option<AlertId>,
}

type Ids<'a> = Box<dyn Iterator<Item = Result<AlertId, StoreError>> + 'a>;

impl Reader {
    pub(super) fn list(&self, filter: &AlertFilter) -> Result<AlertPage, StoreError> {
        filter.page(self.newest_first(filter), |id| self.readable(id))
    }

    /// The alerts that the filter may admit, as far as ids and the schedule tell.
    fn newest_first<'a>(&'a self, filter: &'a AlertFilter) -> Ids<'a> {
        let since =
            filter.since.map(|since| since.saturating_sub(NOTED_BEFORE_OPENED_MAX).unwrap_or(Timestamp::MIN));
        let low = since.map_or(AlertId::from_bytes([0; 16]), first_id_of);
        let high = filter.until.and_then(first_id_after).into_iter().chain(filter.cursor).min();

        let is_open = |state: &AlertState| matches!(state, AlertState::Triggered | AlertState::Acknowledged);
        if filter.states.is_empty() || !filter.states.iter().all(is_open) {
            let below = keys::alert(low).to_vec()..keys::alerts_below(high);
            let keys = self.walk(below, Order::Descending);
            return Box::new(keys.filter_map(|entry| match entry {
                Ok((key, _)) => keys::alert_of(&key).map(Ok),
                Err(error) => Some(Err(error)),
            }));
        }

        // An open alert always waits for something, so the schedule names all of them.
        let below = keys::scheduled(low).to_vec()..keys::scheduled_below(high);
        let rows = self.walk(below, Order::Descending);
        Box::new(rows.filter_map(|entry| match entry {
            Ok((key, row)) => {
                let id = keys::scheduled_of(&key)?;
                let is_of_any = |entry: Entry| filter.states.iter().any(|state| entry.row.signs.is(*state));
                Entry::from_bytes(id, &row).map_or(true, is_of_any).then_some(Ok(id))
            }
            Err(error) => Some(Err(error)),
        }))
    }

    /// Looks at some documents above `after`, oldest first, for up to `limit` to forget.
    pub(super) fn purge_step(
        &self,
        before: Timestamp,
        after: Option<AlertId>,
        limit: usize,
    ) -> Result<PurgeStep, StoreError> {
        let mut step = PurgeStep { removals: Vec::new(), reached: None };
        let low = after.map_or(keys::ALERTS.to_vec(), |after| keys::above(&keys::alert(after)));
        let documents = low..keys::alerts_below(first_id_after(before));
        for (looked, entry) in self.walk(documents, Order::Ascending).enumerate() {
            if step.removals.len() == limit || looked == PURGE_DOCUMENTS_READ_MAX {
                return Ok(step);
            }
            let Some(id) = keys::alert_of(&entry?.0) else { continue };
            step.reached = Some(id);
            let header = guarded(|| self.header(id)).ok().flatten();
            if header.is_some_and(|header| header.open || header.due_ms.is_some()) {
                continue;
            }
            // A document that does not read is kept.
            let Some(stored) = self.readable(id)? else { continue };
            if is_purgeable(&stored.alert, before) {
                let beside = [keys::chunks_of(id), keys::folds_of(id), keys::pieces_of(id)];
                let beside = beside
                    .iter()
                    .flat_map(|prefix| self.walk(keys::beginning_with(prefix), Order::Ascending));
                step.removals.push(Removal {
                    id,
                    thread: stored.alert.thread(),
                    version: stored.version,
                    beside: beside.map(|entry| entry.map(|(key, _)| key)).collect::<Result<_, _>>()?,
                });
            }
        }
        step.reached = None;
        Ok(step)
    }
}

/// The lowest id that can have been made at `at`.
fn first_id_of(at: Timestamp) -> AlertId {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    AlertId::from_bytes((u128::from(millis) << 80).to_be_bytes())
}

/// The lowest id made in a later millisecond than `at`.
fn first_id_after(at: Timestamp) -> Option<AlertId> {
    at.checked_add(SignedDuration::from_millis(1)).ok().map(first_id_of)
}
