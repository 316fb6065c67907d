//! Makes the requests of a plan, each in a task of its own, as long as there is room for them.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::task::TaskTracker;

use super::inbox::Answer;
use crate::{
    alert::{
        Address, Alert, AlertId, DeferCause, DeviceId, Fate, GatewayName, Outcome, RejectCause, Report,
        Severity,
    },
    clock::Clock,
    deliver::{About, Channels, Composer, Push, PushTransport, SmsTransport, Text},
    plan::{Ask, Send, Settlement},
    roster::{self, Person, Roster},
};

/// Most pushes under way at a time. Beyond it only what may be texted at once is planned, unless FCM is too slow to be
/// waited for: then everything is, so that texts and digests are not held back. A push without room waits in its alert.
const PUSHES_UNDER_WAY_MAX: usize = 2_048;

/// Of that each severity leaves so much to what is graver.
const KEPT_FREE: usize = 128;

/// Most texts under way at a time, for each gateway.
const TEXTS_UNDER_WAY_MAX: usize = 256;

/// Of that each severity leaves so much to what is graver.
const TEXTS_KEPT_FREE: usize = 16;

/// Most questions about texts under way at a time, for each gateway: room of their own, so that new texts do not keep
/// an unanswered one from being asked about.
const QUESTIONS_UNDER_WAY_MAX: usize = 256;

/// Most questions that wait for that room, for each gateway; one more is not asked.
const QUESTIONS_WAITING_MAX: usize = 4_096;

/// FCM is too slow to wait for if fewer than [`PUSHES_UNDER_WAY_MAX`] pushes end within this time while there is room for
/// no more: one takes longer than this.
const LATENCY_MAX: SignedDuration = SignedDuration::from_secs(1);

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
    pushes: Arc<AtomicUsize>,
    /// Pushes that have ended.
    ended: Arc<AtomicUsize>,
    /// From when there was no room until half of it is free.
    pressure: Option<Pressure>,
    /// What is as grave as this may be texted at once, and waits for no room.
    never_waits: Severity,
}

/// What may be planned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Nothing less urgent.
    pub(super) least: Severity,
    /// How many alerts.
    pub(super) alerts: usize,
}

/// How fast pushes have ended since there was room for no more.
struct Pressure {
    since: Timestamp,
    /// How many had ended then.
    ended: usize,
    too_slow: bool,
}

struct Gateway {
    transport: Arc<dyn SmsTransport>,
    texts: Arc<Semaphore>,
    questions: Arc<Semaphore>,
    /// Under way, or waiting for that.
    to_ask: Arc<Semaphore>,
}

pub(super) struct Answered {
    pub(super) alert_id: AlertId,
    pub(super) answer: Answer,
    /// The request counts as under way until its answer is taken.
    _under_way: UnderWay,
}

impl Outbox {
    /// Up to `waiting_max` answers wait in the receiver; then requests wait to hand over theirs.
    pub(super) fn new(
        parts: OutboxParts,
        never_waits: Severity,
        waiting_max: usize,
    ) -> (Self, mpsc::Receiver<Answered>) {
        let OutboxParts { channels, roster, clock, tasks } = parts;
        let Channels { composer, push, gateways } = channels;
        let (answers, receiver) = mpsc::channel(waiting_max);
        let gateway = |transport: Arc<dyn SmsTransport>| {
            let room = |most| Arc::new(Semaphore::new(most));
            let texts = room(TEXTS_UNDER_WAY_MAX);
            let questions = room(QUESTIONS_UNDER_WAY_MAX);
            let to_ask = room(QUESTIONS_UNDER_WAY_MAX + QUESTIONS_WAITING_MAX);
            (transport.name().clone(), Gateway { transport, texts, questions, to_ask })
        };
        let outbox = Self {
            composer,
            roster,
            push,
            gateways: gateways.into_iter().map(gateway).collect(),
            tasks,
            answers,
            under_way: Arc::default(),
            pushes: Arc::default(),
            ended: Arc::default(),
            pressure: None,
            never_waits,
            clock,
        };
        (outbox, receiver)
    }

