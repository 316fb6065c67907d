//! A stand-in for Google, an SMS company and some phones, within one process.
//!
//! It is strict where the companies are strict, says what they say, and can be told to fail in every
//! way they fail. `bongsu demo` shows its phones to people; tests and benches read its records.
//! Nothing of it leaves the machine, and nothing else of Bongsu depends on it.

mod answer;
mod google;
mod line;
mod page;
mod script;
mod seen;
mod sms;
mod tls;
mod world;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::Uri,
    response::Response,
    routing::{get, post},
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

pub use answer::Answer;
pub use google::{Fcm, PROJECT, TokenEndpoint};
pub use script::Breakage;
pub use seen::{Counts, PushSeen, Record, RefusalSeen, SEEN_MAX, TextSeen};
pub use sms::{Callback, Sms};

use google::{IssuedTokens, ServiceAccount};
use line::{CutHandle, Exchange, Lines};
use script::Script;
use seen::{Ledger, wait_until};
use sms::{KannelUser, SolapiAccount, TwilioAccount};
use tls::Identity;
use world::World;

use crate::clock::Clock;

/// Largest body of a request, in bytes; far more than any message may have.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// TLS by an authority made at start, with HTTP/2 and HTTP/1.1; without it both over plain TCP.
    pub tls: bool,
    /// How much is kept.
    pub record: Record,
    /// Life of an access token.
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

/// A phone on the page.
#[derive(Clone, Debug)]
pub struct Phone {
    /// Whose it is.
    pub name: String,
    /// What reaches it: tokens, `fid:…`, and phone numbers as the requests write them.
    pub addresses: Vec<String>,
}

/// A running sandbox; it stops with the token given to [`Sandbox::start`].
#[derive(Clone, Debug)]
pub struct Sandbox {
    world: Arc<World>,
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
        let world = Arc::new(World {
            clock: Arc::clone(&clock),
            stop: stop.clone(),
            exchange: Arc::new(Exchange::open()),
            hint: options.hint,
            phones: options.phones,
            account: ServiceAccount::generate(&base_url)?,
            issued: IssuedTokens::new(options.token_lifetime),
            token_script: Script::new(Answer::silent_503()),
            fcm_script: Script::new(Answer::unavailable(None)),
            pushes: Ledger::new(options.record),
            sms_script: Script::new(Answer::silent_503()),
            solapi: SolapiAccount::generate()?,
            twilio: TwilioAccount::generate()?,
            kannel: KannelUser::generate()?,
            texts: Ledger::new(options.record),
            ids: 0.into(),
            changes: tokio::sync::watch::Sender::new(0),
        });
        let lines = Lines { tcp, tls, exchange: Arc::clone(&world.exchange), clock };
        let service = routes(Arc::clone(&world)).into_make_service_with_connect_info::<CutHandle>();
        tasks.spawn(async move {
            let serve = axum::serve(lines, service).with_graceful_shutdown(stop.cancelled_owned());
            if let Err(error) = serve.await {
                warn!(%error, "the sandbox stopped serving");
            }
        });
        Ok(Self { world, base_url: base_url.into(), ca_pem })
    }

    /// Where everything is: goes to `fcm.base_url`, to a gateway's URL, and into a browser.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The key file of the one account that may send: goes to `fcm.service_account`.
    pub fn service_account_json(&self) -> String {
        self.world.account.file().to_owned()
    }

    /// The authority of its certificate: goes to `fcm.extra_ca`. `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// `messages:send`.
    pub fn fcm(&self) -> Fcm {
        Fcm { world: Arc::clone(&self.world) }
    }

    /// The token endpoint.
    pub fn token(&self) -> TokenEndpoint {
        TokenEndpoint { world: Arc::clone(&self.world) }
    }

    /// The SMS company.
    pub fn sms(&self) -> Sms {
        Sms { world: Arc::clone(&self.world) }
    }

    /// While true, every connection is reset: those that stand at once, new ones before the first byte.
    pub fn refuse_connections(&self, refuse: bool) {
        self.world.exchange.refuse(refuse);
    }

    /// How many connections were taken since start.
    pub fn connections(&self) -> u64 {
        self.world.exchange.accepted()
    }

    /// Waits until `holds`, looking at every change; panics after 10 s of real time. For tests.
    pub async fn wait_until(&self, holds: impl Fn(&Self) -> bool) {
        let instead = || format!("pushes: {:?}, texts: {:?}", self.fcm().counts(), self.sms().counts());
        wait_until(&self.world.changes, || holds(self), instead).await;
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

fn routes(world: Arc<World>) -> Router {
    Router::new()
        .route("/token", post(google::exchange))
        .route("/v1/projects/{project}/messages:send", post(google::send))
        .route("/sms/send", post(sms::send))
        .route("/messages/v4/send-many/detail", post(sms::send_many))
        .route("/messages/v4/list", get(sms::list))
        .route("/cash/v1/balance", get(sms::balance))
        .route("/senderid/v1/numbers/active", get(sms::senders))
        .route("/2010-04-01/Accounts/{sid}/Messages.json", get(sms::twilio_list).post(sms::send_by_twilio))
        .route("/2010-04-01/Accounts/{sid}", get(sms::twilio_account))
        .route("/2010-04-01/Accounts/{sid}/{page}", get(sms::twilio_page))
        .route("/cgi-bin/sendsms", get(sms::send_by_kannel))
        .merge(page::routes())
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(world)
}

async fn nothing_here(uri: Uri) -> Response {
    world::say(Answer::html_404(uri.path()))
}

#[cfg(test)]
mod tests;
