//! What every gateway does: ask the breaker, send one request, read the answer, tell the breaker.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    Look, Seen, SmsSetupError,
    exchange::{Answer, exchange, read},
    fit::{Fitted, TextRules, fit},
};
use crate::{
    alert::{DeferCause, Fate, Outcome, PhoneNumber},
    clock::Clock,
    config,
    deliver::{
        SmsText, SmsTransport, Text,
        breaker::{Admit, Breaker},
        http::{CONNECT_TIMEOUT, client_builder},
    },
};

/// What differs between SMS companies.
pub(crate) trait Provider: Send + Sync + 'static {
    /// What a text to `to` may be, within the operator's `max_segments`.
    fn rules(&self, _to: &PhoneNumber, max_segments: u8) -> TextRules {
        TextRules::automatic(max_segments)
    }

    /// The request that sends `text`; `Err` says why there is none.
    fn request(
        &self,
        client: &reqwest::Client,
        text: &Text,
        now: Timestamp,
    ) -> Result<reqwest::Request, String>;

    /// What the answer to it means.
    fn reading(&self, answer: &Answer, text: &Text) -> Reading;

    /// The question what became of a text; `None` if this company has no answer to it.
    fn question(&self, _: &reqwest::Client, _: &Asked<'_>) -> Option<Result<reqwest::Request, String>> {
        None
    }

    /// What the answer to it means.
    fn fate(&self, answer: &Answer, _: &Asked<'_>) -> Fate {
        unclear(answer)
    }

    /// The question about the account; `None` if this company has no answer to it.
    fn look(&self, _: &reqwest::Client, _: Look, _: Timestamp) -> Option<Result<reqwest::Request, String>> {
        None
    }

    /// What the answer to it means; an error is in words for people.
    fn seen(&self, _: Look, answer: &Answer) -> Result<Seen, String> {
        Err(format!("answered {}", answer.status))
    }
}

/// A text that somebody is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// As it was sent, if nothing changed since.
    pub(crate) text: &'a Text,
    /// When its request began.
    pub(crate) sent_at: Timestamp,
    /// Now.
    pub(crate) now: Timestamp,
}

/// An answer that does not tell what became of a text.
pub(crate) fn unclear(answer: &Answer) -> Fate {
    Fate::Unclear { reason: format!("asked, it answered {} and nothing readable", answer.status) }
}

/// What an answer means for the text and for the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The outcome of this text; it says nothing against the account.
    Done(Outcome),
    /// Our account or configuration is at fault: the breaker opens.
    Fault(String),
}

impl Reading {
    /// Not now; surely not sent.
    pub(crate) fn deferred(cause: DeferCause, answer: &Answer, detail: String) -> Self {
        Self::Done(Outcome::Deferred { cause, retry_after: answer.retry_after, detail })
    }
}

/// One `[[sms.gateway]]`.
pub(crate) struct Gateway<P> {
    name: String,
    max_segments: u8,
    client: reqwest::Client,
    provider: P,
    guard: Mutex<Guard>,
    clock: Arc<dyn Clock>,
}

/// The breaker and what opened it.
#[derive(Default)]
struct Guard {
    breaker: Breaker,
    fault: String,
}

