//! One step's work: alerts to plan, with the answers that came for them, written as one group.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap, hash_map::Entry},
};

use tracing::{error, info, warn};

use super::{ANSWERS_PER_ALERT_MAX, Answer, Dispatcher, news};
use crate::{
    alert::{Alert, AlertId, Charge, ContactTelling, Report, Row},
    chance,
    plan::{self, Address, Ask, DeviceVerdict, Opening, Plan, Present, QUARANTINE, Send, Settlement},
    queue::write_of,
    store::{AlertWrite, Commit, DeviceRecord, Expect, Lane, StoreError, Stored},
};

/// How often a step plans anew what somebody else changed meanwhile; the rest waits for the next.
const ROUNDS_MAX: usize = 4;

/// What an answer says.
pub(crate) enum Said {
    /// What an attempt came to.
    Settled(Settlement),
    /// What a gateway that was asked knows of an earlier one.
    Reported(Report),
}

/// An alert to plan.
pub(super) struct Job {
    pub(super) base: Stored,
    pub(super) answers: Vec<Said>,
    claimed: bool,
}

/// What is left of a job once its alert is planned: the write holds the alert.
struct Planned {
    id: AlertId,
    answers: Vec<Said>,
    claimed: bool,
    sends: Vec<Send>,
    asks: Vec<Ask>,
    /// What the journal gained.
    news: Vec<Row>,
    /// What was taken from the budgets for it.
    charges: Vec<Charge>,
    /// Segments that begin or end to be under way, by rank of their gateway.
    under_way: Vec<(u8, i64)>,
    /// Digests that it needs.
    opens: Vec<Opening>,
}

