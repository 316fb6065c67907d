//! A disk that hangs under the real program, without an error: nothing that works without it stops.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use bongsu::{
    app::App,
    clock::{Clock, ManualClock, SystemClock},
    config,
    sandbox::{Answer, Options, Sandbox},
};
use jiff::SignedDuration;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::harness::{OPERATOR, Setting, ZABBIX_KEY, Zabbix, configuration, problem, recovery};

/// Nothing here takes this long unless it will never happen: a disk has to hang for a minute.
const PATIENCE: Duration = Duration::from_mins(3);

/// A probe is answered by then, whatever hangs.
const PROBE_PATIENCE: Duration = Duration::from_secs(20);

/// Alerts that an earlier process has left and that are over. They fill several pages of the file, and nothing reads the
/// older ones before somebody asks.
const ALERTS: usize = 200;
const OLD: usize = ALERTS / 2;

/// What the process writes, below the folder.
const LOG: &str = "server.log";

/// Who sends at once.
const SENDERS: usize = 40;

/// Who looks at one alert at once, and who lists: together more than tokio has threads for what blocks.
const READERS: usize = 300;

/// Where a server runs, and what it runs with.
struct Site {
    folder: TempDir,
    flag: PathBuf,
    shim: PathBuf,
    sandbox: Sandbox,
    sandbox_stop: CancellationToken,
    clock: Arc<SystemClock>,
    client: reqwest::Client,
}

struct Server {
    child: Child,
    url: String,
}

impl Site {
    async fn new() -> Self {
        let (clock, sandbox_stop) = (SystemClock::start(), CancellationToken::new());
        let tasks = TaskTracker::new();
        let sandbox = Sandbox::start(Options::default(), clock.clone(), &tasks, sandbox_stop.clone()).await;
        let sandbox = sandbox.expect("a sandbox starts on any free port");
        // Outside of the folder: the disk of that one hangs.
        let beside = TempDir::new().expect("a temporary folder").keep();
        let (folder, flag, shim) = (
            TempDir::new().expect("a temporary folder"),
            beside.join("hang"),
            compiled(&beside.join("hang.so")),
        );
        fs::write(folder.path().join("firebase.json"), sandbox.service_account_json()).expect("a key file");
        let more = "[server]\nlisten = \"127.0.0.1:0\"\n[retry]\ninitial = \"1s\"\nmax = \"2s\"".to_owned();
        let text = configuration(
            &Setting { fcm: Some("per_device = []".to_owned()), more, ..Setting::default() },
            &sandbox,
        );
        fs::write(folder.path().join("bongsu.toml"), text).expect("a configuration");
        Self { folder, flag, shim, sandbox, sandbox_stop, clock, client: client() }
    }

