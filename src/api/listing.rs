//! The query parameters of listings.

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    alert::AlertState,
    store::AlertFilter,
    web::{Context, Problem},
};

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    state: Option<String>,
    severity: Option<String>,
    integration: Option<String>,
    q: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    limit: Option<usize>,
    cursor: Option<String>,
    pub(super) format: Option<String>,
    /// Authentication; not a filter.
    #[serde(rename = "key")]
    _key: Option<String>,
}

impl FromRequestParts<Context> for Listing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, context).await;
        let Query(listing) =
            query.map_err(|error| Problem::bad_request("bad_parameter", error.body_text()))?;
        Ok(listing)
    }
}

impl Listing {
    pub(super) fn filter(&self) -> Result<AlertFilter, Problem> {
        let mut filter = AlertFilter {
            integration: self.integration.clone(),
            text: self.q.clone(),
            since: self.since,
            until: self.until,
            limit: self.limit.unwrap_or(LIMIT_DEFAULT),
            ..AlertFilter::default()
        };
        if let Some(word) = self.severity.as_deref().map(str::trim) {
            let at_least = word.strip_prefix(">=");
            let parsed = at_least.unwrap_or(word).trim().parse();
            let severity = Some(parsed.map_err(|error| bad("severity", &format!("{error}")))?);
            match at_least {
                Some(_) => filter.severity_at_least = severity,
                None => filter.severity = severity,
            }
        }
        if let Some(words) = &self.state {
            filter.states = words.split(',').map(|word| state(word.trim())).collect::<Result<_, _>>()?;
        }
        if let Some(cursor) = &self.cursor {
            let unknown = |_| bad("cursor", "expected the `next` of an earlier page");
            filter.cursor = Some(cursor.parse().map_err(unknown)?);
        }
        if !(1..=LIMIT_MAX).contains(&filter.limit) {
            return Err(bad("limit", &format!("expected 1 to {LIMIT_MAX}")));
        }
        Ok(filter)
    }
}

fn state(word: &str) -> Result<AlertState, Problem> {
    let states = [AlertState::Triggered, AlertState::Acknowledged, AlertState::Resolved];
    let found = states.into_iter().find(|state| state.as_str() == word);
    found.ok_or_else(|| bad("state", "expected triggered, acknowledged or resolved"))
}

pub(super) fn bad(name: &str, expected: &str) -> Problem {
    Problem::bad_request("bad_parameter", format!("`{name}`: {expected}"))
}
