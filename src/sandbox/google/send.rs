//! `POST /v1/projects/{project}/messages:send`.

use std::{borrow::Cow, sync::Arc};

use axum::{
    body::Bytes,
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, header},
};
use serde_json::Value;

use super::{
    Google, PROJECT,
    check::{check, member},
    schema::TARGETS,
};
use crate::sandbox::{
    answer::{Answer, JSON_TYPE},
    line::CutHandle,
    seen::PushSeen,
    text_of,
};

pub(super) async fn send(
    State(google): State<Arc<Google>>,
    ConnectInfo(line): ConnectInfo<CutHandle>,
    Path(project): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Answer> {
    let (fcm, ground) = (&google.fcm, &google.fcm.ground);
    let Request { message, is_dry_run } =
        judge(&google, &project, &headers, &body).map_err(|answer| fcm.refuse(answer))?;
    let target = target_of(&message).into_owned();
    let answer = fcm.next(&target);
    if is_dry_run {
        return Ok(fcm.answer(answer, &line, || accepted("fake_message_id")).await);
    }
    let at = ground.now();
    let push = PushSeen { at, target, message, answered: 0, accepted: false };
    let id = format!("0:{}%{:016x}", at.as_microsecond(), ground.next_id());
    Ok(fcm.play(answer, push, &line, || accepted(&id)).await)
}

struct Request {
    message: Value,
    is_dry_run: bool,
}

/// Google's checks in Google's order: who asks, for which project, then the body.
fn judge(google: &Google, project: &str, headers: &HeaderMap, body: &[u8]) -> Result<Request, Answer> {
    let Some(token) = text_of(headers, header::AUTHORIZATION).strip_prefix("Bearer ") else {
        return Err(Answer::unauthenticated());
    };
    if !google.tokens.is_valid(token) {
        return Err(Answer::unauthorized());
    }
    if project != PROJECT {
        return Err(Answer::html_404(&format!("/v1/projects/{project}/messages:send")));
    }
    if !text_of(headers, header::CONTENT_TYPE).starts_with("application/json") {
        let description = "Invalid JSON payload received. The content type is not JSON.";
        return Err(Answer::unreadable_field("", description));
    }
    let mut request: Value = serde_json::from_slice(body)
        .map_err(|_| Answer::unreadable_field("", "Invalid JSON payload received. Unexpected token."))?;
    check(&request).map_err(|flaw| flaw.answer())?;
    let dry_run = request.as_object().and_then(|request| member(request, "validate_only"));
    let is_dry_run = dry_run == Some(&Value::Bool(true));
    let message = request.get_mut("message").map(Value::take).unwrap_or_default();
    Ok(Request { message, is_dry_run })
}

/// Where a checked message goes, in the form of [`PushSeen::target`].
fn target_of(message: &Value) -> Cow<'_, str> {
    let set = TARGETS.iter().find_map(|kind| Some((*kind, message.get(*kind)?.as_str()?)));
    match set {
        Some(("token", token)) => Cow::Borrowed(token),
        Some((kind, target)) => Cow::Owned(format!("{kind}:{target}")),
        None => Cow::Borrowed(""),
    }
}

fn accepted(id: &str) -> Answer {
    Answer::text(200, JSON_TYPE, format!("{{\n  \"name\": \"projects/{PROJECT}/messages/{id}\"\n}}\n"))
}
