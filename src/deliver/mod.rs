//! One attempt, one [`Outcome`]: no retry loop, no storage, no alert state.

mod compose;
pub mod fcm;
mod render;
pub mod sms;
pub(crate) mod text;
pub(crate) mod wire;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

pub use compose::{About, Composer};
use render::{DigestNotice, Notice, OutageNotice};
pub use render::{Outage, Renderer, SmsText, TemplateError};

use crate::alert::{AlertId, Fate, GatewayName, Outcome, PhoneNumber, PushTarget, Severity};

#[derive(Clone, Debug)]
pub struct Push {
    pub target: PushTarget,
    pub message: Arc<PushMessage>,
}

/// What an app on a phone gets, field by field; shared by all devices of one notification.
#[derive(Clone, Debug, Serialize)]
pub struct PushMessage {
    pub alert_id: AlertId,
    /// `triggered`, `acknowledged`, `resolved`, `digest` or `test`.
    pub state: &'static str,
    pub severity: Severity,
    pub title: String,
    pub body: String,
    pub integration: String,
    pub starts_at: Timestamp,
    /// The alert's page here.
    pub url: String,
    pub ack_url: String,
    /// Where the phone confirms; empty while receipts are not offered.
    pub receipt_url: String,
    /// Phones show one of several pushes with the same tag. At most 64 bytes.
    pub tag: String,
    /// The request's body without its target: written for the first device, the same for the others.
    #[serde(skip)]
    pub written: OnceLock<String>,
}

#[derive(Clone, Debug)]
pub struct Text {
    pub to: PhoneNumber,
    pub fitted: sms::Fitted,
    pub alert_id: AlertId,
    /// Counted within the alert.
    pub attempt: u32,
    pub severity: Severity,
    /// Where the provider may report what became of it. It holds a token: not for the log.
    pub report_url: String,
}

/// What reaches people: the words, and what carries them.
#[derive(Clone)]
pub struct Channels {
    pub composer: Arc<Composer>,
    /// FCM, if configured.
    pub push: Option<Arc<dyn PushTransport>>,
    /// In the order in which they are tried.
    pub gateways: Vec<Arc<dyn SmsTransport>>,
}

#[async_trait]
pub trait PushTransport: Send + Sync + 'static {
    /// Makes one request, within [`fcm::REQUEST_TIMEOUT`].
    async fn send(&self, push: Push) -> Outcome;
}

#[async_trait]
pub trait SmsTransport: Send + Sync + 'static {
    fn name(&self) -> &GatewayName;

    /// The words and the link as this gateway takes them for `to`, and what that costs. Pure.
    fn fit(&self, to: &PhoneNumber, text: &SmsText) -> sms::Fitted;

    /// The account that signs what it reports of texts, where one does.
    fn signing_account(&self) -> Option<&str> {
        None
    }

    /// Makes one request, within the gateway's timeout.
    async fn send(&self, text: Text) -> Outcome;

    /// Asks what became of a text that was sent at `sent_at`: one request, within the gateway's timeout.
    async fn ask(&self, text: Text, sent_at: Timestamp) -> Fate;

    /// Asks about the account: one request. `None` if the company cannot be asked; an error is in words for people.
    async fn look(&self, at: sms::Look) -> Option<Result<sms::Finding, String>>;
}
