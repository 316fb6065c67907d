//! A Bongsu to test: the real server, a clock that stands still, a sandbox, a temporary store.

mod body;

use std::{sync::Arc, time::Duration};

use bongsu::{
    app::App,
    clock::ManualClock,
    config,
    sandbox::{Options, Sandbox},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use body::{Zabbix, problem, recovery, update};

pub(crate) const ZABBIX_KEY: &str = "zabbix-key-0123456789";
pub(crate) const GENERIC_KEY: &str = "generic-key-0123456789";
pub(crate) const OPERATOR: &str = "operator-token-0123456789";
pub(crate) const VIEWER: &str = "viewer-token-0123456789";

/// jin's device and number.
pub(crate) const JIN: &str = "jins-phone";
pub(crate) const JIN_PHONE: &str = "+821012345678";

/// Nothing in a test takes this long unless it will never happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Nor does a storm, on a slow machine.
const STORM_PATIENCE: Duration = Duration::from_mins(5);

/// Where tests begin.
pub(crate) const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

pub(crate) struct Harness {
    app: Option<App>,
    stop: CancellationToken,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) sandbox: Sandbox,
    sandbox_stop: CancellationToken,
    config: String,
    folder: TempDir,
    client: reqwest::Client,
}

/// What a test changes about the usual configuration.
pub(crate) struct Setting {
    /// Lines of `[fcm]`; `None` = no push.
    pub(crate) fcm: Option<String>,
    /// The contacts.
    pub(crate) contacts: String,
    /// The gateways' names, in order. The sandbox is Solapi, Twilio and Kannel to those named so, and a company
    /// with a plain interface to the others.
    pub(crate) gateways: Vec<&'static str>,
    /// Everything else.
    pub(crate) more: String,
}

impl Default for Setting {
    fn default() -> Self {
        let contacts =
            format!("[[contact]]\nname = \"jin\"\nphone = \"{JIN_PHONE}\"\ndevices = [\"{JIN}\"]\n");
        Self { fcm: Some(String::new()), contacts, gateways: vec!["sms-one"], more: String::new() }
    }
}

impl Harness {
    /// jin, one device, one gateway.
    pub(crate) async fn start() -> Self {
        Self::with(Setting::default()).await
    }

    pub(crate) async fn with(setting: Setting) -> Self {
        let clock = ManualClock::at(T0);
        let sandbox_stop = CancellationToken::new();
        let sandbox =
            Sandbox::start(Options::default(), clock.clone(), &TaskTracker::new(), sandbox_stop.clone())
                .await
                .expect("a sandbox starts on any free port");
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::write(folder.path().join("firebase.json"), sandbox.service_account_json())
            .expect("a key file");
        let config = configuration(&setting, &sandbox);
        let stop = CancellationToken::new();
        let client = client();
        let mut harness = Self { app: None, stop, clock, sandbox, sandbox_stop, config, folder, client };
        harness.boot().await;
        harness
    }

    async fn boot(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let file = self.folder.path().join("bongsu.toml");
        let config = config::parse(&self.config, &file, &|_| None).unwrap_or_else(|error| panic!("{error}"));
        self.stop = CancellationToken::new();
        let app = App::start(config, listener, self.clock.clone(), self.stop.clone()).await;
        self.app = Some(app.unwrap_or_else(|error| panic!("{error:?}")));
    }

