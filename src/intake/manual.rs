//! `POST /v1/alerts`: a person, or a script of theirs, raises an alert.

use std::{error::Error, iter};

use axum::{
    body::Body,
    extract::{FromRequestParts, State},
    http::{HeaderMap, request::Parts},
    response::Response,
};
use jiff::SignedDuration;

use super::accepted;
use crate::{
    alert::{AlertId, ContactName, Event},
    config::{Integration, IntegrationKind, MANUAL, Role},
    queue::Poster,
    receive::manual::{self, ManualError, ManualRequest},
    web::{Context, Problem, body, text_of},
};

const MANUAL_CLOSES_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// An operator, or a script with the key of a `generic` integration.
pub(super) struct Author {
    integration: String,
    close_after: SignedDuration,
}

impl FromRequestParts<Context> for Author {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Problem> {
        if let Some(operator) = context.keys.operator(parts) {
            if operator.role != Role::Operator {
                let detail = "this token has the role `viewer`; an alert takes `operator`";
                return Err(Problem::forbidden(detail));
            }
            return Ok(Self { integration: MANUAL.to_owned(), close_after: MANUAL_CLOSES_AFTER });
        }
        let is_generic = |integration: &Integration| integration.kind == IntegrationKind::Generic;
        let Some(generic) = context.keys.integration_with_key(parts, is_generic) else {
            context.metrics.refused("wrong_key");
            let needed = "an [[operator]] token with the role `operator`, or the key of a `generic` integration, is needed";
            return Err(Problem::unauthorized(needed));
        };
        Ok(Self { integration: generic.name.clone(), close_after: generic.close_after })
    }
}

pub(super) async fn post_alert(
    State(context): State<Context>,
    author: Author,
    headers: HeaderMap,
    request: Body,
) -> Result<Response, Problem> {
    let bytes = body(&headers, request, context.config.server.body_limit, "server.body_limit").await?;
    let event = event(&context, &headers, &bytes)?;
    let Author { integration, close_after } = &author;
    let poster = Poster { integration, close_after: *close_after };
    let admitted = context.queue.admit(poster, &[event]).await?;
    Ok(accepted(&context, integration, admitted))
}

fn event(context: &Context, headers: &HeaderMap, bytes: &[u8]) -> Result<Event, Problem> {
    let idempotency_key = text_of(headers, "idempotency-key")
        .filter(|key| (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len()));
    if idempotency_key.is_none() && headers.contains_key("idempotency-key") {
        let detail = format!(
            "`Idempotency-Key` must have 1 to {IDEMPOTENCY_KEY_BYTES_MAX} printable ASCII characters"
        );
        return Err(Problem::bad_request("bad_idempotency_key", detail));
    }
    let unique = AlertId::new(context.clock.now(), context.clock.chance().bytes()).to_string();
    let request = ManualRequest {
        content_type: text_of(headers, "content-type"),
        body: bytes,
        idempotency_key,
        unique: &unique,
    };
    let event = manual::read(request).map_err(|error| problem(&error))?;
    let known = |name: &ContactName| context.config.contacts.iter().any(|contact| contact.name == *name);
    if let Some(name) = event.to.iter().find(|name| !known(name)) {
        let detail = format!("`to`: there is no contact `{name}`");
        return Err(Problem::bad_request("unknown_contact", detail));
    }
    Ok(event)
}

/// With every cause: the caller can correct it.
fn problem(error: &ManualError) -> Problem {
    let causes = iter::successors(Some(error as &dyn Error), |&cause| cause.source());
    Problem::bad_request("bad_alert", causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