    /// What an earlier process has left a week ago: alerts that are over, of which nothing waits for anything.
    async fn left_behind(&self) -> Vec<String> {
        let (clock, stop) = (
            ManualClock::at(self.clock.now() - SignedDuration::from_hours(24 * 7)),
            CancellationToken::new(),
        );
        let more = "[sms]\nbudget = []".to_owned();
        let text = configuration(&Setting { fcm: None, more, ..Setting::default() }, &self.sandbox);
        let config = config::parse(&text, &self.folder.path().join("bongsu.toml"), &|_| None);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let config = config.unwrap_or_else(|error| panic!("{error}"));
        let app = App::start(config, listener, clock.clone(), stop.clone()).await;
        let app = app.unwrap_or_else(|error| panic!("{error:?}"));
        let (url, mut ids) = (format!("http://{}", app.address()), Vec::new());
        for number in 0..ALERTS {
            let event = problem(&format!("disk full on web{number}")).id(&number.to_string()).severity(2);
            let (status, id) = self.post(&url, event.clone()).await;
            assert_eq!((status, self.post(&url, event.set("event_value", "0")).await.0), (202, 202));
            ids.push(id);
        }
        for _ in 0..3 {
            app.settled().await.expect("the store answers");
            clock.advance(SignedDuration::from_mins(5));
        }
        stop.cancel();
        app.finish().await.unwrap_or_else(|error| panic!("{error:?}"));
        ids
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).expect("a log")
    }

    /// A process over the store; its log is on the same disk.
    async fn start(&self) -> Server {
        let mut server = self.launch(self.folder.path());
        self.until_it_listens(&mut server).await;
        server
    }

    /// The disk of what is below this folder may hang.
    fn launch(&self, may_hang: &Path) -> Server {
        let log = File::create(self.folder.path().join(LOG)).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_bongsu"))
            .args(["serve", "--config"])
            .arg(self.folder.path().join("bongsu.toml"))
            .env_clear()
            .env("LD_PRELOAD", &self.shim)
            .env("HANG_BELOW", may_hang.canonicalize().expect("it is there"))
            .env("HANG_WHILE", &self.flag)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("it starts");
        Server { child, url: String::new() }
    }

    async fn until_it_listens(&self, server: &mut Server) {
        let listens = || {
            let said = self.log();
            said.split_once("listening on ")
                .and_then(|(_, rest)| rest.split_once('\n'))
                .map(|(url, _)| url.to_owned())
        };
        self.until("it listens", async || {
            server.url = listens().unwrap_or_default();
            !server.url.is_empty()
        })
        .await;
    }

    /// Where the next process listens.
    fn listen_at_a_known_port(&self) -> String {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let address = free.expect("a free port").to_string();
        let path = self.folder.path().join("bongsu.toml");
        let text = fs::read_to_string(&path).expect("a configuration").replace("127.0.0.1:0", &address);
        fs::write(path, text).expect("a configuration");
        format!("http://{address}")
    }

    fn disk_hangs(&self) {
        fs::write(&self.flag, "").expect("a flag");
    }

    fn disk_works(&self) {
        fs::remove_file(&self.flag).expect("it hangs");
    }

    async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let wait = async {
            while !holds().await {
                self.clock.sleep(SignedDuration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("it never holds: {what}"));
    }

    /// The status, and the id of the alert.
    async fn post(&self, url: &str, body: Zabbix) -> (u16, String) {
        let request = self.client.post(format!("{url}/v1/events/zabbix")).bearer_auth(ZABBIX_KEY);
        let answer = request.body(body.to_string()).send().await.expect("it answers");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("an answer is text");
        let body: Value = serde_json::from_str(&text).expect("an answer is JSON");
        (status, body["results"][0]["alert_id"].as_str().unwrap_or_default().to_owned())
    }

    /// Reads as an operator.
    async fn get(&self, server: &Server, path: &str) -> (u16, Value) {
        let request = self.client.get(format!("{}{path}", server.url)).bearer_auth(OPERATOR);
        let answer = request.send().await.expect("it answers");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("an answer is text");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn probe(&self, server: &Server, path: &str) -> (u16, Value) {
        let probed = tokio::time::timeout(PROBE_PATIENCE, self.get(server, path)).await;
        probed.unwrap_or_else(|_| panic!("{path} hangs"))
    }

    /// Pushes and texts that phones got of what contains this.
    fn told(&self, of: &str) -> (usize, usize) {
        let (pushes, texts) = (self.sandbox.fcm().pushes(), self.sandbox.sms().texts());
        let pushes = pushes.iter().filter(|push| push.accepted && push.data("title").contains(of));
        (pushes.count(), texts.iter().filter(|text| text.accepted && text.text.contains(of)).count())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.sandbox_stop.cancel();
        // Left over at worst in a temporary folder.
        let _ = fs::remove_dir_all(self.flag.parent().expect("it is in a folder"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing may outlive a test that failed; a process that is gone already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What makes the disk hang, as a library to preload.
fn compiled(library: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/hung_disk/hang.c");
    let compiler =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(library).arg(source).output();
    let compiler = compiler.expect("cc is there: Rust links with it, too");
    assert!(compiler.status.success(), "{}", String::from_utf8_lossy(&compiler.stderr));
    library.to_owned()
}

#[expect(clippy::disallowed_methods, reason = "a test's own client")]
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_disk_that_hangs_stops_no_watch_and_no_probe_and_is_told_past_the_store() {
    let site = Arc::new(Site::new().await);
    let ids = site.left_behind().await;
    let server = site.start().await;
    site.sandbox.fcm().always(Answer::internal());
    site.sandbox.sms().always(Answer::silent_503());
    let before = site.sandbox.fcm().counts().seen;
    let switch = problem("switch is down").id("switch").severity(4);
    assert_eq!(site.post(&server.url, switch).await.0, 202);
    site.until("the push is tried", async || before < site.sandbox.fcm().counts().seen).await;

    site.disk_hangs();
    site.sandbox.fcm().always(Answer::Ok);
    site.sandbox.sms().always(Answer::Ok);
    let server = Arc::new(server);
    let (mut lookers, mut listers, mut senders) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
    for number in 0..READERS {
        let (site, server) = (site.clone(), server.clone());
        let one = format!("/v1/alerts/{}", ids[number % OLD]);
        lookers.spawn(async move { site.get(&server, &one).await.0 });
    }
    for number in 0..READERS {
        let (site, server) = (site.clone(), server.clone());
        let list = ["/v1/alerts?limit=500", "/v1/attempts?limit=500", "/v1/dead-letters"][number % 3];
        listers.spawn(async move { site.get(&server, list).await.0 });
    }
    for number in 0..SENDERS {
        let (site, server) = (site.clone(), server.clone());
        let event = problem("swap full").id(&format!("new {number}")).severity(2);
        senders.spawn(async move { site.post(&server.url, event).await.0 });
    }
    site.until("/readyz says so", async || {
        assert_ne!(site.probe(&server, "/healthz").await.0, 0);
        let (status, body) = site.probe(&server, "/readyz").await;
        let reasons = body["reasons"].as_array().expect("reasons").iter();
        let mut stands = reasons.filter(|reason| reason["code"] == "standing_still");
        status == 503 && stands.any(|reason| reason["part"] == "store")
    })
    .await;
    assert_eq!(site.probe(&server, "/healthz").await.0, 503);
    site.until("it is told past the store", async || site.told("Bongsu itself stands still") == (1, 1)).await;
    assert_eq!(site.told("switch is down"), (0, 0));
    assert_eq!(senders.join_all().await, vec![503; SENDERS], "an event is refused in time");
    // What is in memory can be read.
    for (readers, who) in [(lookers, "who looks"), (listers, "who lists")] {
        let statuses = readers.join_all().await;
        assert!(statuses.contains(&503), "nothing was read from the disk: {who}");
        assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{who}: {statuses:?}");
    }

    site.disk_works();
    site.until("it goes on", async || site.probe(&server, "/readyz").await.0 == 200).await;
    site.until("what was accepted is told", async || 0 < site.told("switch is down").0).await;
    assert_eq!(site.probe(&server, "/healthz").await.0, 200);
    assert_eq!(site.post(&server.url, recovery("switch is down").id("switch")).await.0, 202);
    assert_eq!(site.get(&server, "/v1/alerts").await.0, 200);
    site.until("its log goes on", async || site.log().contains("all works again")).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_disk_that_hangs_at_the_start_is_told_past_the_store_and_waited_for() {
    let site = Site::new().await;
    let store = site.folder.path().join("alerts");
    fs::create_dir(&store).expect("a folder");
    site.disk_hangs();
    let url = site.listen_at_a_known_port();
    let mut server = site.launch(&store);
    site.until("it is told past the store", async || site.told("Bongsu itself stands still") == (1, 1)).await;
    assert!(!site.log().contains("listening"), "{}", site.log());
    server.url.clone_from(&url);
    assert_eq!(site.probe(&server, "/healthz").await.0, 503);
    assert_eq!(site.post(&url, problem("refused")).await.0, 503, "it is told to come again");
    let (status, body) = site.probe(&server, "/readyz").await;
    let reasons = body["reasons"].as_array().expect("reasons");
    assert!(status == 503 && reasons.iter().any(|reason| reason["code"] == "store_not_writable"), "{body}");

    site.disk_works();
    site.until_it_listens(&mut server).await;
    assert_eq!(site.post(&server.url, problem("switch is down").severity(4)).await.0, 202);
    site.until("it is told", async || 0 < site.told("switch is down").0).await;
    site.until("and that all works", async || site.log().contains("all works again")).await;

    drop(server);
    site.disk_hangs();
    let mut server = site.launch(&store);
    // On no connection to the process before.
    let probe = async || client().get(format!("{url}/healthz")).send().await;
    site.until("it answers", async || probe().await.is_ok_and(|answer| answer.status() == 503)).await;
    let asked = Command::new("kill").arg(server.child.id().to_string()).status();
    assert!(asked.expect("kill is there").success());
    site.until("it stops", async || server.child.try_wait().expect("a child").is_some()).await;
}
