//! One attempt, one [`Outcome`]: no retry loop, no storage, no alert state.

mod compose;
pub mod fcm;
pub(crate) mod http;
mod render;
pub mod sms;
pub(crate) mod text;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

pub use compose::{About, Composer};
pub use render::{DigestContext, Notice, NoticeState, PushText, Renderer, SmsText, TemplateError};

use crate::alert::{AlertId, Fate, GatewayName, Outcome, PhoneNumber, PushTarget, Severity};

/// A push to one device, ready to be sent.
#[derive(Clone, Debug)]
pub struct Push {
    pub target: PushTarget,
    pub message: Arc<PushMessage>,
}

/// What a phone gets; shared by all devices of one notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushMessage {
    pub alert_id: AlertId,
    /// `triggered`, `acknowledged`, `resolved`, `digest`, `test` or `drill`.
    pub state: &'static str,
    pub severity: Severity,
    pub title: String,
    pub body: String,
    pub integration: String,
    /// When the condition began.
    pub starts_at: Timestamp,
    /// The alert's page here.
    pub url: String,
    pub ack_url: String,
    /// Where the phone confirms; empty while receipts are not offered.
    pub receipt_url: String,
    /// What phones fold duplicates by: at most 64 bytes.
    pub tag: String,
}

/// A text to one person, ready to be sent through one gateway.
#[derive(Clone, Debug)]
pub struct Text {
    pub to: PhoneNumber,
    /// What it says, as that gateway takes it.
    pub fitted: sms::Fitted,
    pub alert_id: AlertId,
    /// Number of the attempt within the alert.
    pub attempt: u32,
    pub severity: Severity,
    /// Where the provider may report what became of it. Holds a token: not for the log.
    pub report_url: String,
}

/// Sends pushes to apps on phones.
#[async_trait]
pub trait PushTransport: Send + Sync + 'static {
    /// Makes one request, within [`fcm::REQUEST_TIMEOUT`].
    async fn send(&self, push: Push) -> Outcome;
}

/// Sends texts through one SMS company.
#[async_trait]
pub trait SmsTransport: Send + Sync + 'static {
    fn name(&self) -> &GatewayName;

    /// The words and the link as this gateway takes them for `to`, and what that costs. Pure.
    fn fit(&self, to: &PhoneNumber, text: &SmsText) -> sms::Fitted;

    /// Makes one request, within the gateway's timeout.
    async fn send(&self, text: Text) -> Outcome;

    /// Asks what became of a text that was sent at `sent_at`: one request, within the gateway's timeout.
    async fn ask(&self, text: Text, sent_at: Timestamp) -> Fate;

    /// Asks how the account stands: one request. `None` if the company cannot be asked this; an error is in
    /// words for people.
    async fn look(&self, at: sms::Look) -> Option<Result<sms::Seen, String>>;
}
