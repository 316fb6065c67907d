//! From text to [`Config`]: the file's words become checked values, and every mistake is named.

use std::{
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, tz::TimeZone};

use super::{
    Config, Rate, Retry, Server, Sms, StoreConfig, StoreEngine,
    check::{Check, NOT_BUILT_YET, Problem, Section, open},
    doors::{self, Keys},
    error::{ConfigError, explain},
    files, gateway, heartbeat,
    people::{self, Roads},
    push,
    raw::{Leaf, Part, RawConfig, RawRetry, RawServer, RawSms, RawStore},
    units::{self, Wanted},
};
use crate::alert::Severity;

/// Largest configuration file, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

const BODY_LIMIT: RangeInclusive<u64> = 64 * 1024..=64 * 1024 * 1024;
const BODY_LIMIT_DEFAULT: usize = 8 * 1024 * 1024;
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const STORE_DEFAULT: &str = "./bongsu-data";
const KEEP: RangeInclusive<SignedDuration> =
    SignedDuration::from_mins(1)..=SignedDuration::from_hours(24 * 36_525);
const KEEP_DEFAULT: SignedDuration = SignedDuration::from_hours(24 * 400);
const RETRY: RangeInclusive<SignedDuration> =
    SignedDuration::from_millis(100)..=SignedDuration::from_hours(24);
/// Segments of texts to one contact.
const BUDGET_DEFAULT: [&str; 3] = ["20/10m", "40/1h", "100/1d"];
const DISASTER_BUDGET_DEFAULT: [&str; 2] = ["20/10m", "100/1d"];
const RETRY_INITIAL_DEFAULT: SignedDuration = SignedDuration::from_secs(10);
const RETRY_MAX_DEFAULT: SignedDuration = SignedDuration::from_mins(5);

/// Reads an environment variable; an argument, so that no test sets one.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads and checks the configuration at `path`, at most 1 MiB.
pub fn load(path: &Path, environment: Environment<'_>) -> Result<Config, ConfigError> {
    parse(&files::read(path, FILE_BYTES_MAX)?, path, environment)
}

/// Checks the configuration `text`. `file_name` is how errors call it, and relative paths start in its folder.
pub fn parse(text: &str, file_name: &Path, environment: Environment<'_>) -> Result<Config, ConfigError> {
    let mut check = Check::new(file_name, text, environment);
    let raw: RawConfig = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let (at, what) = explain(error, text);
            check.problem(at, what);
            return Err(ConfigError::Problems(check.problems));
        }
    };
    let mut config = config(&mut check, raw);
    if check.problems.is_empty() {
        config.warnings = in_order(check.warnings).iter().map(Problem::to_string).collect();
        Ok(config)
    } else {
        Err(ConfigError::Problems(in_order(check.problems)))
    }
}

/// The checked values; only good if `check` holds no problem afterwards.
fn config(check: &mut Check<'_>, raw: RawConfig) -> Config {
    refuse_what_is_not_built(check, &raw);
    warn_of_closed_doors(check, &raw);
    let server = server(check, raw.server);
    let public_url = public_url(check, raw.public_url.as_ref(), server.listen);
    let language = check.top().read("language", raw.language.as_ref(), units::language).unwrap_or_default();
    let time_zone =
        check.top().read("time_zone", raw.time_zone.as_ref(), units::time_zone).unwrap_or(TimeZone::UTC);
    let templates = templates(check, raw.templates.as_ref());
    let store = store(check, raw.store);
    let retry = retry(check, raw.retry);
    let push = raw.fcm.is_some();
    let fcm = raw.fcm.and_then(|part| push::fcm(&mut check.section("[fcm]", part.span()), &part.get_ref().0));
    let gateway = raw.sms.as_ref().is_some_and(|part| !part.get_ref().0.gateway.is_empty());
    let sms = sms(check, raw.sms);
    let mut keys = Keys::default();
    let integrations = doors::integrations(check, &raw.integration, &mut keys);
    let operators = doors::operators(check, &raw.operator, &mut keys);
    let heartbeats = heartbeat::heartbeats(check, &raw.heartbeat);
    let contacts = people::contacts(check, &raw.contact, language, &Roads { push, sms: &sms, gateway });
    Config {
        public_url,
        language,
        time_zone,
        templates,
        server,
        store,
        retry,
        fcm,
        sms,
        integrations,
        contacts,
        operators,
        heartbeats,
        warnings: Vec::new(),
    }
}

fn refuse_what_is_not_built(check: &mut Check<'_>, raw: &RawConfig) {
    let tables = [
        ("[[rotation]]", &raw.rotation),
        ("[[policy]]", &raw.policy),
        ("[[route]]", &raw.route),
        ("[[peer]]", &raw.peer),
        ("[status_page]", &raw.status_page),
    ];
    for (label, table) in tables {
        check.top().not_built(label, table.as_ref());
    }
}

fn warn_of_closed_doors(check: &mut Check<'_>, raw: &RawConfig) {
    if raw.integration.is_empty() {
        check.top().warning(0..0, "[[integration]]", "missing: no monitor can post events");
    }
    if raw.operator.is_empty() {
        check.top().warning(0..0, "[[operator]]", "missing: nobody can read or acknowledge alerts");
    }
}

fn server(check: &mut Check<'_>, part: Option<Part<RawServer>>) -> Server {
    let (span, raw) = open(part);
    let mut section = check.section("[server]", span);
    section.not_built("tls", raw.tls.as_ref());
    let listen = section.read("listen", raw.listen.as_ref(), units::listen);
    let body_limit =
        section.read("body_limit", raw.body_limit.as_ref(), |text| units::size(text, &BODY_LIMIT));
    Server { listen: listen.unwrap_or(LISTEN_DEFAULT), body_limit: body_limit.unwrap_or(BODY_LIMIT_DEFAULT) }
}

