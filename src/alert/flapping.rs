//! A condition that comes and goes again and again is told as flapping once, then left quiet until it
//! is stable.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ContactName, Severity};

/// This many openings within [`FLAPPING_WITHIN`] are flapping.
pub const FLAPPING_ROUNDS: usize = 4;

/// Openings before the one that is flapping.
const FLAPPING_ROUNDS_BEFORE: u32 = 3;

pub const FLAPPING_WITHIN: SignedDuration = SignedDuration::from_mins(30);

/// A condition that has neither come nor gone for this long is stable: how it stands is told.
pub const STABLE_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// The recent openings of one dedup key, carried from round to round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Openings {
    /// The newest [`FLAPPING_ROUNDS`] openings, without those before a stable time; empty for a first
    /// round, whose own opening is all there is.
    at: Vec<Timestamp>,
    /// Openings since it began to flap, this one included; 0 = it does not.
    rounds: u32,
    /// The highest severity of the rounds before this one that somebody heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    worst: Option<Severity>,
    /// Somebody heard of a round before this one since it began to flap.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    told: bool,
    /// Who.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    heard_by: BTreeSet<ContactName>,
    /// Since when nobody has heard of any round, where the one before this was not heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unheard_since: Option<Timestamp>,
    /// A newer round has taken the place of this one, so its end is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded: Option<Successor>,
}

/// The round that has taken the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Successor {
    /// Whoever is to be told of the one before is told of this one.
    Tells,
    /// It flaps on, which was told, or tells less, or other people: who has not heard of the one before is still told
    /// by that.
    IsQuiet,
}

#[derive(Clone, Copy, Debug)]
pub struct LastRound {
    /// As which it was told, or was to be.
    pub severity: Severity,
    pub opened: Timestamp,
    /// Since when it was to be told as that.
    pub told_at: Timestamp,
    pub resolved: Timestamp,
    /// As which somebody knows of it.
    pub heard_as: Option<Severity>,
}

impl Openings {
    /// The openings of the next round, after `last`.
    #[must_use]
    pub fn next(&self, last: LastRound, now: Timestamp) -> Self {
        let LastRound { severity, opened, told_at, resolved, heard_as } = last;
        // Times of a clock that ran ahead tell nothing.
        if STABLE_AFTER <= now.duration_since(resolved) || now < resolved {
            return Self::default();
        }
        // Times of a clock that ran ahead tell nothing.
        let recent = |at: &&Timestamp| **at <= now && now.duration_since(**at) < FLAPPING_WITHIN;
        let known = if self.at.is_empty() { std::slice::from_ref(&opened) } else { &self.at };
        let mut at: Vec<Timestamp> = known.iter().filter(recent).copied().collect();
        at.push(now);
        let surplus = at.len().saturating_sub(FLAPPING_ROUNDS);
        at.drain(..surplus);
        let flaps = at.len() == FLAPPING_ROUNDS;
        let before = if self.rounds == 0 { FLAPPING_ROUNDS_BEFORE } else { self.rounds };
        let rounds = if flaps { before.saturating_add(1) } else { 0 };
        let worst = self.worst.max(heard_as).filter(|_| flaps);
        let told = flaps && (self.told || (heard_as.is_some() && self.flapping().is_some()));
        let is_known = Some(severity) <= heard_as || self.is_quiet(severity);
        let unheard_since = (!is_known).then(|| self.unheard_since(told_at));
        let heard_by = if flaps { self.heard_by.clone() } else { BTreeSet::new() };
        Self { at, rounds, worst, told, heard_by, unheard_since, superseded: None }
    }

    /// These heard of the round before this one, as one that flaps.
    pub fn note_heard_by(&mut self, names: impl Iterator<Item = ContactName>) {
        if self.told {
            self.heard_by.extend(names);
        }
    }

    /// Whoever heard that it flaps, as far as is known.
    pub fn heard_by(&self) -> &BTreeSet<ContactName> {
        &self.heard_by
    }

    /// As far as it is about the rounds before this one, which was `opened` then.
    pub fn unheard_since(&self, opened: Timestamp) -> Timestamp {
        self.unheard_since.map_or(opened, |since| since.min(opened))
    }

    pub fn flapping(&self) -> Option<u32> {
        (0 < self.rounds).then_some(self.rounds)
    }

    /// What there is to tell of the round, but its end, no other one tells.
    pub fn tells_itself(&self) -> bool {
        match self.superseded {
            None => true,
            Some(Successor::IsQuiet) => self.flapping().is_none(),
            Some(Successor::Tells) => false,
        }
    }

    /// It flaps, and somebody has heard so, and of an earlier round that was as severe.
    pub fn is_quiet(&self, severity: Severity) -> bool {
        self.told && !self.is_worse(severity)
    }

    /// What is more severe than this is news again.
    pub fn is_known_as(&mut self, severity: Severity) {
        self.worst = self.worst.map(|worst| worst.min(severity));
    }

    /// Whoever had it, and so kept it quiet, gave it back: it is told again.
    pub fn give_back(&mut self) {
        self.told = false;
    }

    /// It is for people who know nothing of the rounds before.
    pub fn begin_anew(&mut self) {
        (self.told, self.worst) = (false, None);
        self.heard_by.clear();
    }

