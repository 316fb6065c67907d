//! The access token: fetched once for all who need it, renewed before it expires.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::rand;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::exchange::{Exchange, Grant, Refusal, RefusalKind};
use crate::clock::Clock;

/// A token is renewed so long before it expires, while it still serves …
const RENEW_BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// … and up to so much earlier, so that many servers do not ask at once.
const RENEW_JITTER: SignedDuration = SignedDuration::from_secs(60);
/// A token is not used so shortly before it expires: it has to live until Google reads it.
const LAST_SECONDS: SignedDuration = SignedDuration::from_secs(10);
/// Shortest pause after a passing failure.
const PAUSE_AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(5);
/// Shortest pause after a refusal for good.
const PAUSE_AFTER_REFUSAL: SignedDuration = SignedDuration::from_secs(30);
/// A fetch that is not over by then is taken for lost.
const FETCH_MAX: SignedDuration = SignedDuration::from_secs(15);
/// A token that replaced a refused one is on trial for so long.
pub(super) const TRIAL: SignedDuration = SignedDuration::from_secs(60);
/// A clock that is less wrong than that is not why Google refused.
const SKEW_MIN: SignedDuration = SignedDuration::from_secs(60);

/// A token that may be used.
#[derive(Debug)]
pub(super) struct Token {
    /// `Bearer …`, marked sensitive.
    pub(super) authorization: HeaderValue,
    generation: u64,
    renew_at: Timestamp,
    unusable_at: Timestamp,
    /// FCM took it at least once.
    proven: AtomicBool,
}

impl Token {
    /// FCM took it: whatever else it answered.
    pub(super) fn prove(&self) {
        self.proven.store(true, Ordering::Relaxed);
    }
}

/// What to do after FCM refused a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterRefusal {
    /// Another token will be used: send again at once.
    SendAgain,
    /// Others are accepted with this very token, so it is kept.
    Wait,
    /// The fresh token was refused as well: it is the project.
    ProjectFault,
}

/// Hands out tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    exchange: Exchange,
    clock: Arc<dyn Clock>,
    tasks: TaskTracker,
    state: Mutex<State>,
    /// Counts finished fetches.
    fetched: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Arc<Token>>,
    generation: u64,
    fetching_since: Option<Timestamp>,
    /// The last failure and when Google may be asked again.
    failure: Option<(Refusal, Timestamp)>,
    /// When a token was last dropped because FCM refused it.
    refused_at: Option<Timestamp>,
    /// Tokens up to this generation were refused although they were fresh.
    faulty_generation: u64,
    /// How far Google's clock is ahead of ours, once that mattered.
    skew: SignedDuration,
}

impl Tokens {
    pub(super) fn new(exchange: Exchange, clock: Arc<dyn Clock>, tasks: TaskTracker) -> Arc<Self> {
        let state = Mutex::new(State::default());
        Arc::new(Self { exchange, clock, tasks, state, fetched: watch::Sender::new(0) })
    }

    /// A token that may be used now; waits for a fetch that is needed. After a failure Google is
    /// left alone for a while, and everybody gets the same failure with the time that is left.
    pub(super) async fn get(self: &Arc<Self>) -> Result<Arc<Token>, (Refusal, SignedDuration)> {
        let mut fetched = self.fetched.subscribe();
        loop {
            fetched.mark_unchanged();
            let now = self.clock.now();
            {
                let mut state = self.state();
                let may_fetch = state.failure.as_ref().is_none_or(|(_, at)| *at <= now);
                if let Some(token) = state.token.as_ref().filter(|token| now < token.unusable_at).cloned() {
                    if token.renew_at <= now && may_fetch {
                        self.start_fetch(&mut state, now);
                    }
                    return Ok(token);
                }
                if let Some((failure, at)) = state.failure.as_ref().filter(|_| !may_fetch) {
                    return Err((failure.clone(), at.duration_since(now)));
                }
                self.start_fetch(&mut state, now);
            }
            // The sender lives as long as `self`.
            let _ = fetched.changed().await;
        }
    }

    /// FCM refused this token.
    pub(super) fn refuse(&self, token: &Token) -> AfterRefusal {
        let now = self.clock.now();
        let mut state = self.state();
        let generation = token.generation;
        if generation <= state.faulty_generation {
            return AfterRefusal::ProjectFault;
        }
        if state.token.as_ref().is_none_or(|current| current.generation != generation) {
            return AfterRefusal::SendAgain;
        }
        let on_trial = state.refused_at.is_some_and(|at| now.duration_since(at) < TRIAL);
        if on_trial && token.proven.load(Ordering::Relaxed) {
            return AfterRefusal::Wait;
        }
        state.token = None;
        state.refused_at = Some(now);
        if on_trial {
            state.faulty_generation = generation;
            return AfterRefusal::ProjectFault;
        }
        AfterRefusal::SendAgain
    }

