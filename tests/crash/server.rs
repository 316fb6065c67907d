//! The server, a process of its own: started, asked, killed.

use std::{
    fs::OpenOptions,
    io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use bongsu::{
    clock::{Clock, SystemClock},
    sandbox::Sandbox,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{dice::Dice, disk::Disk};

pub(crate) const ZABBIX_KEY: &str = "zabbix-key-0123456789";
pub(crate) const OPERATOR: &str = "operator-token-0123456789";

/// Who is told: name, number, devices.
pub(crate) const PEOPLE: [(&str, &str, &[&str]); 2] =
    [("jin", "+821012345678", &["jins-phone"]), ("min", "+821087654321", &["mins-phone", "mins-tablet"])];

/// Below every system's range for outgoing connections: a port of that range can be taken by a
/// client, even by one that wants to reach that very port, while the server is down.
const PORTS: (u64, u64) = (20_000, 30_000);

/// A server that does not answer by then will not.
const START_MAX: SignedDuration = SignedDuration::from_secs(30);

/// How often a starting server is asked.
const ASK_EVERY: SignedDuration = SignedDuration::from_millis(2);

/// Longest wait for one answer; a killed server resets its connections, so this is for hung ones.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// Name of the store's folder, below the site's.
const STORE: &str = "disk/alerts";

/// Name of the folder that is a disk where its power is cut.
const DISK: &str = "disk";

/// Name of what the server writes, below its folder.
const LOG: &str = "server.log";

/// How much may be told before digests begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limits {
    /// Everything.
    None,
    /// Little.
    Tight,
}

/// How one store's server is started, again and again.
pub(crate) struct Site {
    pub(crate) folder: PathBuf,
    pub(crate) url: String,
    /// Whose power is cut.
    disk: Option<Disk>,
    /// Made once: making one takes longer than a start.
    client: reqwest::Client,
    clock: Arc<SystemClock>,
}

/// A running server; killed at the latest when it is dropped.
pub(crate) struct Server {
    child: Child,
    began: Timestamp,
}

impl Site {
    /// Writes the configuration of a server whose providers are the sandbox.
    pub(crate) fn prepare(
        folder: &Path,
        sandbox: &Sandbox,
        limits: Limits,
        dice: &mut Dice,
        clock: &Arc<SystemClock>,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("firebase.json"), sandbox.service_account_json())?;
        let ca = sandbox.ca_pem().map_or_else(String::new, |_| "extra_ca = \"ca.pem\"\n".to_owned());
        std::fs::write(folder.join("ca.pem"), sandbox.ca_pem().unwrap_or_default())?;
        let port = free_port(dice)?;
        let text = configuration(port, limits, sandbox.base_url(), &ca);
        std::fs::write(folder.join("bongsu.toml"), text)?;
        let url = format!("http://127.0.0.1:{port}");
        Ok(Self { folder: folder.to_owned(), url, disk: None, client: client(), clock: Arc::clone(clock) })
    }

    /// With a disk for the store alone, whose power is cut from now on.
    pub(crate) fn with_disk(mut self) -> io::Result<Self> {
        self.disk = Some(Disk::make(self.folder.join("disk.img"), &self.folder.join(DISK))?);
        Ok(self)
    }

    /// Starts a process, without waiting for it.
    pub(crate) fn start(&self) -> io::Result<Server> {
        let began = self.clock.now();
        let log = OpenOptions::new().create(true).append(true).open(self.folder.join(LOG))?;
        let child = Command::new(env!("CARGO_BIN_EXE_bongsu"))
            .args(["serve", "--config"])
            .arg(self.folder.join("bongsu.toml"))
            // A proxy of the environment is not for the loopback.
            .env_clear()
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Server { child, began })
    }

    /// Waits until it answers; how long that took, or why it never will.
    pub(crate) async fn wait_for(&self, server: &mut Server) -> Result<SignedDuration, String> {
        loop {
            let answer = self.client.get(format!("{}/healthz", self.url)).send().await;
            let took = self.clock.now().duration_since(server.began);
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return Ok(took);
            }
            if let Some(status) = server.child.try_wait().map_err(|error| error.to_string())? {
                return Err(format!("the server ended by itself ({status}): {}", self.last_words()));
            }
            if START_MAX < took {
                return Err(format!("the server did not answer within {START_MAX:#}: {}", self.last_words()));
            }
            self.clock.sleep(ASK_EVERY).await;
        }
    }

    /// Waits for the first sign of the store on the disk.
    pub(crate) async fn store_begins(&self) {
        while !self.folder.join(STORE).exists() {
            self.clock.sleep(SignedDuration::from_millis(1)).await;
        }
    }

    /// The end of the server: SIGKILL, or its disk is without power. True if it was still there.
    pub(crate) fn end(&self, server: &mut Server) -> io::Result<bool> {
        let is_alive = server.is_alive()?;
        let Some(disk) = self.disk.as_ref().filter(|_| is_alive) else { return server.kill() };
        server.stop()?;
        disk.copy()?;
        let was_alive = server.kill()?;
        disk.replace()?;
        Ok(was_alive)
    }

    /// Reads from its API as an operator.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, String> {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(OPERATOR);
        let answer = request.send().await.map_err(|error| format!("{path}: {error}"))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| format!("{path}: {error}"))?;
        match serde_json::from_str(&text) {
            Ok(value) if status == 200 => Ok(value),
            Ok(_) | Err(_) => Err(format!("{path}: {status}: {text}")),
        }
    }

    /// What it wrote, over all its lives.
    pub(crate) fn log(&self) -> String {
        std::fs::read(self.folder.join(LOG))
            .map_or_else(|error| error.to_string(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The end of what it wrote.
    pub(crate) fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().rev().take(4).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }
}

impl Server {
    fn is_alive(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// It does nothing more, and does not know it.
    fn stop(&self) -> io::Result<()> {
        let status = Command::new("kill").args(["-STOP", &self.child.id().to_string()]).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other("the server cannot be stopped")) }
    }

    /// SIGKILL, and waits until it is gone. True if it was still there to be killed.
    pub(crate) fn kill(&mut self) -> io::Result<bool> {
        let alive = self.is_alive()?;
        self.child.kill()?;
        self.child.wait()?;
        Ok(alive)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing of this run may outlive it; a process that is gone already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client with connections of its own.
#[expect(clippy::disallowed_methods, reason = "a test's own client")]
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(ANSWER_MAX).build().expect("a client without TLS settings")
}

fn free_port(dice: &mut Dice) -> io::Result<u16> {
    let mut refused = io::Error::other("no port was tried");
    for _ in 0..100 {
        let port = u16::try_from(dice.between(PORTS.0, PORTS.1)).expect("in range");
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

fn configuration(port: u16, limits: Limits, sandbox: &str, ca: &str) -> String {
    let (pushes, texts, a_day) = match limits {
        Limits::None => ("[]", "[]", "\"off\""),
        Limits::Tight => (r#"["40/1m"]"#, r#"["6/10m"]"#, "40"),
    };
    let people = PEOPLE.map(|(name, phone, devices)| {
        format!("[[contact]]\nname = \"{name}\"\nphone = \"{phone}\"\ndevices = {devices:?}\n")
    });
    let people = people.concat();
    format!(
        r#"
[server]
listen = "127.0.0.1:{port}"
[store]
url = "sled:./{STORE}"
[retry]
initial = "100ms"
max = "1s"
[fcm]
service_account = {{ file = "firebase.json" }}
base_url = "{sandbox}"
accept_within = "300ms"
per_device = {pushes}
{ca}
[sms]
budget = {texts}
disaster_budget = {texts}
[[sms.gateway]]
name = "texts"
provider = "http"
url = "{sandbox}/sms/send"
timeout = "2s"
per_day = {a_day}
body = '{{"to": "{{{{to}}}}", "text": "{{{{text}}}}", "alert_id": "{{{{alert_id}}}}"}}'
{ca}
[[integration]]
name = "zabbix"
kind = "zabbix"
key = "{ZABBIX_KEY}"
[[operator]]
name = "dana"
token = "{OPERATOR}"
{people}"#
    )
}
