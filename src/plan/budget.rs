//! Everybody's accounts: what was spent recently, and what may still be spent.
//!
//! A budget is a list of windows such as `20/10m`: at most 20 in any ten minutes. It holds under
//! any interleaving because one planner plans one alert after the other, and enters what an alert
//! spends before it looks at the next. What texts may cost is stored with the plan that sends them,
//! so a restart counts it too.

use std::{
    collections::{BTreeMap, HashMap},
    ops::RangeInclusive,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Rules,
    rules::GATEWAY_DAY,
    window::{Spare, Spending},
};
use crate::{
    alert::{AlertId, Charge, ContactName, DIGEST_ALERTS_MAX, FoldRow, GatewayName, Payer, Tier},
    config::Rate,
};

/// From the first alert that a digest counts until it goes out: there is time to hold back more.
pub(super) const DISASTERS_COLLECT: SignedDuration = SignedDuration::from_secs(10);

/// Between two digests of new disasters to one contact. With the request itself, a disaster that
/// was held back is told within a minute.
pub(super) const DISASTERS_EVERY: SignedDuration = SignedDuration::from_secs(45);

/// As [`DISASTERS_COLLECT`], for everything else.
pub(super) const OTHERS_COLLECT: SignedDuration = SignedDuration::from_secs(30);

/// As [`DISASTERS_EVERY`], for everything else: as long as the storm has lasted, within these bounds.
/// At first everybody wants to know; later a digest more costs more than it tells.
pub(super) const OTHERS_EVERY: RangeInclusive<SignedDuration> =
    SignedDuration::from_mins(1)..=SignedDuration::from_mins(5);

/// Without anything held back for this long, the storm of a contact is over. While it lasts, reminders
/// go into digests only: a segment is worth more for something new.
pub const STORM_LASTS: SignedDuration = SignedDuration::from_hours(1);

/// A digest that is due and has not counted takes more for this long; nothing that is being written may go into it when
/// it counts. What is held back later goes into the next one, also if it cannot be read.
const COLLECTS_PAST_DUE: SignedDuration = SignedDuration::from_secs(2);

pub(super) fn digest_pause_max(tier: Tier) -> SignedDuration {
    match tier {
        Tier::Disaster => DISASTERS_COLLECT.max(DISASTERS_EVERY),
        Tier::Ordinary => OTHERS_COLLECT.max(*OTHERS_EVERY.end()),
    }
}

/// An alert that a digest is to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    pub digest: AlertId,
    pub contact: ContactName,
    pub row: FoldRow,
}

/// A digest that is to be there before anything is folded into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    pub id: AlertId,
    pub contact: ContactName,
    pub tier: Tier,
    /// When it counts.
    pub due_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Collecting {
    id: AlertId,
    alerts: usize,
    /// When it counts.
    due_at: Timestamp,
}

impl Collecting {
    fn has_room(&self, now: Timestamp) -> bool {
        self.alerts < DIGEST_ALERTS_MAX && now.duration_since(self.due_at) < COLLECTS_PAST_DUE
    }
}

/// When something was first and last held back from a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storm {
    pub since: Timestamp,
    pub last: Timestamp,
}

/// The segments that a gateway took, or may have taken, in the last 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatewayDay<'a> {
    pub name: &'a GatewayName,
    pub spent: u64,
    pub limit: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Budgets {
    texts: Vec<Rate>,
    disasters: Vec<Rate>,
    per_device: Vec<Rate>,
    /// Of the gateways that have a day's limit, in the order of the configuration.
    days: Vec<(GatewayName, Rate)>,
    accounts: HashMap<Payer, Spending>,
    /// What texts under way may cost their gateways.
    reserved: HashMap<Payer, i64>,
    collecting: BTreeMap<(ContactName, Tier), Collecting>,
    counted_at: BTreeMap<(ContactName, Tier), Timestamp>,
    storms: BTreeMap<ContactName, Storm>,
}

impl Budgets {
    pub fn new(rules: &Rules) -> Self {
        let day = |gateway: &super::GatewayRule| Some((gateway.name.clone(), gateway.day()?));
        Self {
            texts: rules.text_budget.clone(),
            disasters: rules.disaster_budget.clone(),
            per_device: rules.per_device.clone(),
            days: rules.gateways.iter().filter_map(day).collect(),
            ..Self::default()
        }
    }

