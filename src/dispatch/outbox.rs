//! Makes the requests of a plan, each in a task of its own, as long as there is room for them.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::task::TaskTracker;

use super::inbox::Answer;
use crate::{
    alert::{Address, Alert, AlertId, DeferCause, DeviceId, Fate, GatewayName, Outcome, RejectCause, Report},
    clock::Clock,
    deliver::{About, Channels, Composer, Push, PushTransport, SmsTransport, Text},
    plan::{Ask, Send, Settlement},
    roster::{self, Person, Roster},
};

/// Most pushes under way at a time. Beyond it claims wait for answers; if none comes for
/// [`STALLED_AFTER`], further pushes are put off at once, so that texts are not held back.
const PUSHES_UNDER_WAY_MAX: usize = 2_048;

/// Most texts under way at a time, for each gateway.
const TEXTS_UNDER_WAY_MAX: usize = 256;

/// FCM hangs if it has answered nothing for this long while everything is under way.
const STALLED_AFTER: SignedDuration = SignedDuration::from_secs(1);

/// What an [`Outbox`] needs.
#[derive(Clone)]
pub struct OutboxParts {
    pub channels: Channels,
    pub roster: Arc<Roster>,
    pub clock: Arc<dyn Clock>,
    pub tasks: TaskTracker,
}

pub(super) struct Outbox {
    composer: Arc<Composer>,
    roster: Arc<Roster>,
    push: Option<Arc<dyn PushTransport>>,
    gateways: HashMap<GatewayName, Gateway>,
    clock: Arc<dyn Clock>,
    tasks: TaskTracker,
    answers: mpsc::Sender<Answered>,
    under_way: Arc<AtomicUsize>,
    pushes: Arc<Semaphore>,
    /// Since when the pushes under way have all been unanswered, in milliseconds since 1970.
    silent_since: Arc<AtomicI64>,
}

struct Gateway {
    transport: Arc<dyn SmsTransport>,
    room: Arc<Semaphore>,
}

pub(super) struct Answered {
    pub(super) alert_id: AlertId,
    pub(super) answer: Answer,
    /// The request counts as under way until its answer is taken.
    _under_way: UnderWay,
}

impl Outbox {
    /// Up to `waiting_max` answers wait in the receiver; then requests wait to hand over theirs.
    pub(super) fn new(parts: OutboxParts, waiting_max: usize) -> (Self, mpsc::Receiver<Answered>) {
        let OutboxParts { channels, roster, clock, tasks } = parts;
        let Channels { composer, push, gateways } = channels;
        let (answers, receiver) = mpsc::channel(waiting_max);
        let gateway = |transport: Arc<dyn SmsTransport>| {
            let room = Arc::new(Semaphore::new(TEXTS_UNDER_WAY_MAX));
            (transport.name().clone(), Gateway { transport, room })
        };
        let outbox = Self {
            composer,
            roster,
            push,
            gateways: gateways.into_iter().map(gateway).collect(),
            tasks,
            answers,
            under_way: Arc::default(),
            pushes: Arc::new(Semaphore::new(PUSHES_UNDER_WAY_MAX)),
            silent_since: Arc::new(AtomicI64::new(clock.now().as_millisecond())),
            clock,
        };
        (outbox, receiver)
    }

