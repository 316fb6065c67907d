//! A stand-in for Google, an SMS company and some phones, within one process.
//!
//! It is strict where the companies are strict, says what they say, and can be told to fail in every
//! way they fail. `bongsu demo` shows its phones to people; tests and benches read its records.
//! Nothing of it leaves the machine, and nothing else of Bongsu depends on it.

mod answer;
mod google;
mod hex;
mod line;
mod page;
mod script;
mod seen;
mod sms;
mod stage;
mod tls;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    extract::DefaultBodyLimit,
    http::{HeaderMap, HeaderName, Uri},
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

pub use self::{
    answer::Answer,
    google::{Fcm, PROJECT, TokenEndpoint},
    script::Breakage,
    seen::{Counts, PushSeen, Record, RefusalSeen, SEEN_MAX, TextSeen},
    sms::{Callback, Sms},
};
use self::{
    google::Google,
    line::{CutHandle, Exchange, Lines},
    page::Page,
    stage::Ground,
    tls::Identity,
};
use crate::clock::Clock;

const BODY_BYTES_MAX: usize = 256 * 1024;

#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// TLS by an authority made at start, with HTTP/2 and HTTP/1.1; without it both over plain TCP.
    pub tls: bool,
    pub record: Record,
    pub token_lifetime: Duration,
    /// What the page says while no message has come, such as a command to try.
    pub hint: String,
    /// Phones that the page shows from the start; others appear with their first message.
    pub phones: Vec<Phone>,
}

impl Default for Options {
    /// Any port of the loopback, plain, everything kept, tokens of an hour as Google's.
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            tls: false,
            record: Record::Everything,
            token_lifetime: Duration::from_hours(1),
            hint: String::new(),
            phones: Vec::new(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Phone {
    pub name: String,
    /// What reaches it: tokens, `fid:…`, and phone numbers as the requests write them.
    pub addresses: Vec<String>,
}

/// A running sandbox; it stops with the token given to [`Sandbox::start`].
#[derive(Clone)]
pub struct Sandbox {
    ground: Arc<Ground>,
    google: Arc<Google>,
    sms: Arc<Sms>,
    exchange: Arc<Exchange>,
    base_url: Arc<str>,
    ca_pem: Option<Arc<str>>,
}

impl Sandbox {
    /// Makes its keys, binds the address and serves until `stop`.
    pub async fn start(
        options: Options,
        clock: Arc<dyn Clock>,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        let tcp = TcpListener::bind(options.listen).await?;
        let address = tcp.local_addr()?;
        let identity = options.tls.then(|| Identity::generate(address.ip())).transpose()?;
        let scheme = if options.tls { "https" } else { "http" };
        let base_url = format!("{scheme}://{}", reachable(address));
        let (tls, ca_pem) = identity.map(|identity| (identity.acceptor, identity.ca_pem.into())).unzip();
        let ground = Arc::new(Ground::new(Arc::clone(&clock), stop.clone()));
        let google = Arc::new(Google::open(&ground, &base_url, &options)?);
        let sms = Arc::new(Sms::open(&ground, options.record)?);
        let page = Page {
            ground: Arc::clone(&ground),
            fcm: Arc::clone(&google.fcm),
            sms: Arc::clone(&sms),
            phones: options.phones,
            hint: options.hint,
        };
        let routes = Arc::clone(&google).routes().merge(sms.routes()).merge(page.routes());
        let service = routes.fallback(nothing_here).layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
        let service = service.into_make_service_with_connect_info::<CutHandle>();
        let exchange = Arc::new(Exchange::open());
        let lines = Lines { tcp, tls, exchange: Arc::clone(&exchange), clock };
        tasks.spawn(async move {
            let serve = axum::serve(lines, service).with_graceful_shutdown(stop.cancelled_owned());
            if let Err(error) = serve.await {
                warn!(%error, "the sandbox stopped serving");
            }
        });
        Ok(Self { ground, google, sms, exchange, base_url: base_url.into(), ca_pem })
    }

    /// Where everything is: goes to `fcm.base_url`, to a gateway's URL, and into a browser.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The key file of the one account that may send: goes to `fcm.service_account`.
    pub fn service_account_json(&self) -> String {
        self.google.account.file.clone()
    }

    /// The authority of its certificate: goes to `fcm.extra_ca`. `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    pub fn fcm(&self) -> Arc<Fcm> {
        Arc::clone(&self.google.fcm)
    }

    pub fn token(&self) -> Arc<TokenEndpoint> {
        Arc::clone(&self.google.tokens)
    }

    pub fn sms(&self) -> Arc<Sms> {
        Arc::clone(&self.sms)
    }

    /// While true, every connection is reset: those that stand at once, new ones before the first byte.
    pub fn refuse_connections(&self, refuse: bool) {
        self.exchange.refuse(refuse);
    }

    pub fn connections(&self) -> u64 {
        self.exchange.accepted()
    }

    /// Waits until `holds`, looking at every change; panics after 10 s of real time. For tests.
    pub async fn wait_until(&self, holds: impl Fn(&Self) -> bool) {
        let instead = || format!("pushes: {:?}, texts: {:?}", self.fcm().counts(), self.sms().counts());
        self.ground.wait_until(|| holds(self), instead).await;
    }
}

/// An address that a client on this machine can use: `0.0.0.0` is none.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A header's value; empty if it is missing or no text.
fn text_of(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn nothing_here(uri: Uri) -> Answer {
    Answer::html_404(uri.path())
}

#[cfg(test)]
mod tests;
