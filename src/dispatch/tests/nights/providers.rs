//! FCM and the SMS companies: each answers as the night says, and remembers what it has truly taken.

use tokio::sync::oneshot;

use super::*;
use crate::{
    alert::{RejectCause, Report},
    deliver::{Push, PushTransport},
    plan::PUSH_IN_FLIGHT_MAX,
};

/// When a request to a gateway is given up.
pub(super) const TEXT_IN_FLIGHT_MAX: SignedDuration = SignedDuration::from_secs(10);

/// The slowest answer that is waited for.
pub(super) const SLOW_SECONDS_MAX: u8 = 10;

/// From taking a text until its company says that it did not arrive, at least.
const LOST_AFTER: SignedDuration = SignedDuration::from_secs(40);

/// What a provider does with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Answer {
    Accepts,
    /// Accepts, and reports so many minutes later that it did not arrive.
    Loses(u8),
    /// Accepts after so many seconds.
    Slow(u8),
    /// Not now, and not for so many minutes.
    Defers(u8),
    /// Our account there is at fault.
    IsAtFault,
    Refuses,
    /// The device or the number is dead.
    Gone,
    /// Says nothing that could be read; nothing arrives.
    Garbles,
    /// Never answers, until the request is given up; nothing arrives.
    Hangs,
}

/// What a provider took: it reached its contact, unless it was reported as lost.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) at: SignedDuration,
    pub(super) alert: AlertId,
    pub(super) contact: ContactName,
    pub(super) severity: Severity,
    /// Number of the attempt within the alert; `None` for a push.
    pub(super) text: Option<u32>,
    /// Its company said so, and we know.
    pub(super) is_lost: bool,
    /// As `is_lost`, or we died when we were told.
    pub(super) may_be_lost: bool,
}

/// Everything outside that carries messages.
pub(super) struct Providers {
    clock: Arc<ManualClock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Since the night began.
    night: SignedDuration,
    push: Option<Answer>,
    gateways: BTreeMap<GatewayName, Answer>,
    taken: Vec<Taken>,
    /// Whose device is gone, as FCM said, whether we heard it or died of it.
    gone: BTreeSet<ContactName>,
    /// Reports that will come.
    reports: Vec<(SignedDuration, AlertId, Report)>,
    /// Requests that wait for their time, by it and by number; of the process that runs now.
    waiting: BTreeMap<(Timestamp, usize), oneshot::Sender<()>>,
    requests: usize,
    /// What was asked for, and the answer.
    log: Vec<String>,
}

impl Providers {
    pub(super) fn new(clock: &Arc<ManualClock>) -> Arc<Self> {
        Arc::new(Self { clock: clock.clone(), state: Mutex::default() })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    /// Requests whose time has come go on, always in the same order.
    pub(super) fn pass(&self, night: SignedDuration) {
        let mut state = self.state();
        state.night = night;
        while let Some(first) = state.waiting.first_entry().filter(|first| first.key().0 <= self.clock.now())
        {
            let _ = first.remove().send(());
        }
    }

    pub(super) fn push_answers(&self, answer: Answer) {
        self.state().push = Some(answer);
    }

    pub(super) fn gateway_answers(&self, name: GatewayName, answer: Answer) {
        self.state().gateways.insert(name, answer);
    }

    pub(super) fn all_answer(&self, answer: Answer) {
        let mut state = self.state();
        state.push = Some(answer);
        state.gateways.values_mut().for_each(|known| *known = answer);
    }

    /// The process is gone, and nobody waits for what it asked for.
    pub(super) fn forget_requests(&self) {
        self.state().waiting.clear();
    }

    pub(super) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// By our clock.
    pub(super) fn next_answer(&self) -> Option<Timestamp> {
        self.state().waiting.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn next_report(&self) -> Option<SignedDuration> {
        self.state().reports.iter().map(|(at, ..)| *at).min()
    }

    pub(super) fn due_reports(&self, night: SignedDuration) -> Vec<(AlertId, Report)> {
        let due = self.state().reports.extract_if(.., |(at, ..)| *at <= night).collect::<Vec<_>>();
        due.into_iter().map(|(_, id, report)| (id, report)).collect()
    }

    pub(super) fn is_gone(&self, name: &ContactName) -> bool {
        self.state().gone.contains(name)
    }

    pub(super) fn taken(&self) -> Vec<Taken> {
        self.state().taken.clone()
    }

    /// We were told that this text did not arrive; `is_known` unless we died of it.
    pub(super) fn is_lost(&self, alert: AlertId, attempt: u32, is_known: bool) {
        let mut state = self.state();
        let texts =
            state.taken.iter_mut().filter(|taken| (taken.alert, taken.text) == (alert, Some(attempt)));
        for text in texts {
            text.is_lost |= is_known;
            text.may_be_lost = true;
        }
    }

    pub(super) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.state().log)
    }

