//! What a person who mistyped something reads, and what one who did not gets.

use std::{fs, path::Path};

use jiff::SignedDuration;
use secrecy::ExposeSecret;

use super::*;
use crate::alert::{PhoneNumber, Severity};

mod mistakes;

/// The least that starts: one road, one person, and nothing to warn of.
const LEAST: &str = r#"
public_url = "https://alerts.example.org/"
[[sms.gateway]]
name = "solapi"
provider = "solapi"
from = "029302266"
api_key = "solapi-key"
api_secret = "solapi-secret"
[[integration]]
name = "zabbix"
kind = "zabbix"
key = { env = "KEY" }
[[contact]]
name = "jin"
phone = "+82 10-1234-5678"
[[operator]]
name = "jin"
token = { env = "TOKEN" }
"#;

fn environment(name: &str) -> Option<String> {
    match name {
        "KEY" => Some("a-key-of-many-characters".to_owned()),
        "TOKEN" => Some("a-token-of-many-characters".to_owned()),
        "SHORT" => Some("hunter2".to_owned()),
        "EMPTY" => Some(" ".to_owned()),
        "SAMPLE" => Some("Change-Me".to_owned()),
        _ => None,
    }
}

fn parsed(text: &str) -> Result<Config, ConfigError> {
    parse(text, Path::new("bongsu.toml"), &environment)
}

fn good(text: &str) -> Config {
    parsed(text).unwrap_or_else(|error| panic!("this configuration is fine, but:\n{error}"))
}

#[test]
fn the_least_configuration_gets_every_default() {
    let config = good(LEAST);
    assert_eq!(config.warnings, [""; 0]);
    assert_eq!(config.public_url, "https://alerts.example.org");
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.body_limit, 8 << 20);
    assert_eq!(config.store.engine, StoreEngine::Sled("./bongsu-data".into()));
    assert_eq!(config.store.keep, SignedDuration::from_hours(24 * 400));
    assert_eq!(config.retry.initial, SignedDuration::from_secs(10));
    assert_eq!(config.retry.max, SignedDuration::from_mins(5));
    assert_eq!(config.sms.always_at, Some(Severity::Disaster));
    assert_eq!(config.sms.fallback_at, Some(Severity::NotClassified));
    assert!(config.fcm.is_none() && !config.sms.resolved);
    assert_eq!(config.sms.gateways[0].timeout, SignedDuration::from_secs(10));
    assert_eq!(config.integrations[0].close_after, SignedDuration::from_hours(24 * 7));
    assert_eq!(config.integrations[0].key.expose_secret(), "a-key-of-many-characters");
    assert_eq!(config.contacts[0].phone.as_ref().map(PhoneNumber::expose), Some("+821012345678"));
    assert_eq!(config.operators[0].role, Role::Operator);
    assert_eq!(config.heartbeats.len(), 0);
}

#[test]
fn a_heartbeat_needs_only_a_name() {
    let text = LEAST.to_owned()
        + "[[heartbeat]]\nname = \"alive\"\n[[heartbeat]]\nname = \"backup\"\nevery = \"1 day\"\n\
           grace = \"0s\"\nseverity = \"disaster\"\n";
    let shown: Vec<_> = good(&text)
        .heartbeats
        .into_iter()
        .map(|heartbeat| (heartbeat.name, heartbeat.every, heartbeat.grace, heartbeat.severity))
        .collect();
    let (minute, day) = (SignedDuration::from_mins(1), SignedDuration::from_hours(24));
    assert_eq!(
        shown,
        [
            ("alive".to_owned(), minute, 2 * minute, Severity::High),
            ("backup".to_owned(), day, SignedDuration::ZERO, Severity::Disaster),
        ]
    );
}

