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
    raw::{Field, RawConfig},
    retry, server, sms, store, units,
};

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
fn config(check: &mut Check<'_>, mut raw: RawConfig) -> Config {
    refuse_what_is_not_built(check, &raw);
    warn_of_closed_doors(check, &raw);
    let server = server::server(check, raw.server.take());
    let public_url = server::public_url(check, raw.public_url(), server.listen);
    let language = check.top().read(raw.language(), units::language).unwrap_or_default();
    let time_zone = check.top().read(raw.time_zone(), units::time_zone);
    let templates = templates(check, raw.templates());
    let store = store::store(check, raw.store.take());
    let retry = retry::retry(check, raw.retry.take());
    let push = raw.fcm.is_some();
    let fcm = raw.fcm.as_ref().and_then(|part| {
        let mut section = check.section("[fcm]", part.span().start);
        fcm::fcm(&mut section, &part.get_ref().0)
    });
    let gateway = raw.sms.as_ref().is_some_and(|part| !part.get_ref().0.gateway.is_empty());
    let sms = sms::sms(check, raw.sms.take());
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
    for table in [
        raw.rotation().named("[[rotation]]"),
        raw.policy().named("[[policy]]"),
        raw.route().named("[[route]]"),
        raw.peer().named("[[peer]]"),
        raw.status_page().named("[status_page]"),
    ] {
        check.top().not_built(table);
    }
}

fn warn_of_closed_doors(check: &mut Check<'_>, raw: &RawConfig) {
    if raw.integration.is_empty() {
        check.top().warning("[[integration]]", "missing: no monitor can post events");
    }
    if raw.operator.is_empty() {
        check.top().warning("[[operator]]", "missing: nobody can read or acknowledge alerts");
    }
}

fn templates(check: &mut Check<'_>, field: Field<'_>) -> Option<PathBuf> {
    let path = check.top().read(field, |path| Ok(path.to_owned()))?;
    let folder = check.resolve(&path);
    if !folder.is_dir() {
        check.top().problem(field, format!("expected a folder, {} is none", folder.display()));
    }
    Some(folder)
}

fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems
}
