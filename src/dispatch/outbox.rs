//! Turns a planned [`Send`] into a transport's request, in a task of its own.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::task::TaskTracker;

use super::{Answer, jobs::Said};
use crate::{
    alert::{
        Alert, ContactName, DeferCause, DeviceId, Fate, Language, Outcome, PhoneNumber, PushTarget,
        RejectCause, Report, SigningKey, Subject,
    },
    clock::Clock,
    config::Contact,
    deliver::{
        DigestContext, Notice, Push, PushMessage, PushTransport, Renderer, SmsText, SmsTransport, Text,
    },
    plan::{Address, Ask, Price, Send, Settlement},
};

/// Most pushes under way at a time. Beyond it claims wait for answers; if none comes for
/// [`STALLED_AFTER`], further pushes are put off at once, so that texts are not held back.
const PUSHES_UNDER_WAY_MAX: usize = 2_048;

/// Most texts under way at a time.
const TEXTS_UNDER_WAY_MAX: usize = 256;

/// FCM has answered nothing for so long while everything is under way: it hangs.
const STALLED_AFTER: SignedDuration = SignedDuration::from_secs(1);

/// Who is behind a name.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    people: HashMap<ContactName, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    language: Language,
    phone: Option<PhoneNumber>,
    devices: HashMap<DeviceId, PushTarget>,
}

impl Directory {
    /// The people of the configuration.
    pub fn new(contacts: &[Contact]) -> Self {
        let entry = |contact: &Contact| Entry {
            language: contact.language,
            phone: contact.phone.clone(),
            devices: contact.devices.iter().map(|target| (target.device_id(), target.clone())).collect(),
        };
        Self { people: contacts.iter().map(|contact| (contact.name.clone(), entry(contact))).collect() }
    }

    /// Devices of everybody.
    fn devices(&self) -> usize {
        self.people.values().map(|person| person.devices.len()).sum()
    }
}

/// How requests are made.
pub struct Outbox {
    /// Who is behind a name.
    pub directory: Directory,
    /// FCM, if configured.
    pub push: Option<Arc<dyn PushTransport>>,
    /// SMS gateways in the order of the configuration.
    pub gateways: Vec<Arc<dyn SmsTransport>>,
    /// Texts.
    pub renderer: Arc<Renderer>,
    /// Where links point.
    pub public_url: String,
    /// For times in texts.
    pub time_zone: TimeZone,
    signing_key: SigningKey,
    clock: Arc<dyn Clock>,
    tasks: TaskTracker,
    under_way: Arc<AtomicUsize>,
    pushes: Arc<Semaphore>,
    texts: Arc<Semaphore>,
    /// Since when the pushes under way have all been unanswered, in milliseconds since 1970.
    silent_since: Arc<AtomicI64>,
    /// The message last rendered, for the other devices of the same notification.
    last_message: Mutex<Option<(String, Arc<PushMessage>)>>,
}

impl Outbox {
    /// An outbox whose requests run on `tasks`.
    pub fn new(
        renderer: Arc<Renderer>,
        public_url: String,
        signing_key: SigningKey,
        (clock, tasks): (Arc<dyn Clock>, TaskTracker),
    ) -> Self {
        Self {
            directory: Directory::default(),
            push: None,
            gateways: Vec::new(),
            renderer,
            public_url,
            time_zone: TimeZone::UTC,
            signing_key,
            tasks,
            under_way: Arc::default(),
            pushes: Arc::new(Semaphore::new(PUSHES_UNDER_WAY_MAX)),
            texts: Arc::new(Semaphore::new(TEXTS_UNDER_WAY_MAX)),
            silent_since: Arc::new(AtomicI64::new(clock.now().as_millisecond())),
            last_message: Mutex::new(None),
            clock,
        }
    }

