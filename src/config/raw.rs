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

/// A key, where it stands and what it says.
#[derive(Clone, Copy)]
pub(super) struct Field<'f> {
    pub key: &'f str,
    /// The first byte of what is wrong if it is; without one that is the table's header.
    pub at: Option<usize>,
    pub value: Option<&'f toml::Value>,
}

impl<'f> Field<'f> {
    pub(super) fn new(key: &'f str, leaf: Option<&'f Leaf>) -> Self {
        Self { key, at: leaf.map(|leaf| leaf.span().start), value: leaf.map(Spanned::get_ref) }
    }

    /// Where it is missing, what is wrong stands at this table or word.
    pub(super) fn or_at<T>(self, place: &Spanned<T>) -> Self {
        Self { at: self.at.or(Some(place.span().start)), ..self }
    }

    /// The same value under a name that says more, such as that of the table it stands in.
    pub(super) fn named(self, key: &'f str) -> Self {
        Self { key, ..self }
    }
}

/// A key that is missing.
impl<'f> From<&'f str> for Field<'f> {
    fn from(key: &'f str) -> Self {
        Self { key, at: None, value: None }
    }
}

/// Tables and their keys, in the order in which errors list them. A key without a type holds one value, which a
/// method of the same name returns as a [`Field`].
macro_rules! tables {
    ($($table:ident { $($key:ident $(: $kind:ty)?),* $(,)? })*) => {$(
        #[derive(Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(super) struct $table {
            $(pub $key: kind!($($kind)?),)*
        }

        impl $table {
            $(method!($key $($kind)?);)*
        }
    )*};
}

macro_rules! kind {
    () => { Option<Leaf> };
    ($kind:ty) => { $kind };
}

macro_rules! method {
    ($key:ident) => {
        pub(super) fn $key(&self) -> Field<'_> {
            Field::new(stringify!($key), self.$key.as_ref())
        }
    };
    ($key:ident $kind:ty) => {};
}

tables! {
    RawConfig {
        public_url, language, time_zone, templates,
        server: Option<Part<RawServer>>,
        store: Option<Part<RawStore>>,
        retry: Option<Part<RawRetry>>,
        fcm: Option<Part<RawFcm>>,
        sms: Option<Part<RawSms>>,
        integration: Vec<Part<RawIntegration>>,
        contact: Vec<Part<RawContact>>,
        operator: Vec<Part<RawOperator>>,
        heartbeat: Vec<Part<RawHeartbeat>>,
        rotation, policy, route, peer, status_page,
    }

    RawServer { listen, body_limit, tls }

    RawStore { url, keep }

    RawRetry { initial, max }

    RawFcm {
        service_account, base_url, extra_ca, proxy, accept_within, receipt_within, ttl, android, per_device,
    }

    RawSms {
        always_at, fallback_at, resolved, budget, disaster_budget,
        gateway: Vec<Part<RawGateway>>,
    }

    RawGateway {
        name, provider, from, timeout, per_day, extra_ca, proxy, base_url, api_key, api_secret, method, url,
        headers: Option<Spanned<Words>>,
        body_type, body,
        accepted: Option<Part<RawAnswerRule>>,
        rejected: Option<Part<RawAnswerRule>>,
        id_pointer, max_segments, encoding, account_sid, auth_token, messaging_service_sid, username, password,
    }

    RawAnswerRule { status, pointer, equals }

    RawIntegration {
        name, kind, key,
        hmac: Option<Part<RawHmac>>,
        time_zone, close_after,
        severity: Words,
        map: Words,
    }

    RawHmac { secret, header, timestamp_header }

    RawContact { name, phone, language, devices }

    RawOperator { name, token, role }

    RawHeartbeat { name, every, grace, severity }
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
