//! The contact point, as Grafana's file provisioning reads it.

use super::*;

/// What Grafana makes of a string (`pkg/services/provisioning/values`): `$$` is a `$`, and any other `$` begins
/// a variable.
fn interpolated(text: &str) -> String {
    let parts: Vec<_> = text.split("$$").collect();
    assert!(parts.iter().all(|part| !part.contains('$')), "Grafana would look for a variable in {text}");
    parts.join("$")
}

fn contact_point(inputs: &Inputs) -> Value {
    let file = yaml(Sheet::Grafana, inputs);
    assert_eq!(file["apiVersion"], 1);
    let keys: Vec<_> = file.as_mapping().unwrap().keys().map(|key| key.as_str().unwrap()).collect();
    assert_eq!(keys, ["apiVersion", "contactPoints"], "policies would replace the whole tree of the user");
    assert_eq!(file["contactPoints"].as_sequence().unwrap().len(), 1);
    file["contactPoints"][0].clone()
}

#[test]
fn a_contact_point_is_provisioned_and_nothing_else() {
    let contact_point = contact_point(&inputs(Some(KEY)));
    assert_eq!(contact_point["name"], "Bongsu mon");
    let receiver = &contact_point["receivers"][0];
    assert_eq!(receiver["uid"], "bongsu-mon");
    assert_eq!(receiver["type"], "webhook");
    assert_eq!(receiver["disableResolveMessage"], false);
    let settings = &receiver["settings"];
    assert_eq!(settings["url"], "https://alerts.example.org/v1/events/mon");
    assert_eq!(settings["httpMethod"], "POST");
    assert_eq!(settings["authorization_scheme"], "Bearer");
    assert_eq!(settings["authorization_credentials"], KEY);
    assert_eq!(settings["maxAlerts"], "0");
    assert!(settings.get("hmacConfig").is_none());
}

#[test]
fn a_signature_is_set_up_where_there_is_one() {
    let signature = |timestamp_header: &str| {
        let signature = Hmac {
            secret: "sign$ed \"secret\"".into(),
            header: "X-Grafana-Alerting-Signature".into(),
            timestamp_header: Some(timestamp_header.into()),
        };
        let inputs = Inputs { signature: Some(signature), ..inputs(Some(KEY)) };
        assert!(!written(Sheet::Grafana, &inputs).1.contains("hmac"), "it has one already");
        contact_point(&inputs)["receivers"][0]["settings"]["hmacConfig"].clone()
    };
    let timed = signature("X-Grafana-Alerting-Timestamp");
    assert_eq!(interpolated(timed["secret"].as_str().unwrap()), "sign$ed \"secret\"");
    assert_eq!(timed["header"], "X-Grafana-Alerting-Signature");
    assert_eq!(timed["timestampHeader"], "X-Grafana-Alerting-Timestamp");
    assert!(signature("").get("timestampHeader").is_none());
    assert!(written(Sheet::Grafana, &inputs(Some(KEY))).1.contains("`hmac`"));
}

#[test]
fn hostile_keys_arrive_as_they_are() {
    for key in HOSTILE_KEYS {
        let inputs = Inputs { base_url: "https://a.example/$x${y}".into(), ..inputs(Some(key)) };
        let settings = contact_point(&inputs)["receivers"][0]["settings"].clone();
        assert_eq!(interpolated(settings["authorization_credentials"].as_str().unwrap()), key);
        let url = interpolated(settings["url"].as_str().unwrap());
        assert_eq!(url, "https://a.example/$x$%7By%7D/v1/events/mon", "and no template of Grafana's");
    }
}

#[test]
fn integrations_of_one_grafana_do_not_overwrite_each_other() {
    let uid = |name: &str| {
        let contact_point = contact_point(&Inputs { integration_name: name.into(), ..inputs(Some(KEY)) });
        contact_point["receivers"][0]["uid"].as_str().unwrap().to_owned()
    };
    let names = ["a.b", "a_b", "a-b", &"x".repeat(64), &"x".repeat(63)].map(uid);
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
}
