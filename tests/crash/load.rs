//! Senders: each has events of its own and posts about them, one request after another, over
//! connections that it keeps. What was not answered is said again later, or never.

use std::sync::Arc;

use bongsu::clock::{Clock, SystemClock};
use jiff::SignedDuration;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    dice::Dice,
    server::{OPERATOR, ZABBIX_KEY, client},
    story::{Answer, DISASTER, Saying, Story},
};

/// How many send at a time.
pub(crate) const SENDERS: usize = 6;

/// Longest pause between two requests of a sender, in milliseconds: some load, and no flood.
const PAUSE_MS_MAX: u64 = 12;

/// A sender finds nobody: so long until it tries again.
const KNOCK_AGAIN: SignedDuration = SignedDuration::from_millis(5);

/// Most events of one sender: the sandbox keeps so many requests and no more.
const STORIES_MAX: usize = 300;

/// A sender between two rounds.
pub(crate) struct Sender {
    number: usize,
    dice: Dice,
    client: reqwest::Client,
    pub(crate) stories: Vec<Story>,
    /// Answers that contradict what was answered before.
    pub(crate) complaints: Vec<String>,
    pub(crate) requests_answered: u64,
    /// Answers that were no acceptance.
    pub(crate) refusals: Vec<u16>,
}

/// The senders at work.
pub(crate) struct Load {
    tasks: JoinSet<Sender>,
    stop: CancellationToken,
    answered: watch::Receiver<u64>,
}

/// What a sender works with during a round.
struct Desk {
    url: String,
    client: reqwest::Client,
    clock: Arc<SystemClock>,
    stop: CancellationToken,
    answered: watch::Sender<u64>,
}

impl Sender {
    pub(crate) fn crowd(dice: &mut Dice) -> Vec<Self> {
        (0..SENDERS).map(|number| Self::new(number, dice.fork())).collect()
    }

    fn new(number: usize, dice: Dice) -> Self {
        let (stories, complaints, refusals) = (Vec::new(), Vec::new(), Vec::new());
        Self { number, dice, client: client(), stories, complaints, requests_answered: 0, refusals }
    }

    async fn work(mut self, desk: Desk) -> Self {
        while !desk.stop.is_cancelled() {
            let pause = self.dice.between(0, PAUSE_MS_MAX);
            desk.clock.sleep(SignedDuration::from_millis(pause.cast_signed())).await;
            self.say_something(&desk).await;
        }
        self
    }

    async fn say_something(&mut self, desk: &Desk) {
        let fresh = if self.stories.len() < STORIES_MAX { (38, 10) } else { (0, 0) };
        let choices = [
            (fresh.0, None),
            (fresh.1, Some(None)),
            (14, Some(Some(Saying::Problem))),
            (18, Some(Some(Saying::Recovery))),
            (7, Some(Some(Saying::Acknowledged))),
            (4, Some(Some(Saying::Raised))),
            (4, Some(Some(Saying::Taken))),
        ];
        match self.dice.weighted(&choices) {
            None => {
                let place = self.begin();
                self.say(desk, place, Saying::Problem).await;
            }
            Some(None) => {
                let place = self.begin();
                self.say_twice_at_once(desk, place).await;
            }
            Some(Some(saying)) => self.go_on(desk, saying).await,
        }
    }

    /// A new event.
    fn begin(&mut self) -> usize {
        let severity =
            if self.dice.percent(12) { DISASTER } else { u8::try_from(self.dice.between(0, 4)).unwrap_or(0) };
        let event_id = format!("{}{:05}", self.number + 1, self.stories.len());
        self.stories.push(Story::new(event_id, severity));
        self.stories.len() - 1
    }

    /// Something about an event of before: what was not answered again, else `saying`.
    async fn go_on(&mut self, desk: &Desk, saying: Saying) {
        let Some(place) = self.dice.place(self.stories.len()) else { return };
        let again = self.dice.percent(70);
        let Some(story) = self.stories.get_mut(place) else { return };
        let saying = match story.unanswered {
            Some(unanswered) if again || story.alert_id.is_none() => unanswered,
            Some(_) | None => saying,
        };
        if saying != Saying::Problem && story.alert_id.is_none() {
            return;
        }
        if saying == Saying::Raised {
            story.severity = DISASTER;
        }
        self.say(desk, place, saying).await;
    }

