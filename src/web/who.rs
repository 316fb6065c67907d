//! Who asks, and about what: extractors for operators and for the name or id in the path.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

use super::{Context, Problem};
use crate::{
    alert::AlertId,
    config::{Operator, Role},
};

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

impl FromRequestParts<Context> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, context)
            .await
            .map_err(|_| Problem::not_found("there is no such path"))?;
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
