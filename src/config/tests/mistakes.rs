//! Mistakes and the words they get. Each is the beginning of a file, so that the line numbers are real.

#![expect(clippy::needless_raw_string_hashes, reason = "one form for every row")]

use super::{LEAST, parsed};

/// What follows each mistake: what a start needs, so that nothing but the mistake is reported.
const REST: &str = r#"
[[sms.gateway]]
name = "rest"
provider = "solapi"
from = "029302266"
api_key = "solapi-key"
api_secret = "solapi-secret"
[[contact]]
name = "rest"
phone = "+12025550123"
"#;

/// The beginning of a configuration, and everything that is said about it.
const MISTAKES: [(&str, &str); 36] = [
    (
        r#"[server]
lissten = "0.0.0.0:8080"
"#,
        r#"bongsu.toml:2:1: unknown key `lissten` in [server], expected one of listen, body_limit; did you mean `listen`?"#,
    ),
    (
        r#"public_url = "https://a.example
"#,
        r#"bongsu.toml:1:32: public_url: invalid basic string, expected `"`"#,
    ),
    (
        r#"colour = "red"
"#,
        r#"bongsu.toml:1:1: unknown key `colour`, expected one of public_url, language, time_zone, templates, server, store, retry, fcm, sms, integration, contact, operator, heartbeat"#,
    ),
    (
        r#"[[contact]]
name = "jin"
mobile = "+821012345678"
"#,
        r#"bongsu.toml:3:1: unknown key `mobile` in [[contact]], expected one of name, phone, language, devices"#,
    ),
    (
        r#"[[server]]
listen = "127.0.0.1:1"
"#,
        r#"bongsu.toml:1:1: [server]: expected a table, found a list"#,
    ),
    (
        r#"operator = "hunter2"
"#,
        r#"bongsu.toml:1:12: [[operator]]: expected a list, found a string"#,
    ),
    (
        r#"[server]
listen = "localhost:8080"
body_limit = "4 KiB"
tls = { cert = "cert.pem", key = "key.pem" }
"#,
        r#"bongsu.toml:2:10: [server] listen: expected an IP address and a port such as "0.0.0.0:8080" or "[::]:8080", found "localhost:8080"
bongsu.toml:3:14: [server] body_limit: expected 64.0 KiB to 64.0 MiB, found "4 KiB"
bongsu.toml:4:7: [server] tls: is not built yet in this version"#,
    ),
    (
        r#"[retry]
initial = "10m"
max = "5m"
"#,
        r#"bongsu.toml:3:7: [retry] max: expected initial (10m) to be at most max (5m)"#,
    ),
    (
        r#"[store]
url = "postgres://bongsu:hunter2@db/bongsu"
keep = 400
"#,
        r#"bongsu.toml:2:7: [store] url: a postgres:// store is not built yet in this version
bongsu.toml:3:8: [store] keep: expected a string, found an integer"#,
    ),
    (
        r#"[fcm]
ttl = "20 apples"
"#,
        r#"bongsu.toml:1:1: [fcm] service_account: missing, expected { file = "PATH" } or environment variable GOOGLE_APPLICATION_CREDENTIALS
bongsu.toml:2:7: [fcm] ttl: expected a duration such as "20s", found "20 apples""#,
    ),
    (
        r#"public_url = "ftp://alerts.example.org"
language = "kr"
time_zone = "Asia/Soul"
templates = "no-such-folder"
[sms]
always_at = "none"
fallback_at = "severe"
resolved = "yes"
budget = ["20/10m", "many"]
disaster_budget = "20/10m"
"#,
        r#"bongsu.toml:1:14: public_url: expected a URL that starts with http:// or https://
bongsu.toml:2:12: language: expected "en" or "ko", found "kr"
bongsu.toml:3:13: time_zone: expected a time zone such as "Asia/Seoul", found "Asia/Soul"
bongsu.toml:4:13: templates: expected a folder, no-such-folder is none
bongsu.toml:6:13: [sms] always_at: expected a severity or "off", found "none"
bongsu.toml:7:15: [sms] fallback_at: expected a severity (not_classified, information, warning, average, high, disaster), found "severe"
bongsu.toml:8:12: [sms] resolved: expected true or false, found a string
bongsu.toml:9:10: [sms] budget: entry 2: expected a rate such as "240/1m" (1 or more in 1s to 31 days), found "many"
bongsu.toml:10:19: [sms] disaster_budget: expected an array of strings, found a string"#,
    ),
    (
        r#"[[integration]]
name = "zabbix"
kind = "zabbix"
key = { env = "ZABBIX_KEY" }
"#,
        r#"bongsu.toml:4:7: [[integration]] `zabbix` key: environment variable ZABBIX_KEY is not set, expected it to hold the secret (an EnvironmentFile of systemd counts for the service only)"#,
    ),
    (
        r#"[[integration]]
name = "a"
kind = "generic"
key = { env = "EMPTY" }
[[integration]]
name = "b"
kind = "generic"
key = { env = "SAMPLE" }
[[integration]]
name = "c"
kind = "generic"
key = { file = "no-such-file" }
[[integration]]
name = "d"
kind = "generic"
key = { environment = "KEY" }
[[integration]]
name = "e"
kind = "generic"
key = 98765
"#,
        r#"bongsu.toml:4:7: [[integration]] `a` key: environment variable EMPTY is empty
bongsu.toml:8:7: [[integration]] `b` key: environment variable SAMPLE still holds a placeholder, expected a secret of your own
bongsu.toml:12:7: [[integration]] `c` key: could not read no-such-file: No such file or directory (os error 2)
bongsu.toml:16:7: [[integration]] `d` key: expected { env = "NAME" }, { file = "PATH" } or a string
bongsu.toml:20:7: [[integration]] `e` key: expected { env = "NAME" }, { file = "PATH" } or a string"#,
    ),
    (
        r#"[[integration]]
name = "Bongsu2"
kind = "icinga"
key = { env = "KEY" }
hmac = { header = "a b", timestamp_header = "" }
severity = { critical = "disastrous", Critical = "high", CRITICAL = "high" }
[integration.map]
colour = "/x"
title = "foo/bar"
"#,
        r#"bongsu.toml:2:8: [[integration]] name: `manual` and names that start with `bongsu` are our own, expected another, found "Bongsu2"
bongsu.toml:3:8: [[integration]] kind: expected one of zabbix, grafana, alertmanager, munin, whatap, uptime_kuma, generic, found "icinga"
bongsu.toml:5:8: [[integration]] hmac.secret: missing, expected { env = "NAME" }, { file = "PATH" } or a string
bongsu.toml:5:19: [[integration]] hmac.header: expected the name of an HTTP header such as "X-Grafana-Alerting-Signature", found "a b"
bongsu.toml:6:25: [[integration]] severity.critical: expected a severity (not_classified, information, warning, average, high, disaster), found "disastrous"
bongsu.toml:6:39: [[integration]] severity.Critical: is there in another case too, expected each word once
bongsu.toml:8:1: [[integration]] map.colour: unknown key, expected one of events, title, body, severity, status, dedup_key, host, service, url, starts_at
bongsu.toml:9:9: [[integration]] map.title: expected a JSON pointer that starts with `/`, such as "/result/id", found "foo/bar""#,
    ),
    (
        r#"[[integration]]
name = "one"
kind = "zabbix"
key = { env = "KEY" }
[[integration]]
name = "one"
kind = "zabbix"
key = { env = "KEY" }
[[operator]]
name = "jin"
token = { env = "KEY" }
role = "admin"
"#,
        r#"bongsu.toml:5:1: [[integration]] `one` name: an earlier integration has this name too
bongsu.toml:8:7: [[integration]] `one` key: [[integration]] `one` has the same key, expected another: a key says who is calling
bongsu.toml:11:9: [[operator]] `jin` token: [[integration]] `one` has the same key, expected another: a key says who is calling
bongsu.toml:12:8: [[operator]] `jin` role: expected "viewer" or "operator", found "admin""#,
    ),
    (
        r#"[[contact]]
name = "jin"
phone = "010-8765-4321"
devices = ["FCM-TOKEN"]
[[contact]]
name = "jin"
phone = "+82 10 1234 5678"
[[contact]]
phone = 821012345678
"#,
        r#"bongsu.toml:3:9: [[contact]] `jin` phone: expected a phone number in international form: `+`, the country code and 8 to 15 digits in all, such as +821012345678
bongsu.toml:5:1: [[contact]] `jin` name: `jin` is the name of an earlier contact too
bongsu.toml:8:1: [[contact]] name: missing, expected a name such as "jin"
bongsu.toml:9:9: [[contact]] phone: expected a string, found an integer"#,
    ),
    (
        r#"[fcm]
service_account = "firebase.json"
android = "apple"
per_device = ["240"]
base_url = "https://user:hunter2@fcm.example"
receipt_within = "60s"
extra_ca = "no-such.pem"
proxy = "socks5://user:hunter2@proxy"
[[contact]]
name = "min"
"#,
        r#"bongsu.toml:2:19: [fcm] service_account: expected { file = "PATH" }, found a string
bongsu.toml:3:11: [fcm] android: expected "data" or "notification", found "apple"
bongsu.toml:4:14: [fcm] per_device: entry 1: expected a rate such as "240/1m" (1 or more in 1s to 31 days), found "240"
bongsu.toml:5:12: [fcm] base_url: expected a URL without user, password, `?` and `#`
bongsu.toml:6:18: [fcm] receipt_within: anything but "off" is not built yet in this version
bongsu.toml:7:12: [fcm] extra_ca: could not read no-such.pem: No such file or directory (os error 2)
bongsu.toml:8:9: [fcm] proxy: expected a URL that starts with http:// or https://
bongsu.toml:9:1: contact `min` (line 9) can be reached by no road: it has no `devices` and it has no `phone`; give it a phone, or give it devices"#,
    ),
    (
        r#"[fcm]
"#,
        r#"bongsu.toml:1:1: [fcm] service_account: missing, expected { file = "PATH" } or environment variable GOOGLE_APPLICATION_CREDENTIALS"#,
    ),
    (
        r#"[[sms.gateway]]
name = "one"
provider = "twilio"
account_sid = "x"
max_segments = 11
[[sms.gateway]]
name = "two"
provider = "solapi"
url = "https://sms.example"
timeout = "2m"
api_key = "k"
encoding = "ucs2"
max_segments = "3"
[[sms.gateway]]
name = "three"
provider = "pigeon"
[[sms.gateway]]
name = "four"
provider = "twilio"
from = "+15005550006"
messaging_service_sid = "MG0123456789abcdef0123456789abcdef"
account_sid = "AC0123456789abcdef0123456789abcdef"
auth_token = "t"
username = "u"
[[sms.gateway]]
name = "five"
provider = "kannel"
url = "sms.example"
api_key = "k"
[[sms.gateway]]
name = "six"
provider = "nhn"
from = "029302266"
api_key = "app/key"
api_secret = "s"
"#,
        r#"bongsu.toml:1:1: [[sms.gateway]] `one` from: missing, expected a number of the account, such as "+15005550006", or messaging_service_sid
bongsu.toml:1:1: [[sms.gateway]] `one` auth_token: missing, expected { env = "NAME" }, { file = "PATH" } or a string
bongsu.toml:4:15: [[sms.gateway]] `one` account_sid: expected AC and 32 hexadecimal digits, found "x"
bongsu.toml:5:16: [[sms.gateway]] `one` max_segments: expected a whole number from 1 to 10, found 11
bongsu.toml:6:1: [[sms.gateway]] `two` from: missing, expected the number registered with Solapi, such as "029302266"
bongsu.toml:6:1: [[sms.gateway]] `two` api_secret: missing, expected { env = "NAME" }, { file = "PATH" } or a string
bongsu.toml:9:7: [[sms.gateway]] `two` url: does not belong to this gateway's provider
bongsu.toml:10:11: [[sms.gateway]] `two` timeout: expected 1s to 1m, found "2m"
bongsu.toml:12:12: [[sms.gateway]] `two` encoding: does not belong to this gateway's provider
bongsu.toml:13:16: [[sms.gateway]] `two` max_segments: expected a whole number from 1 to 10, found a string
bongsu.toml:16:12: [[sms.gateway]] `three` provider: expected "solapi", "twilio", "kannel", "nhn" or "http", found "pigeon"
bongsu.toml:21:25: [[sms.gateway]] `four` messaging_service_sid: either this or `from`: a messaging service chooses the sender itself
bongsu.toml:24:12: [[sms.gateway]] `four` username: does not belong to this gateway's provider
bongsu.toml:25:1: [[sms.gateway]] `five` from: missing, expected the sender's number or name, as the network behind Kannel wants it
bongsu.toml:25:1: [[sms.gateway]] `five` username: missing, expected a sendsms-user of Kannel
bongsu.toml:25:1: [[sms.gateway]] `five` password: missing, expected { env = "NAME" }, { file = "PATH" } or a string
bongsu.toml:28:7: [[sms.gateway]] `five` url: expected a URL that starts with http:// or https://
bongsu.toml:29:11: [[sms.gateway]] `five` api_key: does not belong to this gateway's provider
bongsu.toml:34:11: [[sms.gateway]] `six` api_key: expected an app key: letters, digits, `-` and `_`"#,
    ),
    (
        r#"[[sms.gateway]]
name = "mine"
provider = "http"
url = "https://sms.example/send?to={{phone}}"
body = '{"to": "{{to}}", "text": {{text}}}'
method = "DELETE"
headers = { "bad header" = "x", X-From = "{{from}}" }
body_type = "xml"
accepted = { status = "20x", pointer = "ok" }
rejected = { equals = "bad" }
id_pointer = "/a~2"
encoding = "latin1"
"#,
        r#"bongsu.toml:1:1: [[sms.gateway]] `mine` from: missing, expected a sender, because `headers.X-From` uses {{from}}
bongsu.toml:4:7: [[sms.gateway]] `mine` url: unknown placeholder {{phone}}, expected one of {{to}} {{to_national}} {{to_digits}} {{from}} {{text}} {{alert_id}} {{severity}}
bongsu.toml:5:8: [[sms.gateway]] `mine` body: the body is not JSON once its placeholders are filled in: expected value at line 1 column 26 of the body
bongsu.toml:6:10: [[sms.gateway]] `mine` method: expected "GET", "POST" or "PUT", found "DELETE"
bongsu.toml:7:13: [[sms.gateway]] `mine` headers.bad header: expected the name of an HTTP header
bongsu.toml:8:13: [[sms.gateway]] `mine` body_type: expected "json", "form", "raw" or "url", found "xml"
bongsu.toml:9:23: [[sms.gateway]] `mine` accepted.status: expected a status such as "2xx" or "202", found "20x"
bongsu.toml:9:40: [[sms.gateway]] `mine` accepted.pointer: expected a JSON pointer that starts with `/`, such as "/result/id", found "ok"
bongsu.toml:10:12: [[sms.gateway]] `mine` rejected.pointer: missing, expected a JSON pointer such as "/ok"
bongsu.toml:11:14: [[sms.gateway]] `mine` id_pointer: expected a JSON pointer that starts with `/`, such as "/result/id", found "/a~2"
bongsu.toml:12:12: [[sms.gateway]] `mine` encoding: expected "gsm7", "ucs2" or "euc-kr", found "latin1""#,
    ),
    (
        r#"[[sms.gateway]]
name = "mine"
provider = "http"
url = "https://sms.example/send"
body = '{"sender": "{{from}}"}'
"#,
        r#"bongsu.toml:1:1: [[sms.gateway]] `mine` from: missing, expected a sender, because `body` uses {{from}}
bongsu.toml:5:8: [[sms.gateway]] `mine` body: the text would go to nobody, expected {{to}}, {{to_national}} or {{to_digits}}"#,
    ),
    (
        r#"[[sms.gateway]]
name = "mine"
provider = "http"
url = "sms.example/send?key=hunter2&to={{to}}"
method = "GET"
"#,
        r#"bongsu.toml:4:7: [[sms.gateway]] `mine` url: expected a URL that starts with http:// or https://
bongsu.toml:4:7: [[sms.gateway]] `mine` url: the text would be empty, expected {{text}}"#,
    ),
    (
        r#"[contact]
name = "jin"
"#,
        r#"bongsu.toml:1:1: [contact]: write [[contact]], with two brackets"#,
    ),
    (
        r#"language = "en"
[sms.gateway]
name = "one"
[sms.gateway]
name = "two"
"#,
        r#"bongsu.toml:2:1: [sms.gateway]: write [[sms.gateway]], with two brackets"#,
    ),
    (
        r#"[ integration ] # Zabbix
name = "one"
[[integration]]
name = "two"
"#,
        r#"bongsu.toml:1:1: [integration]: write [[integration]], with two brackets"#,
    ),
    (
        r#"[[sms.gateway]]
name = "one"
apikey = "hunter2"
provider = "solapi"
[[sms.gateway]]
provider = "twilio"
"#,
        r#"bongsu.toml:3:1: unknown key `apikey` in [[sms.gateway]], expected one of name, provider, from, timeout, per_day, extra_ca, proxy, base_url, api_key, api_secret, max_segments; did you mean `api_key`?"#,
    ),
    (
        r#"[[operator]]
name = "jin"
language = "en"
"#,
        r#"bongsu.toml:3:1: unknown key `language` in [[operator]], expected one of name, token, role; it belongs above the first table"#,
    ),
    (
        r#"[[integration]]
name = "kuma"
kind = "Uptime-Kuma"
key = { env = "KEY" }
"#,
        r#"bongsu.toml:3:8: [[integration]] `kuma` kind: expected one of zabbix, grafana, alertmanager, munin, whatap, uptime_kuma, generic, found "Uptime-Kuma"; did you mean `uptime_kuma`?"#,
    ),
    (
        r#"[fcm]
ttl = "20s"
ttl = "30s"
"#,
        r#"bongsu.toml:3:1: ttl: duplicate key"#,
    ),
    (
        r#"[[policy]]
name = "default"
[[rotation]]
name = "primary"
[[route]]
policy = "default"
[[peer]]
name = "tokyo"
[status_page]
public = true
"#,
        r#"bongsu.toml:1:1: [[policy]]: is not built yet in this version
bongsu.toml:3:1: [[rotation]]: is not built yet in this version
bongsu.toml:5:1: [[route]]: is not built yet in this version
bongsu.toml:7:1: [[peer]]: is not built yet in this version
bongsu.toml:9:1: [status_page]: is not built yet in this version"#,
    ),
    (
        r#"[[heartbeat]]
name = "alive"
every = "0s"
grace = "-1m"
severity = "loud"
[[heartbeat]]
every = 60
[[heartbeat]]
name = "ALIVE"
grace = "400 days"
period = "1m"
"#,
        r#"bongsu.toml:11:1: unknown key `period` in [[heartbeat]], expected one of name, every, grace, severity"#,
    ),
    (
        r#"[[heartbeat]]
name = "alive"
every = "0s"
grace = "-1m"
severity = "loud"
[[heartbeat]]
every = 60
[[heartbeat]]
name = "ALIVE"
grace = "400 days"
[[heartbeat]]
name = "is zabbix there?"
"#,
        r#"bongsu.toml:3:9: [[heartbeat]] `alive` every: expected 1s to 1year, found "0s"
bongsu.toml:4:9: [[heartbeat]] `alive` grace: expected a duration such as "20s", found "-1m"
bongsu.toml:5:12: [[heartbeat]] `alive` severity: expected a severity (not_classified, information, warning, average, high, disaster), found "loud"
bongsu.toml:6:1: [[heartbeat]] name: missing, expected a name such as "zabbix-alive"
bongsu.toml:7:9: [[heartbeat]] every: expected a string, found an integer
bongsu.toml:8:1: [[heartbeat]] `ALIVE` name: an earlier heartbeat has this name too, in some case
bongsu.toml:10:9: [[heartbeat]] `ALIVE` grace: expected 0s to 1year, found "400 days"
bongsu.toml:12:8: [[heartbeat]] name: expected a name of 1 to 64 characters A-Z a-z 0-9 _ . -, found "is zabbix there?""#,
    ),
    (
        r#"[[integration]]
kind = "zabbix"
key = { env = "KEY", file = "hunter2" }
time_zone = "KST9"
close_after = "soon"
[[integration]]
name = "a/b"
kind = "nagios"
[[operator]]
name = ".."
"#,
        r#"bongsu.toml:1:1: [[integration]] name: missing, expected a name such as "zabbix"
bongsu.toml:3:7: [[integration]] key: expected { env = "NAME" }, { file = "PATH" } or a string
bongsu.toml:4:13: [[integration]] time_zone: expected a time zone such as "Asia/Seoul", found "KST9"
bongsu.toml:5:15: [[integration]] close_after: expected a duration such as "20s", found "soon"
bongsu.toml:6:1: [[integration]] key: missing, expected { env = "NAME" }, { file = "PATH" } or a string
bongsu.toml:7:8: [[integration]] name: expected a name of 1 to 64 characters A-Z a-z 0-9 _ . -, found "a/b"
bongsu.toml:8:8: [[integration]] kind: expected one of zabbix, grafana, alertmanager, munin, whatap, uptime_kuma, generic, found "nagios"
bongsu.toml:9:1: [[operator]] token: missing, expected { env = "NAME" }, { file = "PATH" } or a string
bongsu.toml:10:8: [[operator]] name: expected a name of 1 to 64 characters A-Z a-z 0-9 _ . -, found "..""#,
    ),
    (
        r#"[[contact]]
name = "a:b"
language = "fr"
devices = ["<your token>", "t0ken with spaces", "fid:", 7]
"#,
        r#"bongsu.toml:2:8: [[contact]] name: a contact name has 1 to 64 characters and no control characters or `:`
bongsu.toml:3:12: [[contact]] language: expected "en" or "ko", found "fr"
bongsu.toml:4:11: [[contact]] devices: entry 1: still holds a placeholder, expected a registration token or "fid:INSTALLATION-ID"
bongsu.toml:4:11: [[contact]] devices: entry 2: expected a registration token or "fid:INSTALLATION-ID" without spaces
bongsu.toml:4:11: [[contact]] devices: entry 3: expected a registration token or "fid:INSTALLATION-ID" without spaces
bongsu.toml:4:11: [[contact]] devices: entry 4: expected a string, found an integer"#,
    ),
    (
        r#"[sms]
fallback_at = "off"
always_at = "off"
[[contact]]
name = "min"
phone = "+821012345678"
"#,
        r#"bongsu.toml:4:1: contact `min` (line 4) can be reached by no road: there is no [fcm] for pushes and texts are off in [sms]; turn texts on, or give it devices with [fcm]
bongsu.toml:14:1: contact `rest` (line 14) can be reached by no road: there is no [fcm] for pushes and texts are off in [sms]; turn texts on, or give it devices with [fcm]"#,
    ),
    (
        r#"[retry]
initial = "1ms"
max = "2 weeks"
[store]
url = "mysql://hunter2@db"
keep = "1 s"
[server]
body_limit = "lots"
"#,
        r#"bongsu.toml:2:11: [retry] initial: expected 100ms to 1day, found "1ms"
bongsu.toml:3:7: [retry] max: expected 100ms to 1day, found "2 weeks"
bongsu.toml:5:7: [store] url: expected "sled:PATH", such as "sled:./bongsu-data"
bongsu.toml:6:8: [store] keep: expected 1m to 100years, found "1 s"
bongsu.toml:8:14: [server] body_limit: expected a size such as "8 MiB", found "lots""#,
    ),
];

