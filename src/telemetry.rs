//! Figures for `GET /metrics`. Labels come from the configuration or from our own enums, so their number is bounded.

use std::{
    panic,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
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
    registry::{Metric, Registry, Unit},
};

use crate::alert::{Admission, Outcome, Part, Transport};

type FloatGauge = Gauge<f64, AtomicU64>;

/// One row for each figure: its field and kind, and how it is registered.
macro_rules! figures {
    ($($field:ident: $kind:ty = $add:ident($($argument:expr),+);)+) => {
        pub struct Metrics {
            registry: Registry,
            $($field: $kind,)+
        }

        impl Default for Metrics {
            fn default() -> Self {
                let mut registry = Registry::with_prefix("bongsu");
                Self { $($field: $add(&mut registry, $($argument),+),)+ registry }
            }
        }
    };
}

figures! {
    events: Family<EventLabels, Counter> = add("events", "Events admitted, by what they did");
    unknown_severities: Family<IntegrationLabel, Counter> =
        add("unknown_severities", "Events with a severity word that nobody knows");
    refused: Family<RefusedLabel, Counter> = add("refused_requests", "Requests that were not accepted");
    attempts: Family<AttemptLabels, Counter> = add("attempts", "Requests to providers, by outcome");
    attempt_seconds: Family<TransportLabel, Histogram> =
        add_seconds("attempt", "Time to a provider's answer", Family::new_with_constructor(seconds));
    reports: Family<ReportLabels, Counter> =
        add("sms_reports", "Delivery reports of gateways, by what they say or why they were not used");
    balance: Family<GatewayLabel, FloatGauge> =
        add("sms_balance", "What is left on a gateway's account, in the currency of the account");
    accept_seconds: Histogram = add_seconds("accept", "Time to make a request durable", seconds());
    scheduled: Gauge = add("alerts_scheduled", "Alerts with a next due time");
    writable: Gauge = add("store_writable", "1 if the store takes writes");
    unreached: Gauge = add("alerts_unreached", "Open alerts that nobody has taken and of which, as severe as they are, nobody knows for certain");
    dead_letters: Gauge = add("dead_letters_unseen", "Notifications given up at which no operator has looked");
    held_back: Counter =
        add("notifications_held_back", "Notifications that a digest counts because a budget was spent");
    storm_contacts: Gauge =
        add("storm_contacts", "Contacts from whom something was held back in the last hour");
    gateway_spent: Family<GatewayLabel, Gauge> =
        add("sms_gateway_day_segments", "Segments that a gateway took in the last 24 hours");
    gateway_limit: Family<GatewayLabel, Gauge> =
        add("sms_gateway_day_limit_segments", "Segments that a gateway may take in 24 hours");
    heartbeat_late: Family<HeartbeatLabel, Gauge> =
        add("heartbeat_late", "1 if the heartbeat has called once and then fell silent");
    heartbeat_last_call: Family<HeartbeatLabel, Gauge> = add_seconds(
        "heartbeat_last_call_timestamp", "When the heartbeat called last, since the epoch", Family::default());
    standing_still: Family<PartLabel, Gauge> = add("standing_still", "1 if this part of Bongsu stands still");
    started_again: Family<PartLabel, Gauge> =
        add("tasks_started_again", "How often the task of this part ended by itself and was started again");
    panics: Gauge = add("panics", "How often something panicked since the start");
    clock_drift: FloatGauge = add_seconds(
        "clock_drift", "How far the clock of this machine is ahead of ours, which goes on from the start",
        FloatGauge::default());
}

macro_rules! labels {
    ($($set:ident { $($label:ident: $kind:ty),+ })+) => {$(
        #[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
        struct $set { $($label: $kind),+ }
    )+};
}

labels! {
    EventLabels { integration: String, admission: &'static str }
    IntegrationLabel { integration: String }
    RefusedLabel { reason: &'static str }
    AttemptLabels { transport: &'static str, outcome: &'static str, cause: &'static str }
    TransportLabel { transport: &'static str }
    ReportLabels { gateway: String, result: &'static str }
    GatewayLabel { gateway: String }
    HeartbeatLabel { name: String }
    PartLabel { part: &'static str }
}

/// Of this process: a panic is not bound to a task that could count it.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// From here on every panic is logged and counted, whichever task or thread it ends. Only where: its message may quote
/// what it was about.
pub fn notice_panics() {
    panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Relaxed);
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!("a defect, please report it: a panic at {place}");
    }));
}

/// Figures that are read when they are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    pub writable: bool,
    pub scheduled: usize,
    pub unreached: usize,
    pub dead_letters: usize,
    pub storm_contacts: usize,
}

fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

fn add_seconds<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
    metric
}