    /// Requests whose answer was not taken yet.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Acquire)
    }

    /// How many more alerts may be planned: what can be pushed to everybody at once. Beyond it,
    /// while answers are coming, it is better to wait for them than to put pushes off.
    pub(super) fn room(&self, now: Timestamp) -> usize {
        let free = self.pushes.available_permits();
        let devices = self.roster.now().iter().map(|person| person.devices.len()).sum::<usize>().max(1);
        if free == PUSHES_UNDER_WAY_MAX {
            (free / devices).max(1)
        } else if self.is_stalled(now) {
            usize::MAX
        } else {
            free / devices
        }
    }

    /// When to look at an outbox without room again even if no answer comes.
    pub(super) fn try_again_at(now: Timestamp) -> Timestamp {
        now.saturating_add(STALLED_AFTER).unwrap_or(Timestamp::MAX)
    }

    fn is_stalled(&self, now: Timestamp) -> bool {
        let silent = now.as_millisecond() - self.silent_since.load(Ordering::Relaxed);
        STALLED_AFTER.as_millis() <= i128::from(silent)
    }

    /// Starts the requests and questions of a plan for `alert`.
    pub(super) fn start(&self, alert: &Alert, sends: Vec<Send>, asks: Vec<Ask>) {
        if sends.is_empty() && asks.is_empty() {
            return;
        }
        let mut about = self.composer.about(alert, self.clock.now());
        let people = self.roster.now();
        for send in sends {
            let person = roster::find(&people, &send.contact);
            match &send.address {
                Address::Device(device) => match self.push_request(&mut about, &send, *device, person) {
                    Ok(request) => self.make_push(alert.id, send, request),
                    Err(outcome) => self.answer_at_once(alert.id, send, outcome),
                },
                Address::Gateway(gateway) => match self.text_request(&about, &send, gateway, person) {
                    Ok(request) => self.make_text(alert.id, send, request),
                    Err(outcome) => self.answer_at_once(alert.id, send, outcome),
                },
            }
        }
        for Ask { attempt, contact, subject, gateway, sent_at } in asks {
            let person = roster::find(&people, &contact);
            let address = Address::Gateway(gateway.clone());
            let send = Send { attempt, contact, subject, address, began: sent_at };
            self.ask(alert.id, &send, self.text_request(&about, &send, &gateway, person));
        }
    }

    fn push_request(
        &self,
        about: &mut About<'_>,
        send: &Send,
        device: DeviceId,
        person: Option<&Person>,
    ) -> Result<PushRequest, Outcome> {
        let gone = || not_configured("this device is not in the configuration any more");
        let transport = self.push.clone().ok_or_else(gone)?;
        let person = person.ok_or_else(gone)?;
        let device = person.devices.iter().find(|known| known.id == device).ok_or_else(gone)?;
        let permit = self.pushes.clone().try_acquire_owned().map_err(|_| put_off("push"))?;
        if self.pushes.available_permits() + 1 == PUSHES_UNDER_WAY_MAX {
            self.silent_since.store(self.clock.now().as_millisecond(), Ordering::Relaxed);
        }
        let push =
            Push { target: device.target.clone(), message: about.push(&send.subject, person.language) };
        Ok(PushRequest { transport, push, permit })
    }

    fn text_request(
        &self,
        about: &About<'_>,
        send: &Send,
        gateway: &GatewayName,
        person: Option<&Person>,
    ) -> Result<TextRequest, Outcome> {
        let gone = || not_configured("this number or gateway is not in the configuration any more");
        let Gateway { transport, room } = self.gateways.get(gateway).ok_or_else(gone)?;
        let person = person.filter(|person| person.phone.is_some()).ok_or_else(gone)?;
        let permit = room.clone().try_acquire_owned().map_err(|_| put_off("SMS"))?;
        let text = about.text(send, person, transport.as_ref()).ok_or_else(gone)?;
        Ok(TextRequest { transport: transport.clone(), text, permit })
    }

    fn make_push(&self, id: AlertId, send: Send, request: PushRequest) {
        let PushRequest { transport, push, permit } = request;
        let (silent_since, clock) = (self.silent_since.clone(), self.clock.clone());
        self.spawn(id, permit, async move {
            let outcome = transport.send(push).await;
            let ended = clock.now();
            silent_since.store(ended.as_millisecond(), Ordering::Relaxed);
            Answer::Settled(Settlement { send, outcome, segments: 0, ended })
        });
    }

    fn make_text(&self, id: AlertId, send: Send, request: TextRequest) {
        let TextRequest { transport, text, permit } = request;
        let (segments, clock) = (text.fitted.segments, self.clock.clone());
        self.spawn(id, permit, async move {
            let outcome = transport.send(text).await;
            Answer::Settled(Settlement { send, outcome, segments, ended: clock.now() })
        });
    }

    fn ask(&self, id: AlertId, send: &Send, request: Result<TextRequest, Outcome>) {
        let (attempt, sent_at, clock) = (send.attempt, send.began, self.clock.clone());
        let reported = move |fate| Answer::Reported(Report { attempt, at: clock.now(), fate });
        match request {
            Ok(TextRequest { transport, text, permit }) => {
                self.spawn(id, permit, async move { reported(transport.ask(text, sent_at).await) });
            }
            Err(outcome) => {
                let fate = Fate::Unclear { reason: outcome.detail().to_owned() };
                self.spawn(id, (), async move { reported(fate) });
            }
        }
    }

    fn answer_at_once(&self, id: AlertId, send: Send, outcome: Outcome) {
        let ended = self.clock.now();
        self.spawn(id, (), async move { Answer::Settled(Settlement { send, outcome, segments: 0, ended }) });
    }

    /// Hands the answer of `request` over when it is there; `permit` is held until then.
    fn spawn<P: std::marker::Send + 'static>(
        &self,
        alert_id: AlertId,
        permit: P,
        request: impl Future<Output = Answer> + std::marker::Send + 'static,
    ) {
        let (answers, under_way) = (self.answers.clone(), UnderWay::new(&self.under_way));
        self.tasks.spawn(async move {
            let answer = request.await;
            // A closed channel means shutdown has stopped waiting; the attempt counts as unknown.
            let _ = answers.send(Answered { alert_id, answer, _under_way: under_way }).await;
            drop(permit);
        });
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

/// Counts one request until it is dropped, also by a panic of the transport.
struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

struct PushRequest {
    transport: Arc<dyn PushTransport>,
    push: Push,
    permit: OwnedSemaphorePermit,
}

struct TextRequest {
    transport: Arc<dyn SmsTransport>,
    text: Text,
    permit: OwnedSemaphorePermit,
}

fn not_configured(detail: &str) -> Outcome {
    Outcome::Rejected { cause: RejectCause::Refused, detail: detail.to_owned() }
}

fn put_off(transport: &str) -> Outcome {
    let detail = format!("too many {transport} requests are under way without an answer");
    Outcome::Deferred { cause: DeferCause::Unavailable, retry_after: None, detail }
}
