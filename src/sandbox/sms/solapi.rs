//! Solapi: texts, the list of them, the balance and the registered senders.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_lc_rs::hmac;
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, RawQuery, State},
    http::{HeaderMap, header},
    routing::{get, post},
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Sms, TEXT_BYTES_MAX, Texts, euc_kr_bytes, fields_of};
use crate::sandbox::{answer::Answer, hex, line::CutHandle, locked, seen::TextSeen, text_of};

/// How far the date of a request may be off; also how long a signature is remembered.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(15);
const CUSTOM_FIELDS_MAX: usize = 30;
const CUSTOM_VALUE_CHARS_MAX: usize = 100;
const ALERT_ID_FIELDS: [&str; 2] = ["alert_id", "alertId"];
/// The only registered sender.
const SENDER: &str = "029302266";
/// At start, in won.
const BALANCE: u32 = 10_000;

pub(super) struct Solapi {
    texts: Arc<Texts>,
    api_key: String,
    secret: String,
    used: Mutex<HashMap<String, Timestamp>>,
    /// In won.
    balance: AtomicU32,
    taken: Mutex<Vec<Taken>>,
}

struct Taken {
    to: String,
    custom_fields: BTreeMap<String, String>,
    status_code: &'static str,
}

impl Answer {
    /// Solapi's 200 that sent nothing; `code` is its status, such as `1062` for a sender that is not
    /// registered or `3010` for a number that cannot receive.
    pub fn solapi_refused(code: &str) -> Self {
        let body = json!({
            "groupInfo": {
                "count": { "total": 1, "registeredFailed": 1, "registeredSuccess": 0 },
                "groupId": "G4VSANDBOX",
                "status": "FAILED",
            },
            "failedMessageList": [{ "statusCode": code, "statusMessage": "refused by the sandbox", "country": "82" }],
        });
        Self::json(200, &body)
    }
}

impl Sms {
    /// The API key and the secret that Solapi's interface asks for.
    pub fn solapi_credentials(&self) -> (&str, &str) {
        (&self.solapi.api_key, &self.solapi.secret)
    }

    pub fn set_solapi_balance(&self, won: u32) {
        self.solapi.balance.store(won, Ordering::Relaxed);
    }

    /// Moves a text of Solapi's list on to this status code; its rank counts from 0.
    pub fn solapi_report(&self, rank: usize, code: &'static str) {
        if let Some(text) = locked(&self.solapi.taken).get_mut(rank) {
            text.status_code = code;
        }
    }
}

impl Solapi {
    pub(super) fn open(texts: &Arc<Texts>) -> io::Result<Self> {
        Ok(Self {
            texts: Arc::clone(texts),
            api_key: format!("NCS{}", hex::random::<8>()?.to_ascii_uppercase()),
            secret: hex::random::<16>()?,
            used: Mutex::default(),
            balance: BALANCE.into(),
            taken: Mutex::default(),
        })
    }

