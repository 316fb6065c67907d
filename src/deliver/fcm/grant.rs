//! A signed assertion is exchanged for an access token
//! (<https://developers.google.com/identity/protocols/oauth2/service-account>, RFC 7523).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, Header};
use reqwest::{Client, header};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{LIMITS, key::ServiceAccount};
use crate::{
    alert::DeferCause,
    clock::Clock,
    deliver::wire::{Answer, Failure, exchange, form_of, without_tokens},
};

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TIMEOUT: Duration = Duration::from_secs(5);
/// Assertions are dated back this much, for clocks that run ahead.
const BACKDATED: SignedDuration = SignedDuration::from_secs(10);
/// Google's limit for `exp - iat`.
const ASSERTION_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// A token without a lifetime, or with one of zero, was still granted just now: Google is not asked again at once.
const UNTOLD_LIFETIME: SignedDuration = SignedDuration::from_secs(60);
const LIFETIME_MAX: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug)]
pub(super) struct Grant {
    pub(super) access_token: SecretString,
    pub(super) lifetime: SignedDuration,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: RefusalKind,
    pub(super) detail: String,
    pub(super) retry_after: Option<SignedDuration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusalKind {
    /// The key does not fit the account; now and then Google says so by mistake.
    Signature,
    /// Our clock is behind Google's by this much, where Google's answer was dated.
    ClockSkew(Option<SignedDuration>),
    /// The account is gone, or the key file is for something else.
    Permanent,
    Unavailable,
    Unreachable,
}

impl Refusal {
    pub(super) fn new(kind: RefusalKind, detail: &str) -> Self {
        Self { kind, detail: detail.to_owned(), retry_after: None }
    }
}

impl RefusalKind {
    pub(super) fn cause(self) -> DeferCause {
        match self {
            Self::Signature | Self::ClockSkew(_) | Self::Permanent => DeferCause::ProjectFault,
            Self::Unavailable => DeferCause::Credential,
            Self::Unreachable => DeferCause::Unreachable,
        }
    }
}

#[derive(Debug)]
pub(super) struct TokenServer {
    pub(super) account: ServiceAccount,
    pub(super) client: Client,
}

impl TokenServer {
    /// Asks once. `google_now` is the time by Google's clock.
    pub(super) async fn ask(&self, clock: &dyn Clock, google_now: Timestamp) -> Result<Grant, Refusal> {
        let assertion = self.assertion(google_now)?;
        match self.post(&assertion, clock).await {
            Ok(answer) => read(&answer, &assertion),
            Err(failure) => {
                let is_unsent = failure.surely_not_sent();
                let kind = if is_unsent { RefusalKind::Unreachable } else { RefusalKind::Unavailable };
                let detail = format!("no answer from the token server: {}", failure.chain());
                Err(Refusal::new(kind, &without_tokens(&detail, "")))
            }
        }
    }

    async fn post(&self, assertion: &str, clock: &dyn Clock) -> Result<Answer, Failure> {
        let request = self
            .client
            .post(&self.account.token_uri)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .timeout(TIMEOUT)
            .body(form_of(&[("grant_type", GRANT_TYPE), ("assertion", assertion)]))
            .build()?;
        exchange(&self.client, request, clock, LIMITS).await
    }

