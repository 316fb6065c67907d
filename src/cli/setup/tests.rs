//! What is printed is read back as the sender reads it.

mod curl;
mod forms;
mod munin;
mod prometheus;
mod grafana;
mod steps;
mod zabbix;

use proptest::prelude::*;
use serde_norway::Value;

use super::*;

const KEY: &str = "s3cret-key-0123456789";

/// Keys that some place would take for more than a key.
const HOSTILE_KEYS: [&str; 12] = [
    r#"quote"quote'"#,
    r"back\slash\n",
    "dollar$HOME${HOME}$$end$",
    "hash # no comment",
    "{{ template }} {% raw %}",
    "`id` $(id) ; rm -rf / & | > <",
    ": - ? ! % @ * & #",
    "true",
    "0x10",
    "~",
    "percent%41+plus&key=2",
    "<not a placeholder",
];

fn inputs(key: Option<&str>) -> Inputs {
    Inputs::new("mon", "https://alerts.example.org", key.map(SecretString::from))
}

fn written(sheet: Sheet, inputs: &Inputs) -> (String, String) {
    let (mut out, mut steps) = (Vec::new(), Vec::new());
    write(sheet, &mut out, &mut steps, inputs).unwrap();
    (String::from_utf8(out).unwrap(), String::from_utf8(steps).unwrap())
}

fn file(sheet: Sheet, inputs: &Inputs) -> String {
    written(sheet, inputs).0
}

fn yaml(sheet: Sheet, inputs: &Inputs) -> Value {
    let text = file(sheet, inputs);
    serde_norway::from_str(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

#[test]
fn what_no_sender_could_use_is_refused_before_anything_is_written() {
    for sheet in Sheet::ALL {
        let refused = |inputs: &Inputs| {
            let (mut out, mut steps) = (Vec::new(), Vec::new());
            let refused = write(sheet, &mut out, &mut steps, inputs).unwrap_err();
            assert!(out.is_empty() && steps.is_empty());
            refused
        };
        for key in ["", "  ", " around ", "two\nlines", "bell\u{7}", "열쇠", "tab\tbed"] {
            let error = refused(&inputs(Some(key)));
            assert!(matches!(error, SetupError::Key(_)), "{key:?}");
            assert!(key.trim().is_empty() || !error.to_string().contains(key), "{error}");
        }
        for url in
            ["", "alerts.example.org", "ftp://a.example", "mailto:jin@a.example", "https://u:p@a.example"]
        {
            let error = refused(&Inputs { base_url: url.into(), ..inputs(Some(KEY)) });
            assert!(matches!(error, SetupError::BaseUrl(_)), "{url:?}");
        }
        for path in
            ["bongsu.curl", "/etc/a b", "/etc/a;id", "/etc/$HOME", "/etc/a#b", "/etc/a\\", "/etc/\n", ""]
        {
            let error = refused(&Inputs { munin_key_file: path.into(), ..inputs(Some(KEY)) });
            assert!(matches!(error, SetupError::KeyFile(_)), "{path:?}");
        }
    }
}

#[test]
fn every_address_is_below_the_one_that_was_configured() {
    for (base_url, expected) in [
        ("https://alerts.example.org", "https://alerts.example.org/v1/events/mon"),
        ("https://alerts.example.org/", "https://alerts.example.org/v1/events/mon"),
        ("http://10.0.0.5:8080/bongsu/", "http://10.0.0.5:8080/bongsu/v1/events/mon"),
        ("http://[::1]:8080", "http://[::1]:8080/v1/events/mon"),
    ] {
        let inputs = Inputs { base_url: base_url.into(), ..inputs(Some(KEY)) };
        // Prometheus puts it together from its parts, and the contact lines name the file that has it.
        for sheet in Sheet::ALL.into_iter().filter(|sheet| !matches!(sheet, Sheet::Prometheus | Sheet::Munin))
        {
            assert!(file(sheet, &inputs).contains(expected), "{sheet:?} {base_url}");
        }
    }
}

#[test]
fn every_integration_is_found_by_kind_or_by_name() {
    let config = |integrations: &[(&str, &str)]| {
        let part = |(name, kind): &(&str, &str)| {
            format!(
                "[[integration]]\nname = \"{name}\"\nkind = \"{kind}\"\nkey = \"key-of-integration-{name}\"\n"
            )
        };
        let rest = r#"
[[sms.gateway]]
name = "other"
provider = "http"
url = "https://sms.example.org/send"
body = '{"to": "{{to}}", "text": "{{text}}"}'
[[contact]]
name = "jin"
phone = "+821012345678"
"#;
        let text = rest.to_owned() + &integrations.iter().map(part).collect::<String>();
        crate::config::parse(&text, std::path::Path::new("bongsu.toml"), &|_| None).unwrap()
    };
    for sheet in Sheet::ALL {
        let word = sheet.kind_word();
        let other = if word == "zabbix" { "munin" } else { "zabbix" };
        let none = choose(&config(&[("x", other)]), sheet, None).unwrap_err().to_string();
        assert!(none.contains(&format!("kind = \"{word}\"")), "{none}");

        let one = config(&[("x", other), ("a", word)]);
        assert_eq!(choose(&one, sheet, None).unwrap().name, "a");
        assert_eq!(choose(&one, sheet, Some("a")).unwrap().name, "a");
        let unknown = choose(&one, sheet, Some("x")).unwrap_err().to_string();
        assert_eq!(unknown, format!("there is no {word} integration `x`, but: a"));

        let two = config(&[("a", word), ("b", word)]);
        let which = choose(&two, sheet, None).unwrap_err().to_string();
        assert_eq!(which, "which one? give --integration NAME: a, b");
        assert_eq!(choose(&two, sheet, Some("b")).unwrap().name, "b");
    }
}

proptest! {
    #[test]
    fn any_text_survives_the_yaml_string(text in any::<String>()) {
        let read: String = serde_norway::from_str(&quote::yaml(&text)).unwrap();
        prop_assert_eq!(read, text);
    }

    #[test]
    fn a_uid_is_one_that_grafana_takes(name in "[A-Za-z0-9_.-]{1,64}") {
        let uid = quote::grafana_uid(&name);
        prop_assert!(uid.len() <= 40 && uid.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)), "{uid}");
    }
}

#[test]
fn without_push_a_sender_s_test_button_is_said_to_ring_nobody() {
    for sheet in [Sheet::Zabbix, Sheet::Grafana, Sheet::UptimeKuma, Sheet::Whatap] {
        let (_, steps) = written(sheet, &inputs(Some(KEY)));
        assert!(!steps.contains("[fcm]"), "{steps}");
        let (_, steps) = written(sheet, &Inputs { pushes: false, ..inputs(Some(KEY)) });
        assert!(steps.contains("[fcm]") && steps.contains("bongsu send"), "{steps}");
    }
}