    pub(super) fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/messages/v4/send-many/detail", post(send_many))
            .route("/messages/v4/list", get(list))
            .route("/cash/v1/balance", get(balance))
            .route("/senderid/v1/numbers/active", get(senders))
            .with_state(self)
    }

    /// Checks the `Authorization` header; each signature works once.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Answer> {
        let now = self.texts.ground.now();
        let credentials = text_of(headers, header::AUTHORIZATION).strip_prefix("HMAC-SHA256 ");
        let fields = credentials.unwrap_or_default().split(',');
        let fields: HashMap<_, _> = fields.filter_map(|field| field.trim().split_once('=')).collect();
        let field = |name: &str| fields.get(name).copied().unwrap_or_default();
        let [api_key, date, salt, signature] = ["apiKey", "date", "salt", "signature"].map(field);
        if api_key != self.api_key {
            return Err(refusal(403, "InvalidAPIKey", "unknown API key"));
        }
        let Ok(sent_at) = date.parse::<Timestamp>() else {
            return Err(refusal(400, "ValidationError", "`date` is not ISO 8601"));
        };
        if SKEW_MAX < now.duration_since(sent_at).abs() {
            return Err(refusal(403, "RequestTimeTooSkewed", "`date` is too far from the company's clock"));
        }
        if !(12..=64).contains(&salt.len()) {
            return Err(refusal(400, "ValidationError", "`salt` has not 12 to 64 bytes"));
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        let expected = hex::of(hmac::sign(&key, format!("{date}{salt}").as_bytes()).as_ref());
        if signature.to_ascii_lowercase() != expected {
            return Err(refusal(403, "SignatureDoesNotMatch", "the signature does not match"));
        }
        let mut used = locked(&self.used);
        used.retain(|_, sent_at| now.duration_since(*sent_at).abs() <= SKEW_MAX);
        match used.insert(expected, sent_at) {
            None => Ok(()),
            Some(_) => Err(refusal(403, "DuplicatedSignature", "this signature was used before")),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Order {
    messages: Vec<Message>,
    #[serde(default, rename = "allowDuplicates")]
    _allow_duplicates: bool,
    #[serde(default, rename = "scheduledDate")]
    _scheduled_date: Option<String>,
    #[serde(default, rename = "showMessageList")]
    _show_message_list: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Message {
    to: String,
    from: String,
    text: String,
    #[serde(default, rename = "subject")]
    _subject: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<Kind>,
    #[serde(default, rename = "autoTypeDetect")]
    _auto_type_detect: bool,
    #[serde(default)]
    country: Option<String>,
    #[serde(default)]
    custom_fields: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum Kind {
    Sms,
    Lms,
    Mms,
}

/// In EUC-KR.
const SMS_BYTES_MAX: usize = 90;

/// Takes one message a request, as Bongsu sends them.
async fn send_many(
    State(solapi): State<Arc<Solapi>>,
    ConnectInfo(line): ConnectInfo<CutHandle>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Answer> {
    let texts = &solapi.texts;
    let judged = solapi.admit(&headers).and_then(|()| judge(&body));
    let message = judged.map_err(|answer| texts.refuse(answer))?;
    let answer = match (texts.next(&message.to), refused_content(&message)) {
        (Answer::Ok | Answer::SlowOk(_), Some(code)) => Answer::solapi_refused(code),
        (answer, _) => answer,
    };
    let group_id = format!("G4V{:016X}", texts.ground.next_id());
    let text = TextSeen {
        at: texts.ground.now(),
        alert_id: alert_id_of(&message.custom_fields).to_owned(),
        to: message.to.clone(),
        from: message.from,
        text: message.text,
        provider: "solapi",
        ..TextSeen::default()
    };
    // Also where no answer comes: the list must show what the sender does not know of.
    if answer.accepts() || matches!(answer, Answer::Hang | Answer::Reset) {
        let Message { to, custom_fields, .. } = message;
        locked(&solapi.taken).push(Taken { to, custom_fields, status_code: "3000" });
    }
    Ok(texts.play(answer, text, &line, || accepted(&group_id)).await)
}

async fn balance(State(solapi): State<Arc<Solapi>>, headers: HeaderMap) -> Result<Answer, Answer> {
    solapi.admit(&headers)?;
    let balance = solapi.balance.load(Ordering::Relaxed);
    Ok(Answer::json(200, &json!({ "balance": balance, "point": 0 })))
}

/// Newest first.
async fn list(
    State(solapi): State<Arc<Solapi>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Answer> {
    solapi.admit(&headers)?;
    let query = fields_of(query.unwrap_or_default().as_bytes());
    let limit = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(20);
    let taken = locked(&solapi.taken);
    let to = |text: &&Taken| query.get("to").is_none_or(|to| *to == text.to);
    let shown = taken.iter().rev().filter(to).take(limit).enumerate().map(|(number, text)| {
        let shown = json!({
            "to": text.to, "statusCode": text.status_code, "customFields": text.custom_fields,
            "reason": "by the sandbox",
        });
        (format!("M4V{number}"), shown)
    });
    let shown: serde_json::Map<String, Value> = shown.collect();
    Ok(Answer::json(200, &json!({ "limit": limit, "messageList": shown })))
}

async fn senders(State(solapi): State<Arc<Solapi>>, headers: HeaderMap) -> Result<Answer, Answer> {
    solapi.admit(&headers)?;
    Ok(Answer::json(200, &json!([SENDER])))
}

fn judge(body: &[u8]) -> Result<Message, Answer> {
    let invalid = |message: &str| refusal(400, "ValidationError", message);
    let order: Order = serde_json::from_slice(body).map_err(|error| invalid(&error.to_string()))?;
    let Ok([message]) = <[Message; 1]>::try_from(order.messages) else {
        return Err(invalid("expected one message"));
    };
    let is_digits = |number: &str| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(&message.to) || !is_digits(&message.from) {
        return Err(invalid("`to` and `from` must be digits only"));
    }
    if message.country.as_deref().is_some_and(|country| !is_digits(country)) {
        return Err(invalid("`country` must be digits only"));
    }
    let is_long = |value: &String| CUSTOM_VALUE_CHARS_MAX < value.chars().count();
    if CUSTOM_FIELDS_MAX < message.custom_fields.len() || message.custom_fields.values().any(is_long) {
        return Err(invalid("too many or too long custom fields"));
    }
    Ok(message)
}

/// What the company refuses message by message, inside a 200: its status code.
fn refused_content(message: &Message) -> Option<&'static str> {
    let Some(bytes) = euc_kr_bytes(&message.text) else { return Some("1029") };
    let limit = match message.kind {
        Some(Kind::Sms) => SMS_BYTES_MAX,
        Some(Kind::Lms | Kind::Mms) | None => TEXT_BYTES_MAX,
    };
    (limit < bytes || bytes == 0).then_some("1031")
}

fn alert_id_of(fields: &BTreeMap<String, String>) -> &str {
    ALERT_ID_FIELDS.iter().find_map(|name| fields.get(*name)).map(String::as_str).unwrap_or_default()
}

fn accepted(group_id: &str) -> Answer {
    let body = json!({
        "groupInfo": {
            "count": {
                "total": 1, "sentTotal": 0, "sentFailed": 0, "sentSuccess": 0, "sentPending": 0,
                "sentReplacement": 0, "refund": 0, "registeredFailed": 0, "registeredSuccess": 1,
            },
            "groupId": group_id,
            "status": "SENDING",
        },
        "failedMessageList": [],
    });
    Answer::json(200, &body)
}

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "errorCode": code, "errorMessage": message }))
}
