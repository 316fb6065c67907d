use proptest::prelude::*;
use serde_json::json;

use super::*;

fn to_device(extra: Value) -> Value {
    let mut message = json!({ "token": "t" });
    if let (Some(message), Value::Object(extra)) = (message.as_object_mut(), extra) {
        message.extend(extra);
    }
    json!({ "message": message })
}

#[test]
fn a_message_with_every_documented_field_is_taken() {
    let mut android_notification = json!({
        "title": "t", "body": "b", "icon": "i", "color": "#aA00ff", "sound": "default", "tag": "t",
        "click_action": "c", "body_loc_key": "k", "body_loc_args": ["a"], "title_loc_key": "k",
        "title_loc_args": [], "channel_id": "alerts", "ticker": "t", "sticky": true, "local_only": false,
        "event_time": "2026-11-22T01:02:03.5Z", "notification_priority": "PRIORITY_MAX", "visibility": "public",
    });
    let more = json!({
        "default_sound": true, "default_vibrate_timings": false, "default_light_settings": false,
        "vibrate_timings": ["0.2s", "1s"], "notification_count": 3, "image": "https://example.org/i.png",
        "light_settings": {
            "color": { "red": 1, "green": 0.5, "blue": 0, "alpha": 1 },
            "light_on_duration": "1s", "light_off_duration": "0.1s",
        },
        "bypass_proxy_notification": false, "proxy": "IF_PRIORITY_LOWERED",
    });
    android_notification
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    let android = json!({
        "collapse_key": "k", "priority": "high", "ttl": "3.5s", "restricted_package_name": "org.example",
        "data": { "a": "b" }, "direct_boot_ok": true, "bandwidth_constrained_ok": false,
        "restricted_satellite_ok": false, "fcm_options": { "analytics_label": "l-1" },
        "notification": android_notification,
    });
    let apns = json!({
        "headers": { "apns-priority": "10", "apns-push-type": "alert", "apns-collapse-id": "x" },
        "payload": { "aps": { "alert": { "title": "t" }, "mutable-content": 1 }, "own": [1, null] },
        "fcm_options": { "analytics_label": "l", "image": "i" },
        "live_activity_token": "x",
    });
    let webpush = json!({
        "headers": { "TTL": "60", "Urgency": "high" },
        "data": { "a": "b" },
        "notification": { "title": "t", "requireInteraction": true },
        "fcm_options": { "link": "https://example.org", "analytics_label": "l" },
    });
    let message = json!({
        "token": "abc:DEF-1_2",
        "data": { "alert_id": "1", "empty": "" },
        "notification": { "title": "t", "body": "b", "image": "https://example.org/i.png" },
        "android": android, "apns": apns, "webpush": webpush, "fcm_options": { "analytics_label": "l" },
    });
    assert_eq!(check(&json!({ "validate_only": false, "message": message })), Ok(()));
}

#[test]
fn every_kind_of_target_is_taken_alone() {
    for target in [
        json!({ "token": "t" }),
        json!({ "fid": "c2Fmc2Fmc2Fmc2Fm-_AbCd" }),
        json!({ "topic": "all-hands" }),
        json!({ "condition": "'a' in topics" }),
    ] {
        assert_eq!(check(&json!({ "message": target })), Ok(()), "{target}");
    }
}

#[test]
fn camel_case_names_are_the_same_fields() {
    let message = to_device(json!({
        "android": { "collapseKey": "k", "notification": { "channelId": "c", "bodyLocArgs": ["a"] } },
        "fcmOptions": { "analyticsLabel": "l" },
    }));
    assert_eq!(check(&message), Ok(()));
}