    /// Requests whose answer was not taken yet.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Acquire)
    }

    /// How many more pushes of this urgency may begin.
    pub(super) fn room_for(&self, urgency: Severity) -> usize {
        let kept_free = KEPT_FREE * urgency.graver_ones();
        (PUSHES_UNDER_WAY_MAX - kept_free).saturating_sub(self.pushes.load(Ordering::Acquire))
    }

    /// How many alerts of this urgency with pushes that wait for room are worth planning again.
    pub(super) fn room_for_crowded(&self, urgency: Severity) -> usize {
        let (room, devices) = (self.room_for(urgency), self.devices());
        if room < devices.min(KEPT_FREE) { 0 } else { room.div_ceil(devices) }
    }

    /// To which one alert may go.
    fn devices(&self) -> usize {
        self.roster.now().iter().map(|person| person.devices.len()).sum::<usize>().max(1)
    }

    /// What may be planned at present: an alert that can be pushed to everybody, or to a crowd, at once. Beyond that, while answers come
    /// fast, it is better to wait for them than to plan what finds no room.
    pub(super) fn room(&mut self, now: Timestamp) -> Room {
        let (devices, under_way) = (self.devices(), self.pushes.load(Ordering::Acquire));
        let rooms = Severity::ALL.map(|least| {
            let room = self.room_for(least);
            // Of a crowd of devices those without room wait, behind what is graver.
            let alerts = if room < devices.min(KEPT_FREE) { 0 } else { (room / devices).max(1) };
            Room { least, alerts }
        });
        let room = rooms.into_iter().find(|room| 0 < room.alerts);
        if let Some(room @ Room { least: Severity::NotClassified, .. }) = room {
            self.pressure.take_if(|_| under_way <= PUSHES_UNDER_WAY_MAX / 2);
            return room;
        }
        let ended = self.ended.load(Ordering::Relaxed);
        let pressure = self.pressure.get_or_insert(Pressure { since: now, ended, too_slow: false });
        if LATENCY_MAX <= now.duration_since(pressure.since) {
            let too_slow = ended.wrapping_sub(pressure.ended) < PUSHES_UNDER_WAY_MAX;
            *pressure = Pressure { since: now, ended, too_slow };
        }
        match room {
            _ if pressure.too_slow => Room { least: Severity::default(), alerts: usize::MAX },
            Some(room) if room.least < self.never_waits => room,
            Some(_) | None => Room { least: self.never_waits, alerts: usize::MAX },
        }
    }

    /// When to look at an outbox without room again even if no answer comes.
    pub(super) fn try_again_at(now: Timestamp) -> Timestamp {
        now.saturating_add(LATENCY_MAX).unwrap_or(Timestamp::MAX)
    }

    /// Starts the requests and questions of a plan for `alert`. What cannot be started is answered at once.
    pub(super) fn start(&self, alert: &Alert, sends: Vec<Send>, asks: Vec<Ask>) -> Vec<Answer> {
        if sends.is_empty() && asks.is_empty() {
            return Vec::new();
        }
        let mut answers = Vec::new();
        let mut about = self.composer.about(alert, self.clock.now());
        let people = self.roster.now();
        for send in sends {
            let person = roster::find(&people, &send.contact);
            match &send.address {
                Address::Device(device) => match self.push_request(&mut about, &send, *device, person) {
                    Ok(request) => self.make_push(alert.id, send, request),
                    Err(outcome) => answers.push(self.unsent(send, outcome)),
                },
                Address::Gateway(gateway) => {
                    match self.gateway(gateway).and_then(|it| it.text(&about, &send, person)) {
                        Ok(request) => self.make_text(alert.id, send, request),
                        Err(outcome) => answers.push(self.unsent(send, outcome)),
                    }
                }
            }
        }
        for Ask { attempt, contact, subject, severity, gateway, sent_at } in asks {
            let person = roster::find(&people, &contact);
            let address = Address::Gateway(gateway.clone());
            let send = Send { attempt, contact, subject, severity, address, began: sent_at };
            match self.gateway(&gateway).and_then(|it| it.question(&about, &send, person)) {
                Ok(question) => self.ask(alert.id, &send, question),
                Err(outcome) => {
                    let fate = Fate::Unclear { reason: outcome.detail().to_owned() };
                    answers.push(Answer::Reported(Report { attempt, at: self.clock.now(), fate }));
                }
            }
        }
        answers
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
        let push = Push { target: device.target.clone(), message: about.push(send, person.language) };
        Ok(PushRequest { transport, push })
    }

    fn gateway(&self, name: &GatewayName) -> Result<&Gateway, Outcome> {
        self.gateways.get(name).ok_or_else(no_text)
    }

    fn make_push(&self, id: AlertId, send: Send, request: PushRequest) {
        let PushRequest { transport, push } = request;
        let (ended, clock) = (self.ended.clone(), self.clock.clone());
        self.spawn(id, UnderWay::new(&self.pushes), async move {
            let outcome = transport.send(push).await;
            ended.fetch_add(1, Ordering::Relaxed);
            Answer::Settled(Settlement { send, outcome, segments: 0, ended: clock.now() })
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

    fn ask(&self, id: AlertId, send: &Send, question: Question) {
        let (attempt, sent_at, clock) = (send.attempt, send.began, self.clock.clone());
        let Question { request: TextRequest { transport, text, permit }, room } = question;
        self.spawn(id, permit, async move {
            // It is never closed.
            let _turn = room.acquire().await;
            let fate = transport.ask(text, sent_at).await;
            Answer::Reported(Report { attempt, at: clock.now(), fate })
        });
    }

    fn unsent(&self, send: Send, outcome: Outcome) -> Answer {
        Answer::Settled(Settlement { send, outcome, segments: 0, ended: self.clock.now() })
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
}

struct TextRequest {
    transport: Arc<dyn SmsTransport>,
    text: Text,
    permit: OwnedSemaphorePermit,
}

/// A request that waits for its turn.
struct Question {
    request: TextRequest,
    room: Arc<Semaphore>,
}

impl Gateway {
    fn text(&self, about: &About<'_>, send: &Send, person: Option<&Person>) -> Result<TextRequest, Outcome> {
        if self.texts.available_permits() <= TEXTS_KEPT_FREE * send.severity.graver_ones() {
            return Err(put_off());
        }
        self.request(about, send, person, &self.texts)
    }

    fn question(&self, about: &About<'_>, send: &Send, person: Option<&Person>) -> Result<Question, Outcome> {
        let request = self.request(about, send, person, &self.to_ask)?;
        Ok(Question { request, room: self.questions.clone() })
    }

    fn request(
        &self,
        about: &About<'_>,
        send: &Send,
        person: Option<&Person>,
        room: &Arc<Semaphore>,
    ) -> Result<TextRequest, Outcome> {
        let permit = room.clone().try_acquire_owned().map_err(|_| put_off())?;
        let person = person.filter(|person| person.phone.is_some()).ok_or_else(no_text)?;
        let text = about.text(send, person, self.transport.as_ref()).ok_or_else(no_text)?;
        Ok(TextRequest { transport: self.transport.clone(), text, permit })
    }
}

fn no_text() -> Outcome {
    not_configured("this number or gateway is not in the configuration any more")
}

fn not_configured(detail: &str) -> Outcome {
    Outcome::Rejected { cause: RejectCause::Refused, detail: detail.to_owned() }
}

fn put_off() -> Outcome {
    let detail = "too many SMS requests are under way without an answer".to_owned();
    Outcome::Deferred { cause: DeferCause::Unavailable, retry_after: None, detail }
}
