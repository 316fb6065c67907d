//! What a company answers next: the switch, then the address's own answer, then the script, then the usual.

use std::collections::{HashMap, VecDeque};

use super::answer::Answer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakage {
    Unavailable,
    /// Cuts every connection without an answer.
    CutOff,
    /// Takes every request and answers none.
    Hanging,
}

impl Breakage {
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

#[derive(Debug)]
pub(super) struct Script {
    pub(super) broken: Option<Breakage>,
    /// What it says while broken with [`Breakage::Unavailable`].
    pub(super) unavailable: Answer,
    pub(super) by_address: HashMap<String, Answer>,
    pub(super) next: VecDeque<Answer>,
    pub(super) usual: Answer,
}

impl Script {
    pub(super) fn next(&mut self, address: &str) -> Answer {
        match self.broken {
            Some(Breakage::Unavailable) => return self.unavailable.clone(),
            Some(Breakage::CutOff) => return Answer::Reset,
            Some(Breakage::Hanging) => return Answer::Hang,
            None => {}
        }
        let own = self.by_address.get(address).cloned();
        own.or_else(|| self.next.pop_front()).unwrap_or_else(|| self.usual.clone())
    }
}
