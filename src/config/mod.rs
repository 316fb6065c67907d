//! `bongsu.toml`: read once, checked once, then only typed values.

mod answer;
mod check;
mod doors;
mod error;
mod files;
mod gateway;
mod heartbeat;
mod parse;
mod people;
mod phone;
mod push;
mod raw;
mod secret;
mod template;
mod units;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, net::SocketAddr, num::NonZeroU32, path::PathBuf, sync::Arc};

use jiff::{SignedDuration, tz::TimeZone};
use secrecy::SecretString;
use url::Url;

use crate::alert::{ContactName, Language, PhoneNumber, PushTarget, Severity};

pub use check::Problem;
pub use error::ConfigError;
pub use files::FileError;
pub use parse::{Environment, load, parse};
pub use secret::travels_in_a_header;

/// The whole configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where links in notifications point; no trailing slash.
    pub public_url: String,
    /// Language of texts, unless the contact has its own.
    pub language: Language,
    /// Time zone of times in texts.
    pub time_zone: TimeZone,
    /// Folder whose files replace built-in templates of the same relative name.
    pub templates: Option<PathBuf>,
    /// Where it listens.
    pub server: Server,
    /// Where alerts are kept.
    pub store: StoreConfig,
    /// Pause between attempts.
    pub retry: Retry,
    /// Push; `None` = no push.
    pub fcm: Option<Fcm>,
    /// Texts.
    pub sms: Sms,
    /// Who may post events.
    pub integrations: Vec<Integration>,
    /// Who is told.
    pub contacts: Vec<Contact>,
    /// Who may use the API.
    pub operators: Vec<Operator>,
    /// What must keep calling.
    pub heartbeats: Vec<Heartbeat>,
    /// What works but deserves a look, one line each: `FILE:LINE:COLUMN: …`. For `check` and the log at start.
    pub warnings: Vec<String>,
}

/// `[server]`
#[derive(Clone, Debug)]
pub struct Server {
    /// Default 127.0.0.1:8080.
    pub listen: SocketAddr,
    /// Largest request body, in bytes; default 8 MiB.
    pub body_limit: usize,
}

/// `[store]`
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Which engine, and where.
    pub engine: StoreEngine,
    /// How long resolved alerts are kept; default 400 days.
    pub keep: SignedDuration,
}

/// Which engine keeps the alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreEngine {
    /// `memory:` — nothing survives; for tests.
    Memory,
    /// `sled:PATH`
    Sled(PathBuf),
}

/// `[retry]`
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Pause after the first deferral; default 10 s.
    pub initial: SignedDuration,
    /// Longest pause; default 5 min.
    pub max: SignedDuration,
}

/// `[fcm]`
#[derive(Clone, Debug)]
pub struct Fcm {
    /// The service account key file's path and content. The content is parsed by `deliver::fcm::key`.
    pub key_path: PathBuf,
    /// The file's text.
    pub key_json: SecretString,
    /// Default `https://fcm.googleapis.com`; no trailing slash.
    pub base_url: String,
    /// Additional certificate authority and proxy.
    pub network: Network,
    /// How long a push may remain unaccepted before the text goes out; default 20 s.
    pub accept_within: SignedDuration,
    /// How long a push is useful; default 1 h.
    pub ttl: SignedDuration,
    /// What Android phones get.
    pub android: Android,
    /// Pushes per device; empty = no limit.
    pub per_device: Vec<Rate>,
}

/// `fcm.android`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Android {
    /// High-priority data messages: the app shows them and can confirm.
    #[default]
    Data,
    /// The system shows them.
    Notification,
}

/// How a provider is reached. Shows no URL: a proxy's may hold a password.
#[derive(Clone, Default)]
pub struct Network {
    /// PEM text of an additional certificate authority.
    pub extra_ca: Option<String>,
    /// Proxy URL.
    pub proxy: Option<Url>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("extra_ca", &self.extra_ca.is_some())
            .field("proxy", &self.proxy.as_ref().map(Url::host_str))
            .finish()
    }
}

/// `"240/1m"`: so many in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub per: SignedDuration,
}

/// `[sms]`
#[derive(Clone, Debug)]
pub struct Sms {
    /// Texts go out with the push from this severity on; `None` = off. Default disaster.
    pub always_at: Option<Severity>,
    /// A failed push is followed by a text from this severity on; `None` = off. Default `not_classified`.
    pub fallback_at: Option<Severity>,
    /// Whether resolutions are texted to whoever was texted; default false.
    pub resolved: bool,
    /// Segments of texts to one contact; empty = no limit. Default 20 in 10 minutes, 40 an hour, 100 a day.
    pub budget: Vec<Rate>,
    /// As `budget`, for the first texts about disasters. Default 20 in 10 minutes, 100 a day.
    pub disaster_budget: Vec<Rate>,
    /// In the order they are tried; empty = no texts.
    pub gateways: Vec<Gateway>,
}

