//! The program itself: `bongsu serve` as a process, with the sandbox as Google and as the SMS company.

use std::{
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use bongsu::{
    clock::SystemClock,
    sandbox::{Options, PushSeen, Sandbox, TextSeen},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::daemon::Port;

/// Every kind of sender that is tested live; each integration is called as its kind is.
const KINDS: [&str; 3] = ["zabbix", "alertmanager", "munin"];
const OPERATOR: &str = "operator-token-0123456789";
const JIN: &str = "jins-phone";
const JIN_PHONE: &str = "+821012345678";

/// A start takes milliseconds; this is for a busy machine.
const STARTED_WITHIN: Duration = Duration::from_secs(30);
/// From an accepted event to the phone takes milliseconds, too.
pub(crate) const RUNG_WITHIN: Duration = Duration::from_secs(15);

/// Google, an SMS company, and jin's phone.
pub(crate) struct Phones {
    sandbox: Sandbox,
    _stop: DropGuard,
}

impl Phones {
    pub(crate) async fn start() -> Self {
        let stop = CancellationToken::new();
        let (options, clock) = (Options::default(), SystemClock::start());
        let sandbox = Sandbox::start(options, clock, &TaskTracker::new(), stop.clone()).await.unwrap();
        Self { sandbox, _stop: stop.drop_guard() }
    }

    /// Pushes about an alert that jin's phone got.
    pub(crate) fn pushes(&self, alert: &Value) -> Vec<PushSeen> {
        let id = alert["id"].as_str().unwrap();
        assert_eq!(self.sandbox.fcm().refusals(), [], "Google refused what it was sent");
        let pushes = self.sandbox.fcm().pushes();
        pushes.into_iter().filter(|push| push.accepted && push.data("alert_id") == id).collect()
    }

    /// Texts about an alert that jin's phone got.
    pub(crate) fn texts(&self, alert: &Value) -> Vec<TextSeen> {
        let id = alert["id"].as_str().unwrap();
        assert_eq!(self.sandbox.sms().refusals(), [], "the SMS company refused what it was sent");
        let texts = self.sandbox.sms().texts();
        texts.into_iter().filter(|text| text.accepted && text.alert_id == id).collect()
    }

    /// The states that the pushes about an alert told, in order, once there are as many as expected.
    pub(crate) async fn told(&self, alert: &Value, states: &[&str]) {
        let told = || self.pushes(alert).iter().map(|push| push.data("state").to_owned()).collect::<Vec<_>>();
        super::until(&format!("pushes {states:?}"), RUNG_WITHIN, async || {
            (states.len() <= told().len()).then_some(())
        })
        .await;
        assert_eq!(told(), states, "{}", alert["title"]);
    }
}

/// A configured Bongsu, which runs unless it was killed.
pub(crate) struct Bongsu {
    port: Port,
    folder: TempDir,
    process: Option<Child>,
    client: reqwest::Client,
}

impl Bongsu {
    /// Starts one that reaches those phones.
    pub(crate) async fn start(phones: &Phones) -> Self {
        let port = Port::reserve();
        let folder = TempDir::new().unwrap();
        let key_file = folder.path().join("firebase.json");
        std::fs::write(&key_file, phones.sandbox.service_account_json()).unwrap();
        std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let configuration = configuration(port.address, phones.sandbox.base_url());
        std::fs::write(folder.path().join("bongsu.toml"), configuration).unwrap();
        let mut bongsu = Self { port, folder, process: None, client: client() };
        bongsu.boot().await;
        bongsu
    }

    /// Starts the process on what an earlier one left, and waits until it is ready.
    pub(crate) async fn boot(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let mut serve = self.command(&["serve"]);
        serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.process = Some(serve.spawn().unwrap());
        super::until("bongsu serve is ready", STARTED_WITHIN, async || {
            let answer = self.client.get(self.url("/readyz")).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// As a power cut would: no warning, no tidying up.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// What `bongsu setup` prints for a sender.
    pub(crate) fn setup(&self, words: &[&str]) -> String {
        let words = [&["setup"], words].concat();
        let Output { status, stdout, stderr } = self.command(&words).output().unwrap();
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    }

    /// Where Zabbix posts to.
    pub(crate) fn events_url(&self) -> String {
        self.url("/v1/events/zabbix")
    }

    /// All its alerts, newest first.
    pub(crate) async fn alerts(&self) -> Vec<Value> {
        let listed = self.get_json("/v1/alerts").await;
        listed["alerts"].as_array().unwrap().clone()
    }

    /// The alert of a Zabbix event, with its journal, once `holds` of it.
    pub(crate) async fn alert_when(
        &self,
        event_id: &str,
        within: Duration,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        super::until(&format!("the alert of event {event_id} as expected"), within, async || {
            let found = self.alerts().await.into_iter().find(|alert| alert["dedup_key"] == event_id)?;
            let alert = self.alert(found["id"].as_str().unwrap()).await;
            holds(&alert).then_some(alert)
        })
        .await
    }

    /// The newest alert with this in its title, with its journal, once `holds` of it.
    pub(crate) async fn alert_titled(
        &self,
        part: &str,
        within: Duration,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        super::until(&format!("the alert \"{part}\" as expected"), within, async || {
            let mut alerts = self.alerts().await.into_iter();
            let found = alerts.find(|alert| alert["title"].as_str().unwrap().contains(part))?;
            let alert = self.alert(found["id"].as_str().unwrap()).await;
            holds(&alert).then_some(alert)
        })
        .await
    }

    /// The only alert that `holds`, with its journal, once there is one.
    pub(crate) async fn alert_that(
        &self,
        what: &str,
        within: Duration,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        super::until(what, within, async || {
            let mut found = self.alerts().await;
            found.retain(|alert| holds(alert));
            assert!(found.len() <= 1, "{what}: {found:#?}");
            Some(self.alert(found.first()?["id"].as_str().unwrap()).await)
        })
        .await
    }

    /// That alert, once it `holds`.
    pub(crate) async fn same_alert_when(
        &self,
        alert: &Value,
        what: &str,
        within: Duration,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        let id = alert["id"].as_str().unwrap();
        super::until(what, within, async || Some(self.alert(id).await).filter(|alert| holds(alert))).await
    }

    /// That alert, once its sender spoke of it so often, the first time included.
    pub(crate) async fn heard(&self, alert: &Value, times: u64, within: Duration) -> Value {
        let what = format!("{} is said {times} times", alert["title"]);
        self.same_alert_when(alert, &what, within, |alert| times <= alert["count"].as_u64().unwrap()).await
    }

    /// That alert, once its sender spoke of it so much more often than up to now.
    pub(crate) async fn heard_again(&self, alert: &Value, times: u64, within: Duration) -> Value {
        let now = self.alert(alert["id"].as_str().unwrap()).await;
        self.heard(alert, now["count"].as_u64().unwrap() + times, within).await
    }

    /// One alert with its journal.
    pub(crate) async fn alert(&self, id: &str) -> Value {
        self.get_json(&format!("/v1/alerts/{id}")).await
    }

    /// Opens a link as somebody who is logged in: status and page.
    pub(crate) async fn open_link(&self, url: &str) -> (u16, String) {
        let answer = self.client.get(url).basic_auth("dana", Some(OPERATOR)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn get_json(&self, path: &str) -> Value {
        let answer = self.client.get(self.url(path)).bearer_auth(OPERATOR).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.port.address)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bongsu"));
        command.args(words).arg("--config").arg(self.folder.path().join("bongsu.toml"));
        command
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Bongsu {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- bongsu serve said:\n{}", std::fs::read_to_string(self.log()).unwrap_or_default());
        }
    }
}

/// The contact and integration of a small team: one person, one phone, times and texts of Korea.
fn configuration(address: SocketAddr, sandbox: &str) -> String {
    let integrations = KINDS.map(|kind| {
        format!("[[integration]]\nname = \"{kind}\"\nkind = \"{kind}\"\nkey = \"{kind}-key-0123456789\"\n")
    });
    let integrations = integrations.concat();
    format!(
        r#"
public_url = "http://{address}"
language = "ko"
time_zone = "Asia/Seoul"
[server]
listen = "{address}"
[store]
url = "sled:./alerts"
[fcm]
service_account = {{ file = "firebase.json" }}
base_url = "{sandbox}"
[[sms.gateway]]
name = "sms-one"
provider = "http"
url = "{sandbox}/sms/send"
body = '{{"to": "{{{{to}}}}", "text": "{{{{text}}}}", "alert_id": "{{{{alert_id}}}}"}}'
{integrations}
[[operator]]
name = "dana"
token = "{OPERATOR}"
[[contact]]
name = "jin"
phone = "{JIN_PHONE}"
devices = ["{JIN}"]
"#
    )
}

#[expect(clippy::disallowed_methods, reason = "a test's own client")]
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}
