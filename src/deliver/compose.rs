//! Puts a planned notification into the words of its reader: a push for phones, a text for one gateway.

use std::sync::{Arc, OnceLock};

use jiff::{Timestamp, tz::TimeZone};

use super::{DigestNotice, Notice, Outage, OutageNotice, PushMessage, Renderer, SmsText, SmsTransport, Text};
use crate::{
    alert::{Alert, AlertState, Language, Severity, Subject},
    plan::Send,
    roster::Person,
    signing::{Reporter, SigningKey},
};

#[derive(Debug)]
pub struct Composer {
    pub renderer: Renderer,
    pub public_url: String,
    pub time_zone: TimeZone,
    pub signing_key: SigningKey,
}

pub struct About<'a> {
    composer: &'a Composer,
    alert: &'a Alert,
    /// The alert is about Bongsu itself, which stands still.
    outage: Option<&'a Outage>,
    url: String,
    now: Timestamp,
    /// All devices of a notification get the same, in one of few languages.
    pushes: Vec<ComposedPush>,
}

struct ComposedPush {
    subject: Subject,
    severity: Severity,
    language: Language,
    message: Arc<PushMessage>,
}

impl Composer {
    pub fn about<'a>(&'a self, alert: &'a Alert, now: Timestamp) -> About<'a> {
        let url = format!("{}/alerts/{}", self.public_url, alert.id);
        About { composer: self, alert, outage: None, url, now, pushes: Vec::new() }
    }

    /// As [`Composer::about`], in the words for an outage of Bongsu itself.
    pub fn about_outage<'a>(&'a self, alert: &'a Alert, outage: &'a Outage, now: Timestamp) -> About<'a> {
        About { outage: Some(outage), ..self.about(alert, now) }
    }
}

impl About<'_> {
    pub fn push(&mut self, send: &Send, language: Language) -> Arc<PushMessage> {
        let Send { subject, severity, .. } = send;
        let known = |push: &&ComposedPush| {
            (&push.subject, push.severity, push.language) == (subject, *severity, language)
        };
        if let Some(push) = self.pushes.iter().find(known) {
            return push.message.clone();
        }
        let message = Arc::new(self.compose_push(send, language));
        let (subject, severity) = (subject.clone(), *severity);
        self.pushes.push(ComposedPush { subject, severity, language, message: message.clone() });
        message
    }

    fn compose_push(&self, send: &Send, language: Language) -> PushMessage {
        let Self { composer, alert, .. } = self;
        let Send { subject, severity, .. } = send;
        let text = if let Some(outage) = self.outage() {
            composer.renderer.push(&outage, language)
        } else if let Some(digest) = self.digest(subject, self.now) {
            composer.renderer.push(&digest, language)
        } else {
            composer.renderer.push(&self.notice(send, self.now), language)
        };
        PushMessage {
            alert_id: alert.id,
            state: state_of(subject, alert),
            severity: *severity,
            title: text.title,
            body: text.body,
            integration: alert.integration.clone(),
            starts_at: alert.starts_at,
            url: self.url.clone(),
            // The alert's page, and no receipts, until signed links are offered.
            ack_url: self.url.clone(),
            receipt_url: String::new(),
            tag: alert.tag().to_string(),
            written: OnceLock::new(),
        }
    }

    /// The text of `send` as this gateway takes it; `None` for a person without a number.
    pub fn text(&self, send: &Send, person: &Person, gateway: &dyn SmsTransport) -> Option<Text> {
        let to = person.phone.clone()?;
        // As it was sent, where a gateway is asked about it later.
        let fitted = gateway.fit(&to, &self.words(send, person.language));
        Some(Text {
            to,
            fitted,
            alert_id: self.alert.id,
            attempt: send.attempt,
            severity: send.severity,
            report_url: self.report_url(gateway, send.attempt),
        })
    }

    fn words(&self, send: &Send, language: Language) -> SmsText {
        let renderer = &self.composer.renderer;
        if let Some(outage) = self.outage() {
            renderer.sms(&outage, language)
        } else if let Some(digest) = self.digest(&send.subject, send.began) {
            renderer.sms(&digest, language)
        } else {
            renderer.sms(&self.notice(send, send.began), language)
        }
    }

    /// Where a gateway reports what became of a text. The token in it is all that is asked for.
    fn report_url(&self, gateway: &dyn SmsTransport, attempt: u32) -> String {
        let (name, Composer { public_url, signing_key, .. }) = (gateway.name(), self.composer);
        let reporter = Reporter { gateway: name.as_str(), account: gateway.signing_account() };
        let token = signing_key.text_token(reporter, self.alert.id, attempt);
        format!("{public_url}/v1/sms/reports/{name}?text={token}")
    }

    fn notice<'s>(&'s self, send: &'s Send, now: Timestamp) -> Notice<'s> {
        let (alert, time_zone) = (self.alert, &self.composer.time_zone);
        Notice { alert, subject: &send.subject, severity: send.severity, url: &self.url, time_zone, now }
    }

    fn outage(&self) -> Option<OutageNotice<'_>> {
        let time_zone = &self.composer.time_zone;
        self.outage.map(|outage| OutageNotice { outage, time_zone, now: self.now })
    }

    fn digest(&self, subject: &Subject, now: Timestamp) -> Option<DigestNotice<'_>> {
        let digest = self.alert.digest.as_ref().filter(|_| *subject == Subject::Digest)?;
        let counted = digest.counted.as_ref()?;
        Some(DigestNotice { counted, url: &self.url, time_zone: &self.composer.time_zone, now })
    }
}

fn state_of(subject: &Subject, alert: &Alert) -> &'static str {
    match subject {
        Subject::Digest => "digest",
        Subject::Resolved | Subject::Missed => "resolved",
        Subject::Unreachable { .. } if alert.state == AlertState::Resolved => "resolved",
        Subject::Opened | Subject::Repeat { .. } | Subject::Raised { .. } | Subject::Unreachable { .. } => {
            if alert.kind.is_test() {
                "test"
            } else if alert.conversation.acknowledged.is_some() {
                "acknowledged"
            } else {
                "triggered"
            }
        }
    }
}
