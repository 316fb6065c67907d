//! Solapi (Korea): `POST /messages/v4/send-many/detail`, signed with HMAC-SHA256.

use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::{hmac, rand};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::{
    FieldProblem, Look, Seen,
    exchange::{Answer, form_of},
    fit::TextRules,
    gateway::{Asked, Provider, Reading},
    number, solapi_account,
    solapi_answer::{self, Verdict},
};
use crate::{
    alert::{DeferCause, Fate, Outcome, PhoneNumber},
    deliver::Text,
};

/// Path under `base_url`.
pub(crate) const PATH: &str = "/messages/v4/send-many/detail";
/// Random bytes of a salt; in hex that is 32 characters of the 12 to 64 that Solapi asks for.
const SALT_BYTES: usize = 16;
/// If the provider's clock and the signed date differ less than this, the date was not the problem.
const SKEW_MIN: SignedDuration = SignedDuration::from_secs(60);

/// Most texts on a list that we ask for: more than budgets let one number have in hours. All of them fit into
/// what is read of an answer.
const LIST_MAX: usize = 100;

/// The account at Solapi.
pub(crate) struct Solapi {
    base_url: String,
    api_key: String,
    secret: hmac::Key,
    /// Digits of the registered sender.
    from: String,
    /// How far our clock was found to be behind theirs, in milliseconds.
    behind_ms: AtomicI64,
}

impl Solapi {
    pub(crate) fn new(
        base_url: &str,
        api_key: &str,
        api_secret: &SecretString,
        from: Option<&str>,
    ) -> Result<Self, FieldProblem> {
        if !reqwest::Url::parse(base_url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return Err(field("base_url", "is no HTTP address"));
        }
        let fits_header = !api_key.is_empty() && api_key.bytes().all(|b| b.is_ascii_graphic() && b != b',');
        if !fits_header {
            return Err(field("api_key", "is not one word of plain letters"));
        }
        let from = sender_digits(from.ok_or(FieldProblem::NoFrom)?);
        if from.is_empty() {
            return Err(field("from", "holds no digits"));
        }
        let secret = hmac::Key::new(hmac::HMAC_SHA256, api_secret.expose_secret().as_bytes());
        let (base_url, api_key) = (base_url.to_owned(), api_key.to_owned());
        Ok(Self { base_url, api_key, secret, from, behind_ms: AtomicI64::new(0) })
    }

    /// Signed anew for each request: Solapi refuses a signature it has seen in the last 15 minutes.
    fn authorization(&self, now: Timestamp) -> Result<HeaderValue, String> {
        let mut salt = [0; SALT_BYTES];
        rand::fill(&mut salt).map_err(|_| "the system gave no random bytes".to_owned())?;
        let salt = hex(&salt);
        let date = now.saturating_add(self.behind()).unwrap_or(now).to_string();
        let signature = hex(hmac::sign(&self.secret, format!("{date}{salt}").as_bytes()).as_ref());
        let key = &self.api_key;
        let value = format!("HMAC-SHA256 apiKey={key}, date={date}, salt={salt}, signature={signature}");
        let mut value = HeaderValue::try_from(value).map_err(|_| "`api_key` fits in no header".to_owned())?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn behind(&self) -> SignedDuration {
        SignedDuration::from_millis(self.behind_ms.load(Ordering::Relaxed))
    }

    /// The date was refused. Takes the provider's clock for the next signatures, unless the date
    /// already followed it.
    fn correct_date(&self, answer: &Answer, words: &str) -> Reading {
        let behind = match answer.behind {
            Some(behind) if SKEW_MIN <= (behind - self.behind()).abs() => behind,
            Some(_) | None => return Reading::Fault(format!("Solapi refuses our clock: {words}")),
        };
        self.behind_ms.store(i64::try_from(behind.as_millis()).unwrap_or(0), Ordering::Relaxed);
        let (seconds, way) =
            (behind.abs().as_secs(), if behind.is_negative() { "ahead of" } else { "behind" });
        // No breaker: the next signature carries a date that Solapi takes.
        Reading::Done(Outcome::Deferred {
            cause: DeferCause::ProjectFault,
            retry_after: None,
            detail: format!(
                "our clock is {seconds} s {way} Solapi's; signing by its clock from now on: {words}"
            ),
        })
    }

    /// A signed question.
    fn get(
        &self,
        client: &reqwest::Client,
        (path, query): (&str, &[(&str, &str)]),
        now: Timestamp,
    ) -> Result<reqwest::Request, String> {
        let mark = if query.is_empty() { "" } else { "?" };
        client
            .get(format!("{}{path}{mark}{}", self.base_url, form_of(query)))
            .header(AUTHORIZATION, self.authorization(now)?)
            .build()
            .map_err(|_| "the request could not be made from the configuration".to_owned())
    }

    fn private(&self, text: &Text) -> Vec<String> {
        vec![self.api_key.clone(), self.from.clone(), text.fitted.text.clone()]
    }
}

impl Provider for Solapi {
    fn rules(&self, to: &PhoneNumber, max_segments: u8) -> TextRules {
        // There are no LMS abroad, and no word about texts of several parts.
        TextRules::of_korea(to, max_segments)
    }

