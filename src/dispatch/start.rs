//! What waits longer than it must: a look through the schedule, the gravest first, a few between two steps, at the start
//! and when an account that was at fault works again. An alert with requests of an earlier process under way, that a clock
//! which ran ahead has dated, of which nobody who is there knows, or that waits for that account is made due now, and
//! planning sets it right.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::{error, warn};

use super::{Dispatcher, STORE_PAUSE, books::CountedRecord};
use crate::{
    alert::{Alert, ContactName, DeferCause, Digest, Epoch, Outcome, Signs, Transport},
    clock::Clock,
    plan::{
        Budgets, DeviceBook, Opening, Rules, Settlement, hasten, is_misdated, is_orphaned, is_unheard,
        set_back,
    },
    roster::{self, Person},
    store::{
        AlertWrite, Commit, DeviceRecord, Expect, Lane, Place, Record, Sought, Store, StoreError, Stored,
        when_available,
    },
    watch::Vitals,
};

/// Alerts in a page that is read at start.
const PAGE: usize = 500;

/// Most alerts looked through for one thing before dispatch begins.
const LOOKED_THROUGH_MAX: usize = 10_000;

const LOOKED_AT_PER_STEP: usize = 256;

/// How often what waits for an account is hastened anew because somebody else was faster.
const LOOKS_AGAIN_MAX: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Look {
    after: Option<Place>,
    /// Besides what waits for `work_again`.
    signs: Signs,
    misdated: usize,
    /// What waits for these is tried now.
    work_again: Vec<Transport>,
    /// These have begun to work since it began: they are what the next look is for.
    next: Vec<Transport>,
}

/// An account as its answers show it.
#[derive(Debug)]
pub(super) enum Account {
    Works,
    AtFault { since: Timestamp },
}

impl Look {
    /// At what an earlier process has left. Where somebody has left the configuration since, nobody who is there may know
    /// of an alert that was heard of.
    pub(super) async fn first(store: &dyn Store, clock: &dyn Clock, people: &[Person]) -> Self {
        let known = read(clock, "who was in the configuration before", || store.all::<RosterRecord>()).await;
        let is_here = |name: &ContactName| roster::find(people, name).is_some();
        let nobody_left = known.last().is_some_and(|known| known.names.iter().all(is_here));
        let unheard = if nobody_left { Signs::UNHEARD } else { Signs::FREE };
        Self { signs: Signs::IN_FLIGHT.union(unheard), ..Self::default() }
    }

    fn sought(&self, now: Timestamp) -> Sought {
        let signs = self.work_again.iter().map(|transport| match transport {
            Transport::Push => Signs::PUSH_AT_FAULT,
            Transport::Sms => Signs::TEXT_AT_FAULT,
        });
        Sought { signs: signs.fold(self.signs, Signs::union), written_after: now }
    }
}

/// Who was in the configuration when all alerts were last looked through for what nobody knows.
#[derive(Debug, Serialize, Deserialize)]
struct RosterRecord {
    names: BTreeSet<ContactName>,
}

impl Record for RosterRecord {
    const KIND: &'static str = "roster";

    fn key(&self) -> Vec<u8> {
        Vec::new()
    }
}

impl Dispatcher {
    /// An account that was at fault, or may have been before the start, works again: what waits for it is looked for
    /// from the beginning.
    pub(super) fn note_recovery(&mut self, Settlement { send, outcome, ended, .. }: &Settlement) {
        let account = send.address.gateway().cloned();
        let known = self.accounts.get(&account);
        match outcome {
            Outcome::Deferred { cause: DeferCause::ProjectFault, .. } => {
                self.vitals.show_fault(&send.address, *ended);
                if !matches!(known, Some(Account::AtFault { .. })) {
                    self.accounts.insert(account, Account::AtFault { since: *ended });
                }
            }
            Outcome::Accepted { .. } | Outcome::Rejected { .. } => {
                // What was under way when the fault showed tells nothing of its end.
                let works_again = match known {
                    None => true,
                    Some(Account::Works) => false,
                    Some(Account::AtFault { since }) => *since <= send.began,
                };
                if works_again {
                    self.vitals.show_works(&send.address);
                    self.accounts.insert(account, Account::Works);
                    self.look_for(send.address.transport());
                }
            }
            Outcome::Deferred { .. } | Outcome::Unknown { .. } => {}
        }
    }

