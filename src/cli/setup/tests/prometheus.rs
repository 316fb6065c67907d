//! What Alertmanager and Prometheus read.

use super::*;

#[test]
fn the_receiver_is_told_of_ends_and_shows_its_key() {
    let file = yaml(Sheet::Alertmanager, &inputs(Some(KEY)));
    let webhook = &file["receivers"][0]["webhook_configs"][0];
    assert_eq!(webhook["url"], "https://alerts.example.org/v1/events/mon");
    assert_eq!(webhook["send_resolved"], true);
    assert_eq!(webhook["max_alerts"], 0);
    assert_eq!(webhook["http_config"]["authorization"]["type"], "Bearer");
    assert_eq!(webhook["http_config"]["authorization"]["credentials"], KEY);
    assert_eq!(file["receivers"].as_sequence().unwrap().len(), 1);
}

#[test]
fn every_route_leads_to_the_receiver_and_none_keeps_alerts_from_others() {
    let file = yaml(Sheet::Alertmanager, &inputs(Some(KEY)));
    assert_eq!(file["route"]["receiver"], file["receivers"][0]["name"]);
    let root: Vec<_> = file["route"].as_mapping().unwrap().keys().map(|key| key.as_str().unwrap()).collect();
    assert_eq!(root, ["receiver", "routes"], "anything else would be inherited by the user's own tree below");
    let routes = file["route"]["routes"].as_sequence().unwrap();
    let matchers: Vec<_> = routes.iter().map(|route| route["matchers"][0].as_str().unwrap()).collect();
    assert_eq!(matchers, ["alertname=\"Watchdog\"", "alertname!=\"Watchdog\""]);
    for route in routes {
        assert_eq!(route["receiver"], file["receivers"][0]["name"]);
        assert_eq!(route["continue"], true);
    }
}

#[test]
fn the_watchdog_calls_as_often_as_the_steps_tell_bongsu_to_expect() {
    let (file, steps) = written(Sheet::Alertmanager, &inputs(Some(KEY)));
    let file: Value = serde_norway::from_str(&file).unwrap();
    let route = &file["route"]["routes"][0];
    // A repeat is due when more than its interval has passed at the tick of the group.
    assert_eq!(
        (route["group_interval"].as_str(), route["repeat_interval"].as_str()),
        (Some("1m"), Some("50s"))
    );
    for line in
        ["[[heartbeat]]", "name = \"Watchdog\"", "every = \"1m\"", "grace = \"3m\"", "alert: Watchdog"]
    {
        assert!(steps.contains(line), "{line}");
    }
}

#[test]
fn prometheus_posts_to_the_path_that_bongsu_serves() {
    for (base_url, scheme, target, prefix) in [
        ("https://alerts.example.org", "https", "alerts.example.org:443", "/v1/events/mon"),
        ("http://10.0.0.5:8080/b", "http", "10.0.0.5:8080", "/b/v1/events/mon"),
        ("http://[fd00::1]", "http", "[fd00::1]:80", "/v1/events/mon"),
    ] {
        let file = yaml(Sheet::Prometheus, &Inputs { base_url: base_url.into(), ..inputs(Some(KEY)) });
        let alertmanager = &file["alerting"]["alertmanagers"][0];
        assert_eq!(alertmanager["scheme"], scheme);
        assert_eq!(alertmanager["static_configs"][0]["targets"][0], target);
        // Prometheus adds /api/v2/alerts.
        assert_eq!(alertmanager["path_prefix"], prefix);
        assert_eq!(alertmanager["api_version"], "v2");
        assert_eq!(alertmanager["authorization"]["credentials"], KEY);
    }
}

#[test]
fn hostile_keys_arrive_as_they_are() {
    for key in HOSTILE_KEYS {
        let alertmanager = yaml(Sheet::Alertmanager, &inputs(Some(key)));
        let webhook = &alertmanager["receivers"][0]["webhook_configs"][0];
        assert_eq!(webhook["http_config"]["authorization"]["credentials"], key);
        let prometheus = yaml(Sheet::Prometheus, &inputs(Some(key)));
        assert_eq!(prometheus["alerting"]["alertmanagers"][0]["authorization"]["credentials"], key);
    }
}

#[test]
fn an_address_cannot_end_the_shell_word_of_vmalert() {
    let inputs = Inputs { base_url: "https://a.example/it's;id".into(), ..inputs(Some(KEY)) };
    let (_, steps) = written(Sheet::Prometheus, &inputs);
    assert!(steps.contains(r"-notifier.url='https://a.example/it'\''s;id/v1/events/mon'"), "{steps}");
}