/// Where links point; without the key, at the address we listen on.
fn public_url(check: &mut Check<'_>, field: Option<&Leaf>, listen: SocketAddr) -> String {
    let mut top = check.top();
    let Some(field) = field else {
        let host = if listen.ip().is_unspecified() { "127.0.0.1".to_owned() } else { host(listen) };
        let url = format!("http://{host}:{}", listen.port());
        top.warning(0..0, "public_url", format!("missing: links in notifications point at {url}"));
        return url;
    };
    let Some(url) = top.read("public_url", Some(field), units::base_url) else { return String::new() };
    if units::is_plain_to_elsewhere(&url) {
        top.warning(
            field.span(),
            "public_url",
            "http:// to another machine: links and passwords travel unprotected",
        );
    }
    url.as_str().trim_end_matches('/').to_owned()
}

fn host(listen: SocketAddr) -> String {
    match listen {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

fn templates(check: &mut Check<'_>, field: Option<&Leaf>) -> Option<PathBuf> {
    let path = check.top().read("templates", field, |path| Ok(path.to_owned()))?;
    let folder = check.resolve(&path);
    if let Some(field) = field.filter(|_| !folder.is_dir()) {
        check.top().problem(
            field.span(),
            "templates",
            format!("expected a folder, {} is none", folder.display()),
        );
    }
    Some(folder)
}

fn store(check: &mut Check<'_>, part: Option<Part<RawStore>>) -> StoreConfig {
    let (span, raw) = open(part);
    let mut section = check.section("[store]", span);
    let engine = section.read("url", raw.url.as_ref(), engine).unwrap_or_else(|| sled_at(STORE_DEFAULT));
    let keep = section.read("keep", raw.keep.as_ref(), |text| units::duration(text, &KEEP));
    let engine = match engine {
        StoreEngine::Sled(path) => StoreEngine::Sled(check.resolve(path)),
        StoreEngine::Memory => StoreEngine::Memory,
    };
    StoreConfig { engine, keep: keep.unwrap_or(KEEP_DEFAULT) }
}

/// Errors do not repeat the URL: it may hold a password.
fn engine(text: &str) -> Result<StoreEngine, Wanted> {
    match text.split_once(':') {
        Some(("memory", "")) => Ok(StoreEngine::Memory),
        Some(("sled", path)) if !path.trim().is_empty() => Ok(sled_at(path)),
        Some(("postgres" | "postgresql", _)) => Err(format!("a postgres:// store {NOT_BUILT_YET}")),
        _ => Err("expected \"sled:PATH\", such as \"sled:./bongsu-data\"".to_owned()),
    }
}

fn sled_at(path: &str) -> StoreEngine {
    StoreEngine::Sled(PathBuf::from(path))
}

fn retry(check: &mut Check<'_>, part: Option<Part<RawRetry>>) -> Retry {
    let (span, raw) = open(part);
    let mut section = check.section("[retry]", span.clone());
    let initial = section.read("initial", raw.initial.as_ref(), |text| units::duration(text, &RETRY));
    let max = section.read("max", raw.max.as_ref(), |text| units::duration(text, &RETRY));
    let retry =
        Retry { initial: initial.unwrap_or(RETRY_INITIAL_DEFAULT), max: max.unwrap_or(RETRY_MAX_DEFAULT) };
    if retry.max < retry.initial {
        let (key, field) = if raw.max.is_some() { ("max", raw.max) } else { ("initial", raw.initial) };
        let (initial, max) = (units::human(retry.initial), units::human(retry.max));
        let what = format!("expected initial ({initial}) to be at most max ({max})");
        section.problem(field.map_or(span, |field| field.span()), key, what);
    }
    retry
}

fn sms(check: &mut Check<'_>, part: Option<Part<RawSms>>) -> Sms {
    let (span, raw) = open(part);
    let mut section = check.section("[sms]", span.clone());
    let texts = segments(&mut section, "budget", raw.budget.as_ref(), &BUDGET_DEFAULT);
    let disaster_budget =
        segments(&mut section, "disaster_budget", raw.disaster_budget.as_ref(), &DISASTER_BUDGET_DEFAULT);
    let always_at = section.read("always_at", raw.always_at.as_ref(), units::threshold);
    let fallback_at = section.read("fallback_at", raw.fallback_at.as_ref(), units::threshold);
    let resolved = section.flag("resolved", raw.resolved.as_ref()).unwrap_or(false);
    let gateways = gateway::gateways(check, &raw.gateway);
    let sms = Sms {
        always_at: always_at.unwrap_or(Some(Severity::Disaster)),
        fallback_at: fallback_at.unwrap_or(Some(Severity::NotClassified)),
        resolved,
        budget: texts,
        disaster_budget,
        gateways,
    };
    if !raw.gateway.is_empty() && sms.always_at.is_none() && sms.fallback_at.is_none() {
        check.section("[sms]", span.clone()).warning(
            span,
            "",
            "`always_at` and `fallback_at` are off: no text ever goes out",
        );
    }
    sms
}

/// Segments per contact: every rate holds.
fn segments(section: &mut Section<'_, '_>, key: &str, field: Option<&Leaf>, default: &[&str]) -> Vec<Rate> {
    section
        .list(key, field, units::rate)
        .unwrap_or_else(|| default.iter().filter_map(|rate| units::rate(rate).ok()).collect())
}

fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems
}
