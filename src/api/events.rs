//! `POST /v1/events/{integration}` and `POST /v1/alerts`: what senders and people say. The answer
//! leaves after what they said is durable.

use axum::{
    Json,
    body::Body,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    Context, Problem, Seat, Shown,
    extract::{BodyError, body},
    signature,
    told::{self, Misdeed},
    watchdog,
};
use crate::{
    alert::{Admission, AlertId, ContactName, Event, IgnoreReason},
    chance,
    config::Integration,
    queue::{Admitted, BodyDigest, Poster},
    receive::{
        self, Reading,
        manual::{self, ManualRequest},
    },
};

/// The name that alerts of operators are filed under.
const MANUAL: &str = "manual";

/// A manual alert that nobody resolves does so itself after so long.
const MANUAL_CLOSES_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

/// Longest `Idempotency-Key`, in bytes.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

#[derive(Serialize)]
struct Answer {
    results: Vec<EventResult>,
}

#[derive(Serialize)]
struct EventResult {
    alert_id: Option<AlertId>,
    dedup_key: String,
    admission: Admission,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<IgnoreReason>,
    url: Option<String>,
}

/// `POST /v1/events/{integration}`
pub(super) async fn post_events(
    State(context): State<Context>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    events(&context, name, request, receive::read).await
}

/// `POST /v1/events/{integration}/api/v2/alerts`: Prometheus, vmalert and Loki, which think that this is an
/// Alertmanager.
pub(super) async fn post_prometheus(
    State(context): State<Context>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let read = |integration: &Integration, _: Option<&str>, bytes: &[u8], now| {
        receive::alertmanager::read_array(integration, bytes, now)
    };
    events(&context, name, request, read).await
}

async fn events(
    context: &Context,
    name: Result<Path<String>, PathRejection>,
    request: Request,
    read: impl Fn(&Integration, Option<&str>, &[u8], Timestamp) -> Reading,
) -> Result<Response, Problem> {
    // A name that is no UTF-8 is nobody's.
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let (Parts { headers, uri, .. }, request) = request.into_parts();
    let began = context.clock.now();
    let integration = authenticate(context, &name, &headers, &uri).await?;
    let bytes = match body(&headers, request, context.config.server.body_limit).await {
        Ok(bytes) => bytes,
        Err(error) => return Err(refuse_body(context, &integration.name, error).await),
    };
    if let Some(rule) = &integration.hmac
        && let Err(error) = signature::verify(rule, &headers, &bytes, began)
    {
        return Err(refuse_key(context, &name, &error.to_string()).await?);
    }
    let poster =
        Poster { integration: &integration.name, close_after: integration.close_after, house: false };
    let digest = BodyDigest::new(&integration.name, &bytes);
    if let Some(admitted) = context.queue.admit_again(poster, digest).await? {
        return Ok(answer(context, &integration.name, admitted));
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let admitted = match read(integration, content_type, &bytes, began) {
        Reading::Events(events) => admit(context, integration, (poster, digest), events).await?,
        Reading::Unreadable { reason } => {
            let told = told::tell(context, &integration.name, Misdeed::Unreadable, (&reason, &bytes)).await?;
            told.into_iter().map(|told| Admitted { reason: Some(IgnoreReason::Unreadable), ..told }).collect()
        }
    };
    let took = context.clock.now().duration_since(began);
    context.metrics.accepted_in(took.as_secs_f64());
    Ok(answer(context, &integration.name, admitted))
}

/// Where bodies are signed, the signature is looked at once the body is here; a wrong key is wrong there too.
async fn authenticate<'c>(
    context: &'c Context,
    name: &str,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<&'c Integration, Problem> {
    let Some((integration, shown)) = context.keys.integration(name, headers, uri) else {
        context.metrics.refused("unknown_integration");
        return Err(Problem::unknown_integration(name));
    };
    match shown {
        Shown::TheKey => Ok(integration),
        Shown::Nothing if integration.hmac.is_some() => Ok(integration),
        Shown::Nothing | Shown::AnotherKey => {
            Err(refuse_key(context, name, &format!("this is not the key of integration `{name}`")).await?)
        }
    }
}

/// Counts a wrong key or signature, and tells people of repeated ones.
async fn refuse_key(context: &Context, name: &str, detail: &str) -> Result<Problem, Problem> {
    context.metrics.refused("wrong_key");
    if context.told.wrong_key(name, context.clock.now()) {
        let reason =
            "somebody keeps posting with a wrong key: if it is this sender, its alerts are being lost";
        told::tell(context, name, Misdeed::WrongKeys, (reason, b"")).await?;
    }
    Ok(Problem::unauthorized(detail))
}

