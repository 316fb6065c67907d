//! The program under test: the real `bongsu serve`, in a process of its own.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

use crate::{
    clock::now,
    fake::Fake,
    process::{Process, free_address},
};

/// The sender's key.
pub(crate) const KEY: &str = "bench-key-0123456789";

/// The program that is measured.
pub(crate) const OURS: &str = env!("CARGO_BIN_EXE_bongsu");

/// Opening a store of a million alerts takes seconds.
const START_MAX: Duration = Duration::from_mins(2);

/// A running Bongsu.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its process.
    pub(crate) process: Process,
}

impl Server {
    /// Starts it with its files in `folder`; one contact with so many devices.
    pub(crate) fn start(folder: &Path, fake: &Fake, devices: u32) -> Self {
        Self::start_program(Path::new(OURS), folder, fake, devices)
    }

    /// As [`Server::start`], of another binary of it.
    pub(crate) fn start_program(program: &Path, folder: &Path, fake: &Fake, devices: u32) -> Self {
        let address = free_address();
        let config = folder.join("bongsu.toml");
        fs::write(&config, configuration(address, fake, devices)).expect("writable");
        let mut serve = Command::new(program);
        serve.arg("serve").arg("--config").arg(&config).current_dir(folder);
        let mut server = Self { address, process: Process::start(&mut serve) };
        let began = now();
        while !answers(address) {
            server.process.assert_runs();
            assert!(began.elapsed() < START_MAX, "it does not listen");
            thread::sleep(Duration::from_millis(2));
        }
        server
    }
}

/// Whether it answers: it listens before its store is open.
fn answers(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(START_MAX))?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok::<_, io::Error>(status.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

fn configuration(address: SocketAddr, fake: &Fake, devices: u32) -> String {
    let fcm = &fake.address;
    let mut config = format!(
        "public_url = \"https://alerts.example.org\"\n\
         [server]\nlisten = \"{address}\"\n\
         [store]\nurl = \"sled:./alerts\"\n\
         [fcm]\nservice_account = {{ file = \"firebase.json\" }}\nbase_url = \"https://{fcm}\"\n\
         extra_ca = \"ca.pem\"\nper_device = []\n\
         [[integration]]\nname = \"zabbix\"\nkind = \"zabbix\"\nkey = \"{KEY}\"\n\
         [[integration]]\nname = \"grafana\"\nkind = \"grafana\"\nkey = \"{KEY}-of-grafana\"\n\
         [[operator]]\nname = \"jin\"\ntoken = \"{KEY}-of-jin\"\n\
         [[contact]]\nname = \"jin\"\ndevices = ["
    );
    for device in 0..devices {
        write!(config, "\"bench-device-{device:0>140}\",").expect("a string takes everything");
    }
    config + "]\n"
}
