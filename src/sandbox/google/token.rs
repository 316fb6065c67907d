//! `POST /token`: an assertion signed with the service account's key becomes an access token.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, header},
};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use serde_json::json;

use super::{Google, answer::oauth_error};
use crate::sandbox::{
    answer::Answer,
    hex,
    line::CutHandle,
    seen::Record,
    stage::{Ground, Stage},
    text_of,
};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Either scope is enough for FCM.
const SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/firebase.messaging", "https://www.googleapis.com/auth/cloud-platform"];
/// How far the times of an assertion may be off; Google is said to allow about this much.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(10);
const ASSERTION_SECONDS_MAX: i64 = 3600;
const TOKENS_MAX: usize = 1_000;

pub struct TokenEndpoint {
    stage: Stage<()>,
    lifetime: SignedDuration,
    valid_until: RwLock<HashMap<String, Timestamp>>,
    issued: AtomicU64,
    ahead_ms: AtomicI64,
}

impl Deref for TokenEndpoint {
    type Target = Stage<()>;

    fn deref(&self) -> &Stage<()> {
        &self.stage
    }
}

impl TokenEndpoint {
    pub(super) fn open(ground: &Arc<Ground>, lifetime: Duration) -> Self {
        Self {
            stage: Stage::open(ground, Answer::silent_503(), Record::Everything),
            lifetime: SignedDuration::try_from(lifetime).unwrap_or(SignedDuration::MAX),
            valid_until: RwLock::default(),
            issued: 0.into(),
            ahead_ms: 0.into(),
        }
    }

    pub fn issued(&self) -> u64 {
        self.issued.load(Ordering::Relaxed)
    }

    /// Makes every access token given out so far worthless: the next push gets a 401.
    pub fn revoke_all(&self) {
        self.valid_until.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Google's clock is `ahead` of the sandbox's from now on; its `Date` header says so.
    pub fn run_ahead(&self, ahead: SignedDuration) {
        let millis = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        self.ahead_ms.store(millis, Ordering::Relaxed);
    }

    fn google_now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead_ms.load(Ordering::Relaxed));
        self.ground.now().saturating_add(ahead).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn is_valid(&self, token: &str) -> bool {
        let valid_until = self.valid_until.read().unwrap_or_else(PoisonError::into_inner);
        valid_until.get(token).is_some_and(|until| self.ground.now() < *until)
    }

    fn issue(&self) -> Answer {
        let Ok(random) = hex::random::<24>() else {
            return oauth_error(500, "internal_failure", "no random bytes");
        };
        let (token, now) = (format!("ya29.sandbox-{random}"), self.ground.now());
        let mut valid_until = self.valid_until.write().unwrap_or_else(PoisonError::into_inner);
        valid_until.retain(|_, until| now < *until);
        if TOKENS_MAX <= valid_until.len() {
            valid_until.clear();
        }
        valid_until.insert(token.clone(), now.saturating_add(self.lifetime).unwrap_or(Timestamp::MAX));
        self.issued.fetch_add(1, Ordering::Relaxed);
        let expires_in = self.lifetime.as_secs();
        Answer::json(200, &json!({ "access_token": token, "expires_in": expires_in, "token_type": "Bearer" }))
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    scope: String,
    aud: String,
    iat: i64,
    exp: i64,
}

pub(super) async fn exchange(
    State(google): State<Arc<Google>>,
    ConnectInfo(line): ConnectInfo<CutHandle>,
    headers: HeaderMap,
    body: String,
) -> Answer {
    let tokens = &google.tokens;
    let google_now = tokens.google_now();
    let answer = match judge(&google, &headers, &body, google_now) {
        Ok(()) => tokens.answer(tokens.next(""), &line, || tokens.issue()).await,
        Err(answer) => tokens.refuse(answer),
    };
    answer.with_header("date", google_now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// Looks at everything that Google looks at, in its order.
fn judge(google: &Google, headers: &HeaderMap, body: &str, now: Timestamp) -> Result<(), Answer> {
    if !text_of(headers, header::CONTENT_TYPE).starts_with("application/x-www-form-urlencoded") {
        return Err(oauth_error(400, "invalid_request", "Bad Request"));
    }
    let form: HashMap<String, String> = serde_urlencoded::from_str(body).unwrap_or_default();
    if form.get("grant_type").map(String::as_str) != Some(GRANT_TYPE) {
        return Err(oauth_error(400, "unsupported_grant_type", "Invalid grant_type"));
    }
    let assertion = form.get("assertion").map(String::as_str).unwrap_or_default();
    let claims = verified(google, assertion)?;
    if claims.iss != google.account.email {
        return Err(Answer::account_not_found());
    }
    if claims.aud != google.account.token_uri {
        return Err(oauth_error(400, "invalid_grant", "Invalid JWT: Failed audience check."));
    }
    if !claims.scope.split(' ').any(|scope| SCOPES.contains(&scope)) {
        return Err(oauth_error(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."));
    }
    let (skew, now) = (SKEW_MAX.as_secs(), now.as_second());
    let life = claims.exp.saturating_sub(claims.iat);
    let is_short = 0 < life && life <= ASSERTION_SECONDS_MAX;
    if is_short && claims.iat <= now.saturating_add(skew) && now.saturating_sub(skew) <= claims.exp {
        Ok(())
    } else {
        Err(Answer::clock_skew())
    }
}

fn verified(google: &Google, assertion: &str) -> Result<Claims, Answer> {
    let malformed = |_| oauth_error(400, "invalid_grant", "Invalid JWT: malformed assertion.");
    let header = jsonwebtoken::decode_header(assertion).map_err(malformed)?;
    if header.kid.is_some_and(|kid| kid != google.account.key_id) {
        return Err(Answer::invalid_grant());
    }
    // The library compares times with the system's clock; ours is an argument, so `judge` does.
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Claims>(assertion, &google.account.public_key, &validation)
        .map(|data| data.claims)
        .map_err(|_| Answer::invalid_grant())
}
