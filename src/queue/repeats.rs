//! Bodies that come again word for word: a sender repeats a whole group because one alert of it changed, or
//! because nothing did. What changed nothing once changes nothing again while its alert stands as it did, so a repeated body
//! need not be read, only its alerts be looked at.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest;

use super::Admitted;
use crate::{
    alert::{Admission, Event, EventStatus, Reason, Severity, ThreadKey},
    store::Standing,
};

/// Bodies of fewer events are as quickly read.
const EVENTS_MIN: usize = 64;

/// Most events of all remembered bodies together; the oldest body goes first. One takes about 200 bytes.
const EVENTS_MAX: usize = 50_000;

/// SHA-256 of a body and of the integration that sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyDigest([u8; 32]);

impl BodyDigest {
    pub fn new(integration: &str, body: &[u8]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&integration.len().to_be_bytes());
        context.update(integration.as_bytes());
        context.update(body);
        Self(*context.finish().as_ref().first_chunk().expect("it has 32 bytes"))
    }
}

#[derive(Debug)]
pub(super) struct Known {
    pub(super) thread: ThreadKey,
    /// The alert that it was about.
    was: Standing,
    /// As the event says it; `None` where any severity will do.
    severity: Option<Severity>,
    admitted: Admitted,
}

impl Known {
    /// `None` if there is more to this event than that its alert is open, or over.
    fn of(integration: &str, event: &Event, admitted: &Admitted) -> Option<Self> {
        let open = match (&event.status, admitted.admission, admitted.reason) {
            (EventStatus::Firing, Admission::Opened | Admission::Joined, None) => true,
            (EventStatus::Resolved { .. }, Admission::Resolved, None)
            | (EventStatus::Resolved { .. }, Admission::Ignored, Some(Reason::AlreadyResolved)) => false,
            _ => return None,
        };
        let is_plain = event.idempotency_key.is_none()
            && event.expires_after.is_none()
            && event.unknown_severity.is_none()
            && event.to.is_empty();
        if !is_plain {
            return None;
        }
        let (admission, reason) = if open {
            (Admission::Joined, None)
        } else {
            (Admission::Ignored, Some(Reason::AlreadyResolved))
        };
        let severity = event.severity.unwrap_or_default();
        Some(Self {
            thread: ThreadKey::new(integration, &event.dedup_key),
            was: Standing { id: admitted.alert_id?, open, severity, in_doubt: false },
            severity: event.severity,
            admitted: Admitted { admission, reason, ..admitted.clone() },
        })
    }

    /// What it does this time, given how its alert stands; `None` if the event must be read to know.
    pub(super) fn again(&self, now: Option<Standing>) -> Option<&Admitted> {
        let now = now?;
        let is_as_severe = !now.open || self.severity.is_none_or(|severity| severity == now.severity);
        let severity = if is_as_severe { self.was.severity } else { now.severity };
        (Standing { severity, ..now } == self.was).then_some(&self.admitted)
    }

    pub(super) fn is_open(&self) -> bool {
        self.was.open
    }
}

#[derive(Debug, Default)]
pub(super) struct Repeats(Mutex<VecDeque<(BodyDigest, Arc<[Known]>)>>);

impl Repeats {
    pub(super) fn find(&self, digest: BodyDigest) -> Option<Arc<[Known]>> {
        let bodies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bodies.iter().find(|(other, _)| *other == digest).map(|(_, known)| Arc::clone(known))
    }

    /// Remembers a body, if each of its events is about another alert and says no more than that it is
    /// open or over.
    pub(super) fn remember(
        &self,
        digest: BodyDigest,
        integration: &str,
        events: &[Event],
        admitted: &[Admitted],
    ) {
        if events.len() < EVENTS_MIN || EVENTS_MAX < events.len() || events.len() != admitted.len() {
            return;
        }
        let known =
            events.iter().zip(admitted).map(|(event, admitted)| Known::of(integration, event, admitted));
        let Some(known) = known.collect::<Option<Vec<Known>>>() else { return };
        let mut threads: Vec<[u8; 16]> = known.iter().map(|known| known.thread.to_bytes()).collect();
        threads.sort_unstable();
        threads.dedup();
        if threads.len() < known.len() {
            return;
        }
        let mut bodies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bodies.retain(|(other, _)| *other != digest);
        bodies.push_back((digest, known.into()));
        while EVENTS_MAX < bodies.iter().map(|(_, known)| known.len()).sum::<usize>() {
            bodies.pop_front();
        }
    }
}
