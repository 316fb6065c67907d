//! `GET /cgi-bin/sendsms`, as Kannel's smsbox takes it. `tests/real` has a Kannel itself; this one can be told
//! how to fail.

use std::{collections::BTreeMap, io, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, RawQuery, State},
    routing::get,
};

use super::{Sms, Texts, fields_of, is_number};
use crate::sandbox::{answer::Answer, hex, line::CutHandle, seen::TextSeen};

const USERNAME: &str = "bongsu";
const KNOWN: [&str; 11] = [
    "username", "password", "from", "to", "text", "charset", "coding", "smsc", "dlr-mask", "dlr-url",
    "validity",
];

/// The company, with one `sendsms-user`.
pub(super) struct Kannel {
    texts: Arc<Texts>,
    password: String,
}

impl Kannel {
    pub(super) fn open(texts: &Arc<Texts>) -> io::Result<Self> {
        Ok(Self { texts: Arc::clone(texts), password: hex::random::<16>()? })
    }

    pub(super) fn routes(self: Arc<Self>) -> Router {
        Router::new().route("/cgi-bin/sendsms", get(send)).with_state(self)
    }
}

impl Sms {
    pub fn kannel_credentials(&self) -> (&str, &str) {
        (USERNAME, &self.kannel.password)
    }
}

async fn send(
    State(kannel): State<Arc<Kannel>>,
    ConnectInfo(line): ConnectInfo<CutHandle>,
    RawQuery(query): RawQuery,
) -> Result<Answer, Answer> {
    let texts = &kannel.texts;
    let query = fields_of(query.unwrap_or_default().as_bytes());
    judge(&query, &kannel.password).map_err(|answer| texts.refuse(answer))?;
    let said = |name: &str| query.get(name).cloned().unwrap_or_default();
    let answer = texts.next(&said("to"));
    let text = TextSeen {
        at: texts.ground.now(),
        to: said("to"),
        from: said("from"),
        text: said("text"),
        provider: "kannel",
        report_url: said("dlr-url"),
        ..TextSeen::default()
    };
    let ok = || line_of_text(202, "0: Accepted for delivery");
    Ok(texts.play(answer, text, &line, ok).await)
}

fn judge(query: &BTreeMap<String, String>, password: &str) -> Result<(), Answer> {
    let said = |name: &str| query.get(name).map_or("", String::as_str);
    if said("username") != USERNAME || said("password") != password {
        return Err(line_of_text(403, "Authorization failed for sendsms"));
    }
    if let Some(name) = query.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(line_of_text(400, &format!("nobody knows `{name}`")));
    }
    if !is_number(said("to")) || said("to").starts_with('+') {
        return Err(line_of_text(400, "Empty receiver number not allowed, rejected"));
    }
    // Without a charset Kannel would read other letters than were meant.
    if said("charset") != "UTF-8" || !["0", "2"].contains(&said("coding")) || said("text").is_empty() {
        return Err(line_of_text(400, "Charset or body misformed, rejected"));
    }
    Ok(())
}

fn line_of_text(status: u16, line: &str) -> Answer {
    Answer::text(status, "text/html", line.to_owned())
}
