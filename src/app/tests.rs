//! The whole program over a store that fails: whatever stands still, the probes say so and people are told.

use std::{
    ops::Deref,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::{
    alert::AlertId,
    clock::ManualClock,
    config,
    sandbox::{Options, Sandbox},
    store::{
        Damaged, FREE_BYTES_MIN, Health,
        guarded::{Guard, Guarded, Ruling},
    },
};

mod outage;
mod parts;
mod stands;

const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);
const KEY: &str = "generic-key-0123456789";
const OPERATOR: &str = "operator-token-0123456789";

/// Nothing in a test takes this long unless it will never happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is wrong with the store.
#[derive(Default)]
struct Faults {
    hangs: tokio::sync::watch::Sender<bool>,
    refuses_writes: AtomicBool,
    /// The due index cannot be read.
    due_fails: AtomicBool,
    /// Panics of whoever asks for what is due, and of whoever purges.
    due_panics: AtomicUsize,
    purges_panic: AtomicUsize,
    purges_hang: tokio::sync::watch::Sender<bool>,
    /// Who plans this alert panics.
    poison: Mutex<Option<AlertId>>,
    health: Mutex<Option<Health>>,
}

fn down() -> StoreError {
    StoreError::Unavailable("input/output error".to_owned())
}

async fn over(hang: &tokio::sync::watch::Sender<bool>) {
    hang.subscribe().wait_for(|hangs| !hangs).await.expect("it outlives its users");
}

fn panic_if_any(left: &AtomicUsize) {
    let one_less = |left: usize| left.checked_sub(1);
    assert!(left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_err(), "made by a test");
}

#[async_trait]
impl Guard for Faults {
    async fn write(&self) -> Ruling {
        if self.refuses_writes.load(Ordering::SeqCst) { Ruling::Refused(down()) } else { Ruling::Made }
    }

    async fn reach(&self) {
        over(&self.hangs).await;
    }

    fn due(&self) -> Result<(), StoreError> {
        panic_if_any(&self.due_panics);
        let fails = self.due_fails.load(Ordering::SeqCst);
        if fails { Err(StoreError::Damaged("a page of the due index".to_owned())) } else { Ok(()) }
    }

    async fn purge(&self) {
        panic_if_any(&self.purges_panic);
        over(&self.purges_hang).await;
    }

    fn writes(&self, id: AlertId) {
        assert!(*self.poison.lock().expect("no panic while it is held") != Some(id), "made by a test");
    }

    fn health(&self) -> Option<Health> {
        self.health.lock().expect("no panic").clone()
    }
}

struct Scene {
    app: App,
    stage: Stage,
    sandbox_stop: CancellationToken,
    client: reqwest::Client,
    _folder: TempDir,
}

impl Deref for Scene {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

/// What is there before the program is.
struct Stage {
    store: Arc<Guarded<Faults>>,
    clock: Arc<ManualClock>,
    sandbox: Sandbox,
}

impl Stage {
    fn faults(&self) -> &Faults {
        &self.store.guard
    }

