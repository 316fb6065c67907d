//! `GET /v1/attempts`: the ledger, as JSON or CSV.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use super::listing::{Listing, bad};
use crate::{
    record::{self, LedgerLine},
    web::{Context, Problem, Viewer},
};

pub(super) async fn list(
    State(context): State<Context>,
    _: Viewer,
    listing: Listing,
) -> Result<Response, Problem> {
    let filter = listing.filter()?;
    let attempts = filter.limit.min(record::ATTEMPTS_PER_PAGE_MAX);
    let page = record::ledger(context.store.as_ref(), filter, attempts).await?;
    match listing.format.as_deref() {
        None | Some("json") => Ok(Json(page).into_response()),
        Some("csv") => {
            let text = csv_of(&page.attempts).map_err(|error| {
                Problem::bad_request("bad_parameter", format!("could not write CSV: {error}"))
            })?;
            let next = page.next.map(|id| id.to_string()).unwrap_or_default();
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"attempts.csv\"".to_owned()),
                (header::HeaderName::from_static("x-next-cursor"), next),
            ];
            Ok((headers, text).into_response())
        }
        Some(_) => Err(bad("format", "expected json or csv")),
    }
}

const COLUMNS: [&str; 13] = [
    "alert_id",
    "title",
    "attempt",
    "contact",
    "transport",
    "destination",
    "subject",
    "outcome",
    "cause",
    "detail",
    "segments",
    "started_at",
    "took_ms",
];

fn csv_of(lines: &[LedgerLine]) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for LedgerLine { alert_id, title, attempt } in lines {
        writer.write_record([
            alert_id.to_string(),
            cell(title),
            attempt.attempt.to_string(),
            cell(attempt.contact.as_str()),
            attempt.transport.as_str().to_owned(),
            cell(&attempt.destination),
            attempt.subject.clone(),
            attempt.outcome.clone(),
            attempt.cause.clone().unwrap_or_default(),
            cell(&attempt.detail),
            attempt.segments.to_string(),
            attempt.started_at.to_string(),
            attempt.took_ms.to_string(),
        ])?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A text of a sender must not become a formula when the file is opened in a spreadsheet
/// (OWASP, "CSV injection").
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}
