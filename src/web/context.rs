//! What every handler can reach.

use std::{ops::Deref, sync::Arc};

use super::Keys;
use crate::{
    alert::AlertId,
    clock::Clock,
    config::Config,
    queue::Queue,
    signing::SigningKey,
    store::Store,
    telemetry::Metrics,
    watch::{Heartbeats, Senders, Vitals},
};

/// Shared by all handlers, cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

pub struct Inner {
    pub config: Config,
    pub keys: Keys,
    pub clock: Arc<dyn Clock>,
    pub store: Arc<dyn Store>,
    pub queue: Arc<Queue>,
    pub heartbeats: Arc<Heartbeats>,
    pub senders: Senders,
    pub metrics: Arc<Metrics>,
    pub vitals: Arc<Vitals>,
    /// Signs the addresses that gateways report to.
    pub signing_key: SigningKey,
}

impl Deref for Context {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Context {
    /// Over an open store; the queue, and all that watches senders, are made here.
    pub fn new(
        config: Config,
        clock: Arc<dyn Clock>,
        store: Arc<dyn Store>,
        signing_key: SigningKey,
    ) -> Self {
        let queue = Arc::new(Queue::new(store.clone(), clock.clone()));
        let heartbeats = Heartbeats::new(&config, store.clone(), queue.clone(), clock.clone());
        Self(Arc::new(Inner {
            keys: Keys::new(&config),
            heartbeats: Arc::new(heartbeats),
            senders: Senders::new(queue.clone(), clock.clone()),
            metrics: Arc::default(),
            vitals: Arc::default(),
            config,
            clock,
            store,
            queue,
            signing_key,
        }))
    }

    /// The console's page of an alert.
    pub fn alert_url(&self, id: AlertId) -> String {
        format!("{}/alerts/{id}", self.config.public_url)
    }
}
