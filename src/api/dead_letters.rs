//! Whom nobody could notify of what: looking, and trying once more.

use axum::{Json, extract::State, http::StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    alert::{AlertId, ContactName, Severity},
    watch::{DeadLetter, Stands},
    web::{Actor, Context, Name, Problem, Viewer},
};

/// Most in one answer.
const LISTED_MAX: usize = 500;

#[derive(Serialize)]
pub(super) struct Page {
    /// Those that nobody has looked at first, and the latest first.
    dead_letters: Vec<LetterView>,
    /// How many nobody has looked at, also where they are not listed.
    unseen: usize,
}

#[derive(Serialize)]
pub(super) struct LetterView {
    id: String,
    alert_id: AlertId,
    contact: ContactName,
    reason: String,
    severity: Severity,
    at: Timestamp,
    others_told: bool,
    #[serde(flatten)]
    stands: Stands,
    url: String,
}

impl LetterView {
    fn new(context: &Context, letter: DeadLetter) -> Self {
        let (id, url) = (letter.id(), context.alert_url(letter.alert_id));
        let DeadLetter { alert_id, contact, reason, severity, at, others_told, stands, .. } = letter;
        Self { id, alert_id, contact, reason, severity, at, others_told, stands, url }
    }
}

/// `GET /v1/dead-letters`
pub(super) async fn list(State(context): State<Context>, _: Viewer) -> Json<Page> {
    let unseen = context.dead_letters.unseen();
    let all = context.dead_letters.all().into_iter().take(LISTED_MAX);
    let dead_letters = all.map(|letter| LetterView::new(&context, letter)).collect();
    Json(Page { dead_letters, unseen: unseen.in_all() })
}

/// `POST /v1/dead-letters/{id}/seen`
pub(super) async fn seen(
    State(context): State<Context>,
    Actor(by): Actor,
    Name(id): Name,
) -> Result<Json<LetterView>, Problem> {
    found(&context, context.dead_letters.see(&id, &by).await?)
}

/// `POST /v1/dead-letters/{id}/retry`
pub(super) async fn retry(
    State(context): State<Context>,
    Actor(by): Actor,
    Name(id): Name,
) -> Result<Json<LetterView>, Problem> {
    let before = context.dead_letters.find(&id);
    // In this order: what is given up once more in between is a dead letter again.
    let letter = context.dead_letters.retry(&id, &by).await?;
    if let Some(before) = &before {
        let people = &context.config.contacts;
        let begins = context.queue.retry(before.alert_id, &before.contact, people, &by).await;
        if !matches!(begins, Ok(true)) {
            context.dead_letters.take_back_retry(before).await?;
        }
        if !begins? {
            let detail = "nothing is tried now: this contact is not given up, or is not notified of this alert any more";
            return Err(Problem::new(StatusCode::CONFLICT, "nothing_to_retry", detail));
        }
    }
    found(&context, letter)
}

fn found(context: &Context, letter: Option<DeadLetter>) -> Result<Json<LetterView>, Problem> {
    let none = || {
        Problem::new(StatusCode::NOT_FOUND, "dead_letter_not_found", "there is no dead letter with this id")
    };
    letter.map(|letter| Json(LetterView::new(context, letter))).ok_or_else(none)
}