impl<P: Provider> Gateway<P> {
    /// Sets up the client; makes no request.
    pub(crate) fn new(
        config: &config::Gateway,
        provider: P,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SmsSetupError> {
        let name = config.name.clone();
        let timeout = Duration::try_from(config.timeout)
            .ok()
            .filter(|timeout| !timeout.is_zero())
            .ok_or_else(|| SmsSetupError::Timeout { gateway: name.clone() })?;
        let client = client_builder(&config.network)
            .map_err(|source| SmsSetupError::Client { gateway: name.clone(), source })?
            // A connection that takes too long must end as "not sent", before the request's own
            // timeout ends it as "may have been sent".
            .connect_timeout(CONNECT_TIMEOUT.min(timeout / 2))
            .timeout(timeout)
            .build()
            .map_err(|source| SmsSetupError::Build { gateway: name.clone(), source })?;
        let max_segments = config.max_segments;
        Ok(Self { name, max_segments, client, provider, guard: Mutex::default(), clock })
    }

    /// `Err` while the breaker is open.
    fn admit(&self) -> Result<(), Outcome> {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        match guard.breaker.admit(self.clock.now()) {
            Admit::Go => Ok(()),
            Admit::OpenFor(pause) => Err(Outcome::Deferred {
                cause: DeferCause::ProjectFault,
                retry_after: Some(pause),
                detail: format!("not asked, because of an earlier answer: {}", guard.fault),
            }),
        }
    }

    /// True while the account is known to be at fault: a question would fail, too.
    fn is_shut(&self) -> bool {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner).breaker.is_open(self.clock.now())
    }

    /// Tells the breaker what the answer showed. Only an answer about the text itself proves that
    /// the account works; an outage or a silence proves nothing either way.
    fn settle(&self, reading: Reading) -> Outcome {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        match reading {
            Reading::Fault(detail) => {
                let pause = guard.breaker.fault(self.clock.now());
                guard.fault.clone_from(&detail);
                Outcome::Deferred { cause: DeferCause::ProjectFault, retry_after: Some(pause), detail }
            }
            Reading::Done(outcome) => {
                match outcome {
                    Outcome::Accepted { .. } | Outcome::Rejected { .. } => guard.breaker.success(),
                    Outcome::Deferred { .. } | Outcome::Unknown { .. } => {}
                }
                outcome
            }
        }
    }
}

#[async_trait]
impl<P: Provider> SmsTransport for Gateway<P> {
    fn name(&self) -> &str {
        &self.name
    }

    fn fit(&self, to: &PhoneNumber, text: &SmsText) -> Fitted {
        fit(&text.words, &text.link, self.provider.rules(to, self.max_segments))
    }

    async fn send(&self, text: Text) -> Outcome {
        if let Err(open) = self.admit() {
            return open;
        }
        let request = match self.provider.request(&self.client, &text, self.clock.now()) {
            Ok(request) => request,
            Err(detail) => return self.settle(Reading::Fault(detail)),
        };
        match exchange(&self.client, request).await {
            Ok(response) => {
                let answer = read(response, self.clock.now()).await;
                self.settle(self.provider.reading(&answer, &text))
            }
            Err(outcome) => outcome,
        }
    }

    async fn ask(&self, text: Text, sent_at: Timestamp) -> Fate {
        let unasked = |reason: &str| Fate::Unclear { reason: reason.to_owned() };
        if self.is_shut() {
            return unasked("not asked, because of an earlier answer about the account");
        }
        let asked = Asked { text: &text, sent_at, now: self.clock.now() };
        match self.provider.question(&self.client, &asked) {
            None => unasked("this provider cannot be asked"),
            Some(Err(detail)) => unasked(&detail),
            Some(Ok(request)) => match exchange(&self.client, request).await {
                Ok(response) => self.provider.fate(&read(response, self.clock.now()).await, &asked),
                Err(outcome) => unasked(&format!("asked in vain: {}", outcome.detail())),
            },
        }
    }

    async fn look(&self, at: Look) -> Option<Result<Seen, String>> {
        let request = match self.provider.look(&self.client, at, self.clock.now())? {
            Ok(request) => request,
            Err(detail) => return Some(Err(detail)),
        };
        let host = request.url().host_str().unwrap_or_default().to_owned();
        Some(match exchange(&self.client, request).await {
            Ok(response) => self.provider.seen(at, &read(response, self.clock.now()).await),
            Err(outcome) => {
                let detail = outcome.detail();
                Err(format!("could not reach {host}: {detail}; check network, firewall or proxy"))
            }
        })
    }
}
