//! Real programs as children of a test: none of them outlives it, whatever happens to it.

use std::{
    fs::{File, OpenOptions},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::net::TcpSocket;

/// How long a program may take to end once it was asked to.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);

/// A running program, and what it says.
pub(crate) struct Daemon {
    name: &'static str,
    process: Option<Child>,
    log: PathBuf,
}

impl Daemon {
    /// Starts `program` as `user` (root where there is none); what it says is appended to `log`.
    pub(crate) fn start(program: &Program, user: Option<&str>, log: &Path) -> Self {
        let out = append(log);
        let mut command = program.command(user);
        command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out);
        let process = command.spawn().expect("setpriv is a part of every Debian");
        Self { name: program.name, process: Some(process), log: log.to_owned() }
    }

    /// As `systemctl stop` does: it may tidy up and write down what it knows.
    pub(crate) async fn stop(&mut self) {
        self.signal("TERM");
        let Some(process) = self.process.as_mut() else { return };
        let what = format!("{} ends", self.name);
        super::until(&what, STOPPED_WITHIN, async || process.try_wait().unwrap()).await;
        self.process = None;
    }

    pub(crate) fn signal(&self, signal: &str) {
        let Some(process) = &self.process else { return };
        let kill = format!("kill -{signal} \"$0\"");
        let asked = Command::new("sh").args(["-c", &kill, &process.id().to_string()]).status();
        assert!(asked.unwrap().success(), "{} was gone already:\n{}", self.name, self.said());
    }

    /// As a power cut would: no warning, no tidying up.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- {} said:\n{}", self.name, self.said());
        }
    }
}

/// A program of a package that `tests/senders` installs, with its arguments.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Program {
    /// It dies with the thread that starts it, so a test that is killed leaves nothing behind.
    pub(crate) fn command(&self, user: Option<&str>) -> Command {
        assert!(Path::new(self.path).exists(), "there is no {}: run tests/senders, as root", self.path);
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if let Some(user) = user {
            command.args(["--reuid", user, "--regid", user, "--init-groups"]);
        }
        command.arg("--").arg(self.path).args(&self.arguments).current_dir("/");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A port that nobody else gets, whether its owner runs or not: bound, but not listening.
pub(crate) struct Port {
    pub(crate) address: SocketAddr,
    _held: TcpSocket,
}

impl Port {
    pub(crate) fn reserve() -> Self {
        let held = TcpSocket::new_v4().unwrap();
        held.set_reuseaddr(true).unwrap();
        held.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        Self { address: held.local_addr().unwrap(), _held: held }
    }
}

/// Opens a file to be written at its end.
pub(crate) fn append(log: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(log).unwrap()
}
