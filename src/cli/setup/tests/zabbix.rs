//! The media type, as Zabbix imports it.

use super::*;

fn media_type(inputs: &Inputs) -> Value {
    yaml(Sheet::Zabbix, inputs)["zabbix_export"]["media_types"][0].clone()
}

fn parameter<'a>(media_type: &'a Value, name: &str) -> &'a str {
    let found = media_type["parameters"].as_sequence().unwrap().iter().find(|p| p["name"] == name);
    found.unwrap()["value"].as_str().unwrap()
}

#[test]
fn the_media_type_carries_address_and_key() {
    let media_type = media_type(&inputs(Some(KEY)));
    assert_eq!(parameter(&media_type, "bongsu_url"), "https://alerts.example.org/v1/events/mon");
    assert_eq!(parameter(&media_type, "bongsu_key"), KEY);
    assert_eq!(parameter(&media_type, "bongsu_url_2"), "");
}

#[test]
fn an_outage_of_a_minute_is_outlasted_with_a_wide_margin() {
    let media_type = media_type(&inputs(None));
    let attempts: u32 = media_type["attempts"].as_str().unwrap().parse().unwrap();
    let interval_s: u32 =
        media_type["attempt_interval"].as_str().unwrap().strip_suffix('s').unwrap().parse().unwrap();
    assert!(attempts <= 100, "Zabbix refuses more than 100 attempts");
    assert!(60 * 10 < (attempts - 1) * interval_s);
}

#[test]
fn every_kind_of_event_has_a_text_because_zabbix_fails_a_message_without_one() {
    let media_type = media_type(&inputs(None));
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
fn a_missing_key_is_pointed_out_and_refused_by_the_media_type() {
    let (_, steps) = written(Sheet::Zabbix, &inputs(None));
    assert!(steps.contains(KEY_PLACEHOLDER));
    assert_eq!(parameter(&media_type(&inputs(None)), "bongsu_key"), KEY_PLACEHOLDER);
}

proptest! {
    #[test]
    fn any_key_and_any_name_arrive_in_zabbix(key in "[!-~]([ -~]{0,58}[!-~])?", name in "\\PC{1,60}") {
        // The configuration refuses names that a path cannot carry.
        prop_assume!(name != "." && name != "..");
        let media_type = media_type(&Inputs { integration_name: name, ..inputs(Some(&key)) });
        prop_assert_eq!(parameter(&media_type, "bongsu_key"), &key);
        let url = Url::parse(parameter(&media_type, "bongsu_url")).unwrap();
        let (carried, _) = parameter(&media_type, "alert_message").split_once(' ').unwrap();
        let carried: Vec<_> = url::form_urlencoded::parse(carried.as_bytes()).take(2).collect();
        prop_assert_eq!(carried, [("bongsu_url".into(), url.as_str().into()), ("bongsu_key".into(), key.into())]);
        let segments: Vec<_> = url.path_segments().unwrap().collect();
        prop_assert!(segments.starts_with(&["v1", "events"]) && segments.len() == 3, "{url}");
        prop_assert!(url.query().is_none() && url.fragment().is_none(), "{url}");
    }
}
