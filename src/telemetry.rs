//! Logs and metrics. Labels come from the configuration or from our own enums, so their number is
//! bounded.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError, atomic::AtomicU64},
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
    gateways: Gateways,
    accept_seconds: Histogram,
    scheduled: Gauge,
    writable: Gauge,
    unreached: Gauge,
    storms: Storms,
    heartbeats: Heartbeats,
    clock_drift: Gauge<f64, AtomicU64>,
    /// Alerts that reach nobody.
    pub reach: Reach,
    /// Whether budgets hold something back.
    pub storm: StormSign,
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
struct GatewayLabel {
    gateway: String,
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

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReportLabels {
    gateway: String,
    result: &'static str,
}

/// What is known of heartbeats.
struct Heartbeats {
    late: Family<HeartbeatLabel, Gauge>,
    last_call: Family<HeartbeatLabel, Gauge>,
}

impl Heartbeats {
    fn registered(registry: &mut Registry) -> Self {
        let (late, last_call) = (Family::default(), Family::default());
        let help = "1 if the heartbeat has called once and then fell silent";
        registry.register("heartbeat_late", help, Family::clone(&late));
        let help = "When the heartbeat called last, since the epoch";
        let name = "heartbeat_last_call_timestamp";
        registry.register_with_unit(name, help, Unit::Seconds, Family::clone(&last_call));
        Self { late, last_call }
    }
}

/// What is known of SMS gateways beside the attempts.
struct Gateways {
    reports: Family<ReportLabels, Counter>,
    balance: Family<GatewayLabel, Gauge<f64, AtomicU64>>,
}

impl Gateways {
    fn registered(registry: &mut Registry) -> Self {
        let (reports, balance) = (Family::default(), Family::default());
        let help = "Delivery reports of gateways, by what they say or why they were not used";
        registry.register("sms_reports", help, Family::clone(&reports));
        let help = "What is left on a gateway's account, in the currency of the account";
        registry.register("sms_balance", help, Family::clone(&balance));
        Self { reports, balance }
    }
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
        let gateways = Gateways::registered(&mut registry);
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
        let storms = Storms::new(&mut registry);
        let heartbeats = Heartbeats::registered(&mut registry);
        let clock_drift = Gauge::default();
        let help = "How far the clock of this machine is ahead of ours, which goes on from the start";
        registry.register_with_unit("clock_drift", help, Unit::Seconds, Gauge::clone(&clock_drift));
        Self {
            registry,
            events,
            unknown_severities,
            refused,
            attempts,
            attempt_seconds,
            gateways,
            accept_seconds,
            scheduled,
            writable,
            unreached,
            storms,
            heartbeats,
            clock_drift,
            reach: Reach::default(),
            storm: StormSign::default(),
        }
    }
}

/// The figures of budgets and digests.
struct Storms {
    held_back: Counter,
    storm_contacts: Gauge,
    gateway_spent: Family<GatewayLabel, Gauge>,
    gateway_limit: Family<GatewayLabel, Gauge>,
}

impl Storms {
    fn new(registry: &mut Registry) -> Self {
        let this = Self {
            held_back: Counter::default(),
            storm_contacts: Gauge::default(),
            gateway_spent: Family::default(),
            gateway_limit: Family::default(),
        };
        registry.register(
            "notifications_held_back",
            "Notifications that a digest counts because a budget was spent",
            this.held_back.clone(),
        );
        let contacts = "Contacts from whom something was held back in the last hour";
        registry.register("storm_contacts", contacts, this.storm_contacts.clone());
        let spent = "Segments that a gateway took in the last 24 hours";
        registry.register("sms_gateway_day_segments", spent, this.gateway_spent.clone());
        let limit = "Segments that a gateway may take in 24 hours";
        registry.register("sms_gateway_day_limit_segments", limit, this.gateway_limit.clone());
        this
    }
}

impl Metrics {
    /// Counts a notification that goes into a digest.
    pub fn held_back(&self) {
        self.storms.held_back.inc();
    }

    /// Takes what a gateway spent of its day, in segments.
    pub fn gateway_day(&self, gateway: &str, spent: u64, limit: u64) {
        let label = GatewayLabel { gateway: gateway.to_owned() };
        self.storms.gateway_spent.get_or_create(&label).set(i64::try_from(spent).unwrap_or(i64::MAX));
        self.storms.gateway_limit.get_or_create(&label).set(i64::try_from(limit).unwrap_or(i64::MAX));
    }

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
        let outcome = outcome.short();
        let cause = outcome.cause().unwrap_or("");
        let labels = AttemptLabels { transport, outcome: outcome.as_str(), cause };
        self.attempts.get_or_create(&labels).inc();
        self.attempt_seconds.get_or_create(&TransportLabel { transport }).observe(seconds.max(0.0));
    }

    /// Counts a delivery report: `result` is its fate, or `ignored` or `refused`. The gateway is a configured one.
    pub fn sms_report(&self, gateway: &str, result: &'static str) {
        self.gateways.reports.get_or_create(&ReportLabels { gateway: gateway.to_owned(), result }).inc();
    }

    /// Takes how far the system clock is ahead of ours, in seconds.
    pub fn clock_drift(&self, seconds: f64) {
        self.clock_drift.set(seconds);
    }

    /// Takes what is left on a gateway's account.
    pub fn sms_balance(&self, gateway: &str, amount: f64) {
        self.gateways.balance.get_or_create(&GatewayLabel { gateway: gateway.to_owned() }).set(amount);
    }

    /// Takes the time that a request waited for durability, in seconds.
    pub fn accepted_in(&self, seconds: f64) {
        self.accept_seconds.observe(seconds);
    }

    /// Shows how a heartbeat is; `last_call` is `None` while it has never called.
    pub fn heartbeat(&self, name: &str, is_late: bool, last_call: Option<Timestamp>) {
        let label = HeartbeatLabel { name: name.to_owned() };
        self.heartbeats.late.get_or_create(&label).set(i64::from(is_late));
        if let Some(last_call) = last_call {
            self.heartbeats.last_call.get_or_create(&label).set(last_call.as_second());
        }
    }

    /// The `OpenMetrics` text, with the store's figures of this moment.
    pub fn render(&self, writable: bool, scheduled: usize) -> String {
        self.scheduled.set(i64::try_from(scheduled).unwrap_or(i64::MAX));
        self.writable.set(i64::from(writable));
        self.unreached.set(i64::try_from(self.reach.count()).unwrap_or(i64::MAX));
        self.storms.storm_contacts.set(i64::try_from(self.storm.now().0).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// How many contacts are in a storm, and since when the first of them: shown by `/readyz`.
#[derive(Debug, Default)]
pub struct StormSign {
    shown: Mutex<(usize, Option<Timestamp>)>,
}

impl StormSign {
    /// Takes the figures of the present.
    pub fn show(&self, contacts: usize, since: Option<Timestamp>) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = (contacts, since);
    }

    /// Contacts in a storm, and since when.
    pub fn now(&self) -> (usize, Option<Timestamp>) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner)
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
