//! The SMS companies' part: a plain JSON interface, and those of Solapi, Twilio and Kannel.

mod kannel;
mod plain;
mod solapi;
mod twilio;

use std::{collections::HashMap, sync::Arc};

pub(super) use kannel::{KannelUser, send as send_by_kannel};
pub(super) use plain::send;
pub(super) use solapi::{SolapiAccount, balance, list, send_many, senders};
pub use twilio::Callback;
pub(super) use twilio::{
    TwilioAccount, account as twilio_account, list as twilio_list, page as twilio_page,
    send as send_by_twilio,
};

use super::{
    answer::Answer,
    script::{Breakage, scripted},
    seen::{Counts, RefusalSeen, TextSeen, wait_until},
    world::World,
};

/// Longest text, in bytes of EUC-KR: what Korean companies take as one long message.
const TEXT_BYTES_MAX: usize = 2_000;

/// The SMS company, seen from its own side.
#[derive(Clone, Debug)]
pub struct Sms {
    pub(super) world: Arc<World>,
}

scripted!(Sms, sms_script);

impl Sms {
    /// The API key and the secret that Solapi's interface asks for.
    pub fn solapi_credentials(&self) -> (&str, &str) {
        self.world.solapi.credentials()
    }

    /// The account SID and the token that Twilio's interface asks for; its number is `+15005550006`.
    pub fn twilio_credentials(&self) -> (&str, &str) {
        self.world.twilio.credentials()
    }

    /// The user and the password that Kannel's interface asks for.
    pub fn kannel_credentials(&self) -> (&str, &str) {
        self.world.kannel.credentials()
    }

    /// Whether the account at Twilio is a trial.
    pub fn set_twilio_trial(&self, trial: bool) {
        self.world.twilio.set_trial(trial);
    }

    /// Moves a text of Twilio's list on: its rank counts from 0, `status` is Twilio's word. What Twilio would post
    /// about it, if the text asked for that.
    pub fn twilio_report(
        &self,
        rank: usize,
        status: &'static str,
        error_code: Option<u32>,
    ) -> Option<Callback> {
        self.world.twilio.report(rank, status, error_code)
    }

    /// What is left on the account at Solapi, in won.
    pub fn set_solapi_balance(&self, won: u32) {
        self.world.solapi.set_balance(won);
    }

    /// Moves a text of Solapi's list on to this status code; its rank counts from 0.
    pub fn solapi_report(&self, rank: usize, code: &'static str) {
        self.world.solapi.report(rank, code);
    }

    /// The answer for one number from now on, before any script; written as the request writes it.
    pub fn answer_for_number(&self, to: &str, answer: Answer) {
        self.world.sms_script.set_for(to, answer);
    }

    /// Every well-formed text, oldest first; empty under [`Record::CountsOnly`](super::Record).
    pub fn texts(&self) -> Vec<TextSeen> {
        self.world.texts.entries()
    }

    /// Requests that the company would not have understood or allowed; a test expects none.
    pub fn refusals(&self) -> Vec<RefusalSeen> {
        self.world.texts.refusals()
    }

    /// Accepted texts per alert id.
    pub fn accepted_counts(&self) -> HashMap<String, u32> {
        self.world.texts.accepted_counts()
    }

    /// Totals since start.
    pub fn counts(&self) -> Counts {
        self.world.texts.counts()
    }

    /// Waits for `count` texts since start, answered or not; panics after 10 s. For tests.
    pub async fn wait_for_texts(&self, count: u64) -> Vec<TextSeen> {
        self.wait_until(|sms| count <= sms.counts().seen).await;
        self.texts()
    }

    /// Waits until `holds`; panics after 10 s of real time. For tests.
    pub async fn wait_until(&self, holds: impl Fn(&Self) -> bool) {
        let instead = || format!("texts: {:?}, last refusal: {:?}", self.counts(), self.refusals().last());
        wait_until(&self.world.changes, || holds(self), instead).await;
    }
}

/// Bytes of `text` in EUC-KR, where ASCII takes one and the rest two; `None` if it has a character
/// beyond the basic plane, such as an emoji, which EUC-KR lacks.
fn euc_kr_bytes(text: &str) -> Option<usize> {
    text.chars().try_fold(0, |bytes, c| match u32::from(c) {
        0..=0x7F => Some(bytes + 1),
        0x80..=0xFFFF => Some(bytes + 2),
        _ => None,
    })
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    8 <= digits.len() && digits.len() <= 15 && digits.bytes().all(|b| b.is_ascii_digit())
}