#[test]
fn every_mistake_is_named_with_its_line_its_key_and_what_is_expected() {
    for (text, said) in MISTAKES {
        let error = parsed(&format!("{text}{REST}")).expect_err(text).to_string();
        assert_eq!(error, said, "\n{text}");
    }
}

#[test]
fn no_mistake_gives_a_secret_a_number_or_a_device_away() {
    for (_, said) in MISTAKES {
        for private in ["hunter2", "4321", "98765", "t0ken"] {
            assert!(!said.contains(private), "{private} in:\n{said}");
        }
    }
}

#[test]
fn nobody_to_tell_is_a_mistake() {
    let error =
        parsed(LEAST.split("[[contact]]").next().expect("the part before it")).expect_err("nobody is told");
    assert_eq!(
        error.to_string(),
        "bongsu.toml:1:1: [[contact]]: missing, expected at least one person to tell"
    );
}

#[test]
fn more_contacts_and_devices_than_an_alert_has_room_for_are_a_mistake() {
    let contact = |number: usize, devices: &[String]| {
        format!("[[contact]]\nname = \"n{number}\"\nphone = \"+821012345678\"\ndevices = {devices:?}\n")
    };
    let rest = LEAST.split("[[contact]]").next().expect("the part before it");
    let with =
        |contacts: String| parsed(&format!("{rest}{contacts}")).map(drop).map_err(|error| error.to_string());
    let many =
        |count: usize| (0..count).map(|number| contact(number, &[format!("device-{number}")])).collect();
    assert_eq!(with(many(200)), Ok(()));
    let said = "bongsu.toml:1:1: [[contact]]: 201 of them, at most 200 are possible";
    assert_eq!(with(many(201)), Err(said.to_owned()));

    let devices: Vec<_> = (0..250).map(|number| format!("device-{number}")).collect();
    let twice = contact(1, &devices) + &contact(2, &devices);
    assert_eq!(with(twice.clone()), Ok(()));
    let said = "bongsu.toml:1:1: [[contact]]: 501 devices in all, at most 500 are possible";
    assert_eq!(with(twice + &contact(3, &["one-more".to_owned()])), Err(said.to_owned()));
}
