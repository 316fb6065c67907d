//! The program between a sender and the sandbox, as a small team has it, and a way to talk to it.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::Write as _,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    process::Command,
};

use bongsu::{
    clock::{Clock as _, SystemClock},
    sandbox::Sandbox,
};
use jiff::SignedDuration;
use serde_json::Value;

use crate::process::{Process, free_address};

const KEY: &str = "bench-key-0123456789";
const TOKEN: &str = "bench-token-0123456789";

/// Who is told.
pub(crate) struct People {
    pub(crate) count: usize,
    /// Of each of them.
    pub(crate) devices: usize,
    /// Further lines of `[fcm]`.
    pub(crate) fcm: &'static str,
}

pub(crate) struct Site {
    pub(crate) client: Client,
    pub(crate) process: Process,
}

pub(crate) struct Client {
    http: reqwest::Client,
    address: SocketAddr,
}

impl Client {
    /// `None` while it does not listen.
    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        let request = self.http.get(format!("http://{}{path}", self.address)).bearer_auth(TOKEN);
        let text = request.send().await.ok()?.text().await.ok()?;
        Some(serde_json::from_str(&text).unwrap_or_default())
    }

    pub(crate) async fn post(&self, body: String) {
        let request = self.http.post(format!("http://{}/v1/events/scripts", self.address));
        let answer = request.bearer_auth(KEY).body(body).send().await.expect("it answers");
        assert_eq!(answer.status().as_u16(), 202);
    }
}

/// Starts `program` with an empty store in `folder`, and waits until it answers.
pub(crate) async fn serve(
    program: &Path,
    folder: &Path,
    sandbox: &Sandbox,
    people: People,
    clock: &SystemClock,
) -> Site {
    let (address, url) = (free_address(), sandbox.base_url());
    // A key that others can read is warned of.
    let key = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join("firebase.json"));
    key.and_then(|mut key| key.write_all(sandbox.service_account_json().as_bytes())).expect("writable");
    let People { count, devices, fcm } = people;
    let mut config = format!(
        "public_url = \"https://alerts.example.org\"\n[server]\nlisten = \"{address}\"\n\
         [store]\nurl = \"sled:./alerts\"\n\
         [fcm]\nservice_account = {{ file = \"firebase.json\" }}\nbase_url = \"{url}\"\n{fcm}\n\
         [[sms.gateway]]\nname = \"sandbox\"\nprovider = \"http\"\nurl = \"{url}/sms/send\"\n\
         body = '{{\"to\": \"{{{{to}}}}\", \"text\": \"{{{{text}}}}\"}}'\n\
         [[integration]]\nname = \"scripts\"\nkind = \"generic\"\nkey = \"{KEY}\"\n\
         [[operator]]\nname = \"jin\"\ntoken = \"{TOKEN}\"\n"
    );
    for person in 0..count {
        let devices: Vec<String> = (0..devices).map(|device| format!("device-{person}-{device}")).collect();
        writeln!(
            config,
            "[[contact]]\nname = \"p{person}\"\nphone = \"+8210123456{person:02}\"\ndevices = {devices:?}"
        )
        .expect("a string takes everything");
    }
    let file = folder.join("bongsu.toml");
    fs::write(&file, config).expect("writable");
    let mut serve = Command::new(program);
    serve.arg("serve").arg("--config").arg(&file).current_dir(folder);
    let mut process = Process::start(&mut serve);
    #[expect(clippy::disallowed_methods, reason = "a bench's own client")]
    let client = Client { http: reqwest::Client::new(), address };
    while client.get("/healthz").await.is_none() {
        process.assert_runs();
        clock.sleep(SignedDuration::from_millis(20)).await;
    }
    Site { client, process }
}
