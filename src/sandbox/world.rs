//! What all endpoints share, and how an answer is given.

use std::{
    convert::Infallible,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    Phone,
    answer::Answer,
    google::{IssuedTokens, ServiceAccount},
    line::{CutHandle, Exchange},
    script::Script,
    seen::{Entry, Ledger, PushSeen, RefusalSeen, TextSeen},
    sms::{KannelUser, SolapiAccount, TwilioAccount},
};
use crate::clock::Clock;

/// One sandbox.
pub(super) struct World {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stop: CancellationToken,
    pub(super) exchange: Arc<Exchange>,
    pub(super) hint: String,
    pub(super) phones: Vec<Phone>,

    pub(super) account: ServiceAccount,
    pub(super) issued: IssuedTokens,
    pub(super) token_script: Script,

    pub(super) fcm_script: Script,
    pub(super) pushes: Ledger<PushSeen>,

    pub(super) sms_script: Script,
    pub(super) solapi: SolapiAccount,
    pub(super) twilio: TwilioAccount,
    pub(super) kannel: KannelUser,
    pub(super) texts: Ledger<TextSeen>,

    pub(super) ids: AtomicU64,
    /// Counts changes that somebody may wait for.
    pub(super) changes: watch::Sender<u64>,
}

/// Tells nothing of what was sent to whom.
impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("account", &self.account).finish_non_exhaustive()
    }
}

impl World {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A number for a message id, never the same twice.
    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Wakes the page, and the tests that wait.
    pub(super) fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Writes a broken rule down and says so.
    pub(super) fn refuse<T: Entry>(&self, ledger: &Ledger<T>, answer: Answer) -> Response {
        if let Answer::Status { status, body, .. } = &answer {
            ledger.refuse(RefusalSeen { at: self.now(), status: *status, body: body.clone() });
            self.changed();
        }
        say(answer)
    }

    /// Writes a well-formed request down and answers it; `ok` makes the words of acceptance.
    pub(super) async fn play<T: Entry>(
        &self,
        (ledger, script): (&Ledger<T>, &Script),
        (answer, mut entry): (Answer, T),
        line: &CutHandle,
        ok: impl FnOnce() -> Response,
    ) -> Response {
        let (answered, accepted) = entry.verdict();
        (*answered, *accepted) = (answer.status(), answer.accepts());
        if answer == Answer::Hang {
            let mut releases = script.releases();
            let place = ledger.note_open(entry);
            self.changed();
            self.hang(&mut releases, line).await;
            ledger.settle(&place);
            self.changed();
            return ok();
        }
        ledger.note(entry);
        self.changed();
        self.perform(answer, line, ok).await
    }

    /// Gives an answer that nothing is written down about.
    pub(super) async fn answer(
        &self,
        script: &Script,
        answer: Answer,
        line: &CutHandle,
        ok: impl FnOnce() -> Response,
    ) -> Response {
        if answer == Answer::Hang {
            self.hang(&mut script.releases(), line).await;
            return ok();
        }
        self.perform(answer, line, ok).await
    }

    async fn perform(&self, answer: Answer, line: &CutHandle, ok: impl FnOnce() -> Response) -> Response {
        match answer {
            Answer::Ok | Answer::Hang => ok(),
            Answer::Status { .. } => say(answer),
            Answer::SlowOk(delay) => {
                let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
                tokio::select! {
                    () = self.clock.sleep(delay) => ok(),
                    never = self.cut_at_stop(line) => match never {},
                }
            }
            Answer::Reset => match line.cut().await {},
        }
    }

    /// Until the next release.
    async fn hang(&self, releases: &mut watch::Receiver<u64>, line: &CutHandle) {
        tokio::select! {
            _ = releases.changed() => {}
            never = self.cut_at_stop(line) => match never {},
        }
    }

    /// Without this a request that hangs would hold up the shutdown.
    async fn cut_at_stop(&self, line: &CutHandle) -> Infallible {
        self.stop.cancelled().await;
        line.cut().await
    }
}

/// An answer with a status as a response; the others have no words of their own.
pub(super) fn say(answer: Answer) -> Response {
    let Answer::Status { status, headers, body } = answer else {
        return StatusCode::OK.into_response();
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// JSON in Google's content type.
pub(super) fn json_ok(body: String) -> Response {
    let content_type = HeaderValue::from_static(super::answer::JSON_TYPE);
    ([(axum::http::header::CONTENT_TYPE, content_type)], body).into_response()
}
