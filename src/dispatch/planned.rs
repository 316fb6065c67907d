//! A plan that is written before its requests begin.

use super::inbox::Answer;
use crate::{
    alert::{AlertId, Charge, Row},
    plan::{Ask, Opening, Send},
};

/// What is left of a job once its alert is planned: the write holds the alert.
pub(super) struct Planned {
    pub(super) id: AlertId,
    pub(super) answers: Vec<Answer>,
    pub(super) sends: Vec<Send>,
    pub(super) asks: Vec<Ask>,
    pub(super) news: Vec<Row>,
    /// What was entered into the accounts for it.
    pub(super) charges: Vec<Charge>,
    pub(super) opens: Vec<Opening>,
    /// What is to count it.
    pub(super) digests: Vec<AlertId>,
}

impl Planned {
    pub(super) fn pushes(&self) -> usize {
        self.sends.iter().filter(|send| send.address.gateway().is_none()).count()
    }

    /// What is known when it is planned again, though it may have been written. A digest may have counted without it
    /// by then.
    pub(super) fn answers_again(&mut self) -> Vec<Answer> {
        let mut answers = std::mem::take(&mut self.answers);
        let (mut sends, charges) = (std::mem::take(&mut self.sends), std::mem::take(&mut self.charges));
        if let Some(Answer::NotBegun { sends: earlier, costs }) = answers.first_mut() {
            let is_same = |one: &Send, other: &Send| {
                (one.attempt, &one.contact, &one.address) == (other.attempt, &other.contact, &other.address)
            };
            sends.retain(|send| !earlier.iter().any(|earlier| is_same(earlier, send)));
            earlier.append(&mut sends);
            costs.extend(charges);
        } else if sends.is_empty() {
            self.charges = charges;
        } else {
            answers.insert(0, Answer::NotBegun { sends, costs: charges });
        }
        answers.retain(|answer| !matches!(answer, Answer::NotAsked { .. }));
        if !self.asks.is_empty() {
            answers.push(Answer::NotAsked { asks: std::mem::take(&mut self.asks) });
        }
        for digest in self.digests.drain(..) {
            if !answers
                .iter()
                .any(|answer| matches!(answer, Answer::NotCounted { digest: known } if *known == digest))
            {
                answers.push(Answer::NotCounted { digest });
            }
        }
        answers
    }
}
