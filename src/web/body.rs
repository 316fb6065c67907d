//! The body of a request, bounded in size and time.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
};

use super::Problem;

/// A slow sender must not hold a connection for ever.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) enum BodyError {
    /// Larger than the limit, in bytes.
    TooLarge { limit: usize, set_by: &'static str },
    /// It did not come in time, or the connection broke.
    Incomplete,
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { limit, set_by } => {
                let detail = format!("the body is larger than {set_by}, {limit} bytes");
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
            }
            BodyError::Incomplete => {
                let detail = "the body did not arrive whole and in time";
                Self::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", detail)
            }
        }
    }
}

/// The whole body, at most `limit` bytes; an announced length above it is refused at once. `set_by` says to people
/// where the limit comes from.
pub(crate) async fn body(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    set_by: &'static str,
) -> Result<Bytes, BodyError> {
    let too_large = BodyError::TooLarge { limit, set_by };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|value| value.parse::<usize>().ok()).is_some_and(|announced| limit < announced) {
        return Err(too_large);
    }
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length_limit(&error) => Err(too_large),
        Ok(Err(_)) | Err(_) => Err(BodyError::Incomplete),
    }
}

fn is_length_limit(error: &axum::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if inner.to_string().contains("length limit") {
            return true;
        }
        source = inner.source();
    }
    false
}