/// Whether an address can be reached from elsewhere: not by its form a name or number of this machine or of a
/// private network.
pub fn is_public(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| units::is_public(&url))
}

/// `[[sms.gateway]]`
#[derive(Clone, Debug)]
pub struct Gateway {
    /// In the ledger and in metrics.
    pub name: String,
    /// The sender's number, as the provider wants it.
    pub from: Option<String>,
    /// How long a request may take; default 10 s.
    pub timeout: SignedDuration,
    /// Segments in any 24 hours, from which on it takes only what no limit may drop; default 1,000,
    /// `None` = no limit.
    pub per_day: Option<NonZeroU32>,
    /// Additional certificate authority and proxy.
    pub network: Network,
    /// Most segments that one text may cost; default 3.
    pub max_segments: u8,
    /// Which provider, and what it needs.
    pub provider: GatewayProvider,
}

/// What a gateway's provider needs.
#[derive(Clone, Debug)]
pub enum GatewayProvider {
    /// Solapi (Korea).
    Solapi {
        /// Default `https://api.solapi.com`; no trailing slash.
        base_url: String,
        /// Public half.
        api_key: String,
        /// Secret half.
        api_secret: SecretString,
    },
    /// Twilio (the world).
    Twilio(Arc<TwilioGateway>),
    /// A Kannel of one's own.
    Kannel {
        /// Its `sendsms`; may hold more parameters, such as `smsc`.
        url: SecretString,
        /// A `sendsms-user` of it.
        username: String,
        /// Of that user.
        password: SecretString,
    },
    /// NHN Cloud (Korea).
    Nhn {
        /// Default `https://sms.api.nhncloudservice.com`; no trailing slash.
        base_url: String,
        /// Names the project; a part of every address.
        app_key: String,
        /// Opens it.
        secret_key: SecretString,
    },
    /// Anything that takes one HTTP request a message.
    Http(Arc<HttpGateway>),
}

impl GatewayProvider {
    /// It tells by itself what became of a text.
    pub fn reports(&self) -> bool {
        match self {
            Self::Twilio(_) | Self::Kannel { .. } => true,
            Self::Solapi { .. } | Self::Nhn { .. } | Self::Http(_) => false,
        }
    }

    /// It can be asked what became of a text.
    pub fn can_be_asked(&self) -> bool {
        match self {
            Self::Solapi { .. } | Self::Twilio(_) | Self::Nhn { .. } => true,
            Self::Kannel { .. } | Self::Http(_) => false,
        }
    }
}

/// `provider = "twilio"`
#[derive(Clone, Debug)]
pub struct TwilioGateway {
    /// Default `https://api.twilio.com`; no trailing slash.
    pub base_url: String,
    /// Names the account.
    pub account_sid: String,
    /// Opens the account, and signs what Twilio posts to us.
    pub auth_token: SecretString,
    /// Chooses the sender; without it `from` is used.
    pub messaging_service_sid: Option<String>,
}

/// `provider = "http"`
#[derive(Clone, Debug)]
pub struct HttpGateway {
    /// Default POST.
    pub method: String,
    /// May hold placeholders, percent-encoded for their place.
    pub url: SecretString,
    /// May hold placeholders.
    pub headers: BTreeMap<String, SecretString>,
    /// How placeholders in the body are escaped.
    pub body_type: BodyType,
    /// The body, with placeholders such as `{{to}}`.
    pub body: SecretString,
    /// What an accepted message looks like.
    pub accepted: AcceptedRule,
    /// What a refusal for good looks like.
    pub rejected: Option<PointerRule>,
    /// JSON pointer of the provider's message id in the answer.
    pub id_pointer: Option<String>,
    /// How the company writes texts; `None` = GSM-7 or UCS-2, whichever a text needs.
    pub encoding: Option<Encoding>,
}

/// How a text is written on its way to a phone: which characters there are, and how many go into
/// a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// The GSM 7-bit default alphabet and its extension.
    Gsm7,
    /// Two bytes for most characters, four for emoji (UTF-16).
    Ucs2,
    /// What Korean carriers take: one byte for ASCII, two for Hangul and much else.
    EucKr,
}

/// `body_type`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyType {
    /// Values are escaped as JSON string content.
    #[default]
    Json,
    /// Values are percent-encoded as form fields.
    Form,
    /// Values go in as they are.
    Raw,
    /// As form; for bodies that are URLs or query strings.
    Url,
}

/// `accepted`: a status range and optionally a value in the answer.
#[derive(Clone, Debug)]
pub struct AcceptedRule {
    /// `2xx`, or an exact status.
    pub status: StatusRule,
    /// A value that must be there.
    pub value: Option<PointerRule>,
}

/// Which HTTP statuses count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusRule {
    /// `"2xx"`: the first digit.
    Class(u16),
    /// `"202"`
    Exact(u16),
}

/// A JSON pointer (RFC 6901) and, optionally, the value expected there, compared as text.
#[derive(Clone, Debug)]
pub struct PointerRule {
    /// Where.
    pub pointer: String,
    /// What; `None` = anything but absent, null or false.
    pub equals: Option<String>,
}

