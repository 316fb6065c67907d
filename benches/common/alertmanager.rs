//! The rival: Prometheus Alertmanager, which accepts alerts into memory. It notifies of each alert on
//! its own, as we do, by a webhook whose receiver says yes to everything.

use std::{fs, net::SocketAddr, path::Path, process::Command, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::task::TaskTracker;

use crate::{
    clock::now,
    process::{Process, Role, free_address},
    wire::{Target, message_length, post},
};

/// The argument that makes a bench play the receiver.
pub(crate) const ROLE: &str = "--webhook-receiver";

/// As Debian calls it, and as its makers do.
const PROGRAMS: [&str; 2] = ["prometheus-alertmanager", "alertmanager"];

const START_MAX: Duration = Duration::from_secs(20);

/// A running Alertmanager.
pub(crate) struct Alertmanager {
    address: SocketAddr,
    _process: Process,
    _receiver: Role,
}

impl Alertmanager {
    /// Starts it with its files in `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        let mut receiver = Role::start(&[ROLE]);
        let sink = receiver.line();
        let address = free_address();
        let config = folder.join("alertmanager.yml");
        let text = format!(
            "route: {{ receiver: sink, group_by: ['...'], group_wait: 0s, group_interval: 5m }}\n\
             receivers: [ {{ name: sink, webhook_configs: [ {{ url: 'http://{sink}/' }} ] }} ]\n"
        );
        fs::write(&config, text).expect("writable");
        let mut command = Command::new(program());
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.path={}", folder.join("alertmanager").display()));
        command.arg(format!("--web.listen-address={address}"));
        command.args(["--cluster.listen-address=", "--log.level=error"]);
        let mut process = Process::start(&mut command);
        let began = now();
        while std::net::TcpStream::connect(address).is_err() {
            process.assert_runs();
            assert!(began.elapsed() < START_MAX, "it does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { address, _process: process, _receiver: receiver }
    }

    /// Where its alerts go.
    pub(crate) fn target(&self) -> Target {
        Target { address: self.address, request: firing_alert, accepted: "HTTP/1.1 200" }
    }
}

fn program() -> &'static str {
    let runs = |program: &&&str| Command::new(program).arg("--version").output().is_ok();
    PROGRAMS.iter().find(runs).unwrap_or_else(|| {
        panic!("Alertmanager is needed beside us: apt-get install prometheus-alertmanager, or put it in PATH")
    })
}

/// The same problem as Prometheus would post it.
fn firing_alert(number: u64, _t0_micros: u64) -> Vec<u8> {
    let body = format!(
        r#"[{{"labels":{{"alertname":"FreeSpaceLow","event_id":"{number}","severity":"high","instance":"db-{host:02}.example.org:9100","mountpoint":"/var/lib/postgresql","component":"storage","team":"web"}},"annotations":{{"summary":"Free space is low on /var/lib/postgresql","description":"Space used is more than 90 % for five minutes. Space used: 91.2 of 99.9 GB"}},"generatorURL":"https://prometheus.example.org/graph?g0.expr=node_filesystem_avail_bytes&g0.tab=1"}}]"#,
        host = number % 40,
    );
    post("/api/v2/alerts", "", &body)
}

/// Plays the receiver until the bench is gone.
pub(crate) fn play() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("{}", listener.local_addr().expect("it is bound"));
        std::thread::spawn(|| {
            for _ in std::io::stdin().lines() {}
            std::process::exit(0);
        });
        let tasks = TaskTracker::new();
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            tasks.spawn(receive(stream));
        }
    });
}

async fn receive(mut stream: TcpStream) {
    let mut buffer = Vec::with_capacity(16 * 1024);
    while stream.read_buf(&mut buffer).await.is_ok_and(|read| 0 < read) {
        while let Some(length) = message_length(&buffer).filter(|length| *length <= buffer.len()) {
            buffer.drain(..length);
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.is_err() {
                return;
            }
        }
    }
}