    /// All that needs no network happens.
    async fn work(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    async fn pass(&self, seconds: i64) {
        for _ in 0..seconds {
            self.clock.advance(SignedDuration::from_secs(1));
            self.work().await;
        }
    }

    async fn until(&self, mut holds: impl AsyncFnMut() -> bool) {
        let wait = async {
            while !holds().await {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| panic!("it never holds: {:?} {:?}", self.pushes(), self.texts()));
    }

    /// Waits for so many pushes and texts, and that there are no more.
    async fn told(&self, pushes: usize, texts: usize) {
        self.until(async || pushes <= self.pushes().len() && texts <= self.texts().len()).await;
        assert_eq!(
            (self.pushes().len(), self.texts().len()),
            (pushes, texts),
            "{:?} {:?}",
            self.pushes(),
            self.texts()
        );
    }

    fn pushes(&self) -> Vec<String> {
        let pushes = self.sandbox.fcm().pushes();
        pushes.iter().filter(|push| push.accepted).map(|push| push.data("title").to_owned()).collect()
    }

    fn texts(&self) -> Vec<String> {
        let texts = self.sandbox.sms().texts();
        texts.iter().filter(|text| text.accepted).map(|text| text.text.clone()).collect()
    }
}

impl Scene {
    /// jin, who reads Korean, and min, who has no device; one gateway.
    async fn start() -> Self {
        Self::start_on(Arc::default()).await
    }

    /// On what an earlier process has left.
    async fn start_on(left: Arc<MemoryStore>) -> Self {
        let scene = Self::start_while(left, "", async |_| {}).await;
        scene.work().await;
        scene
    }

    /// On what an earlier process has left, with `more` in the configuration; `meanwhile` happens before the start is
    /// over.
    async fn start_while(left: Arc<MemoryStore>, more: &str, meanwhile: impl AsyncFnOnce(&Stage)) -> Self {
        let clock = ManualClock::at(T0);
        let sandbox_stop = CancellationToken::new();
        let (options, tasks) = (Options::default(), TaskTracker::new());
        let sandbox = Sandbox::start(options, clock.clone(), &tasks, sandbox_stop.clone()).await;
        let sandbox = sandbox.expect("a sandbox starts on any free port");
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::write(folder.path().join("firebase.json"), sandbox.service_account_json()).expect("a file");
        let base = sandbox.base_url();
        let text = format!(
            "public_url = \"https://alerts.example.org\"\n\
             [fcm]\nservice_account = {{ file = \"firebase.json\" }}\nbase_url = \"{base}\"\n\
             [[sms.gateway]]\nname = \"sms-one\"\nprovider = \"http\"\nurl = \"{base}/sms/send\"\n\
             body = '{{\"to\": \"{{{{to}}}}\", \"text\": \"{{{{text}}}}\", \"alert_id\": \"{{{{alert_id}}}}\"}}'\n\
             [[integration]]\nname = \"scripts\"\nkind = \"generic\"\nkey = \"{KEY}\"\n\
             [[operator]]\nname = \"dana\"\ntoken = \"{OPERATOR}\"\n\
             [[contact]]\nname = \"jin\"\nlanguage = \"ko\"\nphone = \"+821012345678\"\ndevices = [\"jins-phone\"]\n\
             [[contact]]\nname = \"min\"\nlanguage = \"en\"\nphone = \"+821087654321\"\n{more}"
        );
        let config = config::parse(&text, &folder.path().join("bongsu.toml"), &|_| None);
        let config = config.unwrap_or_else(|error| panic!("{error}"));
        let store = Arc::new(Guarded { inner: left, guard: Faults::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let stage = Stage { store, clock, sandbox };
        let (store, clock, stop) = (stage.store.clone(), stage.clock.clone(), CancellationToken::new());
        let start = App::start_over(store, config, listener, clock, stop);
        let ((), app) = tokio::join!(biased; meanwhile(&stage), start);
        let app = app.unwrap_or_else(|error| panic!("{error:?}"));
        Self { app, stage, sandbox_stop, client: client(), _folder: folder }
    }

    /// Posts an alert; the answer's status.
    async fn post(&self, title: &str) -> u16 {
        let url = format!("http://{}/v1/events/scripts", self.app.address());
        let body = format!("{{\"title\": \"{title}\", \"severity\": \"high\"}}");
        let request = self.client.post(url).bearer_auth(KEY).body(body);
        request.send().await.expect("it answers").status().as_u16()
    }

    /// Time goes on meanwhile: some answers wait for the store for a while.
    async fn get(&self, path: &str) -> (u16, Value) {
        let request = self.client.get(format!("http://{}{path}", self.app.address())).bearer_auth(OPERATOR);
        let answer = async {
            let answer = request.send().await.expect("it answers");
            let status = answer.status().as_u16();
            let text = answer.text().await.expect("an answer is text");
            (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
        };
        let hangs = *self.faults().hangs.borrow();
        tokio::pin!(answer);
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer,
                () = tokio::task::yield_now(), if hangs => self.clock.advance(SignedDuration::from_millis(1)),
            }
        }
    }

    /// What `/readyz` gives as reasons: code, and the part that stands still.
    async fn reasons(&self) -> Vec<String> {
        let (status, body) = self.get("/readyz").await;
        let reasons = body["reasons"].as_array().expect("reasons").iter();
        let words = |reason: &Value| {
            let word = |name: &str| reason[name].as_str().unwrap_or_default().to_owned();
            assert!(!word("detail").is_empty(), "{reason}");
            format!("{} {}", word("code"), word("part")).trim().to_owned()
        };
        let reasons: Vec<String> = reasons.map(words).collect();
        assert_eq!(
            (status == 200, body["ready"] == true),
            (reasons.is_empty(), reasons.is_empty()),
            "{body}"
        );
        reasons
    }

    /// The alerts about ourselves, newest first, each with its journal.
    async fn own_alerts(&self) -> Vec<Value> {
        let (_, list) = self.get("/v1/alerts?integration=bongsu").await;
        let mut alerts = Vec::new();
        for alert in list["alerts"].as_array().expect("a list") {
            alerts.push(self.get(&format!("/v1/alerts/{}", alert["id"].as_str().expect("an id"))).await.1);
        }
        alerts
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.app.stop.cancel();
        self.app.last_stop.cancel();
        self.sandbox_stop.cancel();
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own client")]
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}
