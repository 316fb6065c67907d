//! `bongsu demo`: the whole thing on this machine, with pretend phones instead of Google's.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Failure, say};
use crate::{
    app::{App, AppError},
    clock::SystemClock,
    config,
    sandbox::{Options, Phone, Sandbox},
};

// It listens on the loopback unless told otherwise.
const KEY: &str = "demo-key-0123456789";
const OPERATOR: &str = "demo-operator-0123456789";

const PEOPLE: [Person; 2] = [
    Person { name: "jin", device: "jins-phone", number: "+821012345678" },
    Person { name: "min", device: "mins-phone", number: "+821087654321" },
];

struct Person {
    name: &'static str,
    device: &'static str,
    number: &'static str,
}

/// Runs until Ctrl-C, then removes what it kept.
pub(super) fn run(listen: SocketAddr) -> Result<(), Failure> {
    super::block_on(async {
        let folder = Folder::create()?;
        let clock = SystemClock::start();
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let listener = TcpListener::bind(listen).await.map_err(|source| not_there(listen, source))?;
        let url = format!("http://{}", super::reachable(listener.local_addr()?));
        let curl = curl_line(&url);
        let hint =
            format!("{curl}\n# \"Open\" on a message asks for a log-in: any name, password {OPERATOR}");
        let options = Options {
            listen: SocketAddr::new(listen.ip(), listen.port().wrapping_add(1)),
            hint,
            phones: PEOPLE.map(phone_of).into(),
            ..Options::default()
        };
        let sandbox = start_sandbox(options, clock.clone(), &tasks, &stop).await?;
        let config = configuration(&folder.0, &url, &sandbox)?;
        // Before the first answer: a script that waits for the port needs the line by then.
        explain(sandbox.base_url(), &curl);
        let watch = super::serve::stop_on_signal(stop.clone())?;
        let app = App::start(config, listener, clock, stop).await?;
        tokio::select! {
            ended = app.finish() => ended?,
            () = watch => {}
        }
        Ok(())
    })
}

fn phone_of(Person { name, device, number }: Person) -> Phone {
    Phone { name: name.to_owned(), addresses: vec![device.to_owned(), number.to_owned()] }
}

fn contact_of(Person { name, device, number }: Person) -> String {
    format!("[[contact]]\nname = \"{name}\"\nphone = \"{number}\"\ndevices = [\"{device}\"]\n")
}

/// Another program often listens on 8080.
fn not_there(listen: SocketAddr, source: io::Error) -> Failure {
    if source.kind() == io::ErrorKind::AddrInUse {
        let other = SocketAddr::new(listen.ip(), listen.port().wrapping_add(10));
        return format!("another program listens on {listen}; try `bongsu demo --listen {other}`").into();
    }
    AppError::Listen { address: listen, source }.into()
}

/// On the wanted port, or on any other if that one is taken.
async fn start_sandbox(
    mut options: Options,
    clock: Arc<SystemClock>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> io::Result<Sandbox> {
    match Sandbox::start(options.clone(), clock.clone(), tasks, stop.clone()).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            options.listen.set_port(0);
            Sandbox::start(options, clock, tasks, stop.clone()).await
        }
        started => started,
    }
}

fn curl_line(url: &str) -> String {
    format!(
        "curl -sS -H 'Authorization: Bearer {KEY}' -d '{{\"title\":\"disk full on web01\",\"severity\":\"high\"}}' {url}/v1/alerts"
    )
}

fn configuration(folder: &Path, url: &str, sandbox: &Sandbox) -> Result<config::Config, Failure> {
    let key_file = folder.join("firebase.json");
    std::fs::write(&key_file, sandbox.service_account_json())?;
    let base = sandbox.base_url();
    let people = PEOPLE.map(contact_of).concat();
    let text = format!(
        r#"
public_url = "{url}"
[store]
url = "sled:./alerts"
[fcm]
service_account = {{ file = "firebase.json" }}
base_url = "{base}"
accept_within = "3s"
[[sms.gateway]]
name = "pretend-sms"
provider = "http"
url = "{base}/sms/send"
body = '{{"to": "{{{{to}}}}", "text": "{{{{text}}}}", "alert_id": "{{{{alert_id}}}}"}}'
[[integration]]
name = "demo"
kind = "generic"
key = "{KEY}"
[[operator]]
name = "dana"
token = "{OPERATOR}"
{people}"#
    );
    Ok(config::parse(&text, &folder.join("demo.toml"), &|_| None)?)
}

fn explain(phones: &str, curl: &str) {
    say(&format!(
        "\
Bongsu demo. Everything stays on this machine: no account, no phone, no cost.

1. Open the page with the phones in a browser:

{phones}/

2. Paste this line into another terminal. The phones ring in the same second:

{curl}

3. On the page, set FCM (Google's push service) to Broken and paste the line again:
   a text message arrives after 3 s (20 s unless configured otherwise).

\"Open\" on a message shows who was told, when and by which road. Log in with any name and
the password {OPERATOR}

Ctrl-C ends the demo and removes its data."
    ));
}

/// A folder of this run, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn create() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("bongsu-demo-{}", std::process::id()));
        // A dead demo of the same process id may have left one.
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is only left over in the temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
