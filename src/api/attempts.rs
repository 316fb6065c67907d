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

struct Column {
    name: &'static str,
    value: fn(&LedgerLine) -> String,
}

const COLUMNS: [Column; 13] = [
    Column { name: "alert_id", value: |line| line.alert_id.to_string() },
    Column { name: "title", value: |line| cell(&line.title) },
    Column { name: "attempt", value: |line| line.attempt.attempt.to_string() },
    Column { name: "contact", value: |line| cell(line.attempt.contact.as_str()) },
    Column { name: "transport", value: |line| line.attempt.address.transport().as_str().to_owned() },
    Column { name: "destination", value: |line| cell(&line.attempt.address.to_string()) },
    Column { name: "subject", value: |line| line.attempt.subject.as_str().to_owned() },
    Column { name: "outcome", value: |line| line.attempt.outcome.as_str().to_owned() },
    Column { name: "cause", value: |line| line.attempt.outcome.cause().unwrap_or_default().to_owned() },
    Column { name: "detail", value: |line| cell(&line.attempt.detail) },
    Column { name: "segments", value: |line| line.attempt.segments.to_string() },
    Column { name: "started_at", value: |line| line.attempt.started_at.to_string() },
    Column { name: "took_ms", value: |line| line.attempt.took_ms.to_string() },
];

fn csv_of(lines: &[LedgerLine]) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS.map(|column| column.name))?;
    for line in lines {
        writer.write_record(COLUMNS.map(|column| (column.value)(line)))?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A text of a sender must not become a formula when the file is opened in a spreadsheet
/// (OWASP, "CSV injection").
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}
