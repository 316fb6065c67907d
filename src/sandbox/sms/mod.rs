//! The SMS company's part: a plain JSON interface, and one in Solapi's shape.

mod plain;
mod solapi;

use std::{collections::HashMap, sync::Arc};

pub(super) use plain::send;
pub(super) use solapi::{SolapiAccount, balance, send_many};

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
