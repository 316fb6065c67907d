//! Logs and metrics. Labels come from the configuration or from our own enums, so their number is
//! bounded.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use crate::alert::{Admission, AlertId, Outcome, Transport};

/// Most alerts remembered as reaching nobody; beyond it the figure stands still.
const UNREACHED_MAX: usize = 10_000;

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    events: Family<EventLabels, Counter>,
    unknown_severities: Family<IntegrationLabel, Counter>,
    refused: Family<RefusedLabels, Counter>,
    attempts: Family<AttemptLabels, Counter>,
    attempt_seconds: Family<TransportLabel, Histogram>,
    accept_seconds: Histogram,
    scheduled: Gauge,
    writable: Gauge,
    unreached: Gauge,
    heartbeat_late: Family<HeartbeatLabel, Gauge>,
    heartbeat_last_call: Family<HeartbeatLabel, Gauge>,
    /// Alerts that reach nobody.
    pub reach: Reach,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    integration: String,
    admission: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IntegrationLabel {
    integration: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HeartbeatLabel {
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusedLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    transport: &'static str,
    outcome: &'static str,
    cause: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TransportLabel {
    transport: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("bongsu");
        let events: Family<EventLabels, Counter> = Family::default();
        registry.register("events", "Events admitted, by what they did", events.clone());
        let unknown_severities: Family<IntegrationLabel, Counter> = Family::default();
        registry.register(
            "unknown_severities",
            "Events with a severity word that nobody knows",
            unknown_severities.clone(),
        );
        let refused: Family<RefusedLabels, Counter> = Family::default();
        registry.register("refused_requests", "Requests that were not accepted", refused.clone());
        let attempts: Family<AttemptLabels, Counter> = Family::default();
        registry.register("attempts", "Requests to providers, by outcome", attempts.clone());
        let buckets = || Histogram::new(exponential_buckets(0.001, 2.0, 15));
        let attempt_seconds: Family<TransportLabel, Histogram> = Family::new_with_constructor(buckets);
        registry.register_with_unit(
            "attempt",
            "Time to a provider's answer",
            Unit::Seconds,
            attempt_seconds.clone(),
        );
        let accept_seconds = buckets();
        registry.register_with_unit(
            "accept",
            "Time to make a request durable",
            Unit::Seconds,
            accept_seconds.clone(),
        );
        let scheduled = Gauge::default();
        registry.register("alerts_scheduled", "Alerts with a next due time", scheduled.clone());
        let writable = Gauge::default();
        registry.register("store_writable", "1 if the store takes writes", writable.clone());
        let unreached = Gauge::default();
        registry.register(
            "alerts_unreached",
            "Open alerts that reached nobody and have no road left",
            unreached.clone(),
        );
        let heartbeat_late: Family<HeartbeatLabel, Gauge> = Family::default();
        registry.register(
            "heartbeat_late",
            "1 if the heartbeat has called once and then fell silent",
            heartbeat_late.clone(),
        );
        let heartbeat_last_call: Family<HeartbeatLabel, Gauge> = Family::default();
        registry.register_with_unit(
            "heartbeat_last_call_timestamp",
            "When the heartbeat called last, since the epoch",
            Unit::Seconds,
            heartbeat_last_call.clone(),
        );
        Self {
            registry,
            events,
            unknown_severities,
            refused,
            attempts,
            attempt_seconds,
            accept_seconds,
            scheduled,
            writable,
            unreached,
            heartbeat_late,
            heartbeat_last_call,
            reach: Reach::default(),
        }
    }
}

impl Metrics {
    /// Counts an admitted event.
    pub fn admitted(&self, integration: &str, admission: Admission) {
        let labels = EventLabels { integration: integration.to_owned(), admission: admission.as_str() };
        self.events.get_or_create(&labels).inc();
    }

    /// Counts a severity word that nobody knows.
    pub fn unknown_severity(&self, integration: &str) {
        self.unknown_severities
            .get_or_create(&IntegrationLabel { integration: integration.to_owned() })
            .inc();
    }

    /// Counts a request that was not accepted; `reason` is a problem code.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&RefusedLabels { reason }).inc();
    }

    /// Counts an answered attempt, which took so many seconds.
    pub fn attempt(&self, transport: Transport, outcome: &Outcome, seconds: f64) {
        let transport = transport.as_str();
        let labels =
            AttemptLabels { transport, outcome: outcome.as_str(), cause: outcome.cause().unwrap_or("") };
        self.attempts.get_or_create(&labels).inc();
        self.attempt_seconds.get_or_create(&TransportLabel { transport }).observe(seconds.max(0.0));
    }

    /// Takes the time that a request waited for durability, in seconds.
    pub fn accepted_in(&self, seconds: f64) {
        self.accept_seconds.observe(seconds);
    }

    /// Shows how a heartbeat is; `last_call` is `None` while it has never called.
    pub fn heartbeat(&self, name: &str, is_late: bool, last_call: Option<Timestamp>) {
        let label = HeartbeatLabel { name: name.to_owned() };
        self.heartbeat_late.get_or_create(&label).set(i64::from(is_late));
        if let Some(last_call) = last_call {
            self.heartbeat_last_call.get_or_create(&label).set(last_call.as_second());
        }
    }

    /// The `OpenMetrics` text, with the store's figures of this moment.
    pub fn render(&self, writable: bool, scheduled: usize) -> String {
        self.scheduled.set(i64::try_from(scheduled).unwrap_or(i64::MAX));
        self.writable.set(i64::from(writable));
        self.unreached.set(i64::try_from(self.reach.count()).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Alerts whose every road to every contact failed: shown by `/readyz` until somebody is reached
/// or the alert is over.
#[derive(Debug, Default)]
pub struct Reach {
    unreached: Mutex<BTreeSet<AlertId>>,
}

impl Reach {
    /// Remembers or forgets an alert.
    pub fn note(&self, id: AlertId, nobody: bool) {
        let mut unreached = self.unreached.lock().unwrap_or_else(PoisonError::into_inner);
        if !nobody {
            unreached.remove(&id);
        } else if unreached.len() < UNREACHED_MAX {
            unreached.insert(id);
        }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.unreached.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