    fn app(&self) -> &App {
        self.app.as_ref().expect("it runs")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.app().address())
    }

    /// Posts a Zabbix body; it must be accepted. The first result.
    pub(crate) async fn zabbix(&self, body: Zabbix) -> Value {
        let (status, answer) = self.post("/v1/events/zabbix", ZABBIX_KEY, &body.to_string()).await;
        assert_eq!(status, 202, "{answer}");
        answer["results"][0].clone()
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &str) -> (u16, Value) {
        let request = self.client.post(self.url(path)).bearer_auth(key).body(body.to_owned());
        let answer = request.send().await.expect("it answers");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("an answer is text");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(crate) async fn post_with(&self, path: &str, key: &str, header: (&str, &str), body: &str) -> Value {
        let request = self.client.post(self.url(path)).bearer_auth(key).header(header.0, header.1);
        let answer = request.body(body.to_owned()).send().await.expect("it answers");
        serde_json::from_str(&answer.text().await.expect("an answer is text")).expect("an answer is JSON")
    }

    /// Posts with these headers and no key; the answer as it came.
    pub(crate) async fn post_headers(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, String) {
        let request = headers
            .iter()
            .fold(self.client.post(self.url(path)), |request, (name, value)| request.header(*name, *value));
        let answer = request.body(body.to_owned()).send().await.expect("it answers");
        (answer.status().as_u16(), answer.text().await.expect("an answer is text"))
    }

    pub(crate) async fn post_basic(&self, path: &str, key: &str, body: &str) -> u16 {
        let request = self.client.post(self.url(path)).basic_auth("anybody", Some(key)).body(body.to_owned());
        request.send().await.expect("it answers").status().as_u16()
    }

    /// Posts what Twilio would post, to where a proxy in front of us would bring it.
    pub(crate) async fn twilio(&self, url: &str, signature: &str, body: &str) -> u16 {
        let request = self.client.post(self.here(url)).header("x-twilio-signature", signature);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(body.to_owned()).send().await.expect("it answers").status().as_u16()
    }

    /// Calls an address that we gave away.
    pub(crate) async fn call(&self, url: &str) -> u16 {
        self.client.get(self.here(url)).send().await.expect("it answers").status().as_u16()
    }

    /// Where an address below `public_url` really is.
    fn here(&self, url: &str) -> String {
        self.url(url.strip_prefix("https://alerts.example.org").expect("an address below public_url"))
    }

    /// Asks until it holds: for what no alert waits for.
    pub(crate) async fn until(&self, mut holds: impl AsyncFnMut() -> bool) {
        let wait = async {
            while !holds().await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("it comes to hold");
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.get_as(path, VIEWER).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(crate) async fn get_as(&self, path: &str, key: &str) -> (u16, Value) {
        let answer = self.client.get(self.url(path)).bearer_auth(key).send().await.expect("it answers");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("an answer is text");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// An operator's action; the alert afterwards.
    pub(crate) async fn act(&self, alert_id: &Value, action: &str) -> Value {
        let id = alert_id.as_str().expect("an id");
        let (status, answer) = self.post(&format!("/v1/alerts/{id}/{action}"), OPERATOR, "").await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub(crate) async fn alert(&self, result: &Value) -> Value {
        self.get(&format!("/v1/alerts/{}", result["alert_id"].as_str().expect("an id"))).await
    }

    /// Waits until nothing is due and nothing is under way.
    pub(crate) async fn settled(&self) {
        let settled = tokio::time::timeout(PATIENCE, self.app().settled()).await;
        settled.expect("it settles").expect("the store answers");
    }

    /// As [`Self::settled`], with the patience that thousands of alerts take.
    pub(crate) async fn settled_after_a_storm(&self) {
        let settled = tokio::time::timeout(STORM_PATIENCE, self.app().settled()).await;
        settled.expect("it settles").expect("the store answers");
    }

    /// Moves time and waits until everything that follows has happened.
    pub(crate) async fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
        self.settled().await;
    }

    /// Moves time without waiting: some request hangs.
    pub(crate) fn pass_while_hanging(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// As [`Self::restart`], with a part of the configuration replaced.
    pub(crate) async fn restart_with(&mut self, part: &str, other: &str) {
        assert!(self.config.contains(part), "no such part: {part}");
        self.config = self.config.replace(part, other);
        self.restart().await;
    }

    /// The store's files as a process leaves them that is killed now.
    pub(crate) fn copy_of_store(&self) -> TempDir {
        let copy = TempDir::new().expect("a temporary folder");
        std::fs::create_dir(copy.path().join("blobs")).expect("a folder");
        for entry in std::fs::read_dir(self.folder.path().join("alerts")).expect("the store's folder") {
            let path = entry.expect("an entry").path();
            if let (true, Some(name)) = (path.is_file(), path.file_name()) {
                std::fs::copy(&path, copy.path().join(name)).expect("a copy");
            }
        }
        copy
    }

    /// Starts again on what a process leaves that is killed now; what the hanging requests are answered is lost.
    pub(crate) async fn kill_and_restart(&mut self) {
        let copy = self.copy_of_store();
        self.sandbox.fcm().release();
        self.stop().await;
        let store = self.folder.path().join("alerts");
        std::fs::remove_dir_all(&store).expect("it is not in use");
        std::fs::create_dir_all(store.join("blobs")).expect("a folder");
        for entry in std::fs::read_dir(copy.path()).expect("the copy") {
            let path = entry.expect("an entry").path();
            if let (true, Some(name)) = (path.is_file(), path.file_name()) {
                std::fs::copy(&path, store.join(name)).expect("a copy");
            }
        }
        self.boot().await;
    }

    /// Flips a bit in every value of the stopped store whose key begins so.
    pub(crate) fn damage_store(&self, prefixes: &[&str]) {
        let config =
            sled::Config::new().path(self.folder.path().join("alerts")).segment_size(4 * 1024 * 1024);
        let store = config.open().expect("it is stopped");
        for prefix in prefixes {
            for entry in store.scan_prefix(prefix) {
                let (key, mut value) = entry.expect("it can be read");
                let last = value.last_mut().expect("it has a value");
                *last ^= 1;
                store.insert(key, value).expect("it can be written");
            }
        }
        store.flush().expect("it can be written");
    }

    /// Stops cleanly and starts again on the same store.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.boot().await;
    }

    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        if let Some(app) = self.app.take() {
            app.finish().await.unwrap_or_else(|error| panic!("{error:?}"));
        }
    }

    /// Pushes that phones got: title and state, in order.
    pub(crate) fn pushes(&self) -> Vec<String> {
        let pushes = self.sandbox.fcm().pushes();
        pushes
            .iter()
            .filter(|push| push.accepted)
            .map(|push| format!("{}: {}", push.data("state"), push.data("title")))
            .collect()
    }

    /// Texts that phones got.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.sandbox.sms().texts().iter().filter(|text| text.accepted).map(|text| text.text.clone()).collect()
    }

    /// Waits for so many accepted texts.
    pub(crate) async fn wait_for_texts(&self, count: u64) {
        self.sandbox.wait_until(|sandbox| count <= sandbox.sms().counts().accepted).await;
    }

    /// Outcomes of all attempts of an alert, such as `push deferred unavailable`.
    pub(crate) async fn attempts(&self, result: &Value) -> Vec<String> {
        let alert = self.alert(result).await;
        let rows = alert["journal"].as_array().expect("a journal").clone();
        let word = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        rows.iter()
            .filter(|row| row["entry"] == "attempt")
            .map(|row| {
                format!("{} {} {}", word(row, "transport"), word(row, "outcome"), word(row, "cause"))
                    .trim()
                    .to_owned()
            })
            .collect()
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.stop.cancel();
        self.sandbox.fcm().release();
        self.sandbox.sms().release();
        self.sandbox_stop.cancel();
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own client")]
fn client() -> reqwest::Client {
    reqwest::Client::builder().build().expect("a client")
}

fn gateway(name: &str, sandbox: &Sandbox) -> String {
    let (base, sms) = (sandbox.base_url(), sandbox.sms());
    let of_provider = match name {
        "solapi" => {
            let (key, secret) = sms.solapi_credentials();
            format!(
                "from = \"029302266\"\nbase_url = \"{base}\"\napi_key = \"{key}\"\napi_secret = \"{secret}\"\n"
            )
        }
        "twilio" => {
            let (sid, token) = sms.twilio_credentials();
            let from = "+15005550006";
            format!(
                "from = \"{from}\"\nbase_url = \"{base}\"\naccount_sid = \"{sid}\"\nauth_token = \"{token}\"\n"
            )
        }
        "kannel" => {
            let (user, password) = sms.kannel_credentials();
            format!(
                "from = \"0212345678\"\nurl = \"{base}\"\nusername = \"{user}\"\npassword = \"{password}\"\n"
            )
        }
        _ => {
            let body = r#"{"to": "{{to}}", "text": "{{text}}", "alert_id": "{{alert_id}}"}"#;
            return format!(
                "[[sms.gateway]]\nname = \"{name}\"\nprovider = \"http\"\nurl = \"{base}/sms/send\"\nbody = '{body}'\n"
            );
        }
    };
    format!("[[sms.gateway]]\nname = \"{name}\"\nprovider = \"{name}\"\n{of_provider}")
}

pub(crate) fn configuration(setting: &Setting, sandbox: &Sandbox) -> String {
    let Setting { fcm, contacts, gateways, more } = setting;
    let base_url = sandbox.base_url();
    let fcm = fcm.as_ref().map_or_else(String::new, |lines| {
        let base =
            if lines.contains("base_url") { String::new() } else { format!("base_url = \"{base_url}\"\n") };
        format!("[fcm]\nservice_account = {{ file = \"firebase.json\" }}\n{base}{lines}\n")
    });
    let gateways = gateways.iter().map(|name| gateway(name, sandbox)).collect::<Vec<_>>().concat();
    let more = more.replace("SANDBOX", base_url);
    format!(
        "public_url = \"https://alerts.example.org\"\n{more}\n[store]\nurl = \"sled:./alerts\"\n{fcm}{gateways}\
         [[integration]]\nname = \"zabbix\"\nkind = \"zabbix\"\nkey = \"{ZABBIX_KEY}\"\n\
         [[integration]]\nname = \"scripts\"\nkind = \"generic\"\nkey = \"{GENERIC_KEY}\"\n\
         [[operator]]\nname = \"dana\"\ntoken = \"{OPERATOR}\"\n\
         [[operator]]\nname = \"wall\"\ntoken = \"{VIEWER}\"\nrole = \"viewer\"\n{contacts}"
    )
}
