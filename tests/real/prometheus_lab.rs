//! A real Prometheus and real Alertmanagers on loopback. Prometheus scrapes two disks whose use a test sets.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, routing::get};
use tempfile::TempDir;
use tokio_util::task::TaskTracker;

use crate::daemon::{Daemon, Port, Program};

/// Each starts within a second; this is for a busy machine.
const STARTED_WITHIN: Duration = Duration::from_mins(1);

/// Two alerts of one group, with what senders trip over in their texts.
const RULES: &str = r#"
groups:
  - name: disks
    rules:
      - alert: DiskFull
        expr: disk_used_percent > 90
        labels:
          severity: critical
          team: 서버
        annotations:
          summary: '디스크 {{ $labels.instance }} "{{ $value }}%" <b> & {가득}'
          description: "둘째 줄:\n\\path"
"#;

/// What Prometheus scrapes: how full the disk of each host is, in percent.
pub(crate) struct Disks {
    address: SocketAddr,
    used: Arc<Mutex<BTreeMap<&'static str, f64>>>,
    server: tokio::task::JoinHandle<()>,
}

impl Disks {
    /// Of `web01` and `web02`, half full.
    pub(crate) async fn start() -> Self {
        let used = Arc::new(Mutex::new(BTreeMap::from([("web01", 50.0), ("web02", 50.0)])));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/metrics", get(metrics)).with_state(Arc::clone(&used));
        let serving = async move { axum::serve(listener, router).await.unwrap() };
        Self { address, used, server: TaskTracker::new().spawn(serving) }
    }

    pub(crate) fn set(&self, host: &'static str, percent: f64) {
        self.used.lock().unwrap().insert(host, percent);
    }

    /// Nothing is said of this one any more.
    pub(crate) fn hide(&self, host: &'static str) {
        self.used.lock().unwrap().remove(host);
    }
}

impl Drop for Disks {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn metrics(State(used): State<Arc<Mutex<BTreeMap<&'static str, f64>>>>) -> String {
    used.lock().unwrap().iter().fold(String::new(), |mut text, (host, percent)| {
        writeln!(text, "disk_used_percent{{instance=\"{host}\"}} {percent}").unwrap();
        text
    })
}

/// A Prometheus that looks at the disks every second.
pub(crate) struct Prometheus {
    resend_delay: &'static str,
    /// Before its folder: it reads its log when it is dropped.
    daemon: Daemon,
    folder: TempDir,
    port: Port,
}

impl Prometheus {
    /// Starts one; `alerting` is that part of its configuration. What fires it repeats every `resend_delay`,
    /// as shipped once a minute, and what it says holds four times as long. Comes back when it knows whom to
    /// tell: what it finds earlier it drops.
    pub(crate) async fn start(disks: &Disks, resend_delay: &'static str, alerting: &str) -> Self {
        let (folder, port) = (TempDir::new().unwrap(), Port::reserve());
        let configuration = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [rules.yml]\n\
             scrape_configs:\n  - job_name: disks\n    honor_labels: true\n    \
             static_configs: [{{targets: ['{}']}}]\n{alerting}",
            disks.address
        );
        fs::write(folder.path().join("prometheus.yml"), configuration).unwrap();
        fs::write(folder.path().join("rules.yml"), RULES).unwrap();
        let program = prometheus(folder.path(), &port, resend_delay);
        let daemon = Daemon::start(&program, None, &folder.path().join("log"));
        let prometheus = Self { resend_delay, daemon, folder, port };
        prometheus.knows_whom_to_tell().await;
        prometheus
    }

    /// Stops it and starts it on what it wrote down.
    pub(crate) async fn restart(&mut self) {
        self.daemon.stop().await;
        let program = prometheus(self.folder.path(), &self.port, self.resend_delay);
        self.daemon = Daemon::start(&program, None, &self.folder.path().join("log"));
        self.knows_whom_to_tell().await;
    }

    /// It stands still, as on a machine that hangs.
    pub(crate) fn freeze(&self) {
        self.daemon.signal("STOP");
    }

    pub(crate) fn thaw(&self) {
        self.daemon.signal("CONT");
    }

    /// Waits until it told somebody since it was started.
    pub(crate) async fn told(&self) {
        at_least("Prometheus tells", self.port.address, "prometheus_notifications_sent_total", 1.0).await;
    }

    /// Waits until it gave up a request to an Alertmanager, or to us.
    pub(crate) async fn failed_to_tell(&self) {
        let what = "Prometheus gives up a request";
        at_least(what, self.port.address, "prometheus_notifications_errors_total", 1.0).await;
    }

    async fn knows_whom_to_tell(&self) {
        let (what, gauge) =
            ("Prometheus knows whom to tell", "prometheus_notifications_alertmanagers_discovered");
        at_least(what, self.port.address, gauge, 1.0).await;
    }
}

