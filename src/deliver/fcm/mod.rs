//! Push through the operator's own Firebase project: FCM HTTP v1.
//!
//! `message` and `payload` write the body, `token` holds the right to send it, `lanes` the connections, `answer`
//! reads what comes back, `breaker` says when not to ask.

mod answer;
mod breaker;
mod cut;
mod exchange;
mod key;
mod lanes;
mod message;
mod payload;
mod redact;
mod retry_after;
mod seen;
mod token;
mod wire;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Response, header};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use url::Url;

pub use self::key::{KeyError, KeyProblem, ServiceAccount};
use self::{
    answer::{Answer, Verdict, classify},
    breaker::{Breaker, Pass},
    exchange::Exchange,
    lanes::{Lanes, Slot},
    message::{Shape, Shared},
    seen::{Seen, deferred},
    token::{Token, Tokens},
};
use super::{
    Push, PushMessage, PushTransport,
    http::{ClientError, client_builder},
};
use crate::{
    alert::{DeferCause, Outcome, PushTarget},
    clock::Clock,
    config,
};

/// Longest a push may take, the token included. Google: at least 10 s, as its own calls take that long.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for token and connection slot; the request itself has what is left.
const PREPARE_TIMEOUT: SignedDuration = SignedDuration::from_secs(5);
/// Longest exchange of an assertion for a token.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(5);

/// Pushes through one Firebase project.
#[derive(Debug)]
pub struct FcmTransport {
    endpoint: Url,
    tokens: Arc<Tokens>,
    lanes: Lanes,
    breaker: Mutex<Breaker>,
    shape: Shape,
    last: Mutex<Option<LastMessage>>,
    clock: Arc<dyn Clock>,
    timeouts: Timeouts,
}

/// Why the transport could not be made.
#[derive(Debug, thiserror::Error)]
pub enum FcmSetupError {
    /// The key file is none.
    #[error("could not read the service account key {path}", path = path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// `fcm.base_url` is no URL.
    #[error("`fcm.base_url` is not an http(s) URL")]
    BaseUrl,
    /// The certificate authority or proxy cannot be used.
    #[error("could not make the HTTP client for FCM")]
    Client(#[from] ClientError),
}

/// What `/readyz` and the metrics show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FcmState {
    /// Until when the access token serves; `None` = there is none (yet).
    pub token_until: Option<Timestamp>,
    /// Why the last token fetch failed, if it did.
    pub token_failure: Option<String>,
    /// Until when nothing is sent because the project is at fault.
    pub breaker_open_until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Timeouts {
    total: Duration,
    exchange: Duration,
}

/// The message written last: the devices of one notification follow each other.
#[derive(Debug)]
struct LastMessage {
    message: Weak<PushMessage>,
    written: Arc<Shared>,
}

impl FcmTransport {
    /// Reads the key and makes the first client; asks nobody anything yet.
    pub fn new(
        config: &config::Fcm,
        clock: Arc<dyn Clock>,
        tasks: TaskTracker,
    ) -> Result<Self, FcmSetupError> {
        let timeouts = Timeouts { total: REQUEST_TIMEOUT, exchange: EXCHANGE_TIMEOUT };
        Self::with_timeouts(config, clock, tasks, timeouts)
    }

    fn with_timeouts(
        config: &config::Fcm,
        clock: Arc<dyn Clock>,
        tasks: TaskTracker,
        timeouts: Timeouts,
    ) -> Result<Self, FcmSetupError> {
        let account = ServiceAccount::parse(config.key_json.expose_secret())
            .map_err(|source| FcmSetupError::Key { path: config.key_path.clone(), source })?;
        let endpoint = endpoint(&config.base_url, &account.project_id).ok_or(FcmSetupError::BaseUrl)?;
        // Over TLS one HTTP/2 connection serves all; plain HTTP/1.1 needs one for each request.
        let opens_one_at_a_time = endpoint.scheme() == "https";
        let http: Client = client_builder(&config.network)?.build().map_err(ClientError::Tls)?;
        let exchange = Exchange { account, http, timeout: timeouts.exchange };
        Ok(Self {
            endpoint,
            tokens: Tokens::new(exchange, Arc::clone(&clock), tasks),
            lanes: Lanes::new(config.network.clone(), opens_one_at_a_time)?,
            breaker: Mutex::new(Breaker::new()),
            shape: Shape { ttl: config.ttl, android: config.android },
            last: Mutex::new(None),
            clock,
            timeouts,
        })
    }

    /// Asks Google whether project, key and rights would do, without sending anything.
    pub async fn dry_run(&self) -> Outcome {
        let seen = self.request(message::dry_run(), "").await;
        seen.outcome(breaker::OPEN_MIN)
    }

