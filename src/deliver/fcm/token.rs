//! The access token: fetched once for all who need it, renewed before it expires.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::grant::{Grant, Refusal, RefusalKind, TokenServer};
use crate::{
    alert::DeferCause,
    clock::Clock,
    deliver::wire::{Reading, without_tokens},
};

/// A token is renewed this long before it expires, while it still serves …
const RENEW_BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// … and up to this much earlier, so that many servers do not ask at once.
const RENEW_JITTER: SignedDuration = SignedDuration::from_secs(60);
/// A token is no longer used this shortly before it expires: it has to be valid until Google reads it.
const LAST_SECONDS: SignedDuration = SignedDuration::from_secs(10);
const PAUSE_AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(5);
const PAUSE_AFTER_REFUSAL: SignedDuration = SignedDuration::from_secs(30);
/// A fetch that takes longer counts as lost.
const FETCH_MAX: SignedDuration = SignedDuration::from_secs(15);
/// A token that replaced a refused one is on trial for this long.
const TRIAL: SignedDuration = SignedDuration::from_secs(60);
/// If our clock is off by less, that is not why Google refused.
const SKEW_MIN: SignedDuration = SignedDuration::from_secs(60);

#[derive(Debug)]
pub(super) struct Token {
    /// `Bearer …`, marked sensitive.
    pub(super) authorization: HeaderValue,
    generation: u64,
    renew_at: Timestamp,
    unusable_at: Timestamp,
    proven: AtomicBool,
}

impl Token {
    /// FCM took it, whatever else it answered.
    pub(super) fn prove(&self) {
        self.proven.store(true, Ordering::Relaxed);
    }
}

#[derive(Debug)]
pub(super) struct Tokens {
    server: TokenServer,
    clock: Arc<dyn Clock>,
    tasks: TaskTracker,
    state: Mutex<State>,
    fetched: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Arc<Token>>,
    generation: u64,
    fetching_since: Option<Timestamp>,
    failure: Option<LastFailure>,
    /// When a token was last dropped because FCM refused it.
    refused_at: Option<Timestamp>,
    /// Tokens up to this generation were refused although they were fresh.
    faulty_generation: u64,
    /// How far our clock is behind Google's, once that mattered.
    behind: SignedDuration,
}

#[derive(Debug)]
struct LastFailure {
    refusal: Refusal,
    ask_again_at: Timestamp,
}

impl Tokens {
    pub(super) fn new(server: TokenServer, clock: Arc<dyn Clock>, tasks: TaskTracker) -> Arc<Self> {
        let state = Mutex::new(State::default());
        Arc::new(Self { server, clock, tasks, state, fetched: watch::Sender::new(0) })
    }

    /// A token that may be used now; waits for a fetch that is needed. After a failure Google is left alone for a
    /// while, and every push gets the same failure with the time that is left.
    pub(super) async fn get(self: &Arc<Self>) -> Result<Arc<Token>, Reading> {
        let mut fetched = self.fetched.subscribe();
        loop {
            fetched.mark_unchanged();
            let now = self.clock.now();
            {
                let mut state = self.state();
                let failure = state.failure.as_ref().filter(|failure| now < failure.ask_again_at);
                let token = state.token.as_ref().filter(|token| now < token.unusable_at).cloned();
                match (token, failure) {
                    (Some(token), None) if token.renew_at <= now => {
                        self.start_fetch(&mut state, now);
                        return Ok(token);
                    }
                    (Some(token), _) => return Ok(token),
                    (None, Some(failure)) => return Err(failure.reading(now)),
                    (None, None) => self.start_fetch(&mut state, now),
                }
            }
            // The sender lives as long as `self`.
            let _ = fetched.changed().await;
        }
    }

    pub(super) fn refused(&self, token: &Token, detail: String) -> Reading {
        let send_again_after = |pause| Reading::deferred(DeferCause::Credential, Some(pause), detail.clone());
        let now = self.clock.now();
        let mut state = self.state();
        let generation = token.generation;
        if generation <= state.faulty_generation {
            return Reading::Fault(detail);
        }
        if state.token.as_ref().is_none_or(|current| current.generation != generation) {
            // Another token will be used.
            return send_again_after(SignedDuration::ZERO);
        }
        let is_on_trial = state.refused_at.is_some_and(|at| now.duration_since(at) < TRIAL);
        if is_on_trial && token.proven.load(Ordering::Relaxed) {
            // Others are accepted with this very token, so it is kept.
            return send_again_after(TRIAL);
        }
        state.token = None;
        state.refused_at = Some(now);
        if is_on_trial {
            // The fresh token was refused as well: it is the project.
            state.faulty_generation = generation;
            return Reading::Fault(detail);
        }
        send_again_after(SignedDuration::ZERO)
    }

