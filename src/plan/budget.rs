//! What was spent of late, and what may be spent still.
//!
//! A budget is a list of windows such as `20/10m`: in any ten minutes at most so many. It holds under
//! any interleaving because one planner plans one alert after the other, and takes what an alert
//! spends before it looks at the next. What was spent on texts is written down with the plan that
//! spends it, so a restart counts it too, sent or not.

use std::{
    collections::{BTreeMap, HashMap},
    ops::RangeInclusive,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    Rules,
    window::{Spare, Spending},
};
use crate::{
    alert::{
        AlertId, Charge, ContactName, DIGEST_ALERTS_MAX, DeviceId, DigestLane, FoldRow, Payer, Purse,
        Severity,
    },
    config::Rate,
};

/// A digest goes out so long after the first alert that it counts: there is time to hold back more.
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

/// The storm of a contact is over when nothing was held back for so long. While it lasts, reminders
/// go into digests only: a segment is worth more for something new.
pub const STORM_LASTS: SignedDuration = SignedDuration::from_hours(1);

/// The day of a gateway's limit: any 24 hours.
pub const GATEWAY_DAY: SignedDuration = SignedDuration::from_hours(24);

/// No digest collects for longer.
pub(super) fn digest_pause_max(lane: DigestLane) -> SignedDuration {
    match lane {
        DigestLane::Disaster => DISASTERS_COLLECT.max(DISASTERS_EVERY),
        DigestLane::Other => OTHERS_COLLECT.max(*OTHERS_EVERY.end()),
    }
}

/// An alert that a digest is to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Which digest.
    pub digest: AlertId,
    /// Whose.
    pub contact: ContactName,
    /// The row to lay down.
    pub row: FoldRow,
}

/// A digest that is to be there before anything is folded into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The id it will have.
    pub id: AlertId,
    /// For whom.
    pub contact: ContactName,
    /// Which of theirs.
    pub lane: DigestLane,
    /// When it counts.
    pub due_at: Timestamp,
}

/// A digest that collects.
#[derive(Clone, Copy, Debug)]
struct Collecting {
    id: AlertId,
    alerts: usize,
}

/// When something was first and last held back from a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storm {
    /// The first time.
    pub since: Timestamp,
    /// The last time.
    pub last: Timestamp,
}

/// Everybody's spending, and their digests.
#[derive(Clone, Debug, Default)]
pub struct Budgets {
    texts: Vec<Rate>,
    disasters: Vec<Rate>,
    per_device: Vec<Rate>,
    contacts: HashMap<(ContactName, Purse), Spending>,
    devices: HashMap<DeviceId, Spending>,
    gateways: Vec<Till>,
    collecting: BTreeMap<(ContactName, DigestLane), Collecting>,
    counted_at: BTreeMap<(ContactName, DigestLane), Timestamp>,
    storms: BTreeMap<ContactName, Storm>,
}

/// What one gateway has taken.
#[derive(Clone, Debug)]
struct Till {
    name: String,
    taken: Spending,
    /// Segments of texts under way.
    under_way: u64,
}

impl Budgets {
    /// Nothing was spent yet.
    pub fn new(rules: &Rules) -> Self {
        let till = |gateway: &super::GatewayRule| Till {
            name: gateway.name.clone(),
            taken: Spending::new(&gateway.day().into_iter().collect::<Vec<_>>()),
            under_way: 0,
        };
        Self {
            texts: rules.text_budget.clone(),
            disasters: rules.disaster_budget.clone(),
            per_device: rules.per_device.clone(),
            gateways: rules.gateways.iter().map(till).collect(),
            ..Self::default()
        }
    }

    /// So far back lies what still counts.
    pub fn memory(&self) -> SignedDuration {
        let windows = self.texts.iter().chain(&self.disasters).map(|rate| rate.per);
        windows.chain([GATEWAY_DAY, STORM_LASTS]).max().unwrap_or(GATEWAY_DAY)
    }

    /// Takes what a plan spends.
    pub fn spend(&mut self, charges: &[Charge]) {
        for charge in charges {
            if let Some(spending) = self.spending(&charge.payer) {
                spending.add(charge);
            }
        }
    }

    /// The plan was not carried out.
    pub fn take_back(&mut self, charges: &[Charge]) {
        for charge in charges {
            if let Some(spending) = self.spending(&charge.payer) {
                spending.take_back(charge);
            }
        }
    }

    fn spending(&mut self, payer: &Payer) -> Option<&mut Spending> {
        match payer {
            Payer::Contact(contact, purse) => {
                let rates = match purse {
                    Purse::Texts => &self.texts,
                    Purse::Disasters => &self.disasters,
                };
                let key = (contact.clone(), *purse);
                Some(self.contacts.entry(key).or_insert_with(|| Spending::new(rates)))
            }
            Payer::Device(device) => {
                let rates = &self.per_device;
                Some(self.devices.entry(*device).or_insert_with(|| Spending::new(rates)))
            }
            Payer::Gateway(name) => {
                self.gateways.iter_mut().find(|till| till.name == *name).map(|till| &mut till.taken)
            }
        }
    }

