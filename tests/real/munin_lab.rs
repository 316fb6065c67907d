//! A real Munin on loopback: a node with plugins whose values a test sets, and the two programs that
//! `munin-cron` runs every five minutes, here whenever a test says so.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::daemon::{Daemon, Port, Program, append};

/// The node listens within a second; this is for a busy machine.
const NODE_STARTED_WITHIN: Duration = Duration::from_secs(30);
/// Without retries it does at once; this is for a busy machine.
const CURL_GIVES_UP_WITHIN: Duration = Duration::from_secs(30);
/// Munin refuses to run as root; its package makes this user.
const USER: &str = "munin";
/// Munin counts in seconds: a value of the second in which it last took one is dropped.
const BETWEEN_RUNS: Duration = Duration::from_millis(1_100);
const DEFAULTS: &str = "Munin/Common/Defaults.pm";

/// A master and one node of it, `web01` in the group `학과`.
pub(crate) struct MuninLab {
    /// Before its folder: it reads its log when it is dropped.
    node: Daemon,
    folder: TempDir,
    port: Port,
}

impl MuninLab {
    /// Starts the node, with plugins given as (name, what it answers to `config`).
    pub(crate) async fn start(plugins: &[(&str, &str)]) -> Self {
        let (folder, port) = (TempDir::new().unwrap(), Port::reserve());
        let home = folder.path();
        for part in ["perl/Munin/Common", "etc/plugins", "etc/plugin-conf.d", "conf.d", "said"] {
            fs::create_dir_all(home.join(part)).unwrap();
        }
        for part in ["db", "log", "run", "html", "state"] {
            fs::create_dir(home.join(part)).unwrap();
        }
        fs::write(home.join("perl").join(DEFAULTS), defaults(home)).unwrap();
        fs::write(home.join("etc/munin-node.conf"), node_conf(home, &port)).unwrap();
        fs::write(home.join("munin.conf"), master_conf(home, &port)).unwrap();
        for (name, config) in plugins {
            let plugin = home.join("etc/plugins").join(name);
            // Munin asks for `config`, or without an argument for values.
            let script = format!("#!/bin/sh\nexec cat '{}'.\"${{1:-values}}\"\n", said(home, name).display());
            fs::write(&plugin, script).unwrap();
            fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755)).unwrap();
            fs::write(said(home, name).with_extension("config"), config).unwrap();
        }
        give_to_munin(home);
        let mut lab = Self { node: start_node(home), folder, port };
        lab.node_answers().await;
        lab
    }

    /// Puts what `bongsu setup munin` printed where its steps say. The file with the key: what
    /// `bongsu setup munin --key` printed.
    pub(crate) fn tell(&self, contact: &str, key_file: &str) {
        fs::write(self.folder.path().join("conf.d/bongsu.conf"), contact).unwrap();
        fs::write(self.key_file(), key_file).unwrap();
        give_to_munin(self.folder.path());
    }

    /// Where the contact lines are to look for the key.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.path().join("bongsu.curl")
    }

    /// What a plugin measures from now on: `field.value NUMBER` lines, and perhaps `field.extinfo TEXT`.
    pub(crate) fn set(&self, plugin: &str, values: &str) {
        fs::write(said(self.folder.path(), plugin).with_extension("values"), values).unwrap();
    }

    /// One run of `munin-cron`: measures, compares with the limits, tells whom it concerns. Munin does not
    /// wait for what it tells.
    #[expect(clippy::disallowed_methods, reason = "real senders keep real time")]
    pub(crate) async fn run(&self) {
        tokio::time::sleep(BETWEEN_RUNS).await;
        for (name, path, more) in [
            ("munin-update", "/usr/share/munin/munin-update", Some("--nofork")),
            ("munin-limits", "/usr/share/munin/munin-limits", None),
        ] {
            let configuration = self.folder.path().join("munin.conf").display().to_string();
            let mut arguments = vec!["--config".to_owned(), configuration];
            arguments.extend(more.map(str::to_owned));
            let program = Program { name, path, arguments, environment: Vec::new() };
            let mut command = program.command(Some(USER));
            // Into a file: a curl that is still trying holds on to it for longer than Munin runs.
            let said = append(&self.folder.path().join("log/cron.log"));
            command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
            let ended = tokio::task::spawn_blocking(move || command.status()).await.unwrap().unwrap();
            assert!(ended.success(), "{name}: {ended}");
        }
    }

    /// The node is restarted, as after an upgrade.
    pub(crate) async fn restart_node(&mut self) {
        self.node.stop().await;
        self.node = start_node(self.folder.path());
        self.node_answers().await;
    }

    /// Waits until a curl that Munin started found nobody and gave up.
    pub(crate) async fn curl_gave_up(&self) {
        let log = self.folder.path().join("log/cron.log");
        super::until("curl gives up", CURL_GIVES_UP_WITHIN, async || {
            fs::read_to_string(&log).unwrap().contains("curl: (7)").then_some(())
        })
        .await;
    }

    /// Munin's memory of what it told last is lost.
    pub(crate) fn forget_what_was_told(&self) {
        for name in ["db/limits", "db/limits.storable"] {
            fs::remove_file(self.folder.path().join(name)).unwrap();
        }
    }

    async fn node_answers(&mut self) {
        let address = self.port.address;
        super::until("munin-node listens", NODE_STARTED_WITHIN, async || {
            tokio::net::TcpStream::connect(address).await.ok().map(drop)
        })
        .await;
    }

    fn logs(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.folder.path().join("log").join(name));
        ["munin-update.log", "munin-limits.log", "cron.log"]
            .map(|name| read(name).unwrap_or_default())
            .join("\n")
    }
}

