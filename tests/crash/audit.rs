//! Compares what senders were told, what the server says, and what the providers saw.

use std::collections::{BTreeMap, BTreeSet};

use bongsu::alert::OURS;
use serde_json::Value;

use crate::{
    books::{Attempt, Place, ProviderBooks, ServerBooks, text},
    digests::Digests,
    load::Sender,
    server::{Limits, PEOPLE},
    story::{DISASTER, State, Story},
    tally::{Figure, Promise, Tally},
};

/// What a text without a readable answer twice is left at: it may have arrived.
const UNKNOWNS_OF_A_TEXT_MAX: usize = 2;

/// Those of Bongsu's own alerts that tell how much a gateway has taken.
const GATEWAY_EVENT: &str = "sms-gateway:";

/// Words of the ledger about an attempt whose process is gone.
const ORPHANED: &str = "this process was started before the answer was recorded";

/// Everything at the end of one store's rounds.
pub(crate) struct Audit<'a> {
    pub(crate) senders: &'a [Sender],
    pub(crate) server: &'a ServerBooks,
    pub(crate) digests: &'a Digests<'a>,
    pub(crate) limits: Limits,
    pub(crate) providers: &'a ProviderBooks,
    pub(crate) tally: &'a mut Tally,
}

impl<'a> Audit<'a> {
    pub(crate) fn run(&mut self) {
        let alert_of = self.alerts_by_event();
        let senders = self.senders;
        for story in senders.iter().flat_map(|sender| &sender.stories) {
            self.story(story, alert_of.get(story.event_id.as_str()).copied());
        }
        self.invented(&alert_of);
        self.digests_add_up();
        self.attempts_are_complete();
        let places: BTreeSet<Place> =
            self.server.attempts.keys().cloned().chain(self.providers.places()).collect();
        for place in places {
            self.compare(&place);
        }
        self.tally.count(Figure::Alerts, count(self.server.alerts.len()));
    }

    fn alerts_by_event(&mut self) -> BTreeMap<&'a str, &'a Value> {
        let (server, mut by_event) = (self.server, BTreeMap::new());
        for alert in server.alerts.values() {
            let event = text(alert, "dedup_key");
            if by_event.insert(event, alert).is_some() {
                self.tally.violated(Promise::NothingInvented, format!("event {event} has two alerts"));
            }
        }
        by_event
    }

    fn invented(&mut self, alert_of: &BTreeMap<&str, &Value>) {
        let posted: BTreeSet<&str> = self
            .senders
            .iter()
            .flat_map(|sender| &sender.stories)
            .map(|story| story.event_id.as_str())
            .collect();
        let ours = |event: &str, alert: &Value| {
            self.digests.contains(text(alert, "id"))
                || (text(alert, "integration") == OURS && event.starts_with(GATEWAY_EVENT))
        };
        let unknown =
            alert_of.iter().filter(|(event, alert)| !posted.contains(*event) && !ours(event, alert));
        for (event, alert) in unknown {
            let title = text(alert, "title");
            self.tally.violated(Promise::NothingInvented, format!("nobody posted event {event}: {title}"));
        }
    }

    fn digests_add_up(&mut self) {
        let (digests, folded) = self.digests.sums();
        self.tally.count(Figure::Digests, count(digests));
        self.tally.count(Figure::HeldBack, folded);
        for what in self.digests.miscounts() {
            self.tally.violated(Promise::DigestsAddUp, what);
        }
    }

    fn story(&mut self, story: &Story, alert: Option<&Value>) {
        let state = alert.map_or(State::Absent, state_of);
        self.tally.count(Figure::EventsAnswered, u64::from(story.answered));
        self.tally.count(Figure::AlertsOfUnanswered, u64::from(!story.answered && alert.is_some()));
        let id = alert.map_or("", |alert| text(alert, "id"));
        let (event, states) = (&story.event_id, &story.states);
        if !states.contains(&state) || story.alert_id.as_deref().is_some_and(|known| known != id) {
            let known = story.alert_id.as_deref().unwrap_or("no alert");
            let what =
                format!("event {event}, answered as {known} in {states:?}, is alert `{id}` in {state:?}");
            self.tally.violated(Promise::Kept, what);
            self.tally.count(Figure::Lost, u64::from(alert.is_none()));
        }
        if let Some(alert) = alert {
            self.told(event, alert, state);
        }
    }

    /// Every contact knows the alert as it stands, by messages of its own or by a digest.
    fn told(&mut self, event: &str, alert: &Value, state: State) {
        let id = text(alert, "id");
        let since = alert.pointer("/resolved/at").and_then(Value::as_str).and_then(|at| at.parse().ok());
        let mut missing = Vec::new();
        for (name, phone, devices) in PEOPLE {
            let by_digest =
                || self.digests.telling(id, name, since).any(|digest| self.reached(digest, phone, devices));
            if self.limits == Limits::Tight && (by_digest() || self.knows(id, state, phone, devices)) {
                continue;
            }
            for device in devices {
                let place = (id.to_owned(), (*device).to_owned());
                let pushes = self.providers.pushes.get(&place).map_or(&[][..], Vec::as_slice);
                let is_told = match state {
                    State::Resolved(_) => pushes.iter().any(|state| state == "resolved"),
                    State::Absent | State::Triggered(_) | State::Acknowledged(_) => !pushes.is_empty(),
                };
                if !is_told {
                    missing.push(format!("no push to {device}"));
                }
            }
            let place = (id.to_owned(), phone.to_owned());
            let texts = self.providers.accepted(&place);
            let given_up = self.rows(&place, "unknown").count() >= UNKNOWNS_OF_A_TEXT_MAX;
            if state == State::Triggered(DISASTER) && texts == 0 && !given_up {
                missing.push(format!("no text to {name}"));
            }
        }
        if missing.is_empty() {
            return;
        }
        if matches!(state, State::Acknowledged(_)) {
            // Whoever has it was not waited for: an acknowledgement ends what is being retried.
            self.tally.count(Figure::AcknowledgedUntold, 1);
            return;
        }
        self.tally.count(Figure::Lost, 1);
        let what = format!("event {event}, alert {id} in {state:?}: {}", missing.join(", "));
        self.tally.violated(Promise::Told, what);
    }