    /// How far back a charge still counts.
    pub fn counts_for(&self) -> SignedDuration {
        let windows = self.texts.iter().chain(&self.disasters).map(|rate| rate.per);
        windows.chain([GATEWAY_DAY, STORM_LASTS]).max().unwrap_or(GATEWAY_DAY)
    }

    /// The windows of an account; empty = no limit.
    fn rates(&self, payer: &Payer) -> &[Rate] {
        match payer {
            Payer::Contact(_, Tier::Ordinary) => &self.texts,
            Payer::Contact(_, Tier::Disaster) => &self.disasters,
            Payer::Device(_) => &self.per_device,
            Payer::Gateway(name) => {
                let day = self.days.iter().find(|(limited, _)| limited == name);
                day.map_or(&[], |(_, rate)| std::slice::from_ref(rate))
            }
        }
    }

    /// Enters what a plan or an answer spends.
    pub fn spend(&mut self, charges: &[Charge]) {
        for charge in charges {
            self.enter(charge, 1);
        }
    }

    /// The plan was not carried out.
    pub fn take_back(&mut self, charges: &[Charge]) {
        for charge in charges {
            self.enter(charge, -1);
        }
    }

    fn enter(&mut self, charge: &Charge, times: i64) {
        let units = times * i64::from(charge.units);
        if charge.reserved != 0 {
            *self.reserved.entry(charge.payer.clone()).or_default() += times * i64::from(charge.reserved);
        }
        if let Some(account) = self.accounts.get_mut(&charge.payer) {
            account.add(charge.at, units);
        } else if !self.rates(&charge.payer).is_empty() {
            let mut account = Spending::new(self.rates(&charge.payer));
            account.add(charge.at, units);
            self.accounts.insert(charge.payer.clone(), account);
        }
    }

    /// Something is left in every window of this account beside what is to be spared, after `more` that was decided a
    /// moment ago.
    pub(super) fn has_room(&self, payer: &Payer, spare: Spare, now: Timestamp, more: u64) -> bool {
        match self.accounts.get(payer) {
            Some(account) => account.has_room(now, more, spare),
            None => Spending::new(self.rates(payer)).has_room(now, more, spare),
        }
    }

    /// What this account spends has to survive a restart.
    pub fn is_kept(&self, payer: &Payer) -> bool {
        !matches!(payer, Payer::Device(_)) && !self.rates(payer).is_empty()
    }

