//! Solapi (Korea): `POST /messages/v4/send-many/detail`, signed with HMAC-SHA256.

use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::hmac;
use jiff::{SignedDuration, Timestamp};
use reqwest::{
    Client, RequestBuilder,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

mod account;
mod answer;

use super::{
    Finding, Look,
    fit::TextRules,
    number,
    provider::{Asked, Built, LIST_MAX, Provider},
    setup::SetupProblem,
};
use crate::{
    alert::{DeferCause, Fate, PhoneNumber},
    chance,
    deliver::{
        Text,
        wire::{Answer, Reading, form_of, http_url, without_nulls},
    },
};

const PATH: &str = "/messages/v4/send-many/detail";
const LIST_PATH: &str = "/messages/v4/list";
/// In hex that is 32 characters; Solapi asks for 12 to 64.
const SALT_BYTES: usize = 16;
/// If the provider's clock and the signed date differ less than this, the date was not the problem.
const SKEW_MIN: SignedDuration = SignedDuration::from_secs(60);

pub(super) struct Solapi {
    base_url: String,
    api_key: String,
    secret: hmac::Key,
    from: String,
    /// How far our clock was found to be behind theirs.
    behind_ms: AtomicI64,
}

impl Solapi {
    pub(super) fn new(
        base_url: &str,
        api_key: &str,
        api_secret: &SecretString,
        from: Option<&str>,
    ) -> Result<Self, SetupProblem> {
        if http_url(base_url).is_none() {
            return Err(SetupProblem::field("base_url", "is no HTTP address"));
        }
        let fits_header = !api_key.is_empty() && api_key.bytes().all(|b| b.is_ascii_graphic() && b != b',');
        if !fits_header {
            return Err(SetupProblem::field("api_key", "is not one word of plain letters"));
        }
        let from = number::registered_sender(from)?;
        let secret = hmac::Key::new(hmac::HMAC_SHA256, api_secret.expose_secret().as_bytes());
        let (base_url, api_key) = (base_url.to_owned(), api_key.to_owned());
        Ok(Self { base_url, api_key, secret, from, behind_ms: AtomicI64::new(0) })
    }

    /// Signed anew for each request: Solapi refuses a signature it has seen in the last 15 minutes.
    fn authorization(&self, now: Timestamp) -> HeaderValue {
        let salt = hex(&chance::bytes::<SALT_BYTES>());
        let date = now.saturating_add(self.behind()).unwrap_or(now).to_string();
        let signature = hex(hmac::sign(&self.secret, format!("{date}{salt}").as_bytes()).as_ref());
        let key = &self.api_key;
        let value = format!("HMAC-SHA256 apiKey={key}, date={date}, salt={salt}, signature={signature}");
        let mut value = HeaderValue::try_from(value).expect("the API key was checked, the rest is ASCII");
        value.set_sensitive(true);
        value
    }

    fn behind(&self) -> SignedDuration {
        SignedDuration::from_millis(self.behind_ms.load(Ordering::Relaxed))
    }

    /// The date was refused. The next signatures follow the provider's clock, unless this one already did.
    fn correct_date(&self, answer: &Answer, words: &str) -> Reading {
        let behind = match answer.behind {
            Some(behind) if SKEW_MIN <= (behind - self.behind()).abs() => behind,
            Some(_) | None => return Reading::Fault(format!("Solapi refuses our clock: {words}")),
        };
        self.behind_ms.store(i64::try_from(behind.as_millis()).unwrap_or(0), Ordering::Relaxed);
        let (seconds, way) =
            (behind.abs().as_secs(), if behind.is_negative() { "ahead of" } else { "behind" });
        let detail =
            format!("our clock is {seconds} s {way} Solapi's; signing by its clock from now on: {words}");
        // The breaker stays closed: the next signature carries a date that Solapi takes.
        Reading::deferred(DeferCause::ProjectFault, None, detail)
    }

    fn get(&self, client: &Client, path: &str, query: &[(&str, &str)], now: Timestamp) -> RequestBuilder {
        let mark = if query.is_empty() { "" } else { "?" };
        let request = client.get(format!("{}{path}{mark}{}", self.base_url, form_of(query)));
        request.header(AUTHORIZATION, self.authorization(now))
    }

    fn body(&self, text: &Text) -> Value {
        let (country, to) = recipient(&text.to);
        let fitted = &text.fitted;
        let message = without_nulls(json!({
            "to": to,
            "country": country,
            "from": self.from,
            "text": fitted.text,
            "type": if fitted.long { "LMS" } else { "SMS" },
            // Shown above an LMS.
            "subject": Some(&fitted.subject).filter(|subject| !subject.is_empty()),
            // Comes back in Solapi's lists: how to find a text after an answer that got lost.
            "customFields": { "alert_id": text.alert_id.to_string(), "attempt": text.attempt.to_string() },
        }));
        // A repeated alert says the same to the same number on purpose.
        json!({ "messages": [message], "allowDuplicates": true })
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

    fn request(&self, client: &Client, text: &Text, now: Timestamp) -> Built {
        Ok(client
            .post(format!("{}{PATH}", self.base_url))
            .header(AUTHORIZATION, self.authorization(now))
            .header(CONTENT_TYPE, "application/json")
            .body(self.body(text).to_string()))
    }

    fn reading(&self, answer: &Answer, text: &Text) -> Reading {
        let private = self.private(text);
        match answer::date_refused(answer, &private) {
            Some(words) => self.correct_date(answer, &words),
            None => answer::classify(answer, &private),
        }
    }

    fn question(&self, client: &Client, asked: &Asked<'_>) -> Option<Built> {
        let (_, to) = recipient(&asked.text.to);
        let query = [("to", to.as_str()), ("limit", &LIST_MAX.to_string())];
        Some(Ok(self.get(client, LIST_PATH, &query, asked.now)))
    }

    fn fate(&self, answer: &Answer, asked: &Asked<'_>) -> Fate {
        account::fate(answer, asked.text, LIST_MAX, &self.private(asked.text))
    }

    fn look(&self, client: &Client, at: Look, now: Timestamp) -> Option<Built> {
        let path = match at {
            Look::Balance => "/cash/v1/balance",
            Look::Sender => "/senderid/v1/numbers/active",
            // Solapi has no trial accounts to ask about.
            Look::Account => return None,
        };
        Some(Ok(self.get(client, path, &[], now)))
    }

    fn finding(&self, at: Look, answer: &Answer) -> Result<Finding, String> {
        account::finding(at, answer, &self.from, std::slice::from_ref(&self.api_key))
    }
}

/// Country code, where it is not Korea's, and number.
fn recipient(to: &PhoneNumber) -> (Option<String>, String) {
    match number::abroad(to) {
        Some((country, to)) => (Some(country.to_string()), to),
        None => (None, number::to_national(to)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests;
