//! The file as it is written: which keys exist, and where they stand. What they mean is checked later,
//! so that one start reports every wrong value and not only the first.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use toml::Spanned;

/// A value of any type with its place in the file.
pub(super) type Leaf = Spanned<toml::Value>;

/// A table with the place of its header.
pub(super) type Part<T> = Spanned<Table<T>>;

/// A table whose keys the operator chooses.
pub(super) type Words = BTreeMap<Spanned<String>, Leaf>;

/// Tables that there may be several of.
pub(super) const LISTS: [&str; 5] = ["integration", "contact", "operator", "heartbeat", "sms.gateway"];

/// Keys that stand above the first table.
pub(super) const ABOVE_TABLES: [&str; 4] = ["public_url", "language", "time_zone", "templates"];

/// Keys that are known, and refused because nothing behind them works yet.
pub(super) const NOT_BUILT: [&str; 7] =
    ["tls", "rotation", "policy", "route", "peer", "status_page", "receipt_within"];

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawConfig {
    pub public_url: Option<Leaf>,
    pub language: Option<Leaf>,
    pub time_zone: Option<Leaf>,
    pub templates: Option<Leaf>,
    pub server: Option<Part<RawServer>>,
    pub store: Option<Part<RawStore>>,
    pub retry: Option<Part<RawRetry>>,
    pub fcm: Option<Part<RawFcm>>,
    pub sms: Option<Part<RawSms>>,
    pub integration: Vec<Part<RawIntegration>>,
    pub contact: Vec<Part<RawContact>>,
    pub operator: Vec<Part<RawOperator>>,
    pub heartbeat: Vec<Part<RawHeartbeat>>,
    pub rotation: Option<Leaf>,
    pub policy: Option<Leaf>,
    pub route: Option<Leaf>,
    pub peer: Option<Leaf>,
    pub status_page: Option<Leaf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawServer {
    pub listen: Option<Leaf>,
    pub body_limit: Option<Leaf>,
    pub tls: Option<Leaf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawStore {
    pub url: Option<Leaf>,
    pub keep: Option<Leaf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRetry {
    pub initial: Option<Leaf>,
    pub max: Option<Leaf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawFcm {
    pub service_account: Option<Leaf>,
    pub base_url: Option<Leaf>,
    pub extra_ca: Option<Leaf>,
    pub proxy: Option<Leaf>,
    pub accept_within: Option<Leaf>,
    pub receipt_within: Option<Leaf>,
    pub ttl: Option<Leaf>,
    pub android: Option<Leaf>,
    pub per_device: Option<Leaf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSms {
    pub always_at: Option<Leaf>,
    pub fallback_at: Option<Leaf>,
    pub resolved: Option<Leaf>,
    pub budget: Option<Leaf>,
    pub disaster_budget: Option<Leaf>,
    pub gateway: Vec<Part<RawGateway>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawGateway {
    pub name: Option<Leaf>,
    pub provider: Option<Leaf>,
    pub from: Option<Leaf>,
    pub timeout: Option<Leaf>,
    pub per_day: Option<Leaf>,
    pub extra_ca: Option<Leaf>,
    pub proxy: Option<Leaf>,
    pub base_url: Option<Leaf>,
    pub api_key: Option<Leaf>,
    pub api_secret: Option<Leaf>,
    pub method: Option<Leaf>,
    pub url: Option<Leaf>,
    pub headers: Option<Spanned<Words>>,
    pub body_type: Option<Leaf>,
    pub body: Option<Leaf>,
    pub accepted: Option<Part<RawAnswerRule>>,
    pub rejected: Option<Part<RawAnswerRule>>,
    pub id_pointer: Option<Leaf>,
    pub max_segments: Option<Leaf>,
    pub encoding: Option<Leaf>,
    pub account_sid: Option<Leaf>,
    pub auth_token: Option<Leaf>,
    pub messaging_service_sid: Option<Leaf>,
    pub username: Option<Leaf>,
    pub password: Option<Leaf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawAnswerRule {
    pub status: Option<Leaf>,
    pub pointer: Option<Leaf>,
    pub equals: Option<Leaf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawIntegration {
    pub name: Option<Leaf>,
    pub kind: Option<Leaf>,
    pub key: Option<Leaf>,
    pub hmac: Option<Part<RawHmac>>,
    pub time_zone: Option<Leaf>,
    pub close_after: Option<Leaf>,
    pub severity: Words,
    pub map: Words,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawHmac {
    pub secret: Option<Leaf>,
    pub header: Option<Leaf>,
    pub timestamp_header: Option<Leaf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawContact {
    pub name: Option<Leaf>,
    pub phone: Option<Leaf>,
    pub language: Option<Leaf>,
    pub devices: Option<Leaf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawOperator {
    pub name: Option<Leaf>,
    pub token: Option<Leaf>,
    pub role: Option<Leaf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawHeartbeat {
    pub name: Option<Leaf>,
    pub every: Option<Leaf>,
    pub grace: Option<Leaf>,
    pub severity: Option<Leaf>,
}

/// A table and nothing else: serde's derived structs would also take `[[server]]`, or an array, by position.
#[derive(Default)]
pub(super) struct Table<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TableVisitor(PhantomData))
    }
}

struct TableVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for TableVisitor<T> {
    type Value = Table<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Table<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Table)
    }
}