    /// How severe it is or has been, as far as people have heard, if it is so severe now.
    pub fn worst(&self, severity: Severity) -> Severity {
        self.worst.map_or(severity, |worst| worst.max(severity))
    }

    /// It flaps, and no earlier round that somebody heard of was as severe.
    pub fn is_worse(&self, severity: Severity) -> bool {
        self.worst.is_some_and(|worst| worst < severity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).expect("in range")
    }

    fn last(severity: Severity, opened: Timestamp, resolved: Timestamp) -> LastRound {
        LastRound { severity, opened, told_at: opened, resolved, heard_as: Some(severity) }
    }

    /// Opens at each of these minutes, each round over a minute later.
    fn opened_at(minutes: &[i64]) -> Openings {
        let mut openings = Openings::default();
        for pair in minutes.windows(2) {
            openings = openings.next(last(Severity::High, at(pair[0]), at(pair[0] + 1)), at(pair[1]));
        }
        openings
    }

    #[test]
    fn the_fourth_opening_in_half_an_hour_is_flapping_and_the_next_ones_are_quiet() {
        assert_eq!(opened_at(&[0, 3, 6]).flapping(), None);
        assert_eq!(
            (opened_at(&[0, 3, 6, 9]).flapping(), opened_at(&[0, 3, 6, 9]).is_quiet(Severity::High)),
            (Some(4), false)
        );
        assert_eq!(
            (opened_at(&[0, 3, 6, 9, 12]).flapping(), opened_at(&[0, 3, 6, 9, 12]).is_quiet(Severity::High)),
            (Some(5), true)
        );
    }

    #[test]
    fn a_round_that_is_worse_than_those_before_is_not_quiet() {
        let flapping = opened_at(&[0, 3, 6, 9, 12]);
        assert!(!flapping.is_quiet(Severity::Disaster));
        let after_a_disaster = flapping.next(last(Severity::Disaster, at(12), at(13)), at(15));
        assert!(after_a_disaster.is_quiet(Severity::Disaster), "that was told");
    }

    #[test]
    fn a_round_that_nobody_heard_of_is_told_by_the_next() {
        let unheard =
            |severity, opened| LastRound { heard_as: None, ..last(severity, at(opened), at(opened + 1)) };
        let fourth = opened_at(&[0, 3, 6, 9]);
        let fifth = fourth.next(unheard(Severity::High, 9), at(12));
        assert!(!fifth.is_quiet(Severity::High), "nobody knows that it flaps");
        let sixth = fifth.next(last(Severity::High, at(12), at(13)), at(15));
        assert!(sixth.is_quiet(Severity::High));
        let seventh = sixth.next(unheard(Severity::Disaster, 15), at(18));
        assert!(seventh.is_quiet(Severity::High), "that was told");
        assert!(!seventh.is_quiet(Severity::Disaster), "that was not");
    }

    #[test]
    fn as_how_severe_it_flaps_is_told_by_the_next_where_nobody_heard_that() {
        let raised = |opened| LastRound {
            heard_as: Some(Severity::Average),
            told_at: at(opened) + SignedDuration::from_secs(30),
            ..last(Severity::High, at(opened), at(opened + 1))
        };
        let flapping = opened_at(&[0, 3, 6, 9]);
        let milder = |openings: Openings, opened| openings.next(raised(opened), at(opened + 3));
        let next = milder(Openings { worst: None, ..flapping }, 9);
        assert!(next.is_quiet(Severity::Average) && !next.is_quiet(Severity::High));
        assert_eq!(next.unheard_since(at(12)), at(9) + SignedDuration::from_secs(30), "not since it opened");
    }

    #[test]
    fn it_is_known_since_when_nobody_has_heard_of_any_round() {
        let unheard =
            |opened| LastRound { heard_as: None, ..last(Severity::High, at(opened), at(opened + 1)) };
        let third = Openings::default().next(unheard(0), at(3)).next(unheard(3), at(6));
        assert_eq!(third.unheard_since(at(6)), at(0));
        assert_eq!(third.next(last(Severity::High, at(6), at(7)), at(9)).unheard_since(at(9)), at(9));
        let quiet = opened_at(&[0, 3, 6, 9, 12]);
        assert_eq!(quiet.next(unheard(12), at(15)).unheard_since(at(15)), at(15), "they know that it flaps");
    }

    #[test]
    fn times_of_a_clock_that_ran_ahead_do_not_make_it_flap() {
        let ahead = opened_at(&[540, 543, 546]);
        assert_eq!(ahead.next(last(Severity::High, at(546), at(547)), at(10)), Openings::default());
    }

    #[test]
    fn over_for_five_minutes_or_seldom_enough_it_ends() {
        assert_eq!(opened_at(&[0, 3, 6, 9, 15]).flapping(), None, "resolved at 10, quiet until 15");
        let flapping = opened_at(&[0, 3, 6, 9, 12]);
        assert_eq!(
            flapping.next(last(Severity::High, at(12), at(17)), at(18)).flapping(),
            Some(6),
            "however long it was open in between"
        );
        assert_eq!(
            flapping.next(last(Severity::High, at(12), at(41)), at(45)).flapping(),
            None,
            "not four in half an hour"
        );
    }
}