#[test]
fn an_unknown_name_is_refused_with_its_place() {
    for (message, at, name) in [
        (json!({ "message": { "token": "t" }, "dry_run": true }), "", "dry_run"),
        (to_device(json!({ "to": "t" })), "message", "to"),
        (to_device(json!({ "android": { "Priority": "high" } })), "message.android", "Priority"),
        (
            to_device(json!({ "android": { "notification": { "colour": "#fff" } } })),
            "message.android.notification",
            "colour",
        ),
        (
            to_device(json!({ "webpush": { "fcm_options": { "url": "x" } } })),
            "message.webpush.fcm_options",
            "url",
        ),
    ] {
        assert_eq!(
            check(&message),
            Err(Flaw { at: at.into(), what: What::UnknownName(name.into()) }),
            "{message}"
        );
    }
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_its_place() {
    for (extra, at, kind) in [
        (json!({ "data": { "count": 3 } }), "message.data[0].value", "TYPE_STRING"),
        (json!({ "data": { "nested": {} } }), "message.data[0].value", "TYPE_STRING"),
        (json!({ "data": { "nothing": null } }), "message.data[0].value", "TYPE_STRING"),
        (json!({ "data": [] }), "message.data", "Map"),
        (json!({ "notification": { "title": 1 } }), "message.notification.title", "TYPE_STRING"),
        (json!({ "android": { "direct_boot_ok": "true" } }), "message.android.direct_boot_ok", "TYPE_BOOL"),
        (json!({ "android": { "priority": "urgent" } }), "message.android.priority", "TYPE_ENUM"),
        (json!({ "android": "high" }), "message.android", "Message"),
        (
            json!({ "apns": { "headers": { "apns-priority": 10 } } }),
            "message.apns.headers[0].value",
            "TYPE_STRING",
        ),
        (
            json!({ "android": { "notification": { "vibrate_timings": ["1s", 2] } } }),
            "message.android.notification.vibrate_timings[1]",
            "TYPE_STRING",
        ),
        (json!({ "apns": { "payload": "{}" } }), "message.apns.payload", "Struct"),
    ] {
        match check(&to_device(extra.clone())) {
            Err(Flaw { at: found_at, what: What::WrongType(found, _) }) => {
                assert_eq!((found_at.as_str(), found), (at, kind), "{extra}");
            }
            other => panic!("{extra}: {other:?}"),
        }
    }
}

#[test]
fn a_value_that_fcm_itself_dislikes_is_refused_with_its_place() {
    for (extra, at) in [
        (json!({ "token": "" }), "message.token"),
        (json!({ "token": "has space" }), "message.token"),
        (json!({ "data": { "from": "x" } }), "message.data"),
        (json!({ "data": { "google.x": "x" } }), "message.data"),
        (json!({ "data": { "gcm": "x" } }), "message.data"),
        (json!({ "android": { "ttl": "2419201s" } }), "message.android.ttl"),
        (json!({ "android": { "notification": { "color": "red" } } }), "message.android.notification.color"),
        (json!({ "fcm_options": { "analytics_label": "a b" } }), "message.fcm_options.analytics_label"),
        (json!({ "webpush": { "fcm_options": { "link": "http://x" } } }), "message.webpush.fcm_options.link"),
        (
            json!({ "apns": { "headers": { "apns-collapse-id": "x".repeat(65) } } }),
            "message.apns.headers.apns-collapse-id",
        ),
        (
            json!({ "apns": { "payload": { "aps": { "content-available": 1 } } } }),
            "message.apns.headers.apns-priority",
        ),
    ] {
        match check(&to_device(extra.clone())) {
            Err(Flaw { at: found, what: What::BadValue(_) }) => assert_eq!(found, at, "{extra}"),
            other => panic!("{extra}: {other:?}"),
        }
    }
}

#[test]
fn a_duration_has_seconds_and_an_s() {
    for (ttl, is_taken) in [
        ("0s", true),
        ("3600s", true),
        ("3.5s", true),
        ("2419200s", true),
        ("3600", false),
        ("1h", false),
        ("-1s", false),
        ("s", false),
        (".s", false),
        ("1e3s", false),
        ("infs", false),
        ("2419201s", false),
    ] {
        assert_eq!(check(&to_device(json!({ "android": { "ttl": ttl } }))).is_ok(), is_taken, "{ttl}");
    }
    assert!(check(&to_device(json!({ "android": { "ttl": 3600 } }))).is_err());
}

#[test]
fn no_target_and_two_targets_are_refused() {
    for nobody in [
        json!({}),
        json!({ "message": null }),
        json!({ "message": {} }),
        json!({ "message": { "token": null } }),
    ] {
        let flaw = bad("Recipient of the message is not set.").under("message");
        assert_eq!(check(&nobody), Err(flaw), "{nobody}");
    }
    assert!(matches!(
        check(&to_device(json!({ "topic": "t" }))),
        Err(Flaw { what: What::WrongType(..), .. })
    ));
    assert!(matches!(check(&to_device(json!({ "fid": "f" }))), Err(Flaw { what: What::WrongType(..), .. })));
}

#[test]
fn the_payload_may_have_4096_bytes_to_a_device_and_2048_to_a_topic() {
    let sized = |target: &str, bytes: usize| json!({ "message": { target: "t", "data": { "k": "x".repeat(bytes - 1) }, "android": { "priority": "HIGH" } } });
    assert_eq!(check(&sized("token", PAYLOAD_BYTES_MAX)), Ok(()));
    assert_eq!(check(&sized("token", PAYLOAD_BYTES_MAX + 1)), Err(What::TooBig.here()));
    assert_eq!(check(&sized("topic", TOPIC_PAYLOAD_BYTES_MAX)), Ok(()));
    assert_eq!(check(&sized("topic", TOPIC_PAYLOAD_BYTES_MAX + 1)), Err(What::TooBig.here()));
    // Korean letters have three bytes each.
    assert_eq!(check(&to_device(json!({ "data": { "k": "가".repeat(1366) } }))), Err(What::TooBig.here()));
    let apns = json!({ "aps": { "alert": { "body": "x".repeat(4096) } } });
    assert_eq!(check(&to_device(json!({ "apns": { "payload": apns } }))), Err(What::TooBig.here()));
}

fn any_json() -> impl Strategy<Value = Value> {
    let names =
        prop_oneof!["message|token|topic|data|android|apns|notification|payload|headers|ttl", ".{0,6}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(names.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_the_check_panic(request in any_json()) {
        if let Err(flaw) = check(&request) {
            prop_assert_eq!(flaw.answer().status(), 400);
        }
    }

    #[test]
    fn data_of_texts_is_taken_as_it_is(data in prop::collection::hash_map("[a-e]{1,8}", ".{0,20}", 0..10)) {
        prop_assert_eq!(check(&to_device(json!({ "data": data }))), Ok(()));
    }
}
