//! The real routes over a store that cannot be used: what a full or dying disk looks like from outside.

use std::{net::SocketAddr, path::Path, sync::Arc};

use async_trait::async_trait;
use bongsu::{
    alert::{AlertId, Row, ThreadKey},
    api::{self, Context},
    clock::ManualClock,
    config, console,
    queue::Queue,
    store::{
        AlertFilter, AlertPage, AlertWrite, Commit, DeviceRecord, Health, HeartbeatRecord, Lane, Store,
        StoreError, Stored,
    },
    telemetry::Metrics,
};
use jiff::{SignedDuration, Timestamp};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::task::TaskTracker;

use crate::harness::{GENERIC_KEY, OPERATOR, T0, VIEWER, ZABBIX_KEY};

struct Broken;

fn broken<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable("input/output error".to_owned()))
}

#[async_trait]
impl Store for Broken {
    async fn commit(&self, _: Lane, _: &[AlertWrite]) -> Result<Vec<Commit>, StoreError> {
        broken()
    }

    async fn get(&self, _: AlertId) -> Result<Option<Stored>, StoreError> {
        broken()
    }

    async fn find_threads(&self, _: Vec<ThreadKey>) -> Result<Vec<Option<Stored>>, StoreError> {
        broken()
    }

    async fn claim_due(&self, _: Timestamp, _: usize, _: SignedDuration) -> Result<Vec<Stored>, StoreError> {
        broken()
    }

    async fn release(&self, _: &[AlertId]) {}

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        broken()
    }

    fn due_changed(&self) -> Arc<Notify> {
        Arc::default()
    }

    async fn list(&self, _: &AlertFilter) -> Result<AlertPage, StoreError> {
        broken()
    }

    async fn moved_rows(&self, _: AlertId) -> Result<Vec<Row>, StoreError> {
        broken()
    }

    async fn put_device(&self, _: DeviceRecord) -> Result<(), StoreError> {
        broken()
    }

    async fn devices(&self) -> Result<Vec<DeviceRecord>, StoreError> {
        broken()
    }

    async fn put_heartbeat(&self, _: Lane, _: HeartbeatRecord) -> Result<(), StoreError> {
        broken()
    }

    async fn heartbeats(&self) -> Result<Vec<HeartbeatRecord>, StoreError> {
        broken()
    }

    async fn purge(&self, _: Timestamp, _: usize) -> Result<usize, StoreError> {
        broken()
    }

    async fn health(&self) -> Health {
        let problem = Some("input/output error".to_owned());
        Health { writable: false, problem, free_bytes: None, scheduled: 0 }
    }

    async fn close(&self) {}
}

/// Serves the routes until the test ends.
pub(super) async fn serve() -> SocketAddr {
    let text = format!(
        "[[integration]]\nname = \"zabbix\"\nkind = \"zabbix\"\nkey = \"{ZABBIX_KEY}\"\n\
         [[integration]]\nname = \"scripts\"\nkind = \"generic\"\nkey = \"{GENERIC_KEY}\"\n\
         [[operator]]\nname = \"dana\"\ntoken = \"{OPERATOR}\"\n\
         [[operator]]\nname = \"wall\"\ntoken = \"{VIEWER}\"\nrole = \"viewer\"\n\
         [[heartbeat]]\nname = \"alive\"\n\
         [[sms.gateway]]\nname = \"sms\"\nprovider = \"http\"\nbody_type = \"raw\"\nurl = \"http://127.0.0.1:9/\"\nbody = '{{{{to}}}} {{{{text}}}}'\n\
         [[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\n"
    );
    let config = config::parse(&text, Path::new("bongsu.toml"), &|_| None);
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    let clock = ManualClock::at(T0);
    let queue = Queue::new(Arc::new(Broken), clock.clone());
    let context = Context::new(queue, config, Arc::new(Metrics::default()), clock);
    let router = api::router(context.clone()).merge(console::router(context.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    TaskTracker::new().spawn(axum::serve(listener, api::around(context, router)).into_future());
    address
}
