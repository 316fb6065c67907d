//! One request and its answer, or the outcome of not getting one.

use std::error::Error as _;

use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimeParser};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::alert::{DeferCause, Outcome};

/// Most that is read of an answer, in bytes; a list of texts is the longest.
pub(crate) const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Longest pause that a provider can ask for; more is taken as this much.
const RETRY_AFTER_MAX: SignedDuration = SignedDuration::from_hours(24);

/// What a provider answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Its `Date` less our time on arrival: how far our clock is behind.
    pub(crate) behind: Option<SignedDuration>,
    /// Its `Retry-After`, from now.
    pub(crate) retry_after: Option<SignedDuration>,
    /// Up to [`ANSWER_BYTES_MAX`] of the body.
    pub(crate) body: Vec<u8>,
    /// The body was read to its end.
    pub(crate) whole: bool,
}

impl Answer {
    /// The body as JSON, if it was read to its end and is JSON.
    pub(crate) fn json(&self) -> Option<serde_json::Value> {
        if self.whole { serde_json::from_slice(&self.body).ok() } else { None }
    }
}

/// These fields as a form or a query.
pub(crate) fn form_of(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Sends `request` once. `Err` holds the outcome where no answer came.
pub(crate) async fn exchange(
    client: &reqwest::Client,
    request: reqwest::Request,
) -> Result<reqwest::Response, Outcome> {
    client.execute(request).await.map_err(|error| without_answer(&error))
}

/// Reads the answer, as much of it as we care for.
pub(crate) async fn read(mut response: reqwest::Response, now: Timestamp) -> Answer {
    let headers = response.headers();
    let behind = text(headers, DATE).and_then(|date| since(date, now));
    let retry_after = text(headers, RETRY_AFTER).and_then(|after| pause(after, now));
    let status = response.status().as_u16();
    let mut body = Vec::new();
    let whole = loop {
        match response.chunk().await {
            Ok(None) => break true,
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_BYTES_MAX => body.extend_from_slice(&chunk),
            Ok(Some(_)) | Err(_) => break false,
        }
    };
    Answer { status, behind, retry_after, body, whole }
}

/// A request that never found a connection was surely not sent; any other may have been.
fn without_answer(error: &reqwest::Error) -> Outcome {
    if error.is_connect() {
        let detail = format!("no connection: {}", root_cause(error));
        Outcome::Deferred { cause: DeferCause::Unreachable, retry_after: None, detail }
    } else if error.is_builder() {
        let detail = "the request could not be made from the configuration".to_owned();
        Outcome::Deferred { cause: DeferCause::ProjectFault, retry_after: None, detail }
    } else if error.is_timeout() {
        Outcome::Unknown { detail: "no answer in time".to_owned() }
    } else {
        Outcome::Unknown { detail: format!("the connection broke before an answer: {}", root_cause(error)) }
    }
}

/// The innermost error: the outer ones print the URL, which may hold a password.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| "no reason given".to_owned(), ToString::to_string)
}

fn text(headers: &HeaderMap, name: reqwest::header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `Retry-After` holds seconds or an HTTP date (RFC 9110 §10.2.3).
fn pause(after: &str, now: Timestamp) -> Option<SignedDuration> {
    let pause = match after.trim().parse::<i64>() {
        Ok(seconds) => SignedDuration::from_secs(seconds),
        Err(_) => since(after, now)?,
    };
    Some(pause.clamp(SignedDuration::ZERO, RETRY_AFTER_MAX))
}

fn since(date: &str, now: Timestamp) -> Option<SignedDuration> {
    let at = DateTimeParser::new().parse_timestamp(date.trim()).ok()?;
    Some(at.duration_since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_after_is_read_as_seconds_or_date_and_bounded() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
        for (after, seconds) in [
            ("30", Some(30)),
            (" 0 ", Some(0)),
            ("-5", Some(0)),
            ("99999999", Some(86_400)),
            ("Sun, 22 Nov 2026 10:01:30 GMT", Some(90)),
            ("Sun, 22 Nov 2026 09:00:00 GMT", Some(0)),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(pause(after, now).map(|pause| pause.as_secs()), seconds, "{after}");
        }
    }
}
