//! Texts, lists and account pages in Twilio's shape, and the status callbacks that Twilio would post.

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::hmac;
use axum::{
    body::Bytes,
    extract::{ConnectInfo, Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::is_number;
use crate::sandbox::{
    answer::Answer,
    google::random_hex,
    line::CutHandle,
    seen::TextSeen,
    world::{World, json_ok, say},
};

/// The account's only number.
const NUMBER: &str = "+15005550006";
/// Longest text, in characters.
const BODY_CHARS_MAX: usize = 1_600;
/// Longest a text may wait, in seconds.
const VALIDITY_MAX: u32 = 36_000;
/// What is left on the account, in dollars.
const BALANCE: &str = "25.00";

/// A customer of the company.
pub(in crate::sandbox) struct TwilioAccount {
    sid: String,
    token: String,
    trial: Mutex<bool>,
    messages: Mutex<Vec<Message>>,
}

#[derive(Clone)]
struct Message {
    sid: String,
    to: String,
    from: String,
    body: String,
    callback: Option<String>,
    made_at: Timestamp,
    status: &'static str,
    error_code: Option<u32>,
}

/// A status callback, ready to be posted.
#[derive(Clone, Debug)]
pub struct Callback {
    /// Where to, as the request for the text named it.
    pub url: String,
    /// The form.
    pub body: String,
    /// The header `X-Twilio-Signature`.
    pub signature: String,
}

impl TwilioAccount {
    pub(in crate::sandbox) fn generate() -> io::Result<Self> {
        let sid = format!("AC{}", random_hex::<16>()?);
        let (trial, messages) = (Mutex::new(false), Mutex::default());
        Ok(Self { sid, token: random_hex::<16>()?, trial, messages })
    }

    pub(super) fn credentials(&self) -> (&str, &str) {
        (&self.sid, &self.token)
    }

    pub(super) fn set_trial(&self, trial: bool) {
        *self.trial.lock().unwrap_or_else(PoisonError::into_inner) = trial;
    }

    /// Moves the text of this rank (0 = the first) on, and says what Twilio would post about it.
    pub(super) fn report(
        &self,
        rank: usize,
        status: &'static str,
        error_code: Option<u32>,
    ) -> Option<Callback> {
        let mut messages = self.messages();
        let message = messages.get_mut(rank)?;
        (message.status, message.error_code) = (status, error_code);
        let mut fields = BTreeMap::from([
            ("AccountSid", self.sid.clone()),
            ("ApiVersion", "2010-04-01".to_owned()),
            ("From", message.from.clone()),
            ("MessageSid", message.sid.clone()),
            ("MessageStatus", status.to_owned()),
            ("SmsSid", message.sid.clone()),
            ("SmsStatus", status.to_owned()),
            ("To", message.to.clone()),
        ]);
        if let Some(code) = error_code {
            fields.insert("ErrorCode", code.to_string());
        }
        let url = message.callback.clone()?;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.token.as_bytes());
        let signed = fields.iter().fold(url.clone(), |signed, (name, value)| signed + name + value);
        let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        Some(Callback { url, body, signature })
    }

    fn messages(&self) -> MutexGuard<'_, Vec<Message>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, sid: &str, headers: &HeaderMap) -> Result<(), Answer> {
        let expected = format!("Basic {}", STANDARD.encode(format!("{}:{}", self.sid, self.token)));
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if given == Some(expected.as_str()) && sid == self.sid {
            Ok(())
        } else {
            Err(refusal(401, 20003, "Authenticate"))
        }
    }
}

impl fmt::Debug for TwilioAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioAccount").finish_non_exhaustive()
    }
}

impl Message {
    fn shown(&self) -> Value {
        let made = jiff::fmt::rfc2822::to_string(&self.made_at.to_zoned(TimeZone::UTC)).unwrap_or_default();
        json!({
            "sid": self.sid, "to": self.to, "from": self.from, "body": self.body, "status": self.status,
            "direction": "outbound-api", "date_created": made, "error_code": self.error_code, "error_message": null,
        })
    }
}

