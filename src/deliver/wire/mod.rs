//! One request to a provider: its answer, as much of it as is believed, or how it failed; and when not to ask.

use jiff::SignedDuration;
use reqwest::{Client, Request, Response, header};

mod breaker;
mod failure;
mod gate;
mod http;
mod quote;
mod reading;
mod retry_after;

use crate::clock::Clock;

pub(crate) use breaker::{Breaker, Evidence, PAUSE_MIN, Pass, Probes};
pub(crate) use failure::{Failure, FailureKind};
pub(in crate::deliver) use gate::{Gate, Turn};
pub(crate) use http::{CONNECT_TIMEOUT, ClientError, client_builder, form_of, http_url, without_nulls};
pub(crate) use quote::{without_numbers, without_tokens};
pub(crate) use reading::Reading;

/// How much of an answer is read and believed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) body_bytes: usize,
    /// A longer one is taken as this much.
    pub(crate) retry_after: SignedDuration,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Its `Date` less our time on arrival: how far our clock is behind.
    pub(crate) behind: Option<SignedDuration>,
    /// Its `Retry-After`, from now.
    pub(crate) retry_after: Option<SignedDuration>,
    pub(crate) body: Vec<u8>,
    pub(crate) end: BodyEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    Whole,
    /// At our limit; what is left out was not read.
    TooLong,
    BrokenOff,
}

impl Answer {
    pub(crate) fn json(&self) -> Option<serde_json::Value> {
        if self.is_whole() { serde_json::from_slice(&self.body).ok() } else { None }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.end == BodyEnd::Whole
    }
}

pub(crate) async fn exchange(
    client: &Client,
    request: Request,
    clock: &dyn Clock,
    limits: Limits,
) -> Result<Answer, Failure> {
    let response = client.execute(request).await?;
    Ok(read(response, clock, limits).await)
}

pub(crate) async fn read(mut response: Response, clock: &dyn Clock, limits: Limits) -> Answer {
    let now = clock.now();
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let date = text(header::DATE).and_then(retry_after::http_date);
    let retry_after =
        text(header::RETRY_AFTER).and_then(|value| retry_after::parse(value, date, now, limits.retry_after));
    let status = response.status().as_u16();
    let mut body = Vec::new();
    let end = loop {
        match response.chunk().await {
            Ok(None) => break BodyEnd::Whole,
            Err(_) => break BodyEnd::BrokenOff,
            Ok(Some(chunk)) => {
                let room = limits.body_bytes - body.len();
                body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                if room < chunk.len() {
                    break BodyEnd::TooLong;
                }
            }
        }
    };
    let behind = date.map(|date| date.duration_since(now));
    Answer { status, behind, retry_after, body, end }
}

#[cfg(test)]
impl Answer {
    /// A whole answer without headers.
    pub(crate) fn of(status: u16, body: &(impl ToString + ?Sized)) -> Self {
        Self::of_bytes(status, body.to_string().into_bytes())
    }

    pub(crate) fn of_bytes(status: u16, body: Vec<u8>) -> Self {
        Self { status, behind: None, retry_after: None, body, end: BodyEnd::Whole }
    }
}
