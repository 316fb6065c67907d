//! The `Message` of FCM HTTP v1, as the reference of `projects.messages` documents it.

/// A field: its name in snake case (JSON may use camel case as well) and what it holds.
pub(super) type Field = (&'static str, Kind);

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// A text with a form of its own; the words are said to who got it wrong.
    Formed(fn(&str) -> bool, &'static str),
    Bool,
    Integer,
    Number,
    Texts,
    /// Seconds with a fraction, such as `3.5s`.
    Duration,
    Durations,
    /// One of these words, in any case, or its number.
    Word(&'static [&'static str]),
    TextMap,
    /// As `TextMap`, but Google keeps some names to itself.
    Data,
    Object(&'static [Field]),
    /// Any JSON object: a `google.protobuf.Struct`.
    Free,
}

pub(super) const REQUEST: &[Field] = &[("validate_only", Kind::Bool), ("message", Kind::Object(MESSAGE))];

/// Exactly one of these says where a message goes.
pub(super) const TARGETS: [&str; 4] = ["token", "fid", "topic", "condition"];

const MESSAGE: &[Field] = &[
    // Google's own, in answers; allowed and ignored in requests.
    ("name", Kind::Text),
    ("token", Kind::Formed(is_token, "Invalid registration token")),
    ("fid", Kind::Formed(is_fid, "Invalid Firebase installation id")),
    ("topic", Kind::Formed(is_topic, "Invalid topic name")),
    ("condition", Kind::Text),
    ("data", Kind::Data),
    ("notification", Kind::Object(NOTIFICATION)),
    ("android", Kind::Object(ANDROID)),
    ("apns", Kind::Object(APNS)),
    ("webpush", Kind::Object(WEBPUSH)),
    ("fcm_options", Kind::Object(FCM_OPTIONS)),
];

const NOTIFICATION: &[Field] = &[("title", Kind::Text), ("body", Kind::Text), ("image", Kind::Text)];

const LABEL: Field = ("analytics_label", Kind::Formed(is_label, "Invalid analytics label"));
const FCM_OPTIONS: &[Field] = &[LABEL];

const ANDROID: &[Field] = &[
    ("collapse_key", Kind::Text),
    ("priority", Kind::Word(&["NORMAL", "HIGH"])),
    ("ttl", Kind::Duration),
    ("restricted_package_name", Kind::Text),
    ("data", Kind::Data),
    ("notification", Kind::Object(ANDROID_NOTIFICATION)),
    ("fcm_options", Kind::Object(FCM_OPTIONS)),
    ("direct_boot_ok", Kind::Bool),
    ("bandwidth_constrained_ok", Kind::Bool),
    ("restricted_satellite_ok", Kind::Bool),
];

const ANDROID_NOTIFICATION: &[Field] = &[
    ("title", Kind::Text),
    ("body", Kind::Text),
    ("icon", Kind::Text),
    ("color", Kind::Formed(is_color, "Invalid color, expected #rrggbb")),
    ("sound", Kind::Text),
    ("tag", Kind::Text),
    ("click_action", Kind::Text),
    ("body_loc_key", Kind::Text),
    ("body_loc_args", Kind::Texts),
    ("title_loc_key", Kind::Text),
    ("title_loc_args", Kind::Texts),
    ("channel_id", Kind::Text),
    ("ticker", Kind::Text),
    ("sticky", Kind::Bool),
    ("event_time", Kind::Formed(is_instant, "Invalid event time, expected RFC 3339")),
    ("local_only", Kind::Bool),
    (
        "notification_priority",
        Kind::Word(&[
            "PRIORITY_UNSPECIFIED",
            "PRIORITY_MIN",
            "PRIORITY_LOW",
            "PRIORITY_DEFAULT",
            "PRIORITY_HIGH",
            "PRIORITY_MAX",
        ]),
    ),
    ("default_sound", Kind::Bool),
    ("default_vibrate_timings", Kind::Bool),
    ("default_light_settings", Kind::Bool),
    ("vibrate_timings", Kind::Durations),
    ("visibility", Kind::Word(&["VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"])),
    ("notification_count", Kind::Integer),
    ("light_settings", Kind::Object(LIGHT_SETTINGS)),
    ("image", Kind::Text),
    ("bypass_proxy_notification", Kind::Bool),
    ("proxy", Kind::Word(&["PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"])),
];

const LIGHT_SETTINGS: &[Field] = &[
    ("color", Kind::Object(COLOR)),
    ("light_on_duration", Kind::Duration),
    ("light_off_duration", Kind::Duration),
];

const COLOR: &[Field] =
    &[("red", Kind::Number), ("green", Kind::Number), ("blue", Kind::Number), ("alpha", Kind::Number)];

const APNS: &[Field] = &[
    ("headers", Kind::TextMap),
    ("payload", Kind::Free),
    ("fcm_options", Kind::Object(&[LABEL, ("image", Kind::Text)])),
    ("live_activity_token", Kind::Text),
];

const WEBPUSH: &[Field] = &[
    ("headers", Kind::TextMap),
    ("data", Kind::TextMap),
    ("notification", Kind::Free),
    (
        "fcm_options",
        Kind::Object(&[LABEL, ("link", Kind::Formed(is_https, "Invalid link, expected https://"))]),
    ),
];

/// Real ones have about 160.
const TOKEN_BYTES_MAX: usize = 4096;
/// Real ones have 22.
const FID_BYTES_MAX: usize = 64;
const LABEL_BYTES_MAX: usize = 50;

/// Letters, digits and `marks`.
fn is_word(text: &str, bytes_max: usize, marks: &[u8]) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || marks.contains(&b);
    !text.is_empty() && text.len() <= bytes_max && text.bytes().all(allowed)
}

fn is_token(text: &str) -> bool {
    is_word(text, TOKEN_BYTES_MAX, b"-_:.")
}

fn is_fid(text: &str) -> bool {
    is_word(text, FID_BYTES_MAX, b"-_")
}

fn is_topic(text: &str) -> bool {
    is_word(text, usize::MAX, b"-_.~%")
}

fn is_label(text: &str) -> bool {
    is_word(text, LABEL_BYTES_MAX, b"-_.~%")
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_instant(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

fn is_https(text: &str) -> bool {
    text.starts_with("https://")
}