    async fn answer(&self, answer: Answer, taken: Taken, patience: SignedDuration) -> Outcome {
        let (to, is_push) = (&taken.contact, taken.text.is_none());
        let what = if is_push { "push" } else { "text" };
        self.state().log.push(format!("{what} {:?} to {to} about {}: {answer:?}", taken.text, taken.alert));
        let detail = || format!("{answer:?}");
        let deferred = |cause, minutes: u8| Outcome::Deferred {
            cause,
            retry_after: (0 < minutes).then(|| SignedDuration::from_mins(i64::from(minutes))),
            detail: detail(),
        };
        match answer {
            Answer::Accepts => self.take(taken),
            Answer::Loses(minutes) => {
                if let Some(attempt) = taken.text {
                    let fate = Fate::Failed { reason: "absent subscriber".to_owned() };
                    let report = Report { attempt, at: self.clock.now(), fate };
                    let mut state = self.state();
                    let at = state.night + LOST_AFTER + SignedDuration::from_mins(i64::from(minutes));
                    state.reports.push((at, taken.alert, report));
                }
                self.take(taken)
            }
            Answer::Slow(seconds) => {
                self.take(taken);
                self.sleep(SignedDuration::from_secs(i64::from(seconds)).min(patience)).await;
                Outcome::Accepted { provider_id: None }
            }
            Answer::Defers(minutes) => deferred(DeferCause::Unavailable, minutes),
            Answer::IsAtFault => deferred(DeferCause::ProjectFault, 1),
            Answer::Refuses => Outcome::Rejected { cause: RejectCause::Refused, detail: detail() },
            Answer::Gone if is_push => {
                self.state().gone.insert(taken.contact);
                Outcome::Rejected { cause: RejectCause::DeviceGone, detail: detail() }
            }
            Answer::Gone => Outcome::Rejected { cause: RejectCause::Recipient, detail: detail() },
            Answer::Garbles => Outcome::Unknown { detail: detail() },
            Answer::Hangs => {
                self.sleep(patience).await;
                Outcome::Unknown { detail: detail() }
            }
        }
    }

    fn take(&self, taken: Taken) -> Outcome {
        self.state().taken.push(taken);
        Outcome::Accepted { provider_id: None }
    }

    async fn sleep(&self, time: SignedDuration) {
        let (wake, woken) = oneshot::channel();
        {
            let mut state = self.state();
            state.requests += 1;
            let place = (self.clock.now() + time, state.requests);
            state.waiting.insert(place, wake);
        }
        if woken.await.is_err() {
            // The process is gone that waits for it.
            std::future::pending::<()>().await;
        }
    }
}

/// FCM.
pub(super) struct Google(pub(super) Arc<Providers>);

#[async_trait]
impl PushTransport for Google {
    async fn send(&self, push: Push) -> Outcome {
        let Push { target, message } = push;
        let taken = Taken {
            at: self.0.state().night,
            alert: message.alert_id,
            contact: people::owner(&target),
            severity: message.severity,
            text: None,
            is_lost: false,
            may_be_lost: false,
        };
        let answer = self.0.state().push.unwrap_or(Answer::Accepts);
        self.0.answer(answer, taken, PUSH_IN_FLIGHT_MAX).await
    }
}

/// An SMS company.
pub(super) struct Company {
    pub(super) name: GatewayName,
    pub(super) providers: Arc<Providers>,
}

#[async_trait]
impl SmsTransport for Company {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn fit(&self, _: &PhoneNumber, text: &SmsText) -> Fitted {
        fit(&text.words, "", TextRules::automatic(1))
    }

    async fn send(&self, text: Text) -> Outcome {
        let taken = Taken {
            at: self.providers.state().night,
            alert: text.alert_id,
            contact: people::subscriber(&text.to),
            severity: text.severity,
            text: Some(text.attempt),
            is_lost: false,
            may_be_lost: false,
        };
        let answer = self.providers.state().gateways.get(&self.name).copied().unwrap_or(Answer::Accepts);
        self.providers.answer(answer, taken, TEXT_IN_FLIGHT_MAX).await
    }

    /// It knows what it took.
    async fn ask(&self, text: Text, _: Timestamp) -> Fate {
        let of_text = |taken: &&Taken| (taken.alert, taken.text) == (text.alert_id, Some(text.attempt));
        match self.providers.state().taken.iter().find(of_text) {
            Some(taken) if taken.is_lost => Fate::Failed { reason: "absent subscriber".to_owned() },
            Some(_) => Fate::Taken,
            None => Fate::NotThere,
        }
    }

    async fn look(&self, _: Look) -> Option<Result<Finding, String>> {
        None
    }
}
