//! What differs between SMS companies: one [`Provider`] for each.

use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};

use super::{Finding, Look, answer::unclear, fit::TextRules};
use crate::{
    alert::{Fate, PhoneNumber},
    deliver::{
        Text,
        wire::{Answer, Reading},
    },
};

/// More texts than budgets let one number have in hours; a list of them fits into what is read of an answer.
pub(crate) const LIST_MAX: usize = 100;

/// A request, or why there is none, in words for people.
pub(crate) type Built = Result<RequestBuilder, String>;

pub(crate) trait Provider: Send + Sync + 'static {
    fn rules(&self, _to: &PhoneNumber, max_segments: u8) -> TextRules {
        TextRules::automatic(max_segments)
    }

    fn request(&self, client: &Client, text: &Text, now: Timestamp) -> Built;

    fn reading(&self, answer: &Answer, text: &Text) -> Reading;

    /// The account that signs what it reports of texts, where one does.
    fn signing_account(&self) -> Option<&str> {
        None
    }

    /// Asks what became of a text; `None` if this company cannot be asked.
    fn question(&self, _: &Client, _: &Asked<'_>) -> Option<Built> {
        None
    }

    fn fate(&self, answer: &Answer, _: &Asked<'_>) -> Fate {
        unclear(answer)
    }

    /// Asks about the account; `None` if this company cannot be asked.
    fn look(&self, _: &Client, _: Look, _: Timestamp) -> Option<Built> {
        None
    }

    /// An error is in words for people.
    fn finding(&self, _: Look, answer: &Answer) -> Result<Finding, String> {
        Err(format!("answered {}", answer.status))
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// As it was sent, if nothing changed since.
    pub(crate) text: &'a Text,
    pub(crate) sent_at: Timestamp,
    pub(crate) now: Timestamp,
}