    /// Where a device's limit is reached, one accepted message about how it stands is enough.
    fn knows(&self, id: &str, state: State, phone: &str, devices: &[&str]) -> bool {
        let says_so = |row: &Attempt| match state {
            State::Resolved(_) => row.subject == "resolved" || row.subject == "missed",
            State::Absent | State::Triggered(_) | State::Acknowledged(_) => true,
        };
        let addresses = devices.iter().copied().chain([phone]);
        let places = addresses.map(|address| (id.to_owned(), address.to_owned()));
        places.into_iter().any(|place| self.rows(&place, "accepted").any(says_so))
    }

    /// A digest came through: by any road, since a digest that was texted needs no push.
    fn reached(&self, digest: &str, phone: &str, devices: &[&str]) -> bool {
        let place = |address: &str| (digest.to_owned(), address.to_owned());
        let texted = place(phone);
        let mut addresses = devices.iter().copied().chain([phone]);
        UNKNOWNS_OF_A_TEXT_MAX <= self.rows(&texted, "unknown").count()
            || addresses.any(|address| 0 < self.providers.accepted(&place(address)))
    }

    fn rows(&self, place: &Place, outcome: &'static str) -> impl Iterator<Item = &Attempt> {
        let rows = self.server.attempts.get(place).map_or(&[][..], Vec::as_slice);
        rows.iter().filter(move |row| row.outcome == outcome)
    }

    /// One address of one alert: the ledger against the provider.
    fn compare(&mut self, place: &Place) {
        let at = format!("alert {} to {}", place.0, place.1);
        let seen = self.providers.accepted(place);
        let accepted: Vec<&str> = self.rows(place, "accepted").map(|row| row.subject.as_str()).collect();
        let unknown: Vec<&str> = self.rows(place, "unknown").map(|row| row.subject.as_str()).collect();
        let orphans = self.rows(place, "unknown").filter(|row| row.detail == ORPHANED).count();
        let (told, open) = (count(accepted.len()), count(unknown.len()));
        let mut violations = Vec::new();
        if seen < told {
            let what = format!("{at}: {told} accepted in the ledger, the provider accepted {seen}");
            violations.push((Promise::LedgerSeen, what));
        }
        if told + open < seen {
            let what =
                format!("{at}: the provider accepted {seen}, the ledger has {told} and {open} unknown");
            violations.push((Promise::AcceptedCovered, what));
        }
        let subjects: BTreeSet<&str> = accepted.iter().chain(&unknown).copied().collect();
        for subject in &subjects {
            let times = |list: &[&str]| list.iter().filter(|one| *one == subject).count();
            let (times_accepted, times_unknown) = (times(&accepted), times(&unknown));
            if 1 + times_unknown < times_accepted {
                let what =
                    format!("{at}: `{subject}` accepted {times_accepted} times, {times_unknown} unknown");
                violations.push((Promise::TwiceOnlyAfterUnknown, what));
            }
        }
        let duplicates = seen.saturating_sub(count(subjects.len()));
        let is_text = self.providers.texts.contains_key(place);
        let (all, again) = if is_text {
            (Figure::TextsAccepted, Figure::DuplicateTexts)
        } else {
            (Figure::PushesAccepted, Figure::DuplicatePushes)
        };
        self.tally.count(all, seen);
        self.tally.count(again, duplicates);
        self.tally.count(Figure::Unknown, open);
        self.tally.count(Figure::Orphans, count(orphans));
        self.tally.count(Figure::AcceptedAsUnknown, seen.saturating_sub(told));
        for (promise, what) in violations {
            self.tally.violated(promise, what);
        }
    }

    /// Attempts are numbered from 1 within an alert; each has one row, or two if its answer came
    /// after it had been taken for lost.
    fn attempts_are_complete(&mut self) {
        let mut by_alert: BTreeMap<&str, BTreeMap<u64, Vec<&str>>> = BTreeMap::new();
        for ((alert, _), rows) in &self.server.attempts {
            for row in rows {
                by_alert.entry(alert).or_default().entry(row.number).or_default().push(&row.outcome);
            }
        }
        for (alert, attempts) in by_alert {
            for (expected, (number, outcomes)) in (1..).zip(&attempts) {
                let is_late = outcomes.len() == 2 && outcomes.contains(&"unknown");
                if expected != *number || (1 < outcomes.len() && !is_late) {
                    let what = format!("alert {alert}: attempt {number}, expected {expected}: {outcomes:?}");
                    self.tally.violated(Promise::AttemptsComplete, what);
                    break;
                }
            }
        }
    }
}

fn state_of(alert: &Value) -> State {
    let severity = match text(alert, "severity") {
        "information" => 1,
        "warning" => 2,
        "average" => 3,
        "high" => 4,
        "disaster" => DISASTER,
        _ => 0,
    };
    match text(alert, "state") {
        "triggered" => State::Triggered(severity),
        "acknowledged" => State::Acknowledged(severity),
        "resolved" => State::Resolved(severity),
        _ => State::Absent,
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).expect("fits")
}
