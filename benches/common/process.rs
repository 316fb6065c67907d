//! Child processes: the program under test, a rival, and this bench itself in another role.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// Clock ticks per second in `/proc/PID/stat`, the same on every Linux that we run on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process that goes when this is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it with an empty environment: neither a proxy nor a log level of ours reaches it.
    pub(crate) fn start(command: &mut Command) -> Self {
        command.env_clear().env("RUST_LOG", "warn").stdin(Stdio::null());
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}")))
    }

    /// Processor time since its start, in seconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let path = format!("/proc/{}/stat", self.id());
        let stat = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        // The second field is the name in brackets; the 14th and 15th are user and system time.
        let after_name = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
        let ticks = after_name.split_ascii_whitespace().skip(11).take(2);
        ticks.map(|ticks| ticks.parse::<f64>().expect("a number")).sum::<f64>() / TICKS_PER_SECOND
    }

    /// Panics if it is gone: what is measured after that means nothing.
    pub(crate) fn assert_runs(&mut self) {
        let ended = self.0.try_wait().expect("our own child");
        assert!(ended.is_none(), "a process of the bench ended: {ended:?}");
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// This program in another role, with which we talk in lines.
pub(crate) struct Role {
    _process: Process,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
}

impl Role {
    /// Starts this program with these arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let says = BufReader::new(child.stdout.take().expect("piped"));
        let hears = child.stdin.take().expect("piped");
        Self { _process: Process(child), says, hears }
    }

    /// The next line that it says.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).expect("a line");
        assert!(!line.is_empty(), "a process of the bench ended");
        line.trim_end().to_owned()
    }

    /// Says something to it.
    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.hears, "{line}").expect("it listens");
    }
}

/// An address of the loopback that nobody listens on just now.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound")
}
