//! Texts, lists and account pages in Twilio's shape, and the status callbacks that Twilio would post.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use aws_lc_rs::hmac;
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Path, RawQuery, State},
    http::{HeaderMap, header},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Sms, Texts, fields_of, is_number};
use crate::sandbox::{answer::Answer, hex, line::CutHandle, locked, seen::TextSeen, text_of};

/// The account's only number.
const NUMBER: &str = "+15005550006";
const BODY_CHARS_MAX: usize = 1_600;
const VALIDITY_SECONDS_MAX: u32 = 36_000;
/// What is left on the account, in dollars.
const BALANCE: &str = "25.00";

pub(super) struct Twilio {
    texts: Arc<Texts>,
    sid: String,
    token: String,
    trial: AtomicBool,
    messages: Mutex<Vec<Message>>,
}

struct Message {
    sid: String,
    text: TextSeen,
    status: &'static str,
    error_code: Option<u32>,
}

/// A status callback, ready to be posted.
#[derive(Clone, Debug)]
pub struct Callback {
    /// As the request for the text named it.
    pub url: String,
    pub body: String,
    /// The header `X-Twilio-Signature`.
    pub signature: String,
}

impl Twilio {
    pub(super) fn open(texts: &Arc<Texts>) -> io::Result<Self> {
        Ok(Self {
            texts: Arc::clone(texts),
            sid: format!("AC{}", hex::random::<16>()?),
            token: hex::random::<16>()?,
            trial: false.into(),
            messages: Mutex::default(),
        })
    }

    pub(super) fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/2010-04-01/Accounts/{sid}/Messages.json", get(list).post(send))
            .route("/2010-04-01/Accounts/{sid}", get(account))
            .route("/2010-04-01/Accounts/{sid}/{page}", get(page))
            .with_state(self)
    }

    fn admit(&self, sid: &str, headers: &HeaderMap) -> Result<(), Answer> {
        let expected = format!("Basic {}", STANDARD.encode(format!("{}:{}", self.sid, self.token)));
        if text_of(headers, header::AUTHORIZATION) == expected && sid == self.sid {
            Ok(())
        } else {
            Err(refusal(401, 20003, "Authenticate"))
        }
    }
}

impl Sms {
    /// The account SID and the token that Twilio's interface asks for; its number is `+15005550006`.
    pub fn twilio_credentials(&self) -> (&str, &str) {
        (&self.twilio.sid, &self.twilio.token)
    }

    /// Whether the account at Twilio is a trial.
    pub fn set_twilio_trial(&self, trial: bool) {
        self.twilio.trial.store(trial, Ordering::Relaxed);
    }

    /// Moves a text of Twilio's list on: its rank counts from 0, `status` is Twilio's word. What Twilio would post
    /// about it, if the text asked for that.
    pub fn twilio_report(
        &self,
        rank: usize,
        status: &'static str,
        error_code: Option<u32>,
    ) -> Option<Callback> {
        let Twilio { sid, token, messages, .. } = &*self.twilio;
        let mut messages = locked(messages);
        let message = messages.get_mut(rank)?;
        (message.status, message.error_code) = (status, error_code);
        let mut fields = BTreeMap::from([
            ("AccountSid", sid.clone()),
            ("ApiVersion", "2010-04-01".to_owned()),
            ("From", message.text.from.clone()),
            ("MessageSid", message.sid.clone()),
            ("MessageStatus", status.to_owned()),
            ("SmsSid", message.sid.clone()),
            ("SmsStatus", status.to_owned()),
            ("To", message.text.to.clone()),
        ]);
        if let Some(code) = error_code {
            fields.insert("ErrorCode", code.to_string());
        }
        let url = Some(message.text.report_url.clone()).filter(|url| !url.is_empty())?;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
        let signed = fields.iter().fold(url.clone(), |signed, (name, value)| signed + name + value);
        let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        Some(Callback { url, body, signature })
    }
}