    /// A look under way goes on to its end first: however often accounts recover, all alerts are looked at.
    fn look_for(&mut self, transport: Transport) {
        let wanted = match &mut self.look {
            Some(look) => &mut look.next,
            none => &mut none.insert(Look::default()).work_again,
        };
        if !wanted.contains(&transport) {
            wanted.push(transport);
        }
    }

    /// Looks at the next few; again at the same ones if the store was not available. A damaged store must not keep
    /// what it can still read from being told.
    pub(super) async fn look_at_what_was_left(&mut self) -> Result<(), StoreError> {
        let looked = self.look_at_next().await;
        if let Err(error @ StoreError::Damaged(_)) = looked {
            error!(error = %error, "could not look through what the last run left: {error}");
            self.end_look();
            return Ok(());
        }
        looked
    }

    async fn look_at_next(&mut self) -> Result<(), StoreError> {
        let Some(look) = &mut self.look else { return Ok(()) };
        let sought = look.sought(self.clock.now());
        let page = self.store.sought(look.after, sought, LOOKED_AT_PER_STEP).await?;
        // After it was read: what was accepted meanwhile is not of the future.
        let now = self.clock.now();
        let (people, aside) = (self.roster.now(), self.aside.clone());
        let (left_alone, _) = aside.now();
        let mut writes: Vec<AlertWrite> = Vec::new();
        let work_again = look.work_again.clone();
        for (due, Stored { mut alert, version }) in page.alerts {
            if left_alone.contains(&alert.id) {
                continue;
            }
            aside.take_in_hand(vec![alert.id]);
            let is_ahead = is_misdated(&alert, due, &self.rules, now);
            look.misdated += usize::from(is_ahead);
            let waits_in_vain = hasten(&mut alert, &look.work_again, now);
            if is_ahead
                || waits_in_vain
                || (now < due && is_orphaned(&alert, self.epoch))
                || (now < due && look.work_again.is_empty() && is_unheard(&alert, &people))
            {
                writes.push(AlertWrite::of(alert, Expect::Version(version), Some(now)));
            }
        }
        aside.lay_down();
        for _ in 0..LOOKS_AGAIN_MAX {
            if writes.is_empty() {
                break;
            }
            let mut again = Vec::new();
            for commit in self.store.commit(Lane::Deliver, &writes).await? {
                match commit {
                    // Somebody else has planned it meanwhile, or made it due; but planning hastens nothing.
                    Commit::Conflict(Some(current)) => {
                        let Stored { mut alert, version } = *current;
                        if hasten(&mut alert, &work_again, now) {
                            again.push(AlertWrite::of(alert, Expect::Version(version), Some(now)));
                        }
                    }
                    Commit::Failed(error @ StoreError::Unavailable(_)) => return Err(error),
                    Commit::Done(_) | Commit::Conflict(None) | Commit::Failed(_) => {}
                }
            }
            writes = again;
        }
        look.after = page.next;
        let misdated = look.misdated;
        if page.next.is_some() {
            return Ok(());
        }
        if look.work_again.is_empty() {
            let names = people.iter().map(|person| person.name.clone()).collect();
            self.store.put(Lane::Deliver, &RosterRecord { names }).await?;
        }
        self.end_look();
        if 0 < misdated {
            warn!(
                misdated,
                "{misdated} alerts waited for times too far ahead: the system clock was ahead when they were planned, \
                 they go on now"
            );
        }
        Ok(())
    }

    fn end_look(&mut self) {
        let work_again = self.look.take().map(|look| look.next).unwrap_or_default();
        self.look = (!work_again.is_empty()).then(|| Look { work_again, ..Look::default() });
    }
}