    /// How far each gateway that has a day's limit has used it up.
    pub fn gateway_days(&self, now: Timestamp) -> impl Iterator<Item = GatewayDay<'_>> {
        self.days.iter().map(move |(name, rate)| {
            let payer = Payer::Gateway(name.clone());
            let spent = self.accounts.get(&payer).map_or(0, |account| account.of_first(now));
            let reserved = self.reserved.get(&payer).copied().unwrap_or(0);
            let spent = spent.saturating_sub(u64::try_from(reserved).unwrap_or(0));
            GatewayDay { name, spent, limit: u64::from(rate.count.get()) }
        })
    }

    /// The digest that collects for this contact, if there is one with room.
    pub(super) fn digest(&self, contact: &ContactName, tier: Tier, now: Timestamp) -> Option<AlertId> {
        let open = self.collecting.get(&(contact.clone(), tier));
        open.filter(|open| open.has_room(now)).map(|open| open.id)
    }

    pub(super) fn is_collecting(&self, contact: &ContactName, digest: AlertId, now: Timestamp) -> bool {
        let tiers = [Tier::Disaster, Tier::Ordinary];
        tiers.into_iter().any(|tier| self.digest(contact, tier, now) == Some(digest))
    }

    /// When a digest that is opened now counts.
    pub(super) fn next_digest_at(&self, contact: &ContactName, tier: Tier, now: Timestamp) -> Timestamp {
        let (collect, every) = match tier {
            Tier::Disaster => (DISASTERS_COLLECT, DISASTERS_EVERY),
            Tier::Ordinary => {
                let storm = self.storms.get(contact);
                let lasted = storm.map_or(SignedDuration::ZERO, |storm| now.duration_since(storm.since));
                (OTHERS_COLLECT, lasted.clamp(*OTHERS_EVERY.start(), *OTHERS_EVERY.end()))
            }
        };
        let after = |at: Timestamp, pause| at.saturating_add(pause).unwrap_or(Timestamp::MAX);
        let last = self.counted_at.get(&(contact.clone(), tier));
        let next = last.map_or(Timestamp::MIN, |last| after(*last, every));
        // Whatever the clock did: never later than the pause from now.
        after(now, collect).max(next.min(after(now, every)))
    }

    pub fn open(&mut self, opening: &Opening) {
        self.resume(opening, 0);
    }

    /// Nothing more goes into this digest: it could not be opened, or cannot be read.
    pub fn forget(&mut self, digest: AlertId) {
        self.collecting.retain(|_, open| open.id != digest);
    }

    /// As [`Budgets::open`], for one that counts `alerts` already. Of two the one that counts later goes on.
    pub fn resume(&mut self, opening: &Opening, alerts: usize) {
        let Opening { id, ref contact, tier, due_at } = *opening;
        let resumed = Collecting { id, alerts, due_at };
        let open = self.collecting.entry((contact.clone(), tier)).or_insert(resumed);
        if open.due_at <= due_at {
            *open = resumed;
        }
    }

    /// A digest of this contact counted at this time.
    pub fn remember_counted(&mut self, contact: &ContactName, tier: Tier, at: Timestamp) {
        let last = self.counted_at.entry((contact.clone(), tier)).or_insert(at);
        *last = at.max(*last);
    }

    /// Something was held back; true if a storm begins with it.
    pub fn fold(&mut self, fold: &Fold, now: Timestamp) -> bool {
        for ((owner, _), open) in &mut self.collecting {
            if *owner == fold.contact && open.id == fold.digest {
                open.alerts += 1;
            }
        }
        self.storm(&fold.contact, now)
    }

    /// The contact is in a storm; true if it has just begun.
    pub fn storm(&mut self, contact: &ContactName, now: Timestamp) -> bool {
        let begins = !self.is_stormy(contact, now);
        let storm = self.storms.entry(contact.clone()).or_insert(Storm { since: now, last: now });
        if begins {
            storm.since = now;
        }
        storm.since = storm.since.min(now);
        storm.last = storm.last.max(now);
        begins
    }

    /// The contact was in this storm before the start, and still is if it has not passed at `now`.
    pub fn resume_storm(&mut self, contact: &ContactName, storm: Storm, now: Timestamp) {
        let (since, last) = (storm.since.min(now), storm.last.min(now));
        if now.duration_since(last) < STORM_LASTS {
            let known = self.storms.entry(contact.clone()).or_insert(Storm { since, last });
            *known = Storm { since: known.since.min(since), last: known.last.max(last) };
        }
    }

    /// A digest counts now: nothing more goes into it.
    pub fn close(&mut self, contact: &ContactName, tier: Tier, id: AlertId, now: Timestamp) {
        let key = (contact.clone(), tier);
        if self.collecting.get(&key).is_some_and(|open| open.id == id) {
            self.collecting.remove(&key);
        }
        self.counted_at.insert(key, now);
    }

    /// When the next storm is over, if nothing more is held back.
    pub fn calm_at(&self) -> Option<Timestamp> {
        let ends = self.storms.values().map(|storm| storm.last.saturating_add(STORM_LASTS));
        ends.map(|end| end.unwrap_or(Timestamp::MAX)).min()
    }

    /// Something was held back from this contact recently.
    pub fn is_stormy(&self, contact: &ContactName, now: Timestamp) -> bool {
        self.storms.get(contact).is_some_and(|storm| now.duration_since(storm.last) < STORM_LASTS)
    }

    /// Forgets storms that are over, and says whose.
    pub fn calm_down(&mut self, now: Timestamp) -> Vec<(ContactName, Storm)> {
        let over: Vec<_> = self
            .storms
            .iter()
            .filter(|(_, storm)| STORM_LASTS <= now.duration_since(storm.last))
            .map(|(contact, storm)| (contact.clone(), *storm))
            .collect();
        self.storms.retain(|_, storm| now.duration_since(storm.last) < STORM_LASTS);
        over
    }

    pub fn storms(&self) -> &BTreeMap<ContactName, Storm> {
        &self.storms
    }
}
