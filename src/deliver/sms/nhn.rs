//! NHN Cloud SMS (Korea): `POST /sms/v3.0/appKeys/{appKey}/sender/sms`, or `…/mms` for a long text, with the
//! secret key in a header (docs.nhncloud.com: Notification > SMS > API v3.0 guide).

use jiff::{
    SignedDuration, Timestamp,
    tz::{Offset, TimeZone},
};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::{
    FieldProblem, Look, Seen,
    exchange::{Answer, form_of},
    fit::TextRules,
    gateway::{Asked, Provider, Reading},
    nhn_answer, number,
    solapi::sender_digits,
};
use crate::{
    alert::{Fate, PhoneNumber},
    deliver::Text,
};

/// The header with the secret key.
const SECRET_HEADER: &str = "x-secret-key";
/// NHN writes times in Korea's time, without saying so.
const KOREA_HOURS: i8 = 9;
/// How far our clock and NHN's may differ before a text is not found.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(5);

/// An app key of somebody's project.
pub(crate) struct Nhn {
    /// Ends with the app key.
    base: String,
    app_key: String,
    secret_key: HeaderValue,
    /// Digits of the registered sender.
    from: String,
}

impl Nhn {
    pub(crate) fn new(
        base_url: &str,
        app_key: &str,
        secret_key: &SecretString,
        from: Option<&str>,
    ) -> Result<Self, FieldProblem> {
        let base = format!("{base_url}/sms/v3.0/appKeys/{app_key}");
        if !reqwest::Url::parse(&base).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return Err(FieldProblem::field("base_url", "is no HTTP address"));
        }
        let mut secret_key = HeaderValue::try_from(secret_key.expose_secret())
            .map_err(|_| FieldProblem::field("api_secret", "fits in no header"))?;
        secret_key.set_sensitive(true);
        let from = sender_digits(from.ok_or(FieldProblem::NoFrom)?);
        if from.is_empty() {
            return Err(FieldProblem::field("from", "holds no digits"));
        }
        Ok(Self { base, app_key: app_key.to_owned(), secret_key, from })
    }

    fn build(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Request, String> {
        let request = request.header(SECRET_HEADER, self.secret_key.clone()).build();
        request.map_err(|_| "the request could not be made from the configuration".to_owned())
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

    fn request(
        &self,
        client: &reqwest::Client,
        text: &Text,
        _: Timestamp,
    ) -> Result<reqwest::Request, String> {
        let body = Body::of(text, &self.from);
        let body = serde_json::to_vec(&body).expect("strings are always JSON");
        let request = client.post(format!("{}{}", self.base, path_of(text)));
        self.build(request.header(CONTENT_TYPE, "application/json;charset=UTF-8").body(body))
    }

    fn reading(&self, answer: &Answer, text: &Text) -> Reading {
        nhn_answer::classify(answer, &self.private(text))
    }

    fn question(
        &self,
        client: &reqwest::Client,
        asked: &Asked<'_>,
    ) -> Option<Result<reqwest::Request, String>> {
        let begins = local(asked.sent_at.saturating_sub(SKEW_MAX).unwrap_or(Timestamp::MIN));
        let ends = local(asked.now.saturating_add(SKEW_MAX).unwrap_or(Timestamp::MAX));
        let marker = marker(asked.text);
        let query = form_of(&[
            ("startRequestDate", &begins),
            ("endRequestDate", &ends),
            ("senderGroupingKey", &marker),
        ]);
        Some(self.build(client.get(format!("{}{}?{query}", self.base, path_of(asked.text)))))
    }

    fn fate(&self, answer: &Answer, asked: &Asked<'_>) -> Fate {
        nhn_answer::fate(answer, &marker(asked.text), &self.private(asked.text))
    }

    fn look(
        &self,
        client: &reqwest::Client,
        at: Look,
        _: Timestamp,
    ) -> Option<Result<reqwest::Request, String>> {
        match at {
            Look::Sender => {
                let query = form_of(&[("sendNo", &self.from)]);
                Some(self.build(client.get(format!("{}/sendNos?{query}", self.base))))
            }
            // It is paid by invoice, and has no trial accounts.
            Look::Balance | Look::Account => None,
        }
    }

    fn seen(&self, _: Look, answer: &Answer) -> Result<Seen, String> {
        nhn_answer::sender(answer, &self.from, std::slice::from_ref(&self.app_key))
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    /// Needed above a long text, unknown above a short one.
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    #[serde(rename = "body")]
    text: &'a str,
    send_no: &'a str,
    sender_grouping_key: String,
    recipient_list: [Recipient; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    international_recipient_no: Option<String>,
}

impl<'a> Body<'a> {
    fn of(text: &'a Text, from: &'a str) -> Self {
        let is_abroad = number::abroad(&text.to).is_some();
        let recipient = Recipient {
            recipient_no: (!is_abroad).then(|| number::to_national(&text.to)),
            international_recipient_no: is_abroad.then(|| number::to_digits(&text.to)),
        };
        Self {
            title: &text.fitted.subject,
            text: &text.fitted.text,
            send_no: from,
            sender_grouping_key: marker(text),
            recipient_list: [recipient],
        }
    }
}

#[cfg(test)]
mod tests;