/// The right to plan, without which nothing is written.
pub(super) async fn lead(store: &dyn Store, clock: &dyn Clock) -> Epoch {
    loop {
        match when_available(clock, "the lead", || store.lead()).await {
            Ok(lead) => return lead.epoch,
            Err(error) => error!(error = %error, "could not take the lead, trying again: {error}"),
        }
        clock.sleep(STORE_PAUSE).await;
    }
}

/// Devices that an earlier process retired.
pub(super) async fn devices(store: &dyn Store, clock: &dyn Clock) -> DeviceBook {
    let mut devices = DeviceBook::default();
    for DeviceRecord { id, .. } in read(clock, "which devices are retired", || store.all()).await {
        devices.retire(id);
    }
    devices
}

/// What the store knows of earlier spending and of digests that collect.
pub(super) async fn budgets(store: &dyn Store, clock: &dyn Clock, rules: &Rules) -> Budgets {
    let (mut budgets, now) = (Budgets::new(rules), clock.now());
    let since = now.saturating_sub(budgets.counts_for()).unwrap_or(Timestamp::MIN);
    let mut charges = read(clock, "what was spent before", || store.charges(since)).await;
    set_back(&mut charges, now);
    budgets.spend(&charges);

    for counted in read(clock, "which digests have counted", || store.all::<CountedRecord>()).await {
        let CountedRecord { contact, tier, due_at, storm } = counted;
        budgets.remember_counted(&contact, tier, due_at);
        if let Some(storm) = storm {
            budgets.resume_storm(&contact, storm, now);
        }
    }
    let mut collecting = Vec::new();
    look_through(store, clock, Signs::COLLECTS, "digests that collect", |alert| {
        let digest = alert.digest.clone().filter(|digest| digest.counted.is_none());
        collecting.extend(digest.map(|digest| (alert.id, alert.opened_at, digest)));
    })
    .await;
    for (id, opened_at, Digest { contact, tier, due_at, .. }) in collecting {
        budgets.storm(&contact, opened_at.min(now));
        // They are counted when it is due.
        let what = format!("what digest {id} counts so far");
        let folds = read(clock, &what, || store.folds(id)).await;
        budgets.resume(&Opening { id, contact, tier, due_at }, folds.len());
    }
    budgets
}

/// Alerts that reached nobody or went unanswered before this process began: `/readyz` has to know before it answers.
pub(super) async fn vitals(store: &dyn Store, clock: &dyn Clock, vitals: &Vitals) {
    let what = "alerts that reached nobody or went unanswered";
    look_through(store, clock, Signs::UNHEARD.union(Signs::UNANSWERED), what, |alert| vitals.note(alert))
        .await;
}

/// The gravest first, as far as there is time for it before dispatch begins.
async fn look_through(
    store: &dyn Store,
    clock: &dyn Clock,
    signs: Signs,
    what: &str,
    mut each: impl FnMut(&Alert),
) {
    let sought = Sought { signs, written_after: Timestamp::MAX };
    let (mut after, mut looked) = (None, 0);
    while looked < LOOKED_THROUGH_MAX {
        let page = read(clock, what, || store.sought(after, sought, PAGE)).await;
        page.alerts.iter().for_each(|(_, stored)| each(&stored.alert));
        (after, looked) = (page.next, looked + page.alerts.len());
        if after.is_none() {
            return;
        }
    }
    warn!("only the gravest alerts were looked through for {what}: others are noted when they are due");
}

/// A start does not fail because of what is stored: it goes on without what is damaged.
async fn read<T: Default, F: Future<Output = Result<T, StoreError>>>(
    clock: &dyn Clock,
    what: &str,
    read: impl Fn() -> F,
) -> T {
    when_available(clock, what, read).await.unwrap_or_else(|error| {
        error!(error = %error, "could not read {what}, starting without: {error}");
        T::default()
    })
}
