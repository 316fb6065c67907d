//! What comes out of planning: requests, the next due time, what is spent, what is held back.

use jiff::Timestamp;

use super::{Fold, Opening, present::Facts};
use crate::alert::{
    Address, Charge, ContactName, Entry, GatewayName, Outcome, Payer, Pending, Row, Severity, Subject,
    Unreached,
};

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Requests to make, each already marked in flight in the alert.
    pub sends: Vec<Send>,
    /// Questions to gateways. Nothing waits for their answers, which come back as reports.
    pub asks: Vec<Ask>,
    /// Some push found no room: it begins when the alert is planned with some.
    pub is_crowded: bool,
    /// When to plan again; `None` only for an alert that is over and notified.
    pub due: Option<Timestamp>,
    pub charges: Vec<Charge>,
    pub folds: Vec<Fold>,
    /// Digests that have to be there before this plan is written.
    pub opens: Vec<Opening>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    pub attempt: u32,
    pub contact: ContactName,
    pub subject: Subject,
    /// As how severe it tells the alert.
    pub severity: Severity,
    pub address: Address,
    /// When it was planned.
    pub began: Timestamp,
}

/// One question to a gateway: what became of a text?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Number of the attempt that is asked about.
    pub attempt: u32,
    pub contact: ContactName,
    pub subject: Subject,
    /// As how severe the text told the alert.
    pub severity: Severity,
    pub gateway: GatewayName,
    pub sent_at: Timestamp,
}

/// Who is notified of what: goes with every step of a notification.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) contact: &'a ContactName,
    pub(super) subject: &'a Subject,
}

/// What an attempt to send a text came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextAnswer<'a> {
    pub(super) attempt: u32,
    pub(super) gateway: &'a GatewayName,
    /// As how severe it told the alert.
    pub(super) severity: Severity,
    pub(super) began: Timestamp,
    pub(super) outcome: &'a Outcome,
    /// What the text is billed as; 0 = not known.
    pub(super) segments: u8,
}

/// A plan in the making: the facts it goes by, and what it has come to so far.
pub(super) struct Draft<'a> {
    pub(super) facts: Facts<'a>,
    pub(super) plan: Plan,
    pub(super) rows: Vec<Row>,
    pub(super) attempts: u32,
    /// How many of them push.
    pub(super) pushes: usize,
    /// Those of whom a message said that they could not be reached, which has surely failed itself.
    pub(super) untold: Vec<Unreached>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(facts: Facts<'a>) -> Self {
        Self {
            facts,
            plan: Plan::default(),
            rows: Vec::new(),
            attempts: facts.alert.attempts,
            pushes: 0,
            untold: Vec::new(),
        }
    }

    pub(super) fn note(&mut self, entry: Entry) {
        self.rows.push(Row { at: self.facts.now(), entry });
    }

    pub(super) fn send(&mut self, message: Message<'_>, address: Address) -> Pending {
        self.attempts += 1;
        let until = self.facts.after(self.facts.rules().in_flight_max(&address));
        let (attempt, severity) = (self.attempts, self.facts.said_as(message.subject));
        self.plan.sends.push(Send {
            attempt,
            contact: message.contact.clone(),
            subject: message.subject.clone(),
            severity,
            address,
            began: self.facts.now(),
        });
        Pending::InFlight { attempt, severity, epoch: self.facts.present.epoch, until }
    }

    pub(super) fn charge(&mut self, payer: Payer, at: Timestamp, units: i32) {
        self.plan.charges.push(Charge { payer, at, units, reserved: 0 });
    }

    /// What this plan spends of an account, beyond what is entered there.
    pub(super) fn spent(&self, payer: &Payer) -> u64 {
        let charges = self.plan.charges.iter().filter(|charge| charge.payer == *payer);
        u64::try_from(charges.map(|charge| i64::from(charge.units)).sum::<i64>()).unwrap_or(0)
    }

    /// A notification is given up; it stays visible.
    pub(super) fn dead_letter(&mut self, message: Message<'_>, address: Address, reason: &str) {
        let (contact, subject) = (message.contact.clone(), message.subject.topic());
        self.note(Entry::DeadLetter { contact, address, subject, reason: reason.to_owned() });
    }
}