    async fn say(&mut self, desk: &Desk, place: usize, saying: Saying) {
        let Some(story) = self.stories.get(place) else { return };
        let answer = desk.ask(story, saying).await;
        self.hear(desk, place, (saying, answer)).await;
    }

    /// Two users of Zabbix are told of the same problem: one body, twice, at the same time.
    async fn say_twice_at_once(&mut self, desk: &Desk, place: usize) {
        let Some(story) = self.stories.get(place) else { return };
        let (one, two) = tokio::join!(desk.ask(story, Saying::Problem), desk.ask(story, Saying::Problem));
        let mut answers = [one, two];
        // In an order in which they can have happened.
        answers.sort_by_key(|answer| match answer {
            Answer::Nothing | Answer::Refused(_) => 0,
            Answer::Said(result) if result["admission"] == "opened" => 1,
            Answer::Wordless | Answer::Said(_) | Answer::Acted { .. } => 2,
        });
        for answer in answers {
            self.hear(desk, place, (Saying::Problem, answer)).await;
        }
    }

    async fn hear(&mut self, desk: &Desk, place: usize, (saying, answer): (Saying, Answer)) {
        let Some(story) = self.stories.get_mut(place) else { return };
        self.complaints.extend(story.hear(saying, &answer).err());
        match answer {
            Answer::Nothing => desk.clock.sleep(KNOCK_AGAIN).await,
            Answer::Refused(status) => self.refusals.push(status),
            Answer::Wordless | Answer::Said(_) | Answer::Acted { .. } => {
                self.requests_answered += 1;
                desk.answered.send_modify(|answered| *answered += 1);
            }
        }
    }
}

impl Desk {
    async fn ask(&self, story: &Story, saying: Saying) -> Answer {
        let request = match (saying, &story.alert_id) {
            (Saying::Taken, Some(id)) => {
                self.client.post(format!("{}/v1/alerts/{id}/acknowledge", self.url)).bearer_auth(OPERATOR)
            }
            (Saying::Taken, None) => return Answer::Nothing,
            (Saying::Problem | Saying::Recovery | Saying::Acknowledged | Saying::Raised, _) => self
                .client
                .post(format!("{}/v1/events/zabbix", self.url))
                .bearer_auth(ZABBIX_KEY)
                .body(story.body(saying)),
        };
        let Ok(answer) = request.send().await else { return Answer::Nothing };
        match (saying, answer.status().as_u16()) {
            (Saying::Taken, 200) => Answer::Acted { done: true },
            (Saying::Taken, 409) => Answer::Acted { done: false },
            (_, 202) => match answer.text().await.ok().and_then(|text| first_result(&text)) {
                Some(result) => Answer::Said(result),
                None => Answer::Wordless,
            },
            (_, status) => Answer::Refused(status),
        }
    }
}

fn first_result(text: &str) -> Option<serde_json::Value> {
    let answer: serde_json::Value = serde_json::from_str(text).ok()?;
    answer.get("results")?.get(0).cloned()
}

impl Load {
    /// Everybody sends to `url` until [`Load::end`].
    pub(crate) fn begin(senders: Vec<Sender>, url: &str, clock: &Arc<SystemClock>) -> Self {
        let (stop, (tell, answered)) = (CancellationToken::new(), watch::channel(0));
        let mut tasks = JoinSet::new();
        for sender in senders {
            let desk = Desk {
                url: url.to_owned(),
                client: sender.client.clone(),
                clock: Arc::clone(clock),
                stop: stop.clone(),
                answered: tell.clone(),
            };
            tasks.spawn(sender.work(desk));
        }
        Self { tasks, stop, answered }
    }

    /// Waits for so many answers in this round.
    pub(crate) async fn wait_for_answers(&self, count: u64) {
        // The senders hold the other end as long as they work.
        let _ = self.answered.clone().wait_for(|answered| count <= *answered).await;
    }

    /// Everybody stops after the request at hand.
    pub(crate) async fn end(mut self) -> Vec<Sender> {
        self.stop.cancel();
        let mut senders = Vec::new();
        while let Some(sender) = self.tasks.join_next().await {
            senders.push(sender.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
        }
        senders.sort_by_key(|sender| sender.number);
        senders
    }
}