impl Drop for MuninLab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- Munin said:\n{}", self.logs());
        }
    }
}

/// Without its extension, the file with what a plugin answers.
fn said(home: &Path, plugin: &str) -> PathBuf {
    home.join("said").join(plugin)
}

fn start_node(home: &Path) -> Daemon {
    let program = Program {
        name: "munin-node",
        path: "/usr/sbin/munin-node",
        arguments: vec![
            "--foreground".into(),
            "--config".into(),
            home.join("etc/munin-node.conf").display().to_string(),
        ],
        // munin-node has no option for the folder of its plugins: it takes it from this module.
        environment: vec![("PERL5LIB", home.join("perl").display().to_string())],
    };
    Daemon::start(&program, Some(USER), &home.join("node.log"))
}

/// Munin's own module of defaults, with folders and user of this lab.
fn defaults(home: &Path) -> String {
    let installed = Path::new("/usr/share/perl5").join(DEFAULTS);
    let text = fs::read_to_string(&installed)
        .unwrap_or_else(|e| panic!("{}: {e}: run tests/senders, as root", installed.display()));
    let home = home.display();
    let ours = text
        .replace("q{/etc/munin}", &format!("q{{{home}/etc}}"))
        .replace("q{/var/lib/munin-node/plugin-state}", &format!("q{{{home}/state}}"))
        .replace("q{nobody}", &format!("q{{{USER}}}"));
    assert_eq!(ours.matches(&home.to_string()).count(), 2, "{} is not as expected", installed.display());
    ours
}

fn node_conf(home: &Path, port: &Port) -> String {
    format!(
        "log_level 4\nlog_file {home}/log/munin-node.log\npid_file {home}/run/munin-node.pid\n\
         background 0\nsetsid 0\nuser {USER}\ngroup {USER}\nhost_name web01\n\
         allow ^127\\.0\\.0\\.1$\nhost 127.0.0.1\nport {port}\n",
        home = home.display(),
        port = port.address.port()
    )
}

fn master_conf(home: &Path, port: &Port) -> String {
    format!(
        "dbdir {home}/db\nhtmldir {home}/html\nlogdir {home}/log\nrundir {home}/run\nincludedir {home}/conf.d\n\
         [학과;web01]\n  address 127.0.0.1\n  port {port}\n  use_node_name yes\n",
        home = home.display(),
        port = port.address.port()
    )
}

fn give_to_munin(home: &Path) {
    let given = Command::new("chown").arg("-R").arg(format!("{USER}:{USER}")).arg(home).status();
    assert!(given.unwrap().success(), "no user {USER}: run tests/senders, as root");
}
