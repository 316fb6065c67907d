//! What is at hand while one alert is planned.

use jiff::{SignedDuration, Timestamp};

use super::{Address, Ask, Fold, GatewayRule, Opening, Person, Present, Send, settle};
use crate::alert::{
    Alert, AlertState, Charge, ContactName, Cycle, Entry, Outcome, Payer, PushRoad, RoadState, Roads, Row,
    Severity, SmsRoad, Subject, Telling,
};

/// The alert's facts, the rules, and what has been decided so far.
pub(super) struct Desk<'a> {
    pub(super) present: &'a Present<'a>,
    /// Without its telling and with the rows of before.
    pub(super) alert: &'a Alert,
    pub(super) severity: Severity,
    pub(super) state: AlertState,
    pub(super) test: bool,
    /// Told once, and ends without a word.
    pub(super) told_once: bool,
    pub(super) to: Vec<ContactName>,
    pub(super) rows: Vec<Row>,
    pub(super) attempts: u32,
    pub(super) sends: Vec<Send>,
    pub(super) asks: Vec<Ask>,
    pub(super) charges: Vec<Charge>,
    pub(super) folds: Vec<Fold>,
    pub(super) opens: Vec<Opening>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(alert: &'a Alert, present: &'a Present<'a>) -> Self {
        Self {
            present,
            alert,
            severity: alert.severity,
            state: alert.state,
            test: alert.test,
            told_once: alert.house || alert.told_once,
            to: alert.to.clone(),
            rows: Vec::new(),
            attempts: alert.attempts,
            sends: Vec::new(),
            asks: Vec::new(),
            charges: Vec::new(),
            folds: Vec::new(),
            opens: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.present.now
    }

    pub(super) fn after(&self, delay: SignedDuration) -> Timestamp {
        self.now().saturating_add(delay).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn note(&mut self, entry: Entry) {
        self.rows.push(Row { at: self.now(), entry });
    }

    /// Whom the policy names; the alert's own list, if it has one, goes before it, unless none of these is in
    /// the configuration any more.
    pub(super) fn audience(&self) -> Vec<Person> {
        let people = &self.present.rules.people;
        let named: Vec<_> = people.iter().filter(|person| self.to.contains(&person.name)).cloned().collect();
        if named.is_empty() { people.clone() } else { named }
    }

    /// Puts an attempt in flight.
    pub(super) fn send(&mut self, contact: &ContactName, subject: &Subject, address: Address) -> RoadState {
        self.attempts += 1;
        if let Address::Device(device) = address {
            self.charge(Payer::Device(device), 1);
        }
        self.sends.push(Send {
            attempt: self.attempts,
            contact: contact.clone(),
            subject: subject.clone(),
            address,
            began: self.now(),
        });
        RoadState::InFlight {
            attempt: self.attempts,
            until: self.after(self.present.rules.in_flight_max(address)),
        }
    }

    /// A new telling of `subject` to `person`, with the roads that it may take.
    pub(super) fn begin(&self, person: &Person, subject: Subject, texted: bool) -> Cycle {
        let rules = self.present.rules;
        let usable = |device: &&_| self.present.devices.is_usable(**device, self.now());
        let devices = if rules.push { person.devices.as_slice() } else { &[] };
        let pushes = devices
            .iter()
            .filter(usable)
            .map(|device| PushRoad { device: *device, attempts: 0, state: RoadState::Ready })
            .collect();
        let can_text =
            person.phone && !rules.gateways.is_empty() && !self.test && self.alert.roads == Roads::All;
        let sms = match &subject {
            Subject::Resolved if can_text && rules.texts_resolved && texted => open_text(),
            Subject::Resolved => SmsRoad::Off,
            _ if !can_text => SmsRoad::Off,
            Subject::Raised => open_text(),
            Subject::Digest => self.text_of_digest(),
            Subject::Opened | Subject::Repeat { .. } | Subject::Missed | Subject::Unreachable { .. } => {
                if rules.texts_at_once(self.severity) {
                    open_text()
                } else if rules.falls_back(self.severity) {
                    SmsRoad::Standby { deadline: self.after(rules.accept_within) }
                } else {
                    SmsRoad::Off
                }
            }
        };
        let since = self.now();
        Cycle { subject, since, pushes, push_accepted: false, push_failed: None, folded: false, sms }
    }

    /// Attempts whose answer did not come in time, or whose process is gone, are `Unknown`.
    pub(super) fn expire(&mut self, telling: &mut Telling) {
        let mut silent = Vec::new();
        for (name, contact) in &telling.contacts {
            for cycle in &contact.cycles {
                for (state, address) in open_roads(cycle) {
                    if let Some((attempt, began, detail)) = self.silence_of(state, address) {
                        let subject = cycle.subject.clone();
                        let send = Send { attempt, contact: name.clone(), subject, address, began };
                        silent.push((send, detail));
                    }
                }
            }
        }
        for (send, detail) in silent {
            let outcome = Outcome::Unknown { detail: detail.to_owned() };
            let ended = self.now();
            settle::record(self, telling, &settle::Settlement { send, outcome, segments: 0, ended });
        }
    }

    fn silence_of(&self, state: RoadState, address: Address) -> Option<(u32, Timestamp, &'static str)> {
        let RoadState::InFlight { attempt, until } = state else { return None };
        let began = self.present.rules.began(until, address);
        if until <= self.now() {
            Some((attempt, began, "no answer in time"))
        } else if began < self.present.running_since {
            Some((attempt, began, "this process was started before the answer was recorded"))
        } else {
            None
        }
    }

    pub(super) fn gateway(&self, rank: u8) -> Option<&GatewayRule> {
        self.present.rules.gateways.get(usize::from(rank))
    }

    /// The gateway after this one, over the end if need be, without those; `None` if no other is left.
    pub(super) fn next_gateway(&self, rank: u8, without: &[u8]) -> Option<u8> {
        let all = u8::try_from(self.present.rules.gateways.len()).unwrap_or(u8::MAX);
        let after = (rank.saturating_add(1)..all).chain(0..all.min(rank.saturating_add(1)));
        after.into_iter().find(|rank| !without.contains(rank))
    }

    /// As the ledger shows it: never a token or a number.
    pub(super) fn describe(&self, address: Address) -> String {
        match address {
            Address::Device(device) => format!("device {device}"),
            Address::Gateway(rank) => self
                .gateway(rank)
                .map_or_else(|| format!("gateway {}", rank + 1), |gateway| gateway.name.clone()),
        }
    }
}

/// Every road of a cycle that is not closed, and where it leads.
pub(super) fn open_roads(cycle: &Cycle) -> impl Iterator<Item = (RoadState, Address)> {
    let text = match &cycle.sms {
        SmsRoad::Open { gateway, state, .. } => Some((*state, Address::Gateway(*gateway))),
        SmsRoad::Off
        | SmsRoad::Standby { .. }
        | SmsRoad::Accepted
        | SmsRoad::Unknown
        | SmsRoad::Failed { .. } => None,
    };
    cycle.pushes.iter().map(|road| (road.state, Address::Device(road.device))).chain(text)
}

pub(super) fn open_text() -> SmsRoad {
    text_by(0, Vec::new(), 0)
}

/// A text that goes out now, by this gateway first and never by those that failed to deliver it; `unknowns` of
/// it may have arrived already.
pub(super) fn text_by(gateway: u8, undelivered: Vec<u8>, unknowns: u8) -> SmsRoad {
    SmsRoad::Open {
        gateway,
        tried: 0,
        refused: 0,
        attempts: 0,
        unknowns,
        charged: 0,
        state: RoadState::Ready,
        unanswered: None,
        undelivered,
    }
}
