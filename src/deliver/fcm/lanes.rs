//! HTTP/2 connections to FCM: long-lived, a few, none of them crowded.
//!
//! Google allows 100 streams per connection and closes one that is idle for 4 minutes or that
//! sees keep-alive pings without requests between them. One client keeps one HTTP/2 connection,
//! so more connections are more clients; they are made when the others are full, and kept.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::Client;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    config::Network,
    deliver::http::{ClientError, client_builder},
};

/// Requests at a time on one connection; Google allows 100.
const STREAMS_PER_CONNECTION: usize = 80;
/// Connections at most.
const CONNECTIONS_MAX: usize = 8;
/// An idle connection is closed by us first.
const IDLE_MAX: Duration = Duration::from_secs(200);
/// Only while requests wait for an answer: finds out that a connection is dead long before TCP does.
const PING_EVERY: Duration = Duration::from_secs(5);
/// A connection that does not answer a ping by then is dead.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// The connections of one transport.
#[derive(Debug)]
pub(super) struct Lanes {
    network: Network,
    /// One permit per stream of all connections there may be.
    streams: Arc<Semaphore>,
    lanes: Mutex<Vec<Lane>>,
}

#[derive(Clone, Debug)]
struct Lane {
    client: Client,
    load: Arc<AtomicUsize>,
}

/// The right to one request at a time on a connection.
#[derive(Debug)]
pub(super) struct Slot {
    lane: Lane,
    _stream: OwnedSemaphorePermit,
}

impl Slot {
    pub(super) fn client(&self) -> &Client {
        &self.lane.client
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.lane.load.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lanes {
    /// Makes the first client, so that a bad certificate or proxy is found at start.
    pub(super) fn new(network: Network) -> Result<Self, ClientError> {
        let lanes = Mutex::new(vec![Lane::new(&network)?]);
        Ok(Self {
            network,
            streams: Arc::new(Semaphore::new(STREAMS_PER_CONNECTION * CONNECTIONS_MAX)),
            lanes,
        })
    }

    /// A slot on the least loaded connection, or on a new one if all are full; waits while there
    /// may be no more. `None` never happens while the transport lives.
    pub(super) async fn slot(&self) -> Option<Slot> {
        let stream = Arc::clone(&self.streams).acquire_owned().await.ok()?;
        let mut lanes = self.lanes();
        let least = lanes.iter().min_by_key(|lane| lane.load.load(Ordering::Relaxed)).cloned();
        let has_room = |lane: &Lane| lane.load.load(Ordering::Relaxed) < STREAMS_PER_CONNECTION;
        let lane = match least {
            Some(lane) if has_room(&lane) || CONNECTIONS_MAX <= lanes.len() => lane,
            least => match Lane::new(&self.network) {
                Ok(lane) => {
                    lanes.push(lane.clone());
                    lane
                }
                // The same settings made a client before; a crowded connection beats none.
                Err(_) => least?,
            },
        };
        lane.load.fetch_add(1, Ordering::Relaxed);
        Some(Slot { lane, _stream: stream })
    }

    fn lanes(&self) -> MutexGuard<'_, Vec<Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    fn new(network: &Network) -> Result<Self, ClientError> {
        let client = client_builder(network)?
            .pool_idle_timeout(IDLE_MAX)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .http2_keep_alive_while_idle(false)
            .build()
            .map_err(ClientError::Tls)?;
        Ok(Self { client, load: Arc::new(AtomicUsize::new(0)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_are_added_when_full_and_never_crowded() {
        let lanes = Lanes::new(Network::default()).expect("no certificate, no proxy");
        let mut slots = Vec::new();
        for _ in 0..STREAMS_PER_CONNECTION * CONNECTIONS_MAX {
            slots.push(lanes.slot().await.expect("room"));
        }
        let loads: Vec<usize> = lanes.lanes().iter().map(|lane| lane.load.load(Ordering::Relaxed)).collect();
        assert_eq!(loads, [STREAMS_PER_CONNECTION; CONNECTIONS_MAX]);
        slots.truncate(1);
        let _one = lanes.slot().await;
        assert_eq!(lanes.lanes().len(), CONNECTIONS_MAX, "kept for the next storm");
    }
}
