//! What a company answers next: the switch, then the address's own answer, then the script, then the usual.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use super::answer::Answer;

/// How a company is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// Answers 503 to everything.
    Unavailable,
    /// Cuts every connection without an answer.
    CutOff,
    /// Takes every request and answers none.
    Hanging,
}

impl Breakage {
    /// Every way, in the order of the page.
    pub const ALL: [Self; 3] = [Self::Unavailable, Self::CutOff, Self::Hanging];

    /// The word in forms and in `/state.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::CutOff => "cut_off",
            Self::Hanging => "hanging",
        }
    }
}

/// One endpoint's answers to come.
#[derive(Debug)]
pub(super) struct Script {
    lines: Mutex<Lines>,
    released: watch::Sender<u64>,
}

#[derive(Debug)]
struct Lines {
    broken: Option<Breakage>,
    unavailable: Answer,
    by_address: HashMap<String, Answer>,
    next: VecDeque<Answer>,
    usual: Answer,
}

impl Script {
    /// Accepts everything; while broken with [`Breakage::Unavailable`] it says `unavailable`.
    pub(super) fn new(unavailable: Answer) -> Self {
        let lines = Lines {
            broken: None,
            unavailable,
            by_address: HashMap::new(),
            next: VecDeque::new(),
            usual: Answer::Ok,
        };
        Self { lines: Mutex::new(lines), released: watch::Sender::new(0) }
    }

    /// The answer to one request for `address`.
    pub(super) fn next(&self, address: &str) -> Answer {
        let mut lines = self.lock();
        if let Some(broken) = lines.broken {
            return match broken {
                Breakage::Unavailable => lines.unavailable.clone(),
                Breakage::CutOff => Answer::Reset,
                Breakage::Hanging => Answer::Hang,
            };
        }
        if let Some(answer) = lines.by_address.get(address) {
            return answer.clone();
        }
        lines.next.pop_front().unwrap_or_else(|| lines.usual.clone())
    }

    pub(super) fn append(&self, answers: impl IntoIterator<Item = Answer>) {
        self.lock().next.extend(answers);
    }

    pub(super) fn set_usual(&self, answer: Answer) {
        self.lock().usual = answer;
    }

    pub(super) fn set_for(&self, address: &str, answer: Answer) {
        self.lock().by_address.insert(address.to_owned(), answer);
    }

    pub(super) fn broken(&self) -> Option<Breakage> {
        self.lock().broken
    }

    /// Leaving [`Breakage::Hanging`] releases what hangs, as a company that comes back would.
    pub(super) fn set_broken(&self, broken: Option<Breakage>) {
        let before = std::mem::replace(&mut self.lock().broken, broken);
        if before == Some(Breakage::Hanging) && broken != before {
            self.release();
        }
    }

    pub(super) fn release(&self) {
        self.released.send_modify(|times| *times += 1);
    }

    /// Subscribe before the request is recorded: a test may release it as soon as it sees it.
    pub(super) fn releases(&self) -> watch::Receiver<u64> {
        self.released.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
