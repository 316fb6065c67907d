//! `POST /sms/send`: what a gateway of kind `http` talks to.

use std::{borrow::Cow, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderMap, header},
    routing::post,
};
use serde::Deserialize;
use serde_json::json;

use super::{TEXT_BYTES_MAX, Texts, euc_kr_bytes, is_number};
use crate::sandbox::{answer::Answer, line::CutHandle, seen::TextSeen, text_of};

pub(super) fn routes(texts: Arc<Texts>) -> Router {
    Router::new().route("/sms/send", post(send)).with_state(texts)
}

impl Answer {
    /// The plain company's refusal: status 400 and a `code`, such as `bad_number`.
    pub fn text_refused(code: &str) -> Self {
        Self::json(400, &json!({ "ok": false, "code": code }))
    }
}

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

async fn send(
    State(texts): State<Arc<Texts>>,
    ConnectInfo(line): ConnectInfo<CutHandle>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Answer> {
    let order = judge(&headers, &body).map_err(|answer| texts.refuse(answer))?;
    let answer = texts.next(&order.to);
    let id = format!("sandbox-{}", texts.ground.next_id());
    let text = TextSeen {
        at: texts.ground.now(),
        to: order.to.into_owned(),
        from: order.from.into_owned(),
        text: order.text.into_owned(),
        alert_id: order.alert_id.into_owned(),
        provider: "http",
        ..TextSeen::default()
    };
    let ok = || Answer::json(200, &json!({ "ok": true, "id": id }));
    Ok(texts.play(answer, text, &line, ok).await)
}

fn judge<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Order<'a>, Answer> {
    if !text_of(headers, header::CONTENT_TYPE).starts_with("application/json") {
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