/// From one millisecond to 16 s.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 15))
}

fn whole(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

impl Metrics {
    pub fn admitted(&self, integration: &str, admission: Admission) {
        let labels = EventLabels { integration: integration.to_owned(), admission: admission.as_str() };
        self.events.get_or_create(&labels).inc();
    }

    pub fn unknown_severity(&self, integration: &str) {
        let label = IntegrationLabel { integration: integration.to_owned() };
        self.unknown_severities.get_or_create(&label).inc();
    }

    /// `reason` is a problem code.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&RefusedLabel { reason }).inc();
    }

    pub fn accepted_in(&self, seconds: f64) {
        self.accept_seconds.observe(seconds);
    }

    pub fn attempt(&self, transport: Transport, outcome: &Outcome, seconds: f64) {
        let (transport, outcome) = (transport.as_str(), outcome.short());
        let cause = outcome.cause().unwrap_or("");
        let labels = AttemptLabels { transport, outcome: outcome.as_str(), cause };
        self.attempts.get_or_create(&labels).inc();
        self.attempt_seconds.get_or_create(&TransportLabel { transport }).observe(seconds.max(0.0));
    }

    pub fn held_back(&self) {
        self.held_back.inc();
    }

    /// `result` is the report's fate, or `ignored` or `refused`. The gateway is or was a configured one.
    pub fn sms_report(&self, gateway: &str, result: &'static str) {
        self.reports.get_or_create(&ReportLabels { gateway: gateway.to_owned(), result }).inc();
    }

    pub fn sms_balance(&self, gateway: &str, amount: f64) {
        self.balance.get_or_create(&GatewayLabel { gateway: gateway.to_owned() }).set(amount);
    }

    /// `spent` and `limit` are segments of 24 hours.
    pub fn gateway_day(&self, gateway: &str, spent: u64, limit: u64) {
        let label = GatewayLabel { gateway: gateway.to_owned() };
        self.gateway_spent.get_or_create(&label).set(whole(spent));
        self.gateway_limit.get_or_create(&label).set(whole(limit));
    }

    pub fn heartbeat(&self, name: &str, is_late: bool, last_call: Option<Timestamp>) {
        let label = HeartbeatLabel { name: name.to_owned() };
        self.heartbeat_late.get_or_create(&label).set(i64::from(is_late));
        if let Some(last_call) = last_call {
            self.heartbeat_last_call.get_or_create(&label).set(last_call.as_second());
        }
    }

    pub fn part(&self, part: Part, stands_still: bool, started_again: u64) {
        let label = PartLabel { part: part.as_str() };
        self.standing_still.get_or_create(&label).set(i64::from(stands_still));
        self.started_again.get_or_create(&label).set(whole(started_again));
    }

    pub fn clock_drift(&self, seconds: f64) {
        self.clock_drift.set(seconds);
    }

    pub fn render(&self, now: Figures) -> String {
        self.scheduled.set(whole(now.scheduled));
        self.writable.set(i64::from(now.writable));
        self.unreached.set(whole(now.unreached));
        self.dead_letters.set(whole(now.dead_letters));
        self.storm_contacts.set(whole(now.storm_contacts));
        self.panics.set(whole(PANICS.load(Relaxed)));
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_counted() {
        let shown = || {
            let figures =
                Figures { writable: true, scheduled: 0, unreached: 0, dead_letters: 0, storm_contacts: 0 };
            let text = Metrics::default().render(figures);
            let line = text.lines().find_map(|line| line.strip_prefix("bongsu_panics "));
            line.and_then(|count| count.parse::<u64>().ok()).expect("a figure")
        };
        let earlier = panic::take_hook();
        notice_panics();
        let before = shown();
        panic::catch_unwind(|| panic!("made by a test")).expect_err("it panics");
        panic::set_hook(earlier);
        assert!(before < shown());
    }
}
