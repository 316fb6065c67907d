//! The media type is read back by a YAML parser, as Zabbix does.

use proptest::prelude::*;
use serde_norway::Value;

use super::*;

fn inputs(key: Option<&str>) -> ZabbixSetup {
    ZabbixSetup {
        integration_name: "zabbix".into(),
        public_url: "https://alerts.example.org".into(),
        key: key.map(SecretString::from),
    }
}

fn written(inputs: &ZabbixSetup) -> (String, String) {
    let (mut out, mut steps) = (Vec::new(), Vec::new());
    zabbix(&mut out, &mut steps, inputs).unwrap();
    (String::from_utf8(out).unwrap(), String::from_utf8(steps).unwrap())
}

fn media_type(yaml: &str) -> Value {
    serde_norway::from_str::<Value>(yaml).unwrap()["zabbix_export"]["media_types"][0].clone()
}

fn parameter<'a>(media_type: &'a Value, name: &str) -> &'a str {
    let found = media_type["parameters"].as_sequence().unwrap().iter().find(|p| p["name"] == name);
    found.unwrap()["value"].as_str().unwrap()
}

#[test]
fn the_media_type_carries_address_and_key() {
    let (yaml, _) = written(&inputs(Some("s3cret")));
    let media_type = media_type(&yaml);
    assert_eq!(parameter(&media_type, "bongsu_url"), "https://alerts.example.org/v1/events/zabbix");
    assert_eq!(parameter(&media_type, "bongsu_key"), "s3cret");
    assert_eq!(parameter(&media_type, "bongsu_url_2"), "");
}

#[test]
fn an_outage_of_a_minute_is_outlasted_with_a_wide_margin() {
    let media_type = media_type(&written(&inputs(None)).0);
    let attempts: u32 = media_type["attempts"].as_str().unwrap().parse().unwrap();
    let interval_s: u32 =
        media_type["attempt_interval"].as_str().unwrap().strip_suffix('s').unwrap().parse().unwrap();
    assert!(attempts <= 100, "Zabbix refuses more than 100 attempts");
    assert!(60 * 10 < (attempts - 1) * interval_s);
}

#[test]
fn every_kind_of_event_has_a_text_because_zabbix_fails_a_message_without_one() {
    let media_type = media_type(&written(&inputs(None)).0);
    let templates = media_type["message_templates"].as_sequence().unwrap();
    let kinds: Vec<_> = templates
        .iter()
        .map(|t| (t["event_source"].as_str().unwrap(), t["operation_mode"].as_str().unwrap()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("TRIGGERS", "PROBLEM"),
            ("TRIGGERS", "RECOVERY"),
            ("TRIGGERS", "UPDATE"),
            ("DISCOVERY", "PROBLEM"),
            ("AUTOREGISTRATION", "PROBLEM"),
            ("INTERNAL", "PROBLEM"),
            ("INTERNAL", "RECOVERY"),
            ("SERVICE", "PROBLEM"),
            ("SERVICE", "RECOVERY"),
            ("SERVICE", "UPDATE"),
        ]
    );
}

#[test]
fn the_steps_name_what_is_forgotten_most_and_never_the_key() {
    let (_, steps) = written(&inputs(Some("s3cret")));
    for phrase in ["Recovery operations", "Update operations", "READ permission", "5 (Disaster)"] {
        assert!(steps.contains(phrase), "{phrase}");
    }
    assert!(!steps.contains("s3cret") && !steps.contains("PUT THE KEY"));
}

#[test]
fn a_missing_key_and_plain_http_are_pointed_out() {
    let plain = ZabbixSetup { public_url: "http://10.0.0.5:8080/".into(), ..inputs(None) };
    let (yaml, steps) = written(&plain);
    assert!(steps.contains(KEY_PLACEHOLDER) && steps.contains("unencrypted"));
    assert_eq!(parameter(&media_type(&yaml), "bongsu_key"), KEY_PLACEHOLDER);
    assert_eq!(parameter(&media_type(&yaml), "bongsu_url"), "http://10.0.0.5:8080/v1/events/zabbix");
}

#[test]
fn what_zabbix_could_not_use_is_refused_before_anything_is_written() {
    for key in ["", "  ", "two\nlines", "bell\u{7}"] {
        let (mut out, mut steps) = (Vec::new(), Vec::new());
        let refused = zabbix(&mut out, &mut steps, &inputs(Some(key)));
        assert!(matches!(refused, Err(SetupError::Key(_))), "{key:?}");
        assert!(out.is_empty() && steps.is_empty());
    }
    for public_url in ["", "alerts.example.org", "ftp://alerts.example.org", "mailto:jin@example.org"] {
        let refused = zabbix(
            &mut io::sink(),
            &mut io::sink(),
            &ZabbixSetup { public_url: public_url.into(), ..inputs(None) },
        );
        assert!(matches!(refused, Err(SetupError::PublicUrl(_))), "{public_url:?}");
    }
}

proptest! {
    #[test]
    fn any_text_survives_the_yaml_string(text in any::<String>()) {
        let read: String = serde_norway::from_str(&yaml_string(text.clone())).unwrap();
        prop_assert_eq!(read, text);
    }

    #[test]
    fn any_key_and_any_name_arrive_in_zabbix(key in "\\PC{1,60}", name in "\\PC{1,60}") {
        // The configuration refuses names that a path cannot carry.
        prop_assume!(header_value(&key).is_some() && name != "." && name != "..");
        let written = written(&ZabbixSetup { integration_name: name.clone(), ..inputs(Some(&key)) }).0;
        let media_type = media_type(&written);
        prop_assert_eq!(parameter(&media_type, "bongsu_key"), key.trim());
        let url = Url::parse(parameter(&media_type, "bongsu_url")).unwrap();
        let segments: Vec<_> = url.path_segments().unwrap().collect();
        prop_assert!(segments.starts_with(&["v1", "events"]) && segments.len() == 3, "{url}");
        prop_assert!(url.query().is_none() && url.fragment().is_none(), "{url}");
    }
}
