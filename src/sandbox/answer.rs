//! How the sandbox answers; the companies' own words stand with each of them.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::Value;

pub(super) const JSON_TYPE: &str = "application/json; charset=UTF-8";

/// How the sandbox answers a request that passed its strict checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Ok,
    /// Says exactly this, and no phone gets anything, whatever the status is.
    Status {
        /// HTTP status code, 100 to 999; 500 is said instead of any other number.
        status: u16,
        /// Header names and values; one that HTTP does not allow is left out.
        headers: Vec<(String, String)>,
        body: String,
    },
    /// Accepts it at once, but says so only after this long: a sender that gave up has an unknown.
    SlowOk(Duration),
    /// Says nothing until released, then accepts; at shutdown the connection is cut.
    Hang,
    /// Cuts the connection without an answer; over HTTP/2 its other requests are lost with it.
    Reset,
}

impl Answer {
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, JSON_TYPE, body.to_string())
    }

    pub(super) fn text(status: u16, content_type: &str, body: String) -> Self {
        Self::Status { status, headers: vec![("content-type".to_owned(), content_type.to_owned())], body }
    }

    pub fn silent_503() -> Self {
        Self::Status { status: 503, headers: Vec::new(), body: String::new() }
    }

    /// With `Retry-After` in seconds, where there is one to add it to.
    #[must_use]
    pub fn retry_after(self, seconds: Option<u32>) -> Self {
        match seconds {
            Some(seconds) => self.with_header("retry-after", seconds.to_string()),
            None => self,
        }
    }

    pub(super) fn with_header(mut self, name: &str, value: String) -> Self {
        if let Self::Status { headers, .. } = &mut self {
            headers.push((name.to_owned(), value));
        }
        self
    }

    /// The phone gets the message now.
    pub(super) fn accepts(&self) -> bool {
        match self {
            Self::Ok | Self::SlowOk(_) => true,
            Self::Status { .. } | Self::Hang | Self::Reset => false,
        }
    }

    /// The status code that the sender sees; 0 for no answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Ok | Self::SlowOk(_) => 200,
            Self::Status { status, .. } => *status,
            Self::Hang | Self::Reset => 0,
        }
    }
}

/// Only an answer with a status has words of its own.
impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Self::Status { status, headers, body } = self else {
            return StatusCode::OK.into_response();
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}
