//! A fake FCM in a process of its own, as lean as it can be: it takes pushes over HTTP/2 and TLS,
//! says yes, and notes how long after its event each push arrived. The title of an event carries
//! the time it was meant to be sent at.
//!
//! Access tokens come from the sandbox, which checks the assertion as Google does.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{BufRead as _, Write as _},
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{body::Bytes, http::Response};
use bongsu::{
    clock::SystemClock,
    sandbox::{Options, Sandbox},
};
use h2::{RecvStream, server::SendResponse};
use hdrhistogram::Histogram;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{clock::unix_micros, process::Role};

/// The argument that makes a bench play this role.
pub(crate) const ROLE: &str = "--fake-fcm";

/// The line that makes it forget; to any other it answers with a report.
const BEGIN: &str = "begin";

/// Stands before the time in a title.
pub(crate) const MARK: &str = "t0=";

/// As many as Google allows.
const STREAMS_MAX: u32 = 100;

/// Windows that no message of 4 KB has to wait for.
const WINDOW_BYTES: u32 = 1 << 20;

/// Room for a message without growing.
const MESSAGE_BYTES: usize = 4 * 1_024;

/// Longest time on record, in microseconds.
const MICROS_MAX: u64 = 600_000_000;

/// The fake, from the bench's side.
pub(crate) struct Fake {
    role: Role,
    /// Where `messages:send` is.
    pub(crate) address: SocketAddr,
}

/// What has arrived since [`Fake::begin`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    /// Messages.
    pub(crate) pushes: u64,
    /// Half of them came within so many microseconds of their event.
    pub(crate) p50_micros: u64,
    /// 99 of 100 did.
    pub(crate) p99_micros: u64,
    /// All did.
    pub(crate) max_micros: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pushes, p50_micros, p99_micros, max_micros } = *self;
        let [p50, p99, max] = [p50_micros, p99_micros, max_micros].map(Duration::from_micros);
        write!(f, "{pushes} pushes, event to request p50 {p50:.1?}, p99 {p99:.1?}, max {max:.1?}")
    }
}

impl Fake {
    /// Starts it; it leaves its authority and the key file of its account in `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        let mut role = Role::start(&[ROLE, folder.to_str().expect("a path in UTF-8")]);
        let address = role.line().parse().expect("its address");
        Self { role, address }
    }

    /// Forgets what has arrived.
    pub(crate) fn begin(&mut self) {
        self.role.say(BEGIN);
        self.role.line();
    }

    /// What has arrived.
    pub(crate) fn report(&mut self) -> Report {
        self.role.say("report");
        let line = self.role.line();
        let mut numbers = line.split(' ').map(|number| number.parse().expect("a number"));
        let mut next = || numbers.next().expect("four numbers");
        Report { pushes: next(), p50_micros: next(), p99_micros: next(), max_micros: next() }
    }
}

/// Plays the role until the bench is gone.
pub(crate) fn play(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread");
    let seen = Arc::new(Mutex::new(histogram()));
    let tasks = TaskTracker::new();
    let listening = runtime.block_on(listen(folder, &tasks));
    let (listener, acceptor) = listening;
    println!("{}", listener.local_addr().expect("it is bound"));

    let reports = Arc::clone(&seen);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let mut seen = reports.lock().unwrap_or_else(PoisonError::into_inner);
            if line.is_ok_and(|line| line == BEGIN) {
                seen.reset();
            }
            let quantile = |quantile| seen.value_at_quantile(quantile);
            println!("{} {} {} {}", seen.len(), quantile(0.5), quantile(0.99), seen.max());
        }
        std::process::exit(0);
    });
    runtime.block_on(async {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            tasks.spawn(converse(stream, acceptor.clone(), Arc::clone(&seen), tasks.clone()));
        }
    });
}

async fn listen(folder: &Path, tasks: &TaskTracker) -> (TcpListener, TlsAcceptor) {
    let sandbox =
        Sandbox::start(Options::default(), SystemClock::start(), tasks, CancellationToken::new()).await;
    let account = sandbox.expect("any free port").service_account_json();
    // A key that others can read is warned of.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join("firebase.json"));
    file.and_then(|mut file| file.write_all(account.as_bytes())).expect("writable");

    let names = [Ipv4Addr::LOCALHOST.to_string()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).expect("a certificate");
    fs::write(folder.join("ca.pem"), cert.pem()).expect("writable");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider's own")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("they fit");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("any free port");
    (listener, TlsAcceptor::from(Arc::new(config)))
}

/// One connection. It may break at any time: the program under test is killed at the end.
async fn converse(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    seen: Arc<Mutex<Histogram<u64>>>,
    tasks: TaskTracker,
) {
    stream.set_nodelay(true).ok();
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let handshake = h2::server::Builder::new()
        .max_concurrent_streams(STREAMS_MAX)
        .initial_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .handshake(stream);
    let Ok(mut connection) = handshake.await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        assert!(request.headers().contains_key("authorization"), "a push without a token");
        let seen = Arc::clone(&seen);
        tasks.spawn(async move {
            answer(request.into_body(), respond, &seen).await.ok();
        });
    }
}

async fn answer(
    mut body: RecvStream,
    mut respond: SendResponse<Bytes>,
    seen: &Mutex<Histogram<u64>>,
) -> Result<(), h2::Error> {
    let mut message = Vec::with_capacity(MESSAGE_BYTES);
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        message.extend_from_slice(&chunk);
    }
    let took = unix_micros().saturating_sub(time_in(&message).expect("a title with a time"));
    seen.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(took);
    let head = Response::builder().header("content-type", "application/json").body(()).expect("a head");
    let name = br#"{"name":"projects/bongsu-sandbox/messages/0:1700000000000000%0000000000000000"}"#;
    respond.send_response(head, false)?.send_data(Bytes::from_static(name), true)
}

/// The digits after the mark.
fn time_in(body: &[u8]) -> Option<u64> {
    let at = body.windows(MARK.len()).position(|window| window == MARK.as_bytes())?;
    let digits = body.get(at + MARK.len()..)?.iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MICROS_MAX, 3).expect("bounds in order")
}