    /// When the present token stops being used.
    pub(super) fn usable_until(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        self.state().token.as_ref().map(|token| token.unusable_at).filter(|at| now < *at)
    }

    /// Why the last fetch failed, if it did.
    pub(super) fn last_failure(&self) -> Option<String> {
        self.state().failure.as_ref().map(|(failure, _)| failure.detail.clone())
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

    /// Asks, and asks a second time where that helps: the signature is sometimes refused by
    /// mistake, and a wrong clock can be allowed for.
    async fn fetch(&self) -> Result<Grant, Refusal> {
        let refusal = match self.ask().await {
            Ok(grant) => return Ok(grant),
            Err(refusal) => refusal,
        };
        match refusal.kind {
            RefusalKind::Signature => self.ask().await,
            RefusalKind::ClockSkew(Some(skew)) if SKEW_MIN <= skew.abs() => {
                self.state().skew = skew;
                tracing::warn!(
                    offset_s = skew.as_secs(),
                    "this machine's clock differs from Google's; allowing for it"
                );
                self.ask().await.map_err(|again| Refusal { detail: off_by(skew, &again.detail), ..again })
            }
            RefusalKind::ClockSkew(_)
            | RefusalKind::Permanent
            | RefusalKind::Unavailable
            | RefusalKind::Unreachable => Err(refusal),
        }
    }

    async fn ask(&self) -> Result<Grant, Refusal> {
        let now = self.clock.now();
        let google_now = now.saturating_add(self.state().skew).unwrap_or(now);
        self.exchange.ask(google_now, now).await
    }

    fn keep(&self, result: Result<Grant, Refusal>) {
        let now = self.clock.now();
        let mut state = self.state();
        state.fetching_since = None;
        match result.and_then(|grant| token(&grant, state.generation + 1, now)) {
            Ok(token) => {
                state.generation = token.generation;
                state.token = Some(Arc::new(token));
                state.failure = None;
            }
            Err(refusal) => {
                tracing::warn!(reason = %refusal.detail, "could not refresh the FCM access token");
                let pause = refusal.pause().max(refusal.retry_after.unwrap_or_default());
                let at = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
                state.failure = Some((refusal, at));
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refusal {
    /// True where no later attempt can help without an operator.
    pub(super) fn is_permanent(&self) -> bool {
        match self.kind {
            RefusalKind::Signature | RefusalKind::ClockSkew(_) | RefusalKind::Permanent => true,
            RefusalKind::Unavailable | RefusalKind::Unreachable => false,
        }
    }

    fn pause(&self) -> SignedDuration {
        if self.is_permanent() { PAUSE_AFTER_REFUSAL } else { PAUSE_AFTER_FAILURE }
    }
}

fn token(grant: &Grant, generation: u64, now: Timestamp) -> Result<Token, Refusal> {
    let unreadable = || Refusal {
        kind: RefusalKind::Unavailable,
        detail: "the token server granted a token that is no header value".to_owned(),
        retry_after: None,
    };
    let mut authorization = HeaderValue::try_from(format!("Bearer {}", grant.access_token.expose_secret()))
        .map_err(|_| unreadable())?;
    authorization.set_sensitive(true);
    let after = |by: SignedDuration| now.saturating_add(by).unwrap_or(Timestamp::MAX);
    let lifetime = grant.lifetime;
    // A short-lived token is renewed after half its life instead.
    let renew_after = (lifetime - RENEW_BEFORE - jitter()).max(lifetime / 2);
    let unusable_after = (lifetime - LAST_SECONDS).max(lifetime / 2);
    Ok(Token {
        authorization,
        generation,
        renew_at: after(renew_after),
        unusable_at: after(unusable_after),
        proven: AtomicBool::new(false),
    })
}

fn jitter() -> SignedDuration {
    let mut bytes = [0; 2];
    // Without entropy all servers renew at the same time, which is no reason to fail.
    let _ = rand::fill(&mut bytes);
    RENEW_JITTER * i32::from(u16::from_be_bytes(bytes)) / i32::from(u16::MAX)
}

fn off_by(skew: SignedDuration, detail: &str) -> String {
    let direction = if skew.is_positive() { "behind" } else { "ahead of" };
    let minutes = Duration::try_from(skew.abs()).unwrap_or_default().as_secs().div_ceil(60);
    super::redact::for_people(
        &format!("this machine's clock is {minutes} min {direction} Google's; {detail}"),
        "",
    )
}
