//! What differs between SMS companies: one [`Provider`] for each.

use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};

use super::{Look, Seen, answer::unclear, fit::TextRules};
use crate::{
    alert::{Fate, PhoneNumber},
    deliver::{
        Text,
        wire::{Answer, Reading},
    },
};

/// Most texts on a list that a company is asked for: more than budgets let one number have in hours. All of them
/// fit into what is read of an answer.
pub(crate) const LIST_MAX: usize = 100;

/// A request, or why there is none, in words for people.
pub(crate) type Built = Result<RequestBuilder, String>;

pub(crate) trait Provider: Send + Sync + 'static {
    /// What a text to `to` may be, within the operator's `max_segments`.
    fn rules(&self, _to: &PhoneNumber, max_segments: u8) -> TextRules {
        TextRules::automatic(max_segments)
    }

    /// The request that sends `text`.
    fn request(&self, client: &Client, text: &Text, now: Timestamp) -> Built;

    /// What the answer to it means.
    fn reading(&self, answer: &Answer, text: &Text) -> Reading;

    /// The question what became of a text; `None` if this company has no answer to it.
    fn question(&self, _: &Client, _: &Asked<'_>) -> Option<Built> {
        None
    }

    /// What the answer to it means.
    fn fate(&self, answer: &Answer, _: &Asked<'_>) -> Fate {
        unclear(answer)
    }

    /// The question about the account; `None` if this company has no answer to it.
    fn look(&self, _: &Client, _: Look, _: Timestamp) -> Option<Built> {
        None
    }

    /// What the answer to it means; an error is in words for people.
    fn seen(&self, _: Look, answer: &Answer) -> Result<Seen, String> {
        Err(format!("answered {}", answer.status))
    }
}

/// A text that its company is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// As it was sent, if nothing changed since.
    pub(crate) text: &'a Text,
    /// When its request began.
    pub(crate) sent_at: Timestamp,
    pub(crate) now: Timestamp,
}