/// `POST /2010-04-01/Accounts/{sid}/Messages.json`.
pub(in crate::sandbox) async fn send(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<CutHandle>,
    Path(sid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let judged = world.twilio.admit(&sid, &headers).and_then(|()| judge(&headers, &body));
    let mut message = match judged {
        Ok(message) => message,
        Err(answer) => return world.refuse(&world.texts, answer),
    };
    message.sid = format!("SM{:032x}", world.next_id());
    message.made_at = world.now();
    let answer = world.sms_script.next(&message.to);
    let text = TextSeen {
        at: world.now(),
        to: message.to.clone(),
        from: message.from.clone(),
        text: message.body.clone(),
        alert_id: String::new(),
        provider: "twilio",
        report_url: message.callback.clone().unwrap_or_default(),
        answered: 0,
        accepted: false,
    };
    // Also where no answer comes: the list must show what the sender does not know of.
    if answer.accepts() || matches!(answer, Answer::Hang | Answer::Reset) {
        world.twilio.messages().push(message.clone());
    }
    let ok = || (StatusCode::CREATED, json_ok(message.shown().to_string())).into_response();
    world.play((&world.texts, &world.sms_script), (answer, text), &line, ok).await
}

fn judge(headers: &HeaderMap, body: &[u8]) -> Result<Message, Answer> {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if !content_type.starts_with(b"application/x-www-form-urlencoded") {
        return Err(refusal(400, 20422, "the body is no form"));
    }
    let mut fields: BTreeMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    let mut take = |name: &str| fields.remove(name);
    let [to, from, service, text, callback, validity] =
        ["To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod"].map(&mut take);
    // Twilio forgives what it does not know; a test should not.
    if let Some(name) = fields.keys().next() {
        return Err(refusal(400, 20422, &format!("nobody knows `{name}`")));
    }
    let to =
        to.filter(|to| to.starts_with('+') && is_number(to)).ok_or(refusal(400, 21211, "Invalid 'To'"))?;
    let from = match (from, service) {
        (Some(from), None) if from == NUMBER => from,
        (None, Some(service)) if service.starts_with("MG") => NUMBER.to_owned(),
        (Some(_), None) => return Err(refusal(400, 21606, "'From' is not a number of this account")),
        (Some(_) | None, _) => return Err(refusal(400, 21603, "a 'From' is required")),
    };
    let text = text.filter(|text| !text.is_empty()).ok_or(refusal(400, 21602, "Message body is required"))?;
    if BODY_CHARS_MAX < text.chars().count() {
        return Err(refusal(400, 21617, "The message body exceeds the 1600 character limit"));
    }
    let is_address = |callback: &String| {
        url::Url::parse(callback).is_ok_and(|url| url.domain().is_some_and(|name| name.contains('.')))
    };
    if callback.as_ref().is_some_and(|callback| !is_address(callback)) {
        return Err(refusal(400, 21609, "Invalid 'StatusCallback' URL"));
    }
    let seconds =
        |text: &String| text.parse().is_ok_and(|seconds: u32| (1..=VALIDITY_MAX).contains(&seconds));
    if validity.as_ref().is_some_and(|validity| !seconds(validity)) {
        return Err(refusal(400, 21621, "ValidityPeriod out of range"));
    }
    Ok(Message {
        sid: String::new(),
        to,
        from,
        body: text,
        callback,
        made_at: Timestamp::UNIX_EPOCH,
        status: "queued",
        error_code: None,
    })
}

/// `GET /2010-04-01/Accounts/{sid}/Messages.json`, newest first.
pub(in crate::sandbox) async fn list(
    State(world): State<Arc<World>>,
    Path(sid): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Err(answer) = world.twilio.admit(&sid, &headers) {
        return say(answer);
    }
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let size = query.get("PageSize").and_then(|size| size.parse().ok()).unwrap_or(50);
    let messages = world.twilio.messages();
    let to = |message: &&Message| query.get("To").is_none_or(|to| *to == message.to);
    let shown: Vec<Value> = messages.iter().rev().filter(to).take(size).map(Message::shown).collect();
    json_ok(json!({ "messages": shown, "page_size": size, "page": 0 }).to_string())
}

/// `GET /2010-04-01/Accounts/{sid}.json`.
pub(in crate::sandbox) async fn account(
    State(world): State<Arc<World>>,
    Path(sid): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(answer) = world.twilio.admit(sid.trim_end_matches(".json"), &headers) {
        return say(answer);
    }
    let kind =
        if *world.twilio.trial.lock().unwrap_or_else(PoisonError::into_inner) { "Trial" } else { "Full" };
    json_ok(json!({ "status": "active", "type": kind }).to_string())
}

/// `GET /2010-04-01/Accounts/{sid}/Balance.json` and `…/IncomingPhoneNumbers.json`.
pub(in crate::sandbox) async fn page(
    State(world): State<Arc<World>>,
    Path((sid, page)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Err(answer) = world.twilio.admit(&sid, &headers) {
        return say(answer);
    }
    let body = match page.as_str() {
        "Balance.json" => json!({ "balance": BALANCE, "currency": "USD" }),
        "IncomingPhoneNumbers.json" => {
            let asked = query.is_some_and(|query| query.ends_with(NUMBER.trim_start_matches('+')));
            let number = json!({ "phone_number": NUMBER, "capabilities": { "sms": true, "voice": true } });
            json!({ "incoming_phone_numbers": if asked { vec![number] } else { Vec::new() } })
        }
        _ => return say(refusal(404, 20404, "The requested resource was not found")),
    };
    json_ok(body.to_string())
}

fn refusal(status: u16, code: u32, message: &str) -> Answer {
    Answer::json(status, &json!({ "code": code, "message": message, "status": status }))
}