    /// A text may go to `contact`, after `more` segments that were decided a moment ago. Half-grave
    /// alerts leave something for grave ones.
    pub(super) fn can_text(
        &self,
        contact: &ContactName,
        purse: Purse,
        severity: Severity,
        (now, more): (Timestamp, u64),
    ) -> bool {
        let spare =
            if purse == Purse::Texts && severity < Severity::High { Spare::Quarter } else { Spare::Nothing };
        let rates = if purse == Purse::Texts { &self.texts } else { &self.disasters };
        match self.contacts.get(&(contact.clone(), purse)) {
            Some(spending) => spending.has_room(now, more, spare),
            None => Spending::new(rates).has_room(now, more, spare),
        }
    }

    /// A push may go to this device.
    pub(super) fn can_push(
        &self,
        device: DeviceId,
        severity: Severity,
        (now, more): (Timestamp, u64),
    ) -> bool {
        let spare = match severity {
            Severity::Disaster => Spare::Nothing,
            Severity::High => Spare::Eighth,
            Severity::Average | Severity::Warning | Severity::Information | Severity::NotClassified => {
                Spare::Quarter
            }
        };
        match self.devices.get(&device) {
            Some(spending) => spending.has_room(now, more, spare),
            None => Spending::new(&self.per_device).has_room(now, more, spare),
        }
    }

    /// The gateway of this rank has not reached its day's limit, texts under way included, and `more` segments
    /// that were decided a moment ago.
    pub(super) fn has_room(&self, rank: u8, (now, more): (Timestamp, u64)) -> bool {
        let till = self.gateways.get(usize::from(rank));
        till.is_none_or(|till| till.taken.has_room(now, till.under_way + more, Spare::Nothing))
    }

    /// A text went out through this gateway (of this rank), or its answer is there.
    pub fn under_way(&mut self, rank: u8, segments: i64) {
        if let Some(till) = self.gateways.get_mut(usize::from(rank)) {
            till.under_way = till.under_way.saturating_add_signed(segments);
        }
    }

    /// Name, segments of the last 24 hours, and their limit, of every gateway that has one.
    pub fn gateways(&self, now: Timestamp) -> impl Iterator<Item = (&str, u64, u64)> {
        self.gateways.iter().filter_map(move |till| {
            till.taken.of_first(now).map(|(spent, limit)| (till.name.as_str(), spent, limit))
        })
    }

    /// The digest that collects for this contact, if there is one with room.
    pub(super) fn digest(&self, contact: &ContactName, lane: DigestLane) -> Option<AlertId> {
        let open = self.collecting.get(&(contact.clone(), lane));
        open.filter(|open| open.alerts < DIGEST_ALERTS_MAX).map(|open| open.id)
    }

    /// This digest still collects.
    pub(super) fn is_collecting(&self, contact: &ContactName, digest: AlertId) -> bool {
        let lanes = [DigestLane::Disaster, DigestLane::Other];
        lanes.into_iter().any(|lane| self.digest(contact, lane) == Some(digest))
    }

    /// When a digest that is opened now counts.
    pub(super) fn next_digest_at(
        &self,
        contact: &ContactName,
        lane: DigestLane,
        now: Timestamp,
    ) -> Timestamp {
        let (collect, every) = match lane {
            DigestLane::Disaster => (DISASTERS_COLLECT, DISASTERS_EVERY),
            DigestLane::Other => {
                let storm = self.storms.get(contact);
                let lasted = storm.map_or(SignedDuration::ZERO, |storm| now.duration_since(storm.since));
                (OTHERS_COLLECT, lasted.clamp(*OTHERS_EVERY.start(), *OTHERS_EVERY.end()))
            }
        };
        let after = |at: Timestamp, pause| at.saturating_add(pause).unwrap_or(Timestamp::MAX);
        let last = self.counted_at.get(&(contact.clone(), lane));
        let next = last.map_or(Timestamp::MIN, |last| after(*last, every));
        // Whatever the clock did: never later than the pause from now.
        after(now, collect).max(next.min(after(now, every)))
    }

    /// A digest begins to collect.
    pub fn open(&mut self, opening: &Opening) {
        self.resume(opening, 0);
    }

    /// It could not be opened.
    pub fn forget(&mut self, opening: &Opening) {
        self.collecting.retain(|_, open| open.id != opening.id);
    }

    /// As [`Budgets::open`], for one that counts so many alerts already.
    pub fn resume(&mut self, opening: &Opening, alerts: usize) {
        let key = (opening.contact.clone(), opening.lane);
        self.collecting.insert(key, Collecting { id: opening.id, alerts });
    }

    /// A digest of this contact counted at this time.
    pub fn remember_counted(&mut self, contact: &ContactName, lane: DigestLane, at: Timestamp) {
        let last = self.counted_at.entry((contact.clone(), lane)).or_insert(at);
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

    /// A digest counts now: nothing more goes into it.
    pub fn close(&mut self, contact: &ContactName, lane: DigestLane, id: AlertId, now: Timestamp) {
        let key = (contact.clone(), lane);
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

    /// What this payer spends has to survive a restart.
    pub fn is_kept(&self, payer: &Payer) -> bool {
        match payer {
            Payer::Contact(_, Purse::Texts) => !self.texts.is_empty(),
            Payer::Contact(_, Purse::Disasters) => !self.disasters.is_empty(),
            Payer::Gateway(name) => {
                self.gateways.iter().any(|till| till.name == *name && !till.taken.is_unlimited())
            }
            Payer::Device(_) => false,
        }
    }

    /// Something was held back from this contact of late.
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

    /// Everybody who is in a storm.
    pub fn storms(&self) -> &BTreeMap<ContactName, Storm> {
        &self.storms
    }
}
