//! The real routes over a store that cannot be used: what a full or dying disk looks like from outside.

use std::{net::SocketAddr, ops::Range, path::Path, sync::Arc};

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bongsu::{
    alert::{AlertId, Charge, FoldRow, Row, ThreadKey},
    app,
    clock::ManualClock,
    config,
    signing::{Reporter, SigningKey},
    store::{
        AlertFilter, AlertPage, AlertWrite, Commit, Damage, Due, Health, Lane, Lead, Place, Sought,
        SoughtPage, Store, StoreError, Stored, Wanted,
    },
    web::Shared,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::task::TaskTracker;

use crate::harness::{GENERIC_KEY, OPERATOR, T0, VIEWER, ZABBIX_KEY};

/// Twilio's account here.
const SID: &str = "AC0123456789abcdef0123456789abcdef";
pub(super) const TOKEN: &str = "twilio-token-0123456789";
pub(super) const PUBLIC_URL: &str = "https://alerts.example.org";

#[derive(Default)]
struct Broken(Damage);

/// What tokens are signed with here.
fn signing_key() -> SigningKey {
    SigningKey::new([7; 32])
}

/// One of an earlier time.
pub(super) fn dead_letter() -> String {
    format!("{}:jin", AlertId::from_bytes([7; 16]))
}

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

    async fn lead(&self) -> Result<Lead, StoreError> {
        broken()
    }

    async fn due(&self, _: Timestamp, _: usize, _: Wanted<'_>) -> Result<Due, StoreError> {
        broken()
    }

    async fn next_due(&self, _: Wanted<'_>) -> Result<Option<Timestamp>, StoreError> {
        broken()
    }

    async fn sought(&self, _: Option<Place>, _: Sought, _: usize) -> Result<SoughtPage, StoreError> {
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

    async fn folds(&self, _: AlertId) -> Result<Vec<FoldRow>, StoreError> {
        broken()
    }

    async fn charges(&self, _: Timestamp) -> Result<Vec<Charge>, StoreError> {
        broken()
    }

    async fn forget_charges(&self, _: Range<Timestamp>, _: usize) -> Result<usize, StoreError> {
        broken()
    }

    async fn put_record(&self, _: Lane, _: &'static str, _: Vec<u8>, _: Value) -> Result<(), StoreError> {
        broken()
    }

    async fn records(&self, kind: &'static str) -> Result<Vec<(Vec<u8>, Value)>, StoreError> {
        if kind != "dead letter" {
            return broken();
        }
        // Read before it broke.
        let id = dead_letter();
        let (alert_id, contact) = id.split_once(':').expect("an alert and a contact");
        let letter = json!({
            "slot": 0, "alert_id": alert_id, "contact": contact, "reason": "gone", "severity": "high", "at": T0,
            "others_told": true, "state": "unseen",
        });
        Ok(vec![(vec![0, 0], letter)])
    }

    async fn purge(&self, _: Timestamp, _: usize) -> Result<usize, StoreError> {
        broken()
    }

    async fn health(&self) -> Health {
        let problem = Some("input/output error".to_owned());
        Health { problem, free_bytes: None, is_moved: false, scheduled: 0, damaged: Vec::new() }
    }

    fn damage(&self) -> &Damage {
        &self.0
    }

    async fn close(&self) {}
}

/// What names some text of this gateway: the end of the address that it would be given.
pub(super) fn report(gateway: &str) -> String {
    let reporter = Reporter { gateway, account: (gateway == "twilio").then_some(SID) };
    let token = signing_key().text_token(reporter, AlertId::from_bytes([1; 16]), 1);
    format!("{gateway}?text={token}")
}

/// Twilio's signature of a form with one field.
pub(super) fn signature(token: &str, address: &str, (field, value): (&str, &str)) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    let signed = format!("{address}{field}{value}");
    STANDARD.encode(hmac::sign(&key, signed.as_bytes()))
}

/// Serves the routes until the test ends.
pub(super) async fn serve() -> SocketAddr {
    let text = format!(
        "public_url = \"{PUBLIC_URL}\"\n\
         [[integration]]\nname = \"zabbix\"\nkind = \"zabbix\"\nkey = \"{ZABBIX_KEY}\"\n\
         [[integration]]\nname = \"scripts\"\nkind = \"generic\"\nkey = \"{GENERIC_KEY}\"\n\
         [[operator]]\nname = \"dana\"\ntoken = \"{OPERATOR}\"\n\
         [[operator]]\nname = \"wall\"\ntoken = \"{VIEWER}\"\nrole = \"viewer\"\n\
         [[heartbeat]]\nname = \"alive\"\n\
         [[sms.gateway]]\nname = \"sms\"\nprovider = \"http\"\nbody_type = \"raw\"\nurl = \"http://127.0.0.1:9/\"\nbody = '{{{{to}}}} {{{{text}}}}'\n\
         [[sms.gateway]]\nname = \"kannel\"\nprovider = \"kannel\"\nfrom = \"1\"\nurl = \"http://127.0.0.1:9/\"\nusername = \"u\"\npassword = \"p\"\n\
         [[sms.gateway]]\nname = \"twilio\"\nprovider = \"twilio\"\nfrom = \"+15005550006\"\naccount_sid = \"{SID}\"\nauth_token = \"{TOKEN}\"\n\
         [[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\n"
    );
    let config = config::parse(&text, Path::new("bongsu.toml"), &|_| None);
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    let clock = ManualClock::at(T0);
    let context = Shared::new(config, clock, Arc::<Broken>::default(), signing_key());
    context.dead_letters.restore().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    TaskTracker::new().spawn(axum::serve(listener, app::routes(&context)).into_future());
    address
}