    #[cfg(test)]
    pub(super) fn last_failure(&self) -> Option<String> {
        self.state().failure.as_ref().map(|failure| failure.refusal.detail.clone())
    }

    fn start_fetch(self: &Arc<Self>, state: &mut State, now: Timestamp) {
        let is_under_way = state.fetching_since.is_some_and(|since| now.duration_since(since) < FETCH_MAX);
        if is_under_way {
            return;
        }
        state.fetching_since = Some(now);
        let tokens = Arc::clone(self);
        self.tasks.spawn(async move {
            let result = tokens.fetch().await;
            tokens.keep(result);
            tokens.fetched.send_modify(|count| *count += 1);
        });
    }

    /// Asks a second time where that helps: a signature is sometimes refused by mistake, a wrong clock can be allowed for.
    async fn fetch(&self) -> Result<Grant, Refusal> {
        let refusal = match self.ask().await {
            Ok(grant) => return Ok(grant),
            Err(refusal) => refusal,
        };
        match refusal.kind {
            RefusalKind::Signature => self.ask().await,
            RefusalKind::ClockSkew(Some(behind)) if SKEW_MIN <= behind.abs() => {
                self.state().behind = behind;
                tracing::warn!(
                    offset_s = behind.as_secs(),
                    "this machine's clock differs from Google's; allowing for it"
                );
                self.ask().await.map_err(|again| Refusal { detail: off_by(behind, &again.detail), ..again })
            }
            RefusalKind::ClockSkew(_)
            | RefusalKind::Permanent
            | RefusalKind::Unavailable
            | RefusalKind::Unreachable => Err(refusal),
        }
    }

    async fn ask(&self) -> Result<Grant, Refusal> {
        self.server.ask(self.clock.as_ref(), self.google_now()).await
    }

    /// As far as it is known.
    pub(super) fn google_now(&self) -> Timestamp {
        let now = self.clock.now();
        now.saturating_add(self.state().behind).unwrap_or(now)
    }

    fn keep(&self, result: Result<Grant, Refusal>) {
        let now = self.clock.now();
        let mut state = self.state();
        state.fetching_since = None;
        match result.and_then(|grant| token(&grant, state.generation + 1, self.clock.as_ref())) {
            Ok(token) => {
                state.generation = token.generation;
                state.token = Some(Arc::new(token));
                state.failure = None;
            }
            Err(refusal) => {
                tracing::warn!(reason = %refusal.detail, "could not refresh the FCM access token");
                state.failure = Some(LastFailure::new(refusal, now));
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LastFailure {
    /// Google is left alone for a while, longer where no later attempt can help without an operator.
    fn new(refusal: Refusal, now: Timestamp) -> Self {
        let is_permanent = refusal.kind.cause() == DeferCause::ProjectFault;
        let pause = if is_permanent { PAUSE_AFTER_REFUSAL } else { PAUSE_AFTER_FAILURE };
        let pause = pause.max(refusal.retry_after.unwrap_or_default());
        Self { refusal, ask_again_at: now.saturating_add(pause).unwrap_or(Timestamp::MAX) }
    }

    fn reading(&self, now: Timestamp) -> Reading {
        let detail = self.refusal.detail.clone();
        let cause = self.refusal.kind.cause();
        if cause == DeferCause::ProjectFault {
            return Reading::Fault(detail);
        }
        Reading::deferred(cause, Some(self.ask_again_at.duration_since(now)), detail)
    }
}

fn token(grant: &Grant, generation: u64, clock: &dyn Clock) -> Result<Token, Refusal> {
    let detail = "the token server granted a token that is no header value";
    let mut authorization = HeaderValue::try_from(format!("Bearer {}", grant.access_token.expose_secret()))
        .map_err(|_| Refusal::new(RefusalKind::Unavailable, detail))?;
    authorization.set_sensitive(true);
    let now = clock.now();
    let after = |by: SignedDuration| now.saturating_add(by).unwrap_or(Timestamp::MAX);
    let lifetime = grant.lifetime;
    // A short-lived token is renewed after half its life instead.
    let renew_after =
        (lifetime - RENEW_BEFORE - RENEW_JITTER.mul_f64(clock.chance().unit())).max(lifetime / 2);
    let unusable_after = (lifetime - LAST_SECONDS).max(lifetime / 2);
    Ok(Token {
        authorization,
        generation,
        renew_at: after(renew_after),
        unusable_at: after(unusable_after),
        proven: AtomicBool::new(false),
    })
}

fn off_by(behind: SignedDuration, detail: &str) -> String {
    let direction = if behind.is_positive() { "behind" } else { "ahead of" };
    let minutes = Duration::try_from(behind.abs()).unwrap_or_default().as_secs().div_ceil(60);
    without_tokens(&format!("this machine's clock is {minutes} min {direction} Google's; {detail}"), "")
}