#[test]
fn links_point_at_the_listener_unless_told_otherwise() {
    for (listen, url) in [
        ("0.0.0.0:9000", "http://127.0.0.1:9000"),
        ("[::]:9000", "http://127.0.0.1:9000"),
        ("[::1]:9000", "http://[::1]:9000"),
        ("192.0.2.7:80", "http://192.0.2.7:80"),
    ] {
        let text = LEAST.replace(
            "public_url = \"https://alerts.example.org/\"",
            &format!("server.listen = \"{listen}\""),
        );
        assert_eq!(good(&text).public_url, url);
    }
}

#[test]
fn features_that_are_off_may_be_written_as_off() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("firebase.json");
    fs::write(&key, "{}").unwrap();
    let text = format!(
        "{LEAST}[fcm]\nreceipt_within = \"off\"\nservice_account = {{ file = {key:?} }}\nper_device = []\n\
         [sms]\nbudget = []\ndisaster_budget = []\nalways_at = \"OFF\"\nfallback_at = \"critical\"\n"
    );
    let config = good(&text);
    assert_eq!((config.sms.always_at, config.sms.fallback_at), (None, Some(Severity::High)));
    let fcm = config.fcm.expect("the table is there");
    assert_eq!((fcm.key_path, fcm.key_json.expose_secret(), fcm.per_device), (key, "{}", Vec::new()));
}

#[test]
fn files_are_looked_for_beside_the_configuration_and_lose_their_last_newline() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("zabbix.key"), "a-key-of-many-characters\r\n").unwrap();
    let text = LEAST.replace("{ env = \"KEY\" }", "{ file = \"zabbix.key\" }");
    let text = text + "[store]\nurl = \"sled:data\"\n";
    let path = folder.path().join("bongsu.toml");
    fs::write(&path, text).unwrap();
    let config = load(&path, &environment).unwrap();
    assert_eq!(config.integrations[0].key.expose_secret(), "a-key-of-many-characters");
    assert_eq!(config.store.engine, StoreEngine::Sled(folder.path().join("data")));
}

#[test]
fn a_configuration_that_is_absent_or_huge_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bongsu.toml");
    let error = load(&path, &environment).unwrap_err().to_string();
    assert!(error.contains("bongsu.toml: No such file"), "{error}");
    fs::write(&path, "#".repeat((1 << 20) + 1)).unwrap();
    let error = load(&path, &environment).unwrap_err().to_string();
    assert!(error.ends_with("bongsu.toml: it is larger than 1048576 bytes"), "{error}");
}

#[test]
fn a_number_of_twilio_without_its_plus_is_a_warning_and_a_short_code_is_none() {
    for (from, warning) in [
        ("15005550006", Some("bongsu.toml:2:8: [[sms.gateway]] `world` from: Twilio wants +15005550006")),
        ("+15005550006", None),
        ("72345", None),
        ("BONGSU", None),
    ] {
        let text = format!(
            "[[sms.gateway]]\nfrom = \"{from}\"\nname = \"world\"\nprovider = \"twilio\"\nauth_token = \"t\"\n\
             account_sid = \"AC0123456789abcdef0123456789abcdef\"\n[[contact]]\nname = \"jin\"\nphone = \"+12025550123\"\n"
        );
        let warnings = good(&text).warnings;
        let said: Vec<_> = warnings.iter().filter(|warning| warning.contains("Twilio")).collect();
        assert_eq!(said, warning.iter().collect::<Vec<_>>());
    }
}

#[test]
fn what_deserves_a_look_is_a_warning_and_not_an_error() {
    let text = LEAST
        .replace("https://alerts", "http://alerts")
        .replace("{ env = \"KEY\" }", "{ env = \"SHORT\" }")
        .replace("phone = ", "devices = [\"fid:one\"]\nphone = ");
    let warnings = good(&text).warnings;
    assert_eq!(
        warnings,
        [
            "bongsu.toml:2:14: public_url: http:// to another machine: links and passwords travel unprotected",
            "bongsu.toml:12:7: [[integration]] `zabbix` key: shorter than 16 characters; try `openssl rand -hex 24`",
            "bongsu.toml:13:1: [[contact]] `jin` devices: no push reaches them without [fcm]",
        ]
    );
}

