//! NHN Cloud SMS (Korea): `POST /sms/v3.0/appKeys/{appKey}/sender/sms`, or `…/mms` for a long text, with the
//! secret key in a header (docs.nhncloud.com: Notification > SMS > API v3.0 guide).

use jiff::{
    SignedDuration, Timestamp,
    tz::{Offset, TimeZone},
};
use reqwest::{
    Client, RequestBuilder,
    header::{CONTENT_TYPE, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

mod account;
mod answer;

use super::{
    Finding, Look,
    fit::TextRules,
    number,
    provider::{Asked, Built, Provider},
    setup::SetupProblem,
};
use crate::{
    alert::{Fate, PhoneNumber},
    deliver::{
        Text,
        wire::{Answer, Reading, form_of, http_url, without_nulls},
    },
};

const SECRET_HEADER: &str = "x-secret-key";
/// NHN writes times in Korea's time, without saying so.
const KOREA_HOURS: i8 = 9;
/// How far our clock and NHN's may differ before a text is not found.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(5);

pub(super) struct Nhn {
    /// Ends with the app key.
    base: String,
    app_key: String,
    secret_key: HeaderValue,
    from: String,
}

impl Nhn {
    pub(super) fn new(
        base_url: &str,
        app_key: &str,
        secret_key: &SecretString,
        from: Option<&str>,
    ) -> Result<Self, SetupProblem> {
        let base = format!("{base_url}/sms/v3.0/appKeys/{app_key}");
        if http_url(&base).is_none() {
            return Err(SetupProblem::field("base_url", "is no HTTP address"));
        }
        let mut secret_key = HeaderValue::try_from(secret_key.expose_secret())
            .map_err(|_| SetupProblem::field("api_secret", "fits in no header"))?;
        secret_key.set_sensitive(true);
        let from = number::registered_sender(from)?;
        Ok(Self { base, app_key: app_key.to_owned(), secret_key, from })
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(SECRET_HEADER, self.secret_key.clone())
    }

    fn body(&self, text: &Text) -> Value {
        let is_abroad = number::abroad(&text.to).is_some();
        let recipient = if is_abroad {
            json!({ "internationalRecipientNo": number::to_digits(&text.to) })
        } else {
            json!({ "recipientNo": number::to_national(&text.to) })
        };
        without_nulls(json!({
            // Needed above a long text, unknown above a short one.
            "title": Some(&text.fitted.subject).filter(|subject| !subject.is_empty()),
            "body": text.fitted.text,
            "sendNo": self.from,
            "senderGroupingKey": marker(text),
            "recipientList": [recipient],
        }))
    }

    fn private(&self, text: &Text) -> Vec<String> {
        let secret = self.secret_key.to_str().unwrap_or_default().to_owned();
        vec![self.app_key.clone(), secret, self.from.clone(), text.fitted.text.clone()]
    }
}

impl Provider for Nhn {
    fn rules(&self, to: &PhoneNumber, max_segments: u8) -> TextRules {
        // Long texts do not go abroad.
        TextRules::of_korea(to, max_segments)
    }

    fn request(&self, client: &Client, text: &Text, _: Timestamp) -> Built {
        let request = client.post(format!("{}{}", self.base, path_of(text)));
        let request = request.header(CONTENT_TYPE, "application/json;charset=UTF-8");
        Ok(self.authorized(request.body(self.body(text).to_string())))
    }

    fn reading(&self, answer: &Answer, text: &Text) -> Reading {
        answer::classify(answer, &self.private(text))
    }

    fn question(&self, client: &Client, asked: &Asked<'_>) -> Option<Built> {
        let begins = local(asked.sent_at.saturating_sub(SKEW_MAX).unwrap_or(Timestamp::MIN));
        let ends = local(asked.now.saturating_add(SKEW_MAX).unwrap_or(Timestamp::MAX));
        let marker = marker(asked.text);
        let query = form_of(&[
            ("startRequestDate", &begins),
            ("endRequestDate", &ends),
            ("senderGroupingKey", &marker),
        ]);
        Some(Ok(self.authorized(client.get(format!("{}{}?{query}", self.base, path_of(asked.text))))))
    }

    fn fate(&self, answer: &Answer, asked: &Asked<'_>) -> Fate {
        account::fate(answer, &marker(asked.text), &self.private(asked.text))
    }

    fn look(&self, client: &Client, at: Look, _: Timestamp) -> Option<Built> {
        match at {
            Look::Sender => {
                let query = form_of(&[("sendNo", &self.from)]);
                Some(Ok(self.authorized(client.get(format!("{}/sendNos?{query}", self.base)))))
            }
            // It is paid by invoice, and has no trial accounts.
            Look::Balance | Look::Account => None,
        }
    }

    fn finding(&self, _: Look, answer: &Answer) -> Result<Finding, String> {
        account::sender(answer, &self.from, std::slice::from_ref(&self.app_key))
    }
}

/// Under which name a text is found again: NHN keeps it, up to 100 characters.
fn marker(text: &Text) -> String {
    format!("{}/{}", text.alert_id, text.attempt)
}

fn path_of(text: &Text) -> &'static str {
    if text.fitted.long { "/sender/mms" } else { "/sender/sms" }
}

fn local(at: Timestamp) -> String {
    let korea = TimeZone::fixed(Offset::constant(KOREA_HOURS));
    at.to_zoned(korea).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