    fn request(
        &self,
        client: &reqwest::Client,
        text: &Text,
        now: Timestamp,
    ) -> Result<reqwest::Request, String> {
        let body = Body::of(text, &self.from);
        client
            .post(format!("{}{PATH}", self.base_url))
            .header(AUTHORIZATION, self.authorization(now)?)
            .header(CONTENT_TYPE, "application/json")
            .body(serde_json::to_vec(&body).expect("strings and booleans are always JSON"))
            .build()
            .map_err(|_| "the request could not be made from the configuration".to_owned())
    }

    fn reading(&self, answer: &Answer, text: &Text) -> Reading {
        match solapi_answer::classify(answer, &self.private(text)) {
            Verdict::Reading(reading) => reading,
            Verdict::DateRefused(words) => self.correct_date(answer, &words),
        }
    }

    fn question(
        &self,
        client: &reqwest::Client,
        asked: &Asked<'_>,
    ) -> Option<Result<reqwest::Request, String>> {
        let to = Body::of(asked.text, &self.from).messages.map(|message| message.to).concat();
        let limit = LIST_MAX.to_string();
        Some(self.get(client, (solapi_account::LIST_PATH, &[("to", &to), ("limit", &limit)]), asked.now))
    }

    fn fate(&self, answer: &Answer, asked: &Asked<'_>) -> Fate {
        solapi_account::fate(answer, asked.text, LIST_MAX, &self.private(asked.text))
    }

    fn look(
        &self,
        client: &reqwest::Client,
        at: Look,
        now: Timestamp,
    ) -> Option<Result<reqwest::Request, String>> {
        Some(self.get(client, (solapi_account::path_of(at)?, &[]), now))
    }

    fn seen(&self, at: Look, answer: &Answer) -> Result<Seen, String> {
        solapi_account::seen(at, answer, &self.from, std::slice::from_ref(&self.api_key))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    messages: [Message<'a>; 1],
    /// A repeated alert says the same to the same number on purpose.
    allow_duplicates: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    to: String,
    from: &'a str,
    text: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    /// Shown above an LMS.
    #[serde(skip_serializing_if = "str::is_empty")]
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    custom_fields: CustomFields,
}

/// Comes back in Solapi's lists: how to find a text after an answer that got lost.
#[derive(Serialize)]
struct CustomFields {
    alert_id: String,
    attempt: String,
}

impl<'a> Body<'a> {
    fn of(text: &'a Text, from: &'a str) -> Self {
        let (country, to) = match number::abroad(&text.to) {
            Some((country, to)) => (Some(country.to_string()), to),
            None => (None, number::to_national(&text.to)),
        };
        let custom_fields =
            CustomFields { alert_id: text.alert_id.to_string(), attempt: text.attempt.to_string() };
        let fitted = &text.fitted;
        let message = Message {
            to,
            from,
            text: &fitted.text,
            kind: if fitted.long { "LMS" } else { "SMS" },
            subject: &fitted.subject,
            country,
            custom_fields,
        };
        Self { messages: [message], allow_duplicates: true }
    }
}

/// Senders are registered in domestic form; operators also write `02-930-2266` and `+8229302266`.
pub(super) fn sender_digits(from: &str) -> String {
    PhoneNumber::parse(from).map_or_else(|_| number::digits_of(from), |number| number::to_national(&number))
}

fn field(name: &str, problem: &str) -> FieldProblem {
    FieldProblem::Field(name.to_owned(), problem.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests;
