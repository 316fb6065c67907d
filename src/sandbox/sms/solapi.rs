//! `POST /messages/v4/send-many/detail` and `GET /cash/v1/balance`, in Solapi's shape.

use std::{
    collections::HashMap,
    fmt, io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_lc_rs::hmac;
use axum::{
    body::Bytes,
    extract::{ConnectInfo, RawQuery, State},
    http::{HeaderMap, header},
    response::Response,
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{TEXT_BYTES_MAX, euc_kr_bytes};
use crate::sandbox::{
    answer::Answer,
    google::random_hex,
    line::CutHandle,
    seen::TextSeen,
    world::{World, json_ok, say},
};

/// How far the date of a request may be off; also how long a signature is remembered.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(15);
/// Most custom fields of a message.
const CUSTOM_FIELDS_MAX: usize = 30;
/// Longest value of a custom field, in characters.
const CUSTOM_VALUE_CHARS_MAX: usize = 100;
/// Names under which senders put the alert's id.
const ALERT_ID_FIELDS: [&str; 2] = ["alert_id", "alertId"];
/// The only registered sender.
const SENDER: &str = "029302266";
/// Balance of the sandbox's account at start, in won.
const BALANCE: u32 = 10_000;

/// A customer of the company.
pub(in crate::sandbox) struct SolapiAccount {
    api_key: String,
    secret: String,
    used: Mutex<HashMap<String, Timestamp>>,
    /// What is left, in won.
    balance: AtomicU32,
    /// What the list shows.
    taken: Mutex<Vec<Taken>>,
}

/// A text on the list: its number, its custom fields, its status code.
type Taken = (String, HashMap<String, String>, &'static str);

impl SolapiAccount {
    pub(in crate::sandbox) fn generate() -> io::Result<Self> {
        let api_key = format!("NCS{}", random_hex::<8>()?.to_ascii_uppercase());
        let (used, taken) = (Mutex::default(), Mutex::default());
        Ok(Self { api_key, secret: random_hex::<16>()?, used, balance: BALANCE.into(), taken })
    }

    pub(super) fn set_balance(&self, won: u32) {
        self.balance.store(won, Ordering::Relaxed);
    }

    /// Moves the text of this rank (0 = the first) on to a status code.
    pub(super) fn report(&self, rank: usize, code: &'static str) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, status)) = taken.get_mut(rank) {
            *status = code;
        }
    }

    pub(super) fn credentials(&self) -> (&str, &str) {
        (&self.api_key, &self.secret)
    }

    /// Checks the `Authorization` header; each signature works once.
    fn admit(&self, headers: &HeaderMap, now: Timestamp) -> Result<(), Answer> {
        let credentials = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let fields = credentials.and_then(|text| text.strip_prefix("HMAC-SHA256 "));
        let fields: HashMap<&str, &str> = fields
            .into_iter()
            .flat_map(|fields| fields.split(','))
            .filter_map(|field| field.trim().split_once('='))
            .collect();
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
        let is_genuine = bytes_of_hex(signature)
            .is_some_and(|tag| hmac::verify(&key, format!("{date}{salt}").as_bytes(), &tag).is_ok());
        if !is_genuine {
            return Err(refusal(403, "SignatureDoesNotMatch", "the signature does not match"));
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, sent_at| now.duration_since(*sent_at).abs() <= SKEW_MAX);
        match used.insert(signature.to_ascii_lowercase(), sent_at) {
            None => Ok(()),
            Some(_) => Err(refusal(403, "DuplicatedSignature", "this signature was used before")),
        }
    }
}

impl fmt::Debug for SolapiAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SolapiAccount").finish_non_exhaustive()
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
    custom_fields: HashMap<String, String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum Kind {
    Sms,
    Lms,
    Mms,
}

/// Longest text of a short message, in bytes of EUC-KR.
const SMS_BYTES_MAX: usize = 90;

/// `POST /messages/v4/send-many/detail`. The sandbox takes one message a request, as Bongsu sends them.
pub(in crate::sandbox) async fn send_many(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<CutHandle>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let message = match world.solapi.admit(&headers, world.now()).and_then(|()| judge(&body)) {
        Ok(message) => message,
        Err(answer) => return world.refuse(&world.texts, answer),
    };
    let answer = match (world.sms_script.next(&message.to), refused_content(&message)) {
        (Answer::Ok | Answer::SlowOk(_), Some(code)) => Answer::solapi_refused(code),
        (answer, _) => answer,
    };
    let group_id = format!("G4V{:016X}", world.next_id());
    // Also where no answer comes: the list must show what the sender does not know of.
    if answer.accepts() || matches!(answer, Answer::Hang | Answer::Reset) {
        let mut taken = world.solapi.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.push((message.to.clone(), message.custom_fields.clone(), "3000"));
    }
    let text = TextSeen {
        at: world.now(),
        alert_id: alert_id_of(&message.custom_fields).to_owned(),
        to: message.to,
        from: message.from,
        text: message.text,
        provider: "solapi",
        report_url: String::new(),
        answered: 0,
        accepted: false,
    };
    world.play((&world.texts, &world.sms_script), (answer, text), &line, || accepted(&group_id)).await
}

/// `GET /cash/v1/balance`.
pub(in crate::sandbox) async fn balance(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    match world.solapi.admit(&headers, world.now()) {
        Ok(()) => json_ok(
            json!({ "balance": world.solapi.balance.load(Ordering::Relaxed), "point": 0 }).to_string(),
        ),
        Err(answer) => say(answer),
    }
}

/// `GET /messages/v4/list?to=…&limit=…`, newest first.
pub(in crate::sandbox) async fn list(
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Err(answer) = world.solapi.admit(&headers, world.now()) {
        return say(answer);
    }
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let limit = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(20);
    let taken = world.solapi.taken.lock().unwrap_or_else(PoisonError::into_inner);
    let same = |text: &&Taken| query.get("to").is_none_or(|to| *to == text.0);
    let shown =
        taken.iter().rev().filter(same).take(limit).enumerate().map(|(number, (to, fields, code))| {
            let text =
                json!({ "to": to, "statusCode": code, "customFields": fields, "reason": "by the sandbox" });
            (format!("M4V{number}"), text)
        });
    let shown: serde_json::Map<String, Value> = shown.collect();
    json_ok(json!({ "limit": limit, "messageList": shown }).to_string())
}

/// `GET /senderid/v1/numbers/active`.
pub(in crate::sandbox) async fn senders(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    match world.solapi.admit(&headers, world.now()) {
        Ok(()) => json_ok(json!([SENDER]).to_string()),
        Err(answer) => say(answer),
    }
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

fn alert_id_of(fields: &HashMap<String, String>) -> &str {
    ALERT_ID_FIELDS.iter().find_map(|name| fields.get(*name)).map(String::as_str).unwrap_or_default()
}

fn accepted(group_id: &str) -> Response {
    let body: Value = json!({
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
    json_ok(body.to_string())
}

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "errorCode": code, "errorMessage": message }))
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits?;
    (digits.len() % 2 == 0)
        .then(|| digits.chunks_exact(2).filter_map(|pair| Some(pair.first()? << 4 | pair.last()?)).collect())
}