impl Dispatcher {
    /// Plans `claimed` and the alerts of waiting answers. Says how many were written.
    pub(super) async fn plan_and_write(&mut self, claimed: Vec<Stored>) -> Result<usize, StoreError> {
        let mut jobs = self.gather(claimed).await?;
        let mut written = 0;
        for _ in 0..ROUNDS_MAX {
            if jobs.is_empty() {
                break;
            }
            if let Err(error) = self.look_up(&mut jobs).await {
                for Job { base, answers, claimed } in jobs {
                    self.put_back(base.alert.id, answers, claimed).await;
                }
                return Err(error);
            }
            // Where a budget is short, the gravest have it.
            jobs.sort_by_key(|Job { base, .. }| (Reverse(base.alert.severity), base.alert.id));
            let (planned, writes): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| self.plan(job)).unzip();
            let commits = match self.commit(&planned, &writes).await {
                Ok(commits) => commits,
                Err(error) => {
                    // None of their requests starts, so nothing was spent, though some may be written.
                    for planned in planned {
                        self.take_back(&planned);
                        let Planned { id, answers, claimed, .. } = planned;
                        self.put_back(id, answers, claimed).await;
                    }
                    return Err(error);
                }
            };
            jobs = Vec::new();
            for ((commit, planned), write) in commits.into_iter().zip(planned).zip(writes) {
                match commit {
                    Commit::Done(version) => {
                        written += 1;
                        self.start(planned, Stored { alert: write.alert, version });
                    }
                    // An admission or an operator was faster: plan on what is there now.
                    Commit::Conflict(Some(current)) => {
                        self.take_back(&planned);
                        let Planned { answers, claimed, .. } = planned;
                        jobs.push(Job { base: *current, answers, claimed });
                    }
                    // Purged meanwhile: the answers concern nobody any more.
                    Commit::Conflict(None) => self.take_back(&planned),
                    Commit::Refused(error) => {
                        self.take_back(&planned);
                        self.leave(planned.id, planned.answers, &error);
                    }
                }
            }
        }
        for job in jobs {
            self.store.release(&[job.base.alert.id]).await;
            self.wait_again(job.base.alert.id, job.answers);
        }
        if 0 < written {
            self.check_gateway_limits().await;
        }
        Ok(written)
    }

    async fn commit(
        &mut self,
        planned: &[Planned],
        writes: &[AlertWrite],
    ) -> Result<Vec<Commit>, StoreError> {
        let opens: Vec<Opening> = planned.iter().flat_map(|planned| planned.opens.iter().cloned()).collect();
        self.open_digests(&opens).await?;
        self.store.commit(Lane::Deliver, writes).await
    }

    /// One job per alert: a claimed document, or the one in hand, with the answers for it.
    async fn gather(&mut self, claimed: Vec<Stored>) -> Result<Vec<Job>, StoreError> {
        let job = |base, claimed| Job { base, answers: Vec::new(), claimed };
        let mut jobs: HashMap<AlertId, Job> =
            claimed.into_iter().map(|base| (base.alert.id, job(base, true))).collect();
        if let Err(error) = self.take_in_hand(&jobs).await {
            let ids: Vec<AlertId> = jobs.into_keys().collect();
            self.store.release(&ids).await;
            return Err(error);
        }
        for answer in std::mem::take(&mut self.waiting) {
            let job = match jobs.entry(answer.alert_id) {
                Entry::Occupied(known) => known.into_mut(),
                // Comes back in hand when it is written, and is read again if that fails.
                Entry::Vacant(new) => match self.in_hand.remove(&answer.alert_id) {
                    Some(base) => new.insert(job(base, false)),
                    // Purged meanwhile: the answer concerns nobody any more.
                    None => continue,
                },
            };
            if job.answers.len() < ANSWERS_PER_ALERT_MAX {
                job.answers.push(answer.said);
            } else {
                self.waiting.push(answer);
            }
        }
        for (id, Job { answers, .. }) in &mut jobs {
            let Some(left) = self.left.get_mut(id) else { continue };
            let room = ANSWERS_PER_ALERT_MAX.saturating_sub(answers.len());
            answers.extend(left.drain(..room.min(left.len())));
            if left.is_empty() {
                self.left.remove(id);
            }
        }
        Ok(jobs.into_values().collect())
    }

    /// Reads the documents of waiting answers that are neither claimed nor in hand.
    async fn take_in_hand(&mut self, jobs: &HashMap<AlertId, Job>) -> Result<(), StoreError> {
        let known = |id: &AlertId| jobs.contains_key(id) || self.in_hand.contains_key(id);
        let missing: BTreeSet<AlertId> =
            self.waiting.iter().map(|answer| answer.alert_id).filter(|id| !known(id)).collect();
        for id in missing {
            match self.store.get(id).await {
                Ok(Some(stored)) => {
                    self.in_hand.insert(id, stored);
                }
                Ok(None) => {}
                Err(error @ StoreError::Damaged(_)) => {
                    let answers = self.waiting.extract_if(.., |answer| answer.alert_id == id);
                    let answers = answers.map(|answer| answer.said).collect();
                    self.leave(id, answers, &error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// This alert cannot be read or written: it stays claimed until the lease ends, so that it holds up no other
    /// and wakes nobody in a loop. Its answers, at most one for each of its requests under way, wait as long.
    pub(super) fn leave(&mut self, id: AlertId, answers: Vec<Said>, error: &StoreError) {
        error!(alert.id = %id, "alert {id} is left for later: {error}");
        if !answers.is_empty() {
            self.left.entry(id).or_default().extend(answers);
        }
    }

    fn plan(&mut self, job: Job) -> (Planned, AlertWrite) {
        let Job { base: Stored { mut alert, version }, answers, claimed } = job;
        let known = alert.rows.len();
        let mut verdicts = Vec::new();
        for said in &answers {
            match said {
                Said::Settled(settlement) => {
                    verdicts.extend(plan::settle(&mut alert, settlement, &self.present()));
                }
                Said::Reported(report) => {
                    alert.telling.take_report(report);
                }
            }
        }
        for verdict in verdicts {
            self.judge(verdict);
        }
        let Plan { sends, asks, due, mut charges, folds, opens } = plan::advance(&mut alert, &self.present());
        let news = alert.rows.get(known..).unwrap_or_default().to_vec();
        charges.extend(self.taken(&news, self.clock.now()));
        let mut under_way = self.answered(&news);
        under_way.extend(sends.iter().filter_map(|send| match send.address {
            Address::Gateway(rank) => Some((rank, self.segments(usize::from(rank)))),
            Address::Device(_) => None,
        }));
        let mut write = write_of(alert, Expect::Version(version), due);
        write.release = claimed;
        write.marks = self.marks(&charges, &folds);

        // Before the next alert is planned.
        for opening in &opens {
            self.budgets.open(opening);
        }
        for fold in &folds {
            self.note_fold(fold);
        }
        self.budgets.spend(&charges);
        for (rank, count) in &under_way {
            self.budgets.under_way(*rank, *count);
        }
        let id = write.alert.id;
        (Planned { id, answers, claimed, sends, asks, news, charges, under_way, opens }, write)
    }

    /// The plan was not carried out.
    fn take_back(&mut self, planned: &Planned) {
        self.budgets.take_back(&planned.charges);
        for (rank, count) in &planned.under_way {
            self.budgets.under_way(*rank, -count);
        }
    }

    fn present(&self) -> Present<'_> {
        Present {
            now: self.clock.now(),
            running_since: self.running_since,
            rules: &self.rules,
            devices: &self.devices,
            budgets: &self.budgets,
            price: &self.outbox,
            chance: chance::unit(),
            entropy: chance::bytes(),
        }
    }

    /// What an answer said about a device holds for all alerts, and is kept.
    fn judge(&mut self, verdict: DeviceVerdict) {
        let now = self.clock.now();
        let (id, reason) = match verdict {
            DeviceVerdict::Retire { device, reason } => (device, reason),
            DeviceVerdict::Quarantine { device, reason } => {
                let until = now.saturating_add(QUARANTINE).unwrap_or(now);
                self.devices.quarantine(device, until);
                warn!(
                    device = %device,
                    "device {device} is left alone until {until} or the next start: it belongs to another sender: {reason}"
                );
                return;
            }
        };
        if !self.devices.is_usable(id, now) {
            return;
        }
        self.devices.retire(id);
        info!(device = %id, "device {id} is retired: FCM does not know it any more");
        let record = DeviceRecord { id, retired_at: now, reason };
        let store = self.store.clone();
        self.tasks.spawn(async move {
            if let Err(error) = store.put_device(record).await {
                // The next push to it will be refused again, and it is retired then.
                warn!(error = %error, "could not save what is known of a device: {error}");
            }
        });
    }

    /// The plan is durable: its requests start.
    fn start(&mut self, planned: Planned, stored: Stored) {
        let alert = &stored.alert;
        for row in &planned.news {
            news::log(alert.id, row);
        }
        for said in &planned.answers {
            let Said::Settled(Settlement { send, outcome, ended, .. }) = said else { continue };
            self.metrics.attempt(
                send.address.transport(),
                outcome,
                ended.duration_since(send.began).as_secs_f64(),
            );
        }
        self.vitals.note(alert);
        for send in planned.sends {
            self.outbox.start(send, alert, &self.answer_sender);
        }
        for ask in planned.asks {
            self.outbox.ask(ask, alert, &self.answer_sender);
        }
        if has_requests_under_way(alert) {
            self.in_hand.insert(planned.id, stored);
        } else {
            self.in_hand.remove(&planned.id);
        }
    }

    async fn put_back(&mut self, id: AlertId, answers: Vec<Said>, claimed: bool) {
        if claimed {
            self.store.release(&[id]).await;
        }
        self.wait_again(id, answers);
    }

    fn wait_again(&mut self, alert_id: AlertId, answers: Vec<Said>) {
        let answer = |said| Answer { alert_id, said, _under_way: None };
        self.waiting.extend(answers.into_iter().map(answer));
    }
}

fn has_requests_under_way(alert: &Alert) -> bool {
    alert.telling.contacts.values().any(ContactTelling::is_under_way)
}