    /// Requests not answered yet.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Acquire)
    }

    /// How many more alerts may be planned: what can be pushed to everybody at once. Beyond it,
    /// while answers are coming, it is better to wait for them than to put pushes off.
    pub(super) fn room(&self, now: Timestamp) -> usize {
        let free = self.pushes.available_permits();
        let devices = self.directory.devices().max(1);
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

    /// Starts the request of `send`; its answer goes to `answers`.
    pub(super) fn start(&self, send: Send, alert: &Alert, answers: &mpsc::Sender<Answer>) {
        let request = match send.address {
            Address::Device(device) => self.push_request(&send, device, alert),
            Address::Gateway(rank) => self.text_request(&send, rank, alert),
        };
        let (alert_id, clock, answers) = (alert.id, self.clock.clone(), answers.clone());
        let silent_since = self.silent_since.clone();
        let segments = match &request {
            Ok(Request::Text(_, text, _)) => text.fitted.segments,
            Ok(Request::Push(..)) | Err(_) => 0,
        };
        let under_way = Some(UnderWay::new(&self.under_way));
        self.tasks.spawn(async move {
            let (outcome, permit) = match request {
                Ok(Request::Push(transport, push, permit)) => {
                    let outcome = transport.send(push).await;
                    silent_since.store(clock.now().as_millisecond(), Ordering::Relaxed);
                    (outcome, Some(permit))
                }
                Ok(Request::Text(transport, text, permit)) => (transport.send(text).await, Some(permit)),
                Err(outcome) => (outcome, None),
            };
            let said = Said::Settled(Settlement { send, outcome, segments, ended: clock.now() });
            // A closed channel means shutdown has stopped waiting; the attempt counts as unknown.
            let _ = answers.send(Answer { alert_id, said, _under_way: under_way }).await;
            drop(permit);
        });
    }

    /// Starts the question of `ask`; its answer goes to `answers`.
    pub(super) fn ask(&self, ask: Ask, alert: &Alert, answers: &mpsc::Sender<Answer>) {
        let Ask { attempt, contact, subject, gateway, sent_at } = ask;
        let address = Address::Gateway(gateway);
        let send = Send { attempt, contact, subject, address, began: sent_at };
        let request = self.text_request(&send, gateway, alert);
        let (alert_id, clock, answers) = (alert.id, self.clock.clone(), answers.clone());
        let under_way = Some(UnderWay::new(&self.under_way));
        self.tasks.spawn(async move {
            let (fate, permit) = match request {
                Ok(Request::Text(transport, text, permit)) => {
                    (transport.ask(text, sent_at).await, Some(permit))
                }
                Ok(Request::Push(..)) => return,
                Err(outcome) => (Fate::Unclear { reason: outcome.detail().to_owned() }, None),
            };
            let said = Said::Reported(Report { attempt, at: clock.now(), fate });
            let _ = answers.send(Answer { alert_id, said, _under_way: under_way }).await;
            drop(permit);
        });
    }

    fn push_request(&self, send: &Send, device: DeviceId, alert: &Alert) -> Result<Request, Outcome> {
        let known = self.directory.people.get(&send.contact);
        let target = known.and_then(|person| person.devices.get(&device)).cloned();
        let (Some(transport), Some(target)) = (self.push.clone(), target) else {
            return Err(not_configured("this device is not in the configuration any more"));
        };
        let permit = self.pushes.clone().try_acquire_owned().map_err(|_| put_off("push"))?;
        if self.pushes.available_permits() + 1 == PUSHES_UNDER_WAY_MAX {
            self.silent_since.store(self.clock.now().as_millisecond(), Ordering::Relaxed);
        }
        let language = known.map(|person| person.language).unwrap_or_default();
        Ok(Request::Push(transport, Push { target, message: self.message(send, alert, language) }, permit))
    }

    fn text_request(&self, send: &Send, rank: u8, alert: &Alert) -> Result<Request, Outcome> {
        let known = self.directory.people.get(&send.contact);
        let phone = known.and_then(|person| person.phone.clone());
        let (Some(transport), Some(to)) = (self.gateways.get(usize::from(rank)).cloned(), phone) else {
            return Err(not_configured("this number or gateway is not in the configuration any more"));
        };
        let permit = self.texts.clone().try_acquire_owned().map_err(|_| put_off("SMS"))?;
        let language = known.map(|person| person.language).unwrap_or_default();
        // As it was sent, where somebody is asked about it later.
        let says = self.says(&send.subject, alert, (language, send.began));
        let fitted = transport.fit(&to, &says);
        let report_url = self.report_url(transport.name().as_str(), send.attempt, alert);
        let attempt = send.attempt;
        let text = Text { to, fitted, alert_id: alert.id, attempt, severity: alert.severity, report_url };
        Ok(Request::Text(transport, text, permit))
    }

    /// What a text says that is sent `at` this time.
    fn says(&self, subject: &Subject, alert: &Alert, (language, at): (Language, Timestamp)) -> SmsText {
        let url = self.url(alert);
        match self.digest(subject, alert, (&url, at)) {
            Some(digest) => self.renderer.digest_sms(&digest, language),
            None => self.renderer.sms(&self.notice(subject, alert, (&url, at)), language),
        }
    }

    /// What a digest counts.
    fn digest<'a>(
        &'a self,
        subject: &Subject,
        alert: &'a Alert,
        (url, now): (&'a str, Timestamp),
    ) -> Option<DigestContext<'a>> {
        let counted = alert.digest.as_ref().filter(|_| *subject == Subject::Digest)?.counted.as_ref()?;
        Some(DigestContext {
            count: counted.total(),
            by_severity: counted.by_severity.iter().map(|(severity, count)| (*severity, *count)).collect(),
            resolved: counted.resolved,
            unreachable: counted.unreachable,
            unreached: counted.unreached.iter().map(|contact| contact.as_str().to_owned()).collect(),
            worst: counted.worst.iter().map(|named| named.title.clone()).collect(),
            since: counted.since,
            until: counted.until,
            url,
            time_zone: &self.time_zone,
            now,
        })
    }

    fn notice<'a>(
        &'a self,
        subject: &'a Subject,
        alert: &'a Alert,
        (url, now): (&'a str, Timestamp),
    ) -> Notice<'a> {
        Notice::new(alert, subject, url, &self.time_zone, now)
    }

    /// Where a gateway tells what became of a text; only who was given the address can use it.
    fn report_url(&self, gateway: &str, attempt: u32, alert: &Alert) -> String {
        let token = self.signing_key.text_token(gateway, alert.id, attempt);
        format!("{}/v1/sms/reports/{gateway}?text={token}", self.public_url)
    }

    fn url(&self, alert: &Alert) -> String {
        format!("{}/alerts/{}", self.public_url, alert.id)
    }

    /// Rendered once for all devices that get the same.
    fn message(&self, send: &Send, alert: &Alert, language: Language) -> Arc<PushMessage> {
        let key = format!("{} {} {:?} {language:?} {}", alert.id, alert.severity, send.subject, alert.round);
        let mut last = self.last_message.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, message)) = last.as_ref()
            && *known == key
        {
            return message.clone();
        }
        let url = self.url(alert);
        let at = (url.as_str(), self.clock.now());
        let text = match self.digest(&send.subject, alert, at) {
            Some(digest) => self.renderer.digest_push(&digest, language),
            None => self.renderer.push(&self.notice(&send.subject, alert, at), language),
        };
        let message = Arc::new(PushMessage {
            alert_id: alert.id,
            state: state_of(&send.subject, alert),
            severity: alert.severity,
            title: text.title,
            body: text.body,
            integration: alert.integration.clone(),
            starts_at: alert.starts_at,
            url: self.url(alert),
            // Both stay the alert's page until signed links and receipts are offered.
            ack_url: self.url(alert),
            receipt_url: String::new(),
            tag: alert.tag().to_string(),
        });
        *last = Some((key, message.clone()));
        message
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