impl Message {
    fn shown(&self) -> Value {
        let TextSeen { at, to, from, text, .. } = &self.text;
        let made = jiff::fmt::rfc2822::to_string(&at.to_zoned(TimeZone::UTC)).unwrap_or_default();
        json!({
            "sid": self.sid, "to": to, "from": from, "body": text, "status": self.status,
            "direction": "outbound-api", "date_created": made, "error_code": self.error_code, "error_message": null,
        })
    }
}

async fn send(
    State(twilio): State<Arc<Twilio>>,
    ConnectInfo(line): ConnectInfo<CutHandle>,
    Path(sid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Answer> {
    let texts = &twilio.texts;
    let judged = twilio.admit(&sid, &headers).and_then(|()| judge(&headers, &body));
    let text = judged.map_err(|answer| texts.refuse(answer))?;
    let text = TextSeen { at: texts.ground.now(), provider: "twilio", ..text };
    let answer = texts.next(&text.to);
    let sid = format!("SM{:032x}", texts.ground.next_id());
    let message = Message { sid, text: text.clone(), status: "queued", error_code: None };
    let shown = message.shown();
    // Also where no answer comes: the list must show what the sender does not know of.
    if answer.accepts() || matches!(answer, Answer::Hang | Answer::Reset) {
        locked(&twilio.messages).push(message);
    }
    Ok(texts.play(answer, text, &line, || Answer::json(201, &shown)).await)
}

fn judge(headers: &HeaderMap, body: &[u8]) -> Result<TextSeen, Answer> {
    if !text_of(headers, header::CONTENT_TYPE).starts_with("application/x-www-form-urlencoded") {
        return Err(refusal(400, 20422, "the body is no form"));
    }
    let mut fields = fields_of(body);
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
        |text: &String| text.parse().is_ok_and(|seconds: u32| (1..=VALIDITY_SECONDS_MAX).contains(&seconds));
    if validity.as_ref().is_some_and(|validity| !seconds(validity)) {
        return Err(refusal(400, 21621, "ValidityPeriod out of range"));
    }
    Ok(TextSeen { to, from, text, report_url: callback.unwrap_or_default(), ..TextSeen::default() })
}

/// Newest first.
async fn list(
    State(twilio): State<Arc<Twilio>>,
    Path(sid): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Answer> {
    twilio.admit(&sid, &headers)?;
    let query = fields_of(query.unwrap_or_default().as_bytes());
    let size = query.get("PageSize").and_then(|size| size.parse().ok()).unwrap_or(50);
    let messages = locked(&twilio.messages);
    let to = |message: &&Message| query.get("To").is_none_or(|to| *to == message.text.to);
    let shown: Vec<Value> = messages.iter().rev().filter(to).take(size).map(Message::shown).collect();
    Ok(Answer::json(200, &json!({ "messages": shown, "page_size": size, "page": 0 })))
}

/// The last part of the path ends in `.json`.
async fn account(
    State(twilio): State<Arc<Twilio>>,
    Path(sid): Path<String>,
    headers: HeaderMap,
) -> Result<Answer, Answer> {
    twilio.admit(sid.trim_end_matches(".json"), &headers)?;
    let kind = if twilio.trial.load(Ordering::Relaxed) { "Trial" } else { "Full" };
    Ok(Answer::json(200, &json!({ "status": "active", "type": kind })))
}

async fn page(
    State(twilio): State<Arc<Twilio>>,
    Path((sid, page)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Answer> {
    twilio.admit(&sid, &headers)?;
    let body = match page.as_str() {
        "Balance.json" => json!({ "balance": BALANCE, "currency": "USD" }),
        "IncomingPhoneNumbers.json" => {
            let asked = query.is_some_and(|query| query.ends_with(NUMBER.trim_start_matches('+')));
            let number = json!({ "phone_number": NUMBER, "capabilities": { "sms": true, "voice": true } });
            json!({ "incoming_phone_numbers": if asked { vec![number] } else { Vec::new() } })
        }
        _ => return Err(refusal(404, 20404, "The requested resource was not found")),
    };
    Ok(Answer::json(200, &body))
}

fn refusal(status: u16, code: u32, message: &str) -> Answer {
    Answer::json(status, &json!({ "code": code, "message": message, "status": status }))
}
