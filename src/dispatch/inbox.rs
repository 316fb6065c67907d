//! Answers that wait to be planned, by alert, and the documents that they are about as they were last written.

use std::collections::HashMap;

use crate::{
    alert::{AlertId, Charge, Outcome, Report},
    plan::{Ask, Send, Settlement},
    store::Stored,
};

#[derive(Clone, Debug)]
pub(super) enum Answer {
    Settled(Settlement),
    /// What a gateway that was asked knows of an earlier attempt.
    Reported(Report),
    /// What a plan was to begin and to cost, of which it is not known whether it was written: none of it was begun. It may
    /// still be written until another is.
    NotBegun {
        sends: Vec<Send>,
        costs: Vec<Charge>,
    },
    /// What gateways were to be asked by a plan of which it is not known whether it was written. To ask twice does no harm.
    NotAsked {
        asks: Vec<Ask>,
    },
    /// This digest was to count the alert, and cannot be read, or may have been counted without it.
    NotCounted {
        digest: AlertId,
    },
}

impl Answer {
    /// A provider took what was sent.
    pub(super) fn has_arrived(&self) -> bool {
        matches!(self, Self::Settled(Settlement { outcome: Outcome::Accepted { .. }, .. }))
    }
}

#[derive(Default)]
pub(super) struct Inbox {
    alerts: HashMap<AlertId, Waiting>,
    /// Answers that may be planned now.
    ready: usize,
}

#[derive(Default)]
struct Waiting {
    /// Kept while requests are under way, so that their answers need no read.
    document: Option<Stored>,
    /// At most one for each request under way, and one for each digest that was to count it; more only while the store
    /// does not answer.
    answers: Vec<Answer>,
    /// The alert cannot be read or written at present: its answers wait until it is tried again.
    parked: bool,
}

impl Inbox {
    /// How many answers may be planned now.
    pub(super) fn ready(&self) -> usize {
        self.ready
    }

    pub(super) fn put(&mut self, id: AlertId, answers: impl IntoIterator<Item = Answer>) {
        let waiting = self.alerts.entry(id).or_default();
        let before = waiting.answers.len();
        waiting.answers.extend(answers);
        if waiting.parked {
            // Something new about it is worth another try.
            waiting.parked = false;
            self.ready += before;
        }
        self.ready += waiting.answers.len() - before;
        self.tidy(id);
    }

    /// As [`Inbox::put`], before what came meanwhile: it is to be planned first.
    pub(super) fn put_back(&mut self, id: AlertId, answers: Vec<Answer>) {
        let later = self.take(id, usize::MAX);
        self.put(id, answers.into_iter().chain(later));
    }

    /// As [`Inbox::put`], for an alert that is left alone for a while.
    pub(super) fn park(&mut self, id: AlertId, answers: impl IntoIterator<Item = Answer>) {
        self.put(id, answers);
        if let Some(waiting) = self.alerts.get_mut(&id) {
            waiting.parked = true;
            self.ready -= waiting.answers.len();
        }
    }

    /// It is tried again.
    pub(super) fn unpark(&mut self, id: AlertId) {
        self.put(id, []);
    }

    /// The alerts whose answers may be planned now.
    pub(super) fn alerts(&self) -> Vec<AlertId> {
        let ready = |(_, waiting): &(&AlertId, &Waiting)| !waiting.parked && !waiting.answers.is_empty();
        self.alerts.iter().filter(ready).map(|(id, _)| *id).collect()
    }

    /// Up to `limit` answers about this alert, which is planned now.
    pub(super) fn take(&mut self, id: AlertId, limit: usize) -> Vec<Answer> {
        let Some(waiting) = self.alerts.get_mut(&id) else { return Vec::new() };
        if std::mem::take(&mut waiting.parked) {
            self.ready += waiting.answers.len();
        }
        let answers: Vec<Answer> = waiting.answers.drain(..limit.min(waiting.answers.len())).collect();
        self.ready -= answers.len();
        self.tidy(id);
        answers
    }

    /// Keeps the document of an alert with requests under way.
    pub(super) fn hold(&mut self, id: AlertId, document: Stored) {
        self.alerts.entry(id).or_default().document = Some(document);
    }

    pub(super) fn document(&mut self, id: AlertId) -> Option<Stored> {
        let document = self.alerts.get_mut(&id)?.document.take();
        self.tidy(id);
        document
    }

    /// The alert is gone: its answers concern nobody any more.
    pub(super) fn forget(&mut self, id: AlertId) {
        self.take(id, usize::MAX);
        self.alerts.remove(&id);
    }

    fn tidy(&mut self, id: AlertId) {
        if self
            .alerts
            .get(&id)
            .is_some_and(|waiting| waiting.document.is_none() && waiting.answers.is_empty())
        {
            self.alerts.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn what_is_put_back_is_planned_before_what_came_meanwhile() {
        let (id, other) =
            (AlertId::new(Timestamp::UNIX_EPOCH, [1; 10]), AlertId::new(Timestamp::UNIX_EPOCH, [2; 10]));
        let mut inbox = Inbox::default();
        inbox.put(id, [Answer::NotCounted { digest: other }]);
        inbox.put_back(id, vec![Answer::NotBegun { sends: Vec::new(), costs: Vec::new() }]);
        assert_eq!(inbox.ready(), 2);
        assert!(matches!(inbox.take(id, 1)[..], [Answer::NotBegun { .. }]));
        assert_eq!((inbox.take(id, 9).len(), inbox.ready()), (1, 0));
    }

    #[test]
    fn what_is_parked_is_planned_when_the_alert_is_tried_again() {
        let (id, other) =
            (AlertId::new(Timestamp::UNIX_EPOCH, [1; 10]), AlertId::new(Timestamp::UNIX_EPOCH, [2; 10]));
        let mut inbox = Inbox::default();
        inbox.park(id, [Answer::NotCounted { digest: other }]);
        assert_eq!((inbox.ready(), inbox.alerts()), (0, Vec::new()));
        inbox.unpark(id);
        inbox.unpark(other);
        assert_eq!((inbox.ready(), inbox.alerts()), (1, vec![id]));
    }
}
