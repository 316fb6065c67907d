//! What every gateway does: ask the breaker, send one request, read the answer, tell the breaker.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Request};

use super::{
    Finding, Look, SmsSetupError,
    fit::{Fitted, fit},
    provider::{Asked, Built, Provider},
    setup::SetupProblem,
};
use crate::{
    alert::{DeferCause, Fate, GatewayName, Outcome, PhoneNumber},
    clock::Clock,
    config,
    deliver::{
        SmsText, SmsTransport, Text,
        wire::{
            Answer, Breaker, CONNECT_TIMEOUT, Failure, FailureKind, Limits, Pass, Probes, Reading,
            client_builder, exchange,
        },
    },
};

/// A list of texts is the longest answer.
const LIMITS: Limits = Limits { body_bytes: 256 * 1024, retry_after: SignedDuration::from_hours(24) };

pub(super) struct Gateway {
    name: GatewayName,
    max_segments: u8,
    client: Client,
    provider: Box<dyn Provider>,
    guard: Mutex<Guard>,
    clock: Arc<dyn Clock>,
}

struct Guard {
    breaker: Breaker,
    fault: String,
}

impl Gateway {
    pub(super) fn new(
        config: &config::Gateway,
        provider: Result<Box<dyn Provider>, SetupProblem>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SmsSetupError> {
        let name = config.name.clone();
        let guard = Mutex::new(Guard { breaker: Breaker::new(Probes::OnePerPause), fault: String::new() });
        match provider.and_then(|provider| Ok((provider, client(config)?))) {
            Ok((provider, client)) => {
                Ok(Self { name, max_segments: config.max_segments, client, provider, guard, clock })
            }
            Err(problem) => Err(SmsSetupError { gateway: name, problem }),
        }
    }

    fn guard(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn exchange(&self, request: Request) -> Result<Answer, Outcome> {
        let answer = exchange(&self.client, request, self.clock.as_ref(), LIMITS).await;
        answer.map_err(|failure| without_answer(&failure))
    }

    fn settle(&self, reading: Reading) -> Outcome {
        let mut guard = self.guard();
        if let Reading::Fault(detail) = &reading {
            guard.fault.clone_from(detail);
        }
        // An answer to any text counts as the probe's, also to one that was under way when the breaker opened.
        let rest = guard.breaker.settle(Pass::Probe, reading.evidence(), self.clock.now());
        reading.outcome(rest)
    }
}

#[async_trait]
impl SmsTransport for Gateway {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn fit(&self, to: &PhoneNumber, text: &SmsText) -> Fitted {
        fit(&text.words, &text.link, self.provider.rules(to, self.max_segments))
    }

    fn signing_account(&self) -> Option<&str> {
        self.provider.signing_account()
    }

    async fn send(&self, text: Text) -> Outcome {
        let now = self.clock.now();
        {
            let mut guard = self.guard();
            if let Err(pause) = guard.breaker.admit(now) {
                let detail = format!("not asked, because of an earlier answer: {}", guard.fault);
                return Reading::Fault(detail).outcome(Some(pause));
            }
        }
        self.settle(match built(self.provider.request(&self.client, &text, now)) {
            Err(detail) => Reading::Fault(detail),
            Ok(request) => match self.exchange(request).await {
                Ok(answer) => self.provider.reading(&answer, &text),
                Err(outcome) => Reading::Done(outcome),
            },
        })
    }

    async fn ask(&self, text: Text, sent_at: Timestamp) -> Fate {
        let not_asked = |reason: &str| Fate::Unclear { reason: reason.to_owned() };
        let now = self.clock.now();
        // A question would fail, too.
        if self.guard().breaker.open_until().is_some_and(|until| now < until) {
            return not_asked("not asked, because of an earlier answer about the account");
        }
        let asked = Asked { text: &text, sent_at, now };
        let Some(question) = self.provider.question(&self.client, &asked) else {
            return not_asked("this provider cannot be asked");
        };
        match built(question) {
            Err(detail) => not_asked(&detail),
            Ok(request) => match self.exchange(request).await {
                Ok(answer) => self.provider.fate(&answer, &asked),
                Err(outcome) => not_asked(&format!("asked in vain: {}", outcome.detail())),
            },
        }
    }

    async fn look(&self, at: Look) -> Option<Result<Finding, String>> {
        let request = match built(self.provider.look(&self.client, at, self.clock.now())?) {
            Ok(request) => request,
            Err(detail) => return Some(Err(detail)),
        };
        let host = request.url().host_str().unwrap_or_default().to_owned();
        Some(match self.exchange(request).await {
            Ok(answer) => self.provider.finding(at, &answer),
            Err(outcome) => {
                let detail = outcome.detail();
                Err(format!("could not reach {host}: {detail}; check network, firewall or proxy"))
            }
        })
    }
}

fn client(config: &config::Gateway) -> Result<Client, SetupProblem> {
    let timeout = Duration::try_from(config.timeout)
        .ok()
        .filter(|timeout| !timeout.is_zero())
        .ok_or(SetupProblem::Timeout)?;
    client_builder(&config.network)?
        // A connection that takes too long must end as "not sent", before the request's own
        // timeout ends it as "may have been sent".
        .connect_timeout(CONNECT_TIMEOUT.min(timeout / 2))
        .timeout(timeout)
        .build()
        .map_err(SetupProblem::Tls)
}

fn built(request: Built) -> Result<Request, String> {
    request?.build().map_err(|_| NOT_BUILT.to_owned())
}

const NOT_BUILT: &str = "the request could not be made from the configuration";

/// A request that never found a connection was surely not sent; any other may have been.
fn without_answer(failure: &Failure) -> Outcome {
    let deferred = |cause, detail| Outcome::Deferred { cause, retry_after: None, detail };
    match failure.kind {
        FailureKind::NoConnection => {
            deferred(DeferCause::Unreachable, format!("no connection: {}", failure.root_cause()))
        }
        FailureKind::NotBuilt => deferred(DeferCause::ProjectFault, NOT_BUILT.to_owned()),
        FailureKind::TimedOut => Outcome::Unknown { detail: "no answer in time".to_owned() },
        FailureKind::StreamRefused | FailureKind::ConnectionBroke => Outcome::Unknown {
            detail: format!("the connection broke before an answer: {}", failure.root_cause()),
        },
    }
}