    /// How it stands, without asking anybody.
    pub fn state(&self) -> FcmState {
        FcmState {
            token_until: self.tokens.usable_until(),
            token_failure: self.tokens.last_failure(),
            breaker_open_until: self.breaker().open_until(),
        }
    }

    fn body(&self, push: &Push) -> String {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last.as_ref().filter(|last| {
            last.message.upgrade().is_some_and(|message| Arc::ptr_eq(&message, &push.message))
        });
        let written = if let Some(last) = known {
            Arc::clone(&last.written)
        } else {
            let written = Arc::new(Shared::write(&push.message, self.shape, self.clock.now()));
            let message = Arc::downgrade(&push.message);
            *last = Some(LastMessage { message, written: Arc::clone(&written) });
            written
        };
        drop(last);
        written.addressed_to(&push.target)
    }

    /// One request, from the token to the answer.
    async fn request(&self, body: String, target: &str) -> Seen {
        let began = Instant::now();
        let mut late = self.clock.sleep(PREPARE_TIMEOUT);
        let token = tokio::select! {
            biased;
            token = self.tokens.get() => token,
            () = &mut late => return Seen::NoTokenYet,
        };
        let token = match token {
            Ok(token) => token,
            Err((refusal, wait)) => return Seen::NoToken(refusal, wait),
        };
        let slot = tokio::select! {
            biased;
            slot = self.lanes.slot(self.clock.now()) => slot,
            () = &mut late => None,
        };
        let Some(mut slot) = slot else { return Seen::NoSlot };
        let left = self.timeouts.total.saturating_sub(began.elapsed());
        let sent = self.post(&slot, &token, body, left).await;
        slot.opened(sent.is_ok().then(|| self.clock.now()));
        match sent {
            Ok(response) => self.read(response, &token, target).await,
            Err(error) if wire::was_not_sent(&error) => {
                Seen::NotSent(redact::for_people(&wire::chain(error), target))
            }
            Err(error) => Seen::NoAnswer(redact::for_people(&wire::chain(error), target)),
        }
    }

    async fn post(
        &self,
        slot: &Slot,
        token: &Token,
        body: String,
        timeout: Duration,
    ) -> reqwest::Result<Response> {
        slot.client()
            .post(self.endpoint.clone())
            .header(header::AUTHORIZATION, token.authorization.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .timeout(timeout)
            .body(body)
            .send()
            .await
    }

    async fn read(&self, response: Response, token: &Token, target: &str) -> Seen {
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let date = header(header::DATE).and_then(retry_after::http_date);
        let now = self.clock.now();
        let retry_after = header(header::RETRY_AFTER).and_then(|value| retry_after::parse(value, date, now));
        let body = wire::read_bounded(response).await;
        if !body.is_whole && 400 <= status {
            // What the status alone says may be wrong: a 404 is a dead token or a wrong project.
            return Seen::Cut(status);
        }
        let verdict = classify(Answer { status, retry_after, body: &body.bytes, target });
        match verdict {
            Verdict::TokenRefused { detail } => Seen::TokenRefused(self.tokens.refuse(token), detail),
            Verdict::Accepted { .. } | Verdict::Rejected { .. } | Verdict::PlatformFault { .. } => {
                token.prove();
                Seen::Answered(verdict)
            }
            Verdict::Throttled { .. } | Verdict::Unavailable { .. } | Verdict::ProjectFault { .. } => {
                Seen::Answered(verdict)
            }
        }
    }

    fn settle(&self, pass: Pass, seen: Seen) -> Outcome {
        let now = self.clock.now();
        let mut breaker = self.breaker();
        breaker.settle(pass, seen.evidence(), now);
        let rest = breaker.open_until().map_or(breaker::OPEN_MIN, |until| until.duration_since(now));
        drop(breaker);
        seen.outcome(rest)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PushTransport for FcmTransport {
    async fn send(&self, push: Push) -> Outcome {
        let pass = match self.breaker().admit(self.clock.now()) {
            Ok(pass) => pass,
            Err(wait) => {
                let detail = "not sent: the Firebase project was at fault a moment ago".to_owned();
                return deferred(DeferCause::ProjectFault, Some(wait), detail);
            }
        };
        let (PushTarget::Token(target) | PushTarget::Fid(target)) = &push.target;
        let seen = self.request(self.body(&push), target).await;
        self.settle(pass, seen)
    }
}

fn endpoint(base_url: &str, project_id: &str) -> Option<Url> {
    let mut url = Url::parse(base_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.path_segments_mut().ok()?.pop_if_empty().extend(["v1", "projects", project_id, "messages:send"]);
    Some(url)
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
