//! `POST /token`: an assertion signed with the service account's key becomes an access token.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use serde_json::json;

use super::key::random_hex;
use crate::sandbox::{
    answer::{Answer, oauth_error},
    line::CutHandle,
    seen::RefusalSeen,
    world::{World, json_ok, say},
};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Either scope is enough for FCM.
const SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/firebase.messaging", "https://www.googleapis.com/auth/cloud-platform"];
/// How far the times of an assertion may be off; Google is said to allow about this much.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(10);
/// Longest life of an assertion, in seconds.
const ASSERTION_LIFE_MAX: i64 = 3600;
/// Most access tokens valid at a time, and most refusals kept.
const KEPT_MAX: usize = 1_000;

/// The access tokens in use.
pub(in crate::sandbox) struct IssuedTokens {
    lifetime: SignedDuration,
    valid_until: RwLock<HashMap<String, Timestamp>>,
    count: AtomicU64,
    ahead_ms: std::sync::atomic::AtomicI64,
    refusals: Mutex<VecDeque<RefusalSeen>>,
}

impl IssuedTokens {
    pub(in crate::sandbox) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime: SignedDuration::try_from(lifetime).unwrap_or(SignedDuration::MAX),
            valid_until: RwLock::default(),
            count: AtomicU64::new(0),
            ahead_ms: 0.into(),
            refusals: Mutex::default(),
        }
    }

    pub(super) fn is_valid(&self, token: &str, now: Timestamp) -> bool {
        let valid_until = self.valid_until.read().unwrap_or_else(PoisonError::into_inner);
        valid_until.get(token).is_some_and(|until| now < *until)
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn revoke_all(&self) {
        self.valid_until.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn run_ahead(&self, ahead: SignedDuration) {
        let millis = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        self.ahead_ms.store(millis, Ordering::Relaxed);
    }

    pub(super) fn refusals(&self) -> Vec<RefusalSeen> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn refuse(&self, answer: &Answer, now: Timestamp) {
        let Answer::Status { status, body, .. } = answer else { return };
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if refusals.len() == KEPT_MAX {
            refusals.pop_front();
        }
        refusals.push_back(RefusalSeen { at: now, status: *status, body: body.clone() });
    }

    fn issue(&self, now: Timestamp) -> Option<String> {
        let token = format!("ya29.sandbox-{}", random_hex::<24>().ok()?);
        let mut valid_until = self.valid_until.write().unwrap_or_else(PoisonError::into_inner);
        valid_until.retain(|_, until| now < *until);
        if KEPT_MAX <= valid_until.len() {
            valid_until.clear();
        }
        valid_until.insert(token.clone(), now.saturating_add(self.lifetime).unwrap_or(Timestamp::MAX));
        self.count.fetch_add(1, Ordering::Relaxed);
        Some(token)
    }
}

impl fmt::Debug for IssuedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedTokens").field("count", &self.count()).finish_non_exhaustive()
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

/// The endpoint.
pub(in crate::sandbox) async fn exchange(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<CutHandle>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let ahead = SignedDuration::from_millis(world.issued.ahead_ms.load(Ordering::Relaxed));
    let google_now = world.now().saturating_add(ahead).unwrap_or(Timestamp::MAX);
    let mut response = match judge(&world, &headers, &body, google_now) {
        Ok(()) => {
            let answer = world.token_script.next("");
            world.answer(&world.token_script, answer, &line, || grant(&world)).await
        }
        Err(answer) => {
            world.issued.refuse(&answer, world.now());
            world.changed();
            say(answer)
        }
    };
    let date = google_now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::try_from(date) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

fn grant(world: &World) -> Response {
    match world.issued.issue(world.now()) {
        Some(token) => {
            let expires_in = world.issued.lifetime.as_secs();
            let body = json!({ "access_token": token, "expires_in": expires_in, "token_type": "Bearer" });
            json_ok(body.to_string())
        }
        None => say(oauth_error(500, "internal_failure", "no random bytes")),
    }
}

/// Looks at everything that Google looks at, in its order.
fn judge(world: &World, headers: &HeaderMap, body: &str, now: Timestamp) -> Result<(), Answer> {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if !content_type.starts_with(b"application/x-www-form-urlencoded") {
        return Err(oauth_error(400, "invalid_request", "Bad Request"));
    }
    let form: HashMap<String, String> = serde_urlencoded::from_str(body).unwrap_or_default();
    if form.get("grant_type").map(String::as_str) != Some(GRANT_TYPE) {
        return Err(oauth_error(400, "unsupported_grant_type", "Invalid grant_type"));
    }
    let assertion = form.get("assertion").map(String::as_str).unwrap_or_default();
    let claims = verified(world, assertion)?;
    if claims.iss != world.account.email {
        return Err(Answer::account_not_found());
    }
    if claims.aud != world.account.token_uri {
        return Err(oauth_error(400, "invalid_grant", "Invalid JWT: Failed audience check."));
    }
    if !claims.scope.split(' ').any(|scope| SCOPES.contains(&scope)) {
        return Err(oauth_error(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."));
    }
    let (skew, now) = (SKEW_MAX.as_secs(), now.as_second());
    let life = claims.exp.saturating_sub(claims.iat);
    let is_short = 0 < life && life <= ASSERTION_LIFE_MAX;
    if is_short && claims.iat <= now.saturating_add(skew) && now.saturating_sub(skew) <= claims.exp {
        Ok(())
    } else {
        Err(Answer::clock_skew())
    }
}

fn verified(world: &World, assertion: &str) -> Result<Claims, Answer> {
    let malformed = |_| oauth_error(400, "invalid_grant", "Invalid JWT: malformed assertion.");
    let header = jsonwebtoken::decode_header(assertion).map_err(malformed)?;
    if header.kid.is_some_and(|kid| kid != world.account.key_id) {
        return Err(Answer::invalid_grant());
    }
    // The library compares times with the system's clock; ours is an argument, so `judge` does.
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Claims>(assertion, &world.account.public_key, &validation)
        .map(|data| data.claims)
        .map_err(|_| Answer::invalid_grant())
}
