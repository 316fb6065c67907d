//! What handlers take from a request: who asks, the name or id in the path, a bounded body.

use std::{convert::Infallible, error::Error, iter, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Path},
    http::{HeaderMap, StatusCode, request::Parts},
};

use super::{Context, Problem};
use crate::{
    alert::AlertId,
    config::{Operator, Role},
};

/// A slow sender must not hold a connection for ever.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// An operator of either role.
pub(crate) struct Viewer;

/// The name of an operator who may act.
pub(crate) struct Actor(pub(crate) String);

pub(crate) struct Id(pub(crate) AlertId);

/// The only name in the path; empty, which nothing is called, if it is no UTF-8.
pub(crate) struct Name(pub(crate) String);

impl FromRequestParts<Context> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Problem> {
        operator(parts, context).map(|_| Self)
    }
}

impl FromRequestParts<Context> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Problem> {
        let operator = operator(parts, context)?;
        if operator.role != Role::Operator {
            return Err(Problem::forbidden("this token has the role `viewer`; acting takes `operator`"));
        }
        Ok(Self(operator.name.clone()))
    }
}

fn operator<'c>(parts: &Parts, context: &'c Context) -> Result<&'c Operator, Problem> {
    context.keys.operator(parts).ok_or_else(|| {
        Problem::unauthorized("an [[operator]] token is needed, as Bearer or as the password of Basic")
    })
}

impl FromRequestParts<Context> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, context).await;
        let Path(text) = path.map_err(|_| Problem::not_found("there is no such path"))?;
        text.parse().map(Self).map_err(|_| Problem::alert_not_found("there is no alert with this id"))
    }
}

impl FromRequestParts<Context> for Name {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Infallible> {
        let name = Path::<String>::from_request_parts(parts, context).await;
        Ok(Self(name.map(|Path(name)| name).unwrap_or_default()))
    }
}

/// The header of this name, if it is text.
pub(crate) fn text_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

pub(crate) enum BodyError {
    TooLarge {
        limit: usize,
        set_by: &'static str,
    },
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
    let announced = text_of(headers, "content-length");
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
    let mut causes = iter::successors(Some(error as &dyn Error), |&cause| cause.source());
    causes.any(|cause| cause.to_string().contains("length limit"))
}