/// `[[integration]]`
#[derive(Clone, Debug)]
pub struct Integration {
    /// In the URL `/v1/events/NAME`.
    pub name: String,
    /// Which sender posts.
    pub kind: IntegrationKind,
    /// Bearer, Basic password or `?key=`.
    pub key: SecretString,
    /// Where it is there, every body has to be signed, and a signed one needs no key.
    pub hmac: Option<Hmac>,
    /// Zone of the sender's times without offset; default UTC.
    pub time_zone: TimeZone,
    /// An alert that no event mentioned for so long resolves itself; default 7 days.
    pub close_after: SignedDuration,
    /// The sender's words (lower case) → severities, over the defaults.
    pub severity: BTreeMap<String, Severity>,
    /// Where a sender of odd shape says what.
    pub map: Map,
}

/// `hmac`: HMAC-SHA-256 over the raw body, as hexadecimal digits in a header.
#[derive(Clone, Debug)]
pub struct Hmac {
    /// The shared secret.
    pub secret: SecretString,
    /// Where the signature is; default `X-Grafana-Alerting-Signature`.
    pub header: String,
    /// Where the time of the signature is (seconds since 1970), which is then signed in front of the body,
    /// with a colon between. `None` = no such header.
    pub timestamp_header: Option<String>,
}

/// `[integration.map]`: JSON pointers (RFC 6901), for bodies whose names say nothing to us.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// The list of events; `None` = the body is one event, or a list of them. All others start at the event.
    pub events: Option<String>,
    /// Our name of a field → where it is.
    pub fields: Vec<(MapField, String)>,
}

/// What a pointer of `[integration.map]` points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapField {
    /// One line.
    Title,
    /// Details.
    Body,
    /// A word or a number.
    Severity,
    /// Firing, resolved, acknowledged and their like.
    Status,
    /// What events of one alert have in common.
    DedupKey,
    /// Where.
    Host,
    /// Of what.
    Service,
    /// A page of the sender.
    Url,
    /// When it began.
    StartsAt,
}

impl MapField {
    /// Every field, by its key in the file.
    pub const ALL: [(&'static str, Self); 9] = [
        ("title", Self::Title),
        ("body", Self::Body),
        ("severity", Self::Severity),
        ("status", Self::Status),
        ("dedup_key", Self::DedupKey),
        ("host", Self::Host),
        ("service", Self::Service),
        ("url", Self::Url),
        ("starts_at", Self::StartsAt),
    ];
}

/// Which sender posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrationKind {
    /// Zabbix 6.0 to 7.4, with our media type or one like it.
    Zabbix,
    /// Grafana 8 and later (and older ones, whose shape is another).
    Grafana,
    /// Prometheus Alertmanager; also Prometheus, vmalert and Loki pointed straight at us.
    Alertmanager,
    /// Munin 2.
    Munin,
    /// `WhaTap`'s webhook plugins.
    Whatap,
    /// Uptime Kuma 1 and 2.
    UptimeKuma,
    /// Anything with curl.
    Generic,
}

impl IntegrationKind {
    /// Every kind, by its name in the file.
    pub const ALL: [(&'static str, Self); 7] = [
        ("zabbix", Self::Zabbix),
        ("grafana", Self::Grafana),
        ("alertmanager", Self::Alertmanager),
        ("munin", Self::Munin),
        ("whatap", Self::Whatap),
        ("uptime_kuma", Self::UptimeKuma),
        ("generic", Self::Generic),
    ];

    /// Whether its events name the rule that fires in a label `alertname`, as Prometheus began it.
    pub fn has_alertnames(self) -> bool {
        match self {
            Self::Grafana | Self::Alertmanager => true,
            Self::Zabbix | Self::Munin | Self::Whatap | Self::UptimeKuma | Self::Generic => false,
        }
    }
}

/// `[[contact]]`
#[derive(Clone, Debug)]
pub struct Contact {
    /// Who.
    pub name: ContactName,
    /// Where texts go.
    pub phone: Option<PhoneNumber>,
    /// Language of their texts.
    pub language: Language,
    /// Where pushes go.
    pub devices: Vec<PushTarget>,
}

/// `[[operator]]`
#[derive(Clone, Debug)]
pub struct Operator {
    /// Who.
    pub name: String,
    /// Bearer, or Basic password.
    pub token: SecretString,
    /// What they may do.
    pub role: Role,
}

/// What an operator may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Read.
    Viewer,
    /// Read and act.
    #[default]
    Operator,
}

/// `[[heartbeat]]`
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// In the URL `/v1/heartbeats/NAME`; no other has it, in any case.
    pub name: String,
    /// How often it should call; default 1 min.
    pub every: SignedDuration,
    /// How much later it may; default 2 min.
    pub grace: SignedDuration,
    /// How grave it is when it does not; default high.
    pub severity: Severity,
}