async fn refuse_body(context: &Context, integration: &str, error: BodyError) -> Problem {
    let limit = context.config.server.body_limit;
    match error {
        BodyError::Incomplete => Problem::body_timeout(),
        BodyError::TooLarge => {
            let reason = format!("a body was larger than server.body_limit, {limit} bytes, and was refused");
            context.metrics.refused("body_too_large");
            match told::tell(context, integration, Misdeed::Oversized, (&reason, b"")).await {
                Ok(_) => Problem::too_large("server.body_limit", limit),
                Err(error) => error.into(),
            }
        }
    }
}

async fn admit(
    context: &Context,
    integration: &Integration,
    (poster, body): (Poster<'_>, BodyDigest),
    events: Vec<Event>,
) -> Result<Vec<Admitted>, Problem> {
    let sifted = watchdog::sift(context, integration.kind, events).await?;
    for _ in sifted.events.iter().filter(|event| event.unknown_severity.is_some()) {
        context.metrics.unknown_severity(&integration.name);
    }
    let admitted = context.queue.admit(poster, &sifted.events).await?;
    // The call of a heartbeat counts each time it comes.
    if sifted.has_no_calls() {
        context.queue.remember(poster, body, (&sifted.events, &admitted));
    }
    Ok(sifted.with(admitted))
}

/// `POST /v1/alerts`
pub(super) async fn post_alert(
    State(context): State<Context>,
    headers: HeaderMap,
    uri: Uri,
    request: Body,
) -> Result<Response, Problem> {
    let Some(seat) = context.keys.manual(&headers, &uri) else {
        if context.keys.operator(&headers, &uri).is_some() {
            return Err(Problem::forbidden("this token has the role `viewer`; an alert takes `operator`"));
        }
        context.metrics.refused("wrong_key");
        let needed = "an [[operator]] token with the role `operator`, or the key of a `generic` integration, is needed";
        return Err(Problem::unauthorized(needed));
    };
    let (name, close_after) = match seat {
        Seat::Operator(_) => (MANUAL, MANUAL_CLOSES_AFTER),
        Seat::Generic(integration) => (integration.name.as_str(), integration.close_after),
    };
    let limit = context.config.server.body_limit;
    let bytes = body(&headers, request, limit).await.map_err(|error| match error {
        BodyError::Incomplete => Problem::body_timeout(),
        BodyError::TooLarge => Problem::too_large("server.body_limit", limit),
    })?;
    let event = manual_event(&context, &headers, &bytes)?;
    let poster = Poster { integration: name, close_after, house: false };
    let admitted = context.queue.admit(poster, std::slice::from_ref(&event)).await?;
    Ok(answer(&context, name, admitted))
}

fn manual_event(context: &Context, headers: &HeaderMap, bytes: &[u8]) -> Result<Event, Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let idempotency_key = text("idempotency-key");
    let is_unreadable = idempotency_key.is_none() && headers.contains_key("idempotency-key");
    if is_unreadable
        || idempotency_key.is_some_and(|key| key.is_empty() || IDEMPOTENCY_KEY_BYTES_MAX < key.len())
    {
        let detail = format!(
            "`Idempotency-Key` must have 1 to {IDEMPOTENCY_KEY_BYTES_MAX} printable ASCII characters"
        );
        return Err(Problem::bad_request("bad_idempotency_key", detail));
    }
    let unique = AlertId::new(context.clock.now(), chance::bytes()).to_string();
    let event = manual::read(ManualRequest {
        content_type: text("content-type"),
        body: bytes,
        idempotency_key,
        unique: &unique,
    })?;
    let known = |name: &ContactName| context.config.contacts.iter().any(|contact| contact.name == *name);
    match event.to.iter().find(|name| !known(name)) {
        Some(name) => {
            Err(Problem::bad_request("unknown_contact", format!("`to`: there is no contact `{name}`")))
        }
        None => Ok(event),
    }
}

fn answer(context: &Context, integration: &str, admitted: Vec<Admitted>) -> Response {
    let result = |admitted: Admitted| {
        context.metrics.admitted(integration, admitted.admission);
        EventResult {
            alert_id: admitted.alert_id,
            dedup_key: admitted.dedup_key.to_string(),
            admission: admitted.admission,
            reason: admitted.reason,
            url: admitted.alert_id.map(|id| context.alert_url(id)),
        }
    };
    (StatusCode::ACCEPTED, Json(Answer { results: admitted.into_iter().map(result).collect() }))
        .into_response()
}
