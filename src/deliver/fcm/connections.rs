//! HTTP/2 connections to FCM: long-lived, a few, none of them crowded.
//!
//! Google allows 100 streams per connection and closes one that is idle for 4 minutes or that
//! sees keep-alive pings without requests between them. One client keeps one HTTP/2 connection,
//! so more connections are more clients; they are made when the others are full, and kept.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use reqwest::Client;
use tokio::sync::OwnedMutexGuard;

use crate::{
    alert::Severity,
    config::Network,
    deliver::wire::{ClientError, Gate, Turn, client_builder},
};

/// Google allows 100.
const STREAMS_PER_CONNECTION: usize = 80;
const CONNECTIONS_MAX: usize = 8;
/// Requests that each severity leaves to what is graver.
const KEPT_FREE: usize = 16;
/// An idle connection is closed by us first.
const IDLE_MAX: Duration = Duration::from_secs(200);
/// Only while requests wait for an answer: finds out that a connection is dead long before TCP does.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// Requests wait this long for the first one on an idle connection to open it, before they open their own.
const OPENING_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Connections {
    network: Network,
    /// Otherwise each request of the first burst opens a connection, until one turns out to be HTTP/2.
    opens_one_at_a_time: bool,
    streams: Arc<Gate>,
    all: Mutex<Vec<Arc<Connection>>>,
}

#[derive(Debug)]
struct Connection {
    client: Client,
    /// Held by the request that opens the connection.
    opening: Arc<tokio::sync::Mutex<()>>,
    /// When the last answer came, in unix seconds.
    answered_at: AtomicI64,
}

/// The right to one request at a time on a connection.
#[derive(Debug)]
pub(super) struct Slot {
    connection: Arc<Connection>,
    opening: Option<OwnedMutexGuard<()>>,
    _stream: Turn,
}

impl Slot {
    pub(super) fn client(&self) -> &Client {
        &self.connection.client
    }

    /// The request got an answer at this time, or failed: requests that wait for the connection may go on.
    pub(super) fn opened(&mut self, answered_at: Option<Timestamp>) {
        if let Some(at) = answered_at {
            self.connection.answered_at.fetch_max(at.as_second(), Ordering::Relaxed);
        }
        self.opening = None;
    }
}

impl Connections {
    /// Makes the first client, so that a bad certificate or proxy is found at start.
    pub(super) fn new(network: Network, opens_one_at_a_time: bool) -> Result<Self, ClientError> {
        let all = Mutex::new(vec![Arc::new(Connection::new(&network)?)]);
        let streams = Gate::new(STREAMS_PER_CONNECTION * CONNECTIONS_MAX, KEPT_FREE);
        Ok(Self { network, opens_one_at_a_time, streams, all })
    }

    /// A slot on the least loaded connection, or on a new one if all are full; waits while there may be no more, the
    /// gravest first.
    pub(super) async fn slot(&self, now: Timestamp, severity: Severity) -> Option<Slot> {
        let stream = self.streams.enter(severity).await;
        let connection = self.least_loaded()?;
        let mut slot = Slot { connection, opening: None, _stream: stream };
        if self.opens_one_at_a_time && !slot.connection.is_open(now) {
            let turn = Arc::clone(&slot.connection.opening).lock_owned();
            let turn = tokio::time::timeout(OPENING_MAX, turn).await.ok();
            slot.opening = turn.filter(|_| !slot.connection.is_open(now));
        }
        Some(slot)
    }

    fn least_loaded(&self) -> Option<Arc<Connection>> {
        let mut all = self.all();
        let least = all.iter().min_by_key(|connection| load(connection)).cloned();
        // `least` itself counts as one request more.
        let is_crowded = least.as_ref().is_none_or(|least| STREAMS_PER_CONNECTION < load(least));
        // The same settings made a client before; if they fail now, a crowded connection beats none.
        if is_crowded
            && all.len() < CONNECTIONS_MAX
            && let Ok(new) = Connection::new(&self.network)
        {
            let new = Arc::new(new);
            all.push(Arc::clone(&new));
            return Some(new);
        }
        least
    }

    fn all(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn load(connection: &Arc<Connection>) -> usize {
    Arc::strong_count(connection) - 1
}

impl Connection {
    fn new(network: &Network) -> Result<Self, ClientError> {
        let client = client_builder(network)?
            .pool_idle_timeout(IDLE_MAX)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .http2_keep_alive_while_idle(false)
            .build()
            .map_err(ClientError::Tls)?;
        Ok(Self { client, opening: Arc::default(), answered_at: AtomicI64::new(i64::MIN) })
    }

    fn is_open(&self, now: Timestamp) -> bool {
        let idle_s = now.as_second().saturating_sub(self.answered_at.load(Ordering::Relaxed));
        idle_s < IDLE_MAX.as_secs().cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

    #[tokio::test]
    async fn connections_are_added_when_full_and_never_crowded() {
        let connections = Connections::new(Network::default(), false).expect("no certificate, no proxy");
        let mut slots = Vec::new();
        for _ in 0..STREAMS_PER_CONNECTION * CONNECTIONS_MAX {
            slots.push(connections.slot(NOW, Severity::Disaster).await.expect("room"));
        }
        let loads: Vec<usize> = connections.all().iter().map(load).collect();
        assert_eq!(loads, [STREAMS_PER_CONNECTION; CONNECTIONS_MAX]);
        slots.truncate(1);
        let _one = connections.slot(NOW, Severity::Disaster).await;
        assert_eq!(connections.all().len(), CONNECTIONS_MAX, "kept for the next storm");
    }

    #[tokio::test]
    async fn the_first_request_opens_the_connection_for_those_that_wait() {
        let connections = Connections::new(Network::default(), true).expect("no certificate, no proxy");
        let mut first = connections.slot(NOW, Severity::Disaster).await.expect("room");
        let second = connections.slot(NOW, Severity::Disaster);
        tokio::pin!(second);
        tokio::select! {
            biased;
            _ = &mut second => panic!("the connection is not open yet"),
            () = tokio::task::yield_now() => {}
        }
        first.opened(Some(NOW));
        assert!(second.await.expect("room").opening.is_none());
        let cold = NOW + jiff::SignedDuration::from_secs(200);
        assert!(
            connections.slot(cold, Severity::Disaster).await.expect("room").opening.is_some(),
            "idle for too long"
        );
    }
}
