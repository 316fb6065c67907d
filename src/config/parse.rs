//! From text to [`Config`]: the file's words become checked values, and every mistake is named.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::{
    Config,
    check::{Check, Environment, Problem},
    error::{ConfigError, explain},
    fcm, files, heartbeat, integration,
    keys::Keys,
    operator,
    people::{self, Roads},
    raw::{Leaf, RawConfig},
    retry, server, sms, store, units,
};

/// Largest configuration file, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

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
    let server = server::server(check, raw.server);
    let public_url = server::public_url(check, raw.public_url.as_ref(), server.listen);
    let language = check.top().read("language", raw.language.as_ref(), units::language).unwrap_or_default();
    let time_zone = check.top().read("time_zone", raw.time_zone.as_ref(), units::time_zone);
    let templates = templates(check, raw.templates.as_ref());
    let store = store::store(check, raw.store);
    let retry = retry::retry(check, raw.retry);
    let push = raw.fcm.is_some();
    let fcm = raw.fcm.and_then(|part| fcm::fcm(&mut check.section("[fcm]", part.span()), &part.get_ref().0));
    let gateway = raw.sms.as_ref().is_some_and(|part| !part.get_ref().0.gateway.is_empty());
    let sms = sms::sms(check, raw.sms);
    let mut keys = Keys::default();
    Config {
        public_url,
        language,
        time_zone: time_zone.unwrap_or(TimeZone::UTC),
        templates,
        server,
        store,
        retry,
        fcm,
        integrations: integration::integrations(check, &raw.integration, &mut keys),
        operators: operator::operators(check, &raw.operator, &mut keys),
        heartbeats: heartbeat::heartbeats(check, &raw.heartbeat),
        contacts: people::contacts(check, &raw.contact, language, &Roads { push, sms: &sms, gateway }),
        sms,
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

fn templates(check: &mut Check<'_>, field: Option<&Leaf>) -> Option<PathBuf> {
    let path = check.top().read("templates", field, |path| Ok(path.to_owned()))?;
    let folder = check.resolve(&path);
    if let Some(field) = field.filter(|_| !folder.is_dir()) {
        let what = format!("expected a folder, {} is none", folder.display());
        check.top().problem(field.span(), "templates", what);
    }
    Some(folder)
}

fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems
}