#[test]
fn a_key_that_no_header_can_carry_is_a_warning() {
    for (key, warnings) in
        [("a key of many letters", 0), ("a-key-of-many-letters ", 1), ("열쇠-열쇠-열쇠-열쇠-열쇠-열쇠", 1)]
    {
        let found = good(&LEAST.replace("{ env = \"KEY\" }", &format!("{key:?}"))).warnings;
        assert_eq!(found.len(), warnings, "{key}: {found:?}");
        assert!(found.iter().all(|warning| warning.contains("Bearer")), "{found:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("firebase.json");
    fs::write(&key, "{}").unwrap();
    for (mode, warnings) in [(0o600, 0), (0o640, 1), (0o644, 1)] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let text = format!("{LEAST}[fcm]\nservice_account = {{ file = {key:?} }}\n");
        let found = good(&text).warnings;
        let loose = found.iter().filter(|warning| warning.contains("mode 0600")).count();
        assert_eq!(loose, warnings, "{mode:o}: {found:?}");
    }
}

#[test]
fn one_phone_in_two_lists_is_a_warning_and_rings_for_both() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("firebase.json");
    fs::write(&key, "{}").unwrap();
    let text = format!(
        "{LEAST}[[contact]]\nname = \"min\"\ndevices = [\"t0k\", \"t0k\"]\n\
         [[contact]]\nname = \"sol\"\ndevices = [\"t0k\"]\n[fcm]\nservice_account = {{ file = {key:?} }}\n"
    );
    let config = good(&text);
    assert_eq!((config.contacts[1].devices.len(), config.contacts[2].devices.len()), (1, 1));
    let twice = config.warnings.iter().filter(|warning| warning.contains("already")).count();
    assert_eq!(twice, 2, "{:?}", config.warnings);
    assert!(!format!("{:?}{config:?}", config.warnings).contains("t0k"), "a token was shown");
}

#[test]
fn a_gateway_of_ones_own_keeps_what_the_operator_wrote() {
    let text = LEAST.to_owned()
        + r#"
[[sms.gateway]]
name = "mine"
provider = "http"
url = { env = "KEY_URL" }
method = "get"
accepted = { status = 202, pointer = "/ok", equals = true }
rejected = { pointer = "/code", equals = 7 }
proxy = "http://user:hunter2@proxy.example:3128"
headers = { Authorization = { env = "KEY" } }
"#;
    let environment = |name: &str| match name {
        "KEY_URL" => Some("https://sms.example/?to={{to}}&text={{text}}".to_owned()),
        name => environment(name),
    };
    let config = parse(&text, Path::new("bongsu.toml"), &environment).unwrap();
    let GatewayProvider::Http(mine) = &config.sms.gateways[1].provider else { panic!("another provider") };
    assert_eq!((mine.method.as_str(), mine.body.expose_secret()), ("GET", ""));
    assert_eq!(mine.accepted.status, StatusRule::Exact(202));
    let equals = |rule: &Option<PointerRule>| rule.as_ref().and_then(|rule| rule.equals.clone());
    assert_eq!(
        (equals(&mine.accepted.value).as_deref(), equals(&mine.rejected).as_deref()),
        (Some("true"), Some("7"))
    );
    assert!(!format!("{config:?}").contains("hunter2"), "the proxy's password was shown");
}

proptest::proptest! {
    #[test]
    fn a_damaged_file_is_read_or_refused_with_a_line_that_exists(
        from in 0_usize..400, length in 0_usize..40, garbage in "\\PC{0,6}",
    ) {
        let tail = LEAST.get(from + length..).unwrap_or_default();
        let text = format!("{}{garbage}{tail}", LEAST.get(..from).unwrap_or(LEAST));
        if let Err(ConfigError::Problems(problems)) = parsed(&text) {
            proptest::prop_assert!(!problems.is_empty());
            let lines = text.lines().count();
            proptest::prop_assert!(problems.iter().all(|problem| 1 <= problem.line && problem.line <= lines + 1));
        }
    }
}