fn prometheus(home: &Path, port: &Port, resend_delay: &str) -> Program {
    Program {
        name: "prometheus",
        path: "/usr/bin/prometheus",
        arguments: vec![
            format!("--config.file={}", home.join("prometheus.yml").display()),
            format!("--storage.tsdb.path={}", home.join("data").display()),
            format!("--web.listen-address={}", port.address),
            format!("--rules.alert.resend-delay={resend_delay}"),
        ],
        environment: Vec::new(),
    }
}

/// An Alertmanager without others; two of them are a pair that has lost sight of each other.
pub(crate) struct Alertmanager {
    /// Before its folder: it reads its log when it is dropped.
    daemon: Daemon,
    folder: TempDir,
    port: Port,
}

impl Alertmanager {
    /// Starts one that tells Bongsu as in `printed`, but faster.
    pub(crate) async fn start(printed: &str) -> Self {
        let (folder, port) = (TempDir::new().unwrap(), Port::reserve());
        let mut configuration: serde_norway::Value = serde_norway::from_str(printed).unwrap();
        hurry(&mut configuration);
        let configuration = serde_norway::to_string(&configuration).unwrap();
        fs::write(folder.path().join("alertmanager.yml"), configuration).unwrap();
        let daemon = Daemon::start(&alertmanager(folder.path(), &port), None, &folder.path().join("log"));
        let alertmanager = Self { daemon, folder, port };
        alertmanager.ready().await;
        alertmanager
    }

    /// As it is written in the `alerting` part of Prometheus's configuration.
    pub(crate) fn target(&self) -> String {
        self.port.address.to_string()
    }

    /// Stops it and starts it again. It remembers what it told, but not which alerts there are.
    pub(crate) async fn restart(&mut self) {
        self.daemon.stop().await;
        self.again().await;
    }

    /// The same, and what it told is lost as well.
    pub(crate) async fn restart_with_nothing(&mut self) {
        self.daemon.kill();
        fs::remove_dir_all(self.folder.path().join("data")).unwrap();
        self.again().await;
    }

    /// Waits until this one has told Bongsu `times` since it was started.
    pub(crate) async fn told(&self, times: f64) {
        let counter = "alertmanager_notifications_total{integration=\"webhook\"}";
        at_least("Alertmanager tells Bongsu", self.port.address, counter, times).await;
    }

    /// Waits until it forgot what is over, which it does when it has told it.
    pub(crate) async fn knows_of_none(&self) {
        let client = crate::bongsu_process::client();
        let url = format!("http://{}/api/v2/alerts/groups", self.port.address);
        super::until("Alertmanager has no groups left", STARTED_WITHIN, async || {
            let groups = client.get(&url).send().await.ok()?.text().await.ok()?;
            (groups.trim() == "[]").then_some(())
        })
        .await;
    }

    /// Waits until a request of this one failed.
    pub(crate) async fn failed_to_tell(&self) {
        let counter = "alertmanager_notification_requests_failed_total{integration=\"webhook\"}";
        at_least("Alertmanager's request fails", self.port.address, counter, 1.0).await;
    }

    async fn again(&mut self) {
        let program = alertmanager(self.folder.path(), &self.port);
        self.daemon = Daemon::start(&program, None, &self.folder.path().join("log"));
        self.ready().await;
    }

    async fn ready(&self) {
        at_least("Alertmanager answers", self.port.address, "alertmanager_build_info", 1.0).await;
    }
}

fn alertmanager(home: &Path, port: &Port) -> Program {
    Program {
        name: "alertmanager",
        path: "/usr/bin/prometheus-alertmanager",
        arguments: vec![
            format!("--config.file={}", home.join("alertmanager.yml").display()),
            format!("--storage.path={}", home.join("data").display()),
            format!("--web.listen-address={}", port.address),
            "--cluster.listen-address=".into(),
        ],
        environment: Vec::new(),
    }
}

/// Seconds instead of minutes and hours, wherever routes say how long to wait.
fn hurry(configuration: &mut serde_norway::Value) {
    if let Some(map) = configuration.as_mapping_mut() {
        for (key, value) in map.iter_mut() {
            match key.as_str() {
                Some("group_wait") => *value = "0s".into(),
                Some("group_interval") => *value = "1s".into(),
                Some("repeat_interval") => *value = "2s".into(),
                _ => hurry(value),
            }
        }
    } else if let Some(items) = configuration.as_sequence_mut() {
        items.iter_mut().for_each(hurry);
    }
}

/// Waits until a program's own metrics say so: the sum of the series whose names begin with `series`.
async fn at_least(what: &str, address: SocketAddr, series: &str, wanted: f64) {
    let client = crate::bongsu_process::client();
    super::until(what, STARTED_WITHIN, async || {
        let answer = client.get(format!("http://{address}/metrics")).send().await.ok()?;
        let text = answer.text().await.ok()?;
        let values = text.lines().filter(|line| line.starts_with(series));
        let sum: f64 = values.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum();
        (wanted <= sum).then_some(())
    })
    .await;
}
