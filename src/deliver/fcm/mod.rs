//! Push through the operator's own Firebase project: FCM HTTP v1.
//!
//! `body` writes a push, `key`, `grant` and `token` get the right to send it, `answer` reads what comes back.

mod answer;
mod body;
mod connections;
mod grant;
mod key;
mod token;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Response, Url, header};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

pub use self::key::{KeyError, KeyProblem, ServiceAccount};
use self::{
    body::Shape,
    connections::{Connections, Slot},
    grant::TokenServer,
    token::{Token, Tokens},
};
use super::{
    Push, PushTransport,
    wire::{
        self, BodyEnd, Breaker, ClientError, Evidence, Failure, Limits, PAUSE_MIN, Probes, Reading,
        client_builder, http_url, without_tokens,
    },
};
use crate::{
    alert::{DeferCause, Outcome, PushTarget, Severity},
    clock::Clock,
    config,
};

/// Longest a push may take, the token included. Google: at least 10 s, as its own calls take that long.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for token and connection slot; the request itself has what is left.
const PREPARE_TIMEOUT: SignedDuration = SignedDuration::from_secs(5);
/// Longer than any request of ours.
const PROBES: Probes = Probes::UntilOneTells(SignedDuration::from_secs(20));
/// No answer that we understand is longer. After an hour the alert is no longer news, and a bad header must not silence
/// a device for a day.
const LIMITS: Limits = Limits { body_bytes: 64 * 1024, retry_after: SignedDuration::from_hours(1) };

#[derive(Debug)]
pub struct FcmTransport {
    endpoint: Url,
    tokens: Arc<Tokens>,
    connections: Connections,
    breaker: Mutex<Breaker>,
    shape: Shape,
    clock: Arc<dyn Clock>,
    timeout: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum FcmSetupError {
    #[error("could not read the service account key {path}", path = path.display())]
    Key {
        path: PathBuf,
        #[source]
        source: KeyError,
    },
    #[error("`fcm.base_url` is not an http(s) URL")]
    BaseUrl,
    #[error("could not make the HTTP client for FCM")]
    Client(#[from] ClientError),
}

impl FcmTransport {
    /// Reads the key and makes the first client; makes no request yet.
    pub fn new(
        config: &config::Fcm,
        clock: Arc<dyn Clock>,
        tasks: TaskTracker,
    ) -> Result<Self, FcmSetupError> {
        let account = ServiceAccount::parse(config.key_json.expose_secret())
            .map_err(|source| FcmSetupError::Key { path: config.key_path.clone(), source })?;
        let endpoint = endpoint(&config.base_url, &account.project_id).ok_or(FcmSetupError::BaseUrl)?;
        // Over TLS one HTTP/2 connection serves all; plain HTTP/1.1 needs one for each request.
        let opens_one_at_a_time = endpoint.scheme() == "https";
        let client = client_builder(&config.network)?.build().map_err(ClientError::Tls)?;
        Ok(Self {
            endpoint,
            tokens: Tokens::new(TokenServer { account, client }, Arc::clone(&clock), tasks),
            connections: Connections::new(config.network.clone(), opens_one_at_a_time)?,
            breaker: Mutex::new(Breaker::new(PROBES)),
            shape: Shape { ttl: config.ttl, android: config.android },
            clock,
            timeout: REQUEST_TIMEOUT,
        })
    }

    /// Asks Google whether project, key and rights would do, without sending anything.
    pub async fn dry_run(&self) -> Outcome {
        self.request(|_| body::dry_run(), "", Severity::Disaster).await.outcome(Some(PAUSE_MIN))
    }

    /// One request, from the token to the answer; `body` is written at the time that it is at Google, `target` is
    /// repeated in no text.
    async fn request(
        &self,
        body: impl FnOnce(Timestamp) -> String,
        target: &str,
        severity: Severity,
    ) -> Reading {
        let began = Instant::now();
        let (token, mut slot) = match self.prepare(severity).await {
            Ok(prepared) => prepared,
            Err(reading) => return reading,
        };
        let request = slot
            .client()
            .post(self.endpoint.clone())
            .header(header::AUTHORIZATION, token.authorization.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .timeout(self.timeout.saturating_sub(began.elapsed()))
            .body(body(self.tokens.google_now()));
        let sent = request.send().await.map_err(Failure::from);
        slot.opened(sent.is_ok().then(|| self.clock.now()));
        match sent {
            Ok(response) => self.read(response, &token, target).await,
            Err(failure) => {
                let detail = without_tokens(&failure.chain(), target);
                if failure.surely_not_sent() {
                    Reading::deferred(DeferCause::Unreachable, None, detail)
                } else {
                    Reading::unknown(detail)
                }
            }
        }
    }

    /// What a request needs, or why there is none.
    async fn prepare(&self, severity: Severity) -> Result<(Arc<Token>, Slot), Reading> {
        let deferred = |cause, detail: &str| Reading::deferred(cause, None, detail.to_owned());
        let mut late = self.clock.sleep(PREPARE_TIMEOUT);
        let token = tokio::select! {
            biased;
            token = self.tokens.get() => token,
            () = &mut late => Err(deferred(DeferCause::Credential, "the token server takes too long")),
        }?;
        let slot = tokio::select! {
            biased;
            slot = self.connections.slot(self.clock.now(), severity) => slot,
            () = &mut late => None,
        };
        let busy = || deferred(DeferCause::Unavailable, "every connection to FCM was busy for too long");
        Ok((token, slot.ok_or_else(busy)?))
    }

    async fn read(&self, response: Response, token: &Token, target: &str) -> Reading {
        let answer = wire::read(response, self.clock.as_ref(), LIMITS).await;
        if answer.end == BodyEnd::BrokenOff && 400 <= answer.status {
            // What the status alone says may be wrong: a 404 is a dead token or a wrong project.
            let detail = format!("HTTP {}, and the answer broke off", answer.status);
            return Reading::deferred(DeferCause::Unavailable, None, detail);
        }
        let reading = answer::classify(&answer, target);
        if let Reading::Done(Outcome::Deferred { cause: DeferCause::Credential, detail, .. }) = reading {
            return self.tokens.refused(token, detail);
        }
        if reading.evidence() == Evidence::Works {
            token.prove();
        }
        reading
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PushTransport for FcmTransport {
    async fn send(&self, push: Push) -> Outcome {
        let admitted = self.breaker().admit(self.clock.now());
        let pass = match admitted {
            Ok(pass) => pass,
            Err(wait) => {
                let detail = "not sent: the Firebase project was at fault a moment ago".to_owned();
                return Reading::Fault(detail).outcome(Some(wait));
            }
        };
        let (PushTarget::Token(target) | PushTarget::Fid(target)) = &push.target;
        let body = |now| {
            let shared = push.message.written.get_or_init(|| body::write(&push.message, self.shape, now));
            body::addressed(shared, &push.target)
        };
        let reading = self.request(body, target, push.message.severity).await;
        let rest = self.breaker().settle(pass, reading.evidence(), self.clock.now());
        reading.outcome(rest)
    }
}

fn endpoint(base_url: &str, project_id: &str) -> Option<Url> {
    let mut url = http_url(base_url)?;
    url.path_segments_mut().ok()?.pop_if_empty().extend(["v1", "projects", project_id, "messages:send"]);
    Some(url)
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
