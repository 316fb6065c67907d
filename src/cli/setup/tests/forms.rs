//! Values that a person copies into fields.

use super::*;

fn field(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in:\n{text}")).trim_start().to_owned()
}

#[test]
fn the_headers_of_uptime_kuma_are_json() {
    for key in HOSTILE_KEYS.into_iter().chain([KEY]) {
        let text = file(Sheet::UptimeKuma, &inputs(Some(key)));
        assert_eq!(field(&text, "Notification Type"), "Webhook");
        assert_eq!(field(&text, "Post URL"), "https://alerts.example.org/v1/events/mon");
        assert_eq!(field(&text, "Request Body"), "Preset - application/json");
        let headers: serde_json::Value = serde_json::from_str(&field(&text, "Additional Headers")).unwrap();
        assert_eq!(headers, serde_json::json!({"Authorization": format!("Bearer {key}")}));
    }
}

#[test]
fn whatap_gets_a_header_and_the_plain_webhook_a_key_in_its_address() {
    for key in HOSTILE_KEYS.into_iter().chain([KEY]) {
        let text = file(Sheet::Whatap, &inputs(Some(key)));
        assert_eq!(field(&text, "Webhook URL"), "https://alerts.example.org/v1/events/mon");
        assert_eq!(field(&text, "사용자 헤더"), format!("Authorization: Bearer {key}"));

        let text = file(Sheet::WhatapPlain, &inputs(Some(key)));
        let url = Url::parse(&field(&text, "Webhook URL")).unwrap();
        assert_eq!(url.path(), "/v1/events/mon");
        // As our door reads it.
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs, [("key".to_owned(), key.to_owned())]);
    }
}
