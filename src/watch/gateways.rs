//! Limits of SMS gateways: says that one nears its day's limit before texts are held back, and by a text only where
//! there is nothing else.

use std::{collections::HashMap, sync::Arc};

use jiff::SignedDuration;
use tracing::warn;

use super::{OwnEvent, firing};
use crate::{
    alert::{Event, GatewayName, Severity, Transports},
    clock::Clock,
    queue::Queue,
    store::StoreError,
    telemetry::Metrics,
};

/// Parts of a gateway's day, in percent, that are told when they are reached.
const LEVELS: [Level; 3] = [
    Level { percent: 50, severity: Severity::Information },
    Level { percent: 80, severity: Severity::Warning },
    Level { percent: 100, severity: Severity::High },
];

const CLOSES_AFTER: SignedDuration = SignedDuration::from_hours(24);

#[derive(Clone, Copy)]
struct Level {
    percent: u64,
    severity: Severity,
}

/// What was told of each gateway's day, so that it is told once.
pub struct GatewayLimits {
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    told_percent: HashMap<GatewayName, u64>,
}

impl GatewayLimits {
    pub fn new(queue: Arc<Queue>, clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Self {
        Self { queue, clock, metrics, told_percent: HashMap::new() }
    }

    /// Takes how many segments of its day's `limit` a gateway has spent.
    pub async fn check(&mut self, gateway: &GatewayName, spent: u64, limit: u64) {
        self.metrics.gateway_day(gateway.as_str(), spent, limit);
        let level = LEVELS.iter().rev().find(|level| limit * level.percent <= spent * 100);
        let reached = level.map_or(0, |level| level.percent);
        let told = self.told_percent.get(gateway).copied().unwrap_or(0);
        if let Some(level) = level.filter(|_| told < reached)
            && let Err(error) = self.tell(gateway, *level, limit).await
        {
            warn!(error = %error, "could not tell of a gateway's limit: {error}");
            return;
        }
        if told != reached {
            self.told_percent.insert(gateway.clone(), reached);
        }
    }

    /// Once a day for each gateway and level: after a restart on the same day it joins the alert that is there.
    async fn tell(&self, gateway: &GatewayName, level: Level, limit: u64) -> Result<(), StoreError> {
        let Level { percent, severity } = level;
        warn!(gateway = %gateway, "{percent} % of the day's {limit} segments are spent");
        let day = self.clock.now().strftime("%Y-%m-%d");
        let title = format!("SMS gateway {gateway}: {percent} % of {limit} segments a day are spent");
        let body = "From 100 % on it takes only disasters and digests; other texts go to the next gateway, or into digests.";
        let key = format!("sms-gateway:{gateway}:{percent}:{day}");
        let event = Event {
            transports: Transports::PushFirst,
            key_never_returns: true,
            ..firing(key, severity, title, body)
        };
        OwnEvent { close_after: CLOSES_AFTER, ..OwnEvent::once(event) }.post(&self.queue).await.map(drop)
    }
}
