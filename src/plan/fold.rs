//! A budget is spent: what would have been told goes into a digest instead.

use super::{Address, Fold, Opening, desk::Desk};
use crate::alert::{
    AlertId, Charge, ContactName, ContactTelling, Cycle, DeviceId, DigestLane, Entry, FoldRow, FoldWord,
    Folded, Payer, Purse, RoadState, Severity, SmsRoad, Subject, Told,
};

/// Said where no gateway may take another text today.
pub(super) const DAYS_SPENT: &str = "per_day of every gateway that is left";

impl Desk<'_> {
    /// Something is spent.
    pub(super) fn charge(&mut self, payer: Payer, units: u16) {
        self.charges.push(Charge { payer, at: self.now(), units });
    }

    /// What no limit may drop: a digest, and a test that somebody waits for.
    fn is_exempt(&self, subject: &Subject) -> bool {
        *subject == Subject::Digest || self.test
    }

    fn spent_here(&self, payer: &Payer) -> u64 {
        let charges = self.charges.iter().filter(|charge| charge.payer == *payer);
        charges.map(|charge| u64::from(charge.units)).sum()
    }

    /// This device may have another push.
    pub(super) fn can_push(&self, device: DeviceId, subject: &Subject) -> bool {
        if self.is_exempt(subject) {
            return true;
        }
        let spent = self.spent_here(&Payer::Device(device));
        self.present.budgets.can_push(device, self.severity, (self.now(), spent))
    }

    /// The gateway that a first text takes, or which budget is spent.
    pub(super) fn admit_text(&self, contact: &ContactName, subject: &Subject) -> Result<u8, &'static str> {
        let purse = self.purse(subject);
        let spent = self.spent_here(&Payer::Contact(contact.clone(), purse));
        let (budgets, now) = (self.present.budgets, self.now());
        if !self.is_exempt(subject) && !budgets.can_text(contact, purse, self.severity, (now, spent)) {
            return Err(purse.key());
        }
        let ranks = 0..u8::try_from(self.present.rules.gateways.len()).unwrap_or(u8::MAX);
        match ranks.into_iter().find(|rank| self.has_day_left(*rank)) {
            Some(rank) => Ok(rank),
            // Their day's limit holds back what has no budget of its own.
            None if self.is_exempt(subject) || purse == Purse::Disasters => Ok(0),
            None => Err(DAYS_SPENT),
        }
    }

    /// The gateway of this rank may take a text that is tried again.
    pub(super) fn has_room(&self, rank: u8, subject: &Subject) -> bool {
        self.is_exempt(subject) || self.purse(subject) == Purse::Disasters || self.has_day_left(rank)
    }

    /// The gateway of this rank has not reached its day's limit, with the texts that were just planned.
    fn has_day_left(&self, rank: u8) -> bool {
        let texts = self.sends.iter().filter(|send| send.address == Address::Gateway(rank)).count();
        let longest = self.gateway(rank).map_or(1, |gateway| u64::from(gateway.segments_max));
        let more = u64::try_from(texts).unwrap_or(u64::MAX).saturating_mul(longest);
        self.present.budgets.has_room(rank, (self.now(), more))
    }

    /// A text goes out: what it costs here beyond what was charged for it; what is charged for it now.
    pub(super) fn charge_text(
        &mut self,
        contact: &ContactName,
        subject: &Subject,
        (rank, charged): (u8, u16),
    ) -> u16 {
        let segments = self.present.price.segments(self.alert, subject, contact, rank).max(1);
        if charged < segments {
            self.charge(Payer::Contact(contact.clone(), self.purse(subject)), segments - charged);
        }
        charged.max(segments)
    }

    /// Disasters have a budget of their own, for what is new about them.
    fn purse(&self, subject: &Subject) -> Purse {
        match self.lane(subject) {
            DigestLane::Disaster => Purse::Disasters,
            DigestLane::Other => Purse::Texts,
        }
    }

    fn lane(&self, subject: &Subject) -> DigestLane {
        match subject {
            Subject::Digest => self.alert.digest.as_ref().map_or(DigestLane::Other, |digest| digest.lane),
            Subject::Opened | Subject::Raised if self.severity == Severity::Disaster => DigestLane::Disaster,
            Subject::Opened
            | Subject::Raised
            | Subject::Repeat { .. }
            | Subject::Resolved
            | Subject::Missed
            | Subject::Unreachable { .. } => DigestLane::Other,
        }
    }

    /// Why this cycle, which has not begun, is told in a digest whatever the budgets say: whoever heard
    /// of an alert by a digest hears of its end by one, and in a storm nobody is reminded alert by alert.
    pub(super) fn told_in_digest(
        &self,
        name: &ContactName,
        contact: &ContactTelling,
        cycle: &Cycle,
    ) -> Option<&'static str> {
        if self.is_exempt(&cycle.subject) || cycle.folded || has_begun(cycle) {
            return None;
        }
        let by_digest = contact.told == Told::Folded;
        match cycle.subject {
            Subject::Resolved if by_digest => Some("a digest told the beginning"),
            Subject::Repeat { .. } if by_digest || self.present.budgets.is_stormy(name, self.now()) => {
                Some("no reminders one by one in a storm")
            }
            Subject::Resolved
            | Subject::Repeat { .. }
            | Subject::Opened
            | Subject::Raised
            | Subject::Missed
            | Subject::Unreachable { .. }
            | Subject::Digest => None,
        }
    }

    /// A digest tells it. What is under way may still arrive; nothing more is begun.
    pub(super) fn hold_back(
        &mut self,
        name: &ContactName,
        (contact, cycle): (&mut ContactTelling, &mut Cycle),
        text: bool,
        reason: &str,
    ) {
        let (word, unreached) = match &cycle.subject {
            Subject::Opened | Subject::Raised | Subject::Repeat { .. } => (FoldWord::Fired, None),
            Subject::Resolved | Subject::Missed => (FoldWord::Resolved, None),
            Subject::Unreachable { contact, .. } => (FoldWord::Unreachable, Some(contact.clone())),
            Subject::Digest => return,
        };
        let earlier = contact.folded.take();
        // The digest that is about to tell the beginning tells that it is over.
        let still_open =
            earlier.as_ref().map(|earlier| earlier.digest).filter(|digest| self.collects(name, *digest));
        let digest = match still_open.filter(|_| word == FoldWord::Resolved) {
            Some(digest) => digest,
            None => self.digest_for(name, self.lane(&cycle.subject)),
        };
        let folded = Folded { digest, word, at: self.now(), text, unreached }.after(earlier.as_ref());
        self.folds.retain(|fold| fold.digest != digest);
        self.folds.push(Fold { digest, contact: name.clone(), row: FoldRow::new(self.alert, &folded) });
        self.note(Entry::Folded { contact: name.clone(), digest, reason: reason.to_owned() });
        if word != FoldWord::Unreachable {
            contact.told = contact.told.max(Told::Folded);
            contact.certain = contact.certain.max(Told::Folded);
        }
        contact.folded = Some(folded);
        cycle.folded = true;
        cycle.pushes.retain(|road| road.state.is_in_flight());
        cycle.sms = SmsRoad::Off;
    }

    /// A digest that is about to say that the alert fires says that it is over.
    pub(super) fn is_over_in_digest(&mut self, name: &ContactName, contact: &mut ContactTelling) {
        let Some(folded) = &mut contact.folded else { return };
        if folded.word == FoldWord::Fired && self.collects(name, folded.digest) {
            folded.word = FoldWord::Resolved;
            let digest = folded.digest;
            self.folds.push(Fold { digest, contact: name.clone(), row: FoldRow::new(self.alert, folded) });
        }
    }

    fn collects(&self, name: &ContactName, digest: AlertId) -> bool {
        self.present.budgets.is_collecting(name, digest) || self.opens.iter().any(|open| open.id == digest)
    }

    /// The digest that collects for this contact; a new one if there is none.
    fn digest_for(&mut self, name: &ContactName, lane: DigestLane) -> AlertId {
        let opened = self.opens.iter().find(|open| open.contact == *name && open.lane == lane);
        let known = opened.map(|open| open.id).or_else(|| self.present.budgets.digest(name, lane));
        known.unwrap_or_else(|| {
            let id = self.fresh_id();
            let due_at = self.present.budgets.next_digest_at(name, lane, self.now());
            self.opens.push(Opening { id, contact: name.clone(), lane, due_at });
            id
        })
    }

    fn fresh_id(&self) -> AlertId {
        let mut entropy = self.present.entropy;
        let number = u16::try_from(self.opens.len()).unwrap_or(u16::MAX);
        for (byte, number) in entropy.iter_mut().rev().zip(number.to_le_bytes()) {
            *byte = byte.wrapping_add(number);
        }
        AlertId::new(self.now(), entropy)
    }
}

/// Some request of it was made.
fn has_begun(cycle: &Cycle) -> bool {
    let pushed = cycle.pushes.iter().any(|road| road.state != RoadState::Ready || 0 < road.attempts);
    let texted = matches!(
        &cycle.sms,
        SmsRoad::Open { attempts, undelivered, .. } if 0 < *attempts || !undelivered.is_empty()
    );
    pushed || texted || cycle.push_accepted
}