    fn assertion(&self, google_now: Timestamp) -> Result<String, Refusal> {
        let iat = google_now.as_second() - BACKDATED.as_secs();
        let account = &self.account;
        let claims = json!({
            "iss": account.client_email,
            "scope": SCOPE,
            "aud": account.token_uri,
            "iat": iat,
            "exp": iat + ASSERTION_LIFETIME.as_secs(),
        });
        let header = Header { kid: account.private_key_id.clone(), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, &claims, &account.signing_key).map_err(|_| {
            Refusal::new(RefusalKind::Permanent, "could not sign with the service account's key")
        })
    }
}

fn read(answer: &Answer, assertion: &str) -> Result<Grant, Refusal> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if let (200, Some(grant)) = (answer.status, grant(&body)) {
        return Ok(grant);
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let (error, description) = (text("error"), text("error_description"));
    let words = if error.is_empty() { "no readable answer" } else { description };
    let detail = without_tokens(&format!("token server: HTTP {} {error}: {words}", answer.status), assertion);
    let kind = kind_of(answer.status, error, description, answer.behind);
    Err(Refusal { kind, detail, retry_after: answer.retry_after })
}

fn grant(body: &Value) -> Option<Grant> {
    let access_token = body.get("access_token")?.as_str().filter(|token| !token.is_empty())?;
    let told = body.get("expires_in").and_then(|told| told.as_i64().or_else(|| told.as_str()?.parse().ok()));
    let lifetime = told.filter(|seconds| *seconds > 0).map_or(UNTOLD_LIFETIME, SignedDuration::from_secs);
    Some(Grant { access_token: access_token.into(), lifetime: lifetime.min(LIFETIME_MAX) })
}

fn kind_of(status: u16, error: &str, description: &str, behind: Option<SignedDuration>) -> RefusalKind {
    let description = description.to_ascii_lowercase();
    match (status, error) {
        (408 | 425 | 429 | 500.., _)
        | (_, "internal_failure" | "temporarily_unavailable" | "server_error") => RefusalKind::Unavailable,
        (_, "invalid_grant") if description.contains("reasonable timeframe") => {
            RefusalKind::ClockSkew(behind)
        }
        (_, "invalid_grant") if description.contains("invalid jwt signature") => RefusalKind::Signature,
        (_, "") if !matches!(status, 401 | 403 | 404 | 405) => RefusalKind::Unavailable,
        _ => RefusalKind::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_permanent_only_where_google_names_a_lasting_reason() {
        let skew = Some(SignedDuration::from_mins(70));
        let timeframe =
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.";
        for (status, error, description, kind) in [
            (400, "invalid_grant", "Invalid JWT Signature.", RefusalKind::Signature),
            (400, "invalid_grant", timeframe, RefusalKind::ClockSkew(skew)),
            (400, "invalid_grant", "Invalid grant: account not found", RefusalKind::Permanent),
            (401, "invalid_client", "The OAuth client was not found.", RefusalKind::Permanent),
            (400, "invalid_scope", "", RefusalKind::Permanent),
            (400, "unsupported_grant_type", "", RefusalKind::Permanent),
            (400, "internal_failure", "", RefusalKind::Unavailable),
            (500, "", "", RefusalKind::Unavailable),
            (503, "invalid_grant", "", RefusalKind::Unavailable),
            (429, "", "", RefusalKind::Unavailable),
            (408, "", "", RefusalKind::Unavailable),
            (302, "", "", RefusalKind::Unavailable),
            (200, "", "", RefusalKind::Unavailable),
            (404, "", "", RefusalKind::Permanent),
        ] {
            assert_eq!(kind_of(status, error, description, skew), kind, "{status} {error} {description}");
        }
    }

    #[test]
    fn a_token_without_a_lifetime_serves_a_minute() {
        for (body, seconds) in [
            (r#"{"access_token":"a","expires_in":3599}"#, 3_599),
            (r#"{"access_token":"a","expires_in":"3599"}"#, 3_599),
            (r#"{"access_token":"a","expires_in":0}"#, 60),
            (r#"{"access_token":"a","expires_in":-7}"#, 60),
            (r#"{"access_token":"a"}"#, 60),
            (r#"{"access_token":"a","expires_in":9223372036854775807}"#, 86_400),
        ] {
            let grant = grant(&serde_json::from_str(body).expect("JSON")).expect("a token");
            assert_eq!(grant.lifetime.as_secs(), seconds, "{body}");
        }
        assert!(grant(&serde_json::json!({"access_token": ""})).is_none());
    }
}