impl Price for Outbox {
    fn segments(&self, alert: &Alert, subject: &Subject, contact: &ContactName, rank: u8) -> u16 {
        let known = self.directory.people.get(contact);
        let to = known.and_then(|person| person.phone.as_ref());
        let (Some(transport), Some(to)) = (self.gateways.get(usize::from(rank)), to) else { return 0 };
        let language = known.map(|person| person.language).unwrap_or_default();
        let says = self.says(subject, alert, (language, self.clock.now()));
        u16::from(transport.fit(to, &says).segments)
    }
}

/// Counts one request until it is dropped, also by a panic of the transport.
pub(crate) struct UnderWay(Arc<AtomicUsize>);

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

enum Request {
    Push(Arc<dyn PushTransport>, Push, OwnedSemaphorePermit),
    Text(Arc<dyn SmsTransport>, Text, OwnedSemaphorePermit),
}

fn state_of(subject: &Subject, alert: &Alert) -> &'static str {
    match subject {
        Subject::Digest => "digest",
        Subject::Resolved | Subject::Missed => "resolved",
        Subject::Opened | Subject::Repeat { .. } | Subject::Raised | Subject::Unreachable { .. } => {
            if alert.test {
                "test"
            } else if alert.acknowledged.is_some() {
                "acknowledged"
            } else {
                "triggered"
            }
        }
    }
}

fn not_configured(detail: &str) -> Outcome {
    Outcome::Rejected { cause: RejectCause::Refused, detail: detail.to_owned() }
}

fn put_off(road: &str) -> Outcome {
    let detail = format!("too many {road} requests are under way without an answer");
    Outcome::Deferred { cause: DeferCause::Unavailable, retry_after: None, detail }
}