/// The sample's variables, with real secrets for them.
fn sample_environment(key: &Path) -> impl Fn(&str) -> Option<String> {
    let key = key.display().to_string();
    move |name| match name {
        "GOOGLE_APPLICATION_CREDENTIALS" => Some(key.clone()),
        "SOLAPI_KEY" | "SOLAPI_SECRET" | "SMS_AUTHORIZATION" | "BONGSU_ZABBIX_KEY" | "BONGSU_SCRIPTS_KEY"
        | "BONGSU_JIN" | "TWILIO_TOKEN" | "KANNEL_PASSWORD" | "NHN_APP_KEY" | "NHN_SECRET_KEY" => {
            Some(format!("a-real-secret-for-{name}"))
        }
        _ => None,
    }
}

#[test]
fn the_sample_starts_once_its_secrets_are_there_and_not_while_they_are_placeholders() {
    let sample = include_str!("../../docker/bongsu.sample.toml");
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("firebase.json");
    fs::write(&key, "{}").unwrap();
    let file = Path::new("/etc/bongsu/bongsu.toml");
    let config = parse(sample, file, &sample_environment(&key)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((config.sms.gateways.len(), config.integrations.len()), (2, 2));

    let real = sample_environment(&key);
    let untouched =
        |name: &str| real(name).map(|value| if value.starts_with('/') { value } else { "change-me".into() });
    let errors = parse(sample, file, &untouched).unwrap_err().to_string();
    for name in ["SOLAPI_KEY", "SOLAPI_SECRET", "SMS_AUTHORIZATION", "BONGSU_ZABBIX_KEY", "BONGSU_JIN"] {
        assert!(errors.contains(&format!("variable {name} still holds a placeholder")), "{name}: {errors}");
    }
}

/// Turns `# key = value` into `key = value`, and `# [[table]]` into `[[table]]`.
fn uncommented(sample: &str) -> String {
    let is_key = |line: &str| {
        line.strip_prefix("# ").and_then(|rest| rest.split_once('=')).is_some_and(|(key, _)| {
            key.trim().bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && !key.trim().is_empty()
        })
    };
    let is_wanted = |line: &str| is_key(line) || line.starts_with("# [[");
    sample.lines().map(|line| if is_wanted(line) { &line[2..] } else { line }).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_commented_key_of_the_sample_is_a_key_with_a_good_value() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("firebase.json");
    fs::write(&key, "{}").unwrap();
    fs::write(folder.path().join("ca.pem"), "-----BEGIN CERTIFICATE-----\n").unwrap();
    fs::create_dir(folder.path().join("templates")).unwrap();
    let sample = uncommented(include_str!("../../docker/bongsu.sample.toml"));
    let file = folder.path().join("bongsu.toml");
    let config = parse(&sample, &file, &sample_environment(&key)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.templates, Some(folder.path().join("templates")));
    assert_eq!(config.contacts[0].devices.len(), 2);
    let gateways: Vec<&str> = config.sms.gateways.iter().map(|gateway| gateway.name.as_str()).collect();
    assert_eq!(gateways, ["solapi", "twilio", "kannel", "nhn", "other"]);
}

#[test]
fn every_key_is_in_the_documentation() {
    let docs = include_str!("../../docs/configuration.md");
    let sample = uncommented(include_str!("../../docker/bongsu.sample.toml"));
    for key in sample.lines().filter_map(|line| line.split_once(" = ")?.0.split_whitespace().next()) {
        assert!(
            key == "#" || docs.contains(&format!("`{key}`")),
            "docs/configuration.md does not explain `{key}`"
        );
    }
}
