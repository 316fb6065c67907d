//! `GET /cgi-bin/sendsms`, as Kannel's smsbox takes it. `tests/real` has a Kannel itself; this one can be told
//! how to fail.

use std::{collections::BTreeMap, io, sync::Arc};

use axum::{
    extract::{ConnectInfo, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::is_number;
use crate::sandbox::{answer::Answer, google::random_hex, line::CutHandle, seen::TextSeen, world::World};

/// The only user.
const USERNAME: &str = "bongsu";
/// What a request may say.
const KNOWN: [&str; 11] = [
    "username", "password", "from", "to", "text", "charset", "coding", "smsc", "dlr-mask", "dlr-url",
    "validity",
];

/// A `sendsms-user`.
#[derive(Debug)]
pub(in crate::sandbox) struct KannelUser {
    password: String,
}

impl KannelUser {
    pub(in crate::sandbox) fn generate() -> io::Result<Self> {
        Ok(Self { password: random_hex::<16>()? })
    }

    pub(super) fn credentials(&self) -> (&str, &str) {
        (USERNAME, &self.password)
    }
}

/// The endpoint.
pub(in crate::sandbox) async fn send(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<CutHandle>,
    RawQuery(query): RawQuery,
) -> Response {
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    if let Err(answer) = judge(&query, &world.kannel.password) {
        return world.refuse(&world.texts, answer);
    }
    let said = |name: &str| query.get(name).cloned().unwrap_or_default();
    let answer = world.sms_script.next(&said("to"));
    let text = TextSeen {
        at: world.now(),
        to: said("to"),
        from: said("from"),
        text: said("text"),
        alert_id: String::new(),
        provider: "kannel",
        report_url: said("dlr-url"),
        answered: 0,
        accepted: false,
    };
    let ok = || (StatusCode::ACCEPTED, "0: Accepted for delivery").into_response();
    world.play((&world.texts, &world.sms_script), (answer, text), &line, ok).await
}

fn judge(query: &BTreeMap<String, String>, password: &str) -> Result<(), Answer> {
    let said = |name: &str| query.get(name).map_or("", String::as_str);
    if said("username") != USERNAME || said("password") != password {
        return Err(refusal(403, "Authorization failed for sendsms"));
    }
    if let Some(name) = query.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(refusal(400, &format!("nobody knows `{name}`")));
    }
    if !is_number(said("to")) || said("to").starts_with('+') {
        return Err(refusal(400, "Empty receiver number not allowed, rejected"));
    }
    // Without a charset Kannel would read other letters than were meant.
    if said("charset") != "UTF-8" || !["0", "2"].contains(&said("coding")) || said("text").is_empty() {
        return Err(refusal(400, "Charset or body misformed, rejected"));
    }
    Ok(())
}

fn refusal(status: u16, line: &str) -> Answer {
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    Answer::Status { status, headers, body: line.to_owned() }
}
