//! Errors as RFC 9457 problem documents with a stable `code`: the only errors that leave by HTTP.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tracing::{error, warn};

use crate::store::StoreError;

const RETRY_AFTER_SECONDS: u64 = 5;

const NAME_CHARS_MAX: usize = 64;

/// The detail is short and comes first, because senders such as Zabbix and Grafana show only the beginning.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Problem {
    /// `code` is stable and stands in openapi.yaml.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "wrong_key", detail)
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub fn alert_not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "alert_not_found", detail)
    }

    /// 404 for a name that no `[[section]]` of the configuration has.
    pub fn unknown(section: &str, code: &'static str, name: &str) -> Self {
        let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
        let detail = format!("no [[{section}]] of the configuration is named `{name}`");
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }
}

impl From<StoreError> for Problem {
    fn from(source: StoreError) -> Self {
        error!(error = %source, "could not use the store: {source}");
        let detail = match source {
            StoreError::Full { .. } => {
                "the store has too little free space for new alerts; please send it again"
            }
            StoreError::Unavailable(_)
            | StoreError::Damaged(_)
            | StoreError::TooLarge { .. }
            | StoreError::LeadLost { .. } => {
                "the store is not available; nothing was accepted, please send it again"
            }
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            warn!(code = self.code, "answered {}: {}", self.status.as_u16(), self.detail);
        }
        let body = json!({
            "detail": self.detail,
            "code": self.code,
            "status": self.status.as_u16(),
            "title": self.status.canonical_reason().unwrap_or("error"),
            "type": "about:blank",
        });
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            let schemes = HeaderValue::from_static(r#"Basic realm="Bongsu", charset="UTF-8""#);
            headers.insert(header::WWW_AUTHENTICATE, schemes);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}
