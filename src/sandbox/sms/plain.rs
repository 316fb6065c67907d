//! `POST /sms/send`: what a gateway of kind `http` talks to.

use std::{borrow::Cow, sync::Arc};

use axum::{
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;

use super::{TEXT_BYTES_MAX, euc_kr_bytes, is_number};
use crate::sandbox::{
    answer::Answer,
    line::CutHandle,
    seen::TextSeen,
    world::{World, json_ok},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order<'a> {
    #[serde(borrow)]
    to: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow, default)]
    from: Cow<'a, str>,
    #[serde(borrow, default)]
    alert_id: Cow<'a, str>,
}

/// The endpoint.
pub(in crate::sandbox) async fn send(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<CutHandle>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let order = match judge(&headers, &body) {
        Ok(order) => order,
        Err(answer) => return world.refuse(&world.texts, answer),
    };
    let answer = world.sms_script.next(&order.to);
    let id = format!("sandbox-{}", world.next_id());
    let text = TextSeen {
        at: world.now(),
        to: order.to.into_owned(),
        from: order.from.into_owned(),
        text: order.text.into_owned(),
        alert_id: order.alert_id.into_owned(),
        provider: "http",
        report_url: String::new(),
        answered: 0,
        accepted: false,
    };
    let ok = || json_ok(json!({ "ok": true, "id": id }).to_string());
    world.play((&world.texts, &world.sms_script), (answer, text), &line, ok).await
}

fn judge<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Order<'a>, Answer> {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if !content_type.starts_with(b"application/json") {
        return Err(refusal("bad_request", "the content type is not application/json"));
    }
    let order: Order<'_> =
        serde_json::from_slice(body).map_err(|error| refusal("bad_request", &error.to_string()))?;
    if !is_number(&order.to) {
        return Err(refusal("bad_number", "`to` is no phone number"));
    }
    if order.text.is_empty() {
        return Err(refusal("bad_request", "`text` is empty"));
    }
    // This company takes emoji as well, as two units of UCS-2.
    let bytes = euc_kr_bytes(&order.text).unwrap_or_else(|| order.text.encode_utf16().count() * 2);
    if TEXT_BYTES_MAX < bytes {
        return Err(refusal("too_long", "`text` has more than 2,000 bytes"));
    }
    Ok(order)
}

fn refusal(code: &str, message: &str) -> Answer {
    Answer::json(400, &json!({ "ok": false, "code": code, "message": message }))
}
