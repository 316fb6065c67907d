//! `bongsu.toml`: read once, checked once, then only typed values. Each section of it is a file here.

mod check;
mod error;
mod fcm;
mod files;
mod gateway;
mod heartbeat;
mod integration;
mod keys;
mod network;
mod operator;
mod parse;
mod people;
mod phone;
mod raw;
mod retry;
mod secret;
mod server;
mod sms;
mod store;
mod template;
mod units;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use jiff::tz::TimeZone;

pub use self::{
    check::{Environment, Problem},
    error::ConfigError,
    fcm::{Android, Fcm},
    files::FileError,
    gateway::{
        AcceptedRule, BodyType, Encoding, Gateway, GatewayProvider, HttpGateway, PointerRule, StatusRule,
        TwilioGateway,
    },
    heartbeat::Heartbeat,
    integration::{Hmac, Integration, IntegrationKind, MANUAL, Map, MapField},
    network::Network,
    operator::{Operator, Role},
    parse::{load, parse},
    retry::Retry,
    secret::travels_in_a_header,
    server::Server,
    sms::Sms,
    store::{StoreConfig, StoreEngine},
    units::{Rate, is_public},
};
use crate::{alert::Language, roster::Person};

/// The whole configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where links in notifications point; no trailing slash.
    pub public_url: String,
    /// Language of texts, unless the contact has its own.
    pub language: Language,
    /// Time zone of times in texts.
    pub time_zone: TimeZone,
    /// Folder whose files replace built-in templates of the same relative name.
    pub templates: Option<PathBuf>,
    pub server: Server,
    pub store: StoreConfig,
    pub retry: Retry,
    /// `None` = no push.
    pub fcm: Option<Fcm>,
    pub sms: Sms,
    pub integrations: Vec<Integration>,
    pub contacts: Vec<Person>,
    pub operators: Vec<Operator>,
    pub heartbeats: Vec<Heartbeat>,
    /// What works but deserves a look, one line each: `FILE:LINE:COLUMN: …`. For `check` and the log at start.
    pub warnings: Vec<String>,
}
