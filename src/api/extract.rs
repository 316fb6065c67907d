//! What handlers take from a request: who asks, and a bounded body.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Path},
    http::{HeaderMap, header, request::Parts},
};

use super::{Context, Problem};
use crate::{
    alert::AlertId,
    config::{Operator, Role},
};

/// A body that takes longer is given up: a slow sender must not hold a connection for ever.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Somebody who may read.
pub(crate) struct Viewer;

/// Somebody who may act.
pub(crate) struct Actor(pub(crate) String);

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
        match operator.role {
            Role::Operator => Ok(Self(operator.name.clone())),
            Role::Viewer => {
                Err(Problem::forbidden("this token has the role `viewer`; acting takes `operator`"))
            }
        }
    }
}

fn operator<'c>(parts: &Parts, context: &'c Context) -> Result<&'c Operator, Problem> {
    context.keys.operator(&parts.headers, &parts.uri).ok_or_else(|| {
        Problem::unauthorized("an [[operator]] token is needed, as Bearer or as the password of Basic")
    })
}

/// The `{id}` of the path.
pub(crate) struct Id(pub(crate) AlertId);

impl FromRequestParts<Context> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, context)
            .await
            .map_err(|_| Problem::not_found("there is no such path"))?;
        text.parse().map(Self).map_err(|_| Problem::alert_not_found("there is no alert with this id"))
    }
}

/// Why a body could not be taken.
pub(crate) enum BodyError {
    /// Larger than the limit.
    TooLarge,
    /// It did not come in time, or the connection broke.
    Incomplete,
}

/// The whole body, at most `limit` bytes; an announced length above it is refused at once.
pub(crate) async fn body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    if announced.is_some_and(|announced| limit < announced) {
        return Err(BodyError::TooLarge);
    }
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length_limit(&error) => Err(BodyError::TooLarge),
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
