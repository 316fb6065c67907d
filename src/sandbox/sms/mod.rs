//! The SMS companies' part: a plain JSON interface, and those of Solapi, Twilio and Kannel.

mod kannel;
mod plain;
mod solapi;
mod twilio;

use std::{collections::BTreeMap, io, ops::Deref, sync::Arc};

use axum::Router;

pub use self::twilio::Callback;
use self::{kannel::Kannel, solapi::Solapi, twilio::Twilio};
use super::{
    answer::Answer,
    seen::{Record, TextSeen},
    stage::{Ground, Stage},
};

/// What Korean companies take as one long message, in EUC-KR.
const TEXT_BYTES_MAX: usize = 2_000;

/// The companies share one stage, so that a test need not know by which of them a text goes.
type Texts = Stage<TextSeen>;

pub struct Sms {
    texts: Arc<Texts>,
    solapi: Arc<Solapi>,
    twilio: Arc<Twilio>,
    kannel: Arc<Kannel>,
}

impl Deref for Sms {
    type Target = Stage<TextSeen>;

    fn deref(&self) -> &Stage<TextSeen> {
        &self.texts
    }
}

impl Sms {
    pub(super) fn open(ground: &Arc<Ground>, record: Record) -> io::Result<Self> {
        let texts = Arc::new(Stage::open(ground, Answer::silent_503(), record));
        Ok(Self {
            solapi: Arc::new(Solapi::open(&texts)?),
            twilio: Arc::new(Twilio::open(&texts)?),
            kannel: Arc::new(Kannel::open(&texts)?),
            texts,
        })
    }

    pub(super) fn routes(&self) -> Router {
        plain::routes(Arc::clone(&self.texts))
            .merge(Arc::clone(&self.solapi).routes())
            .merge(Arc::clone(&self.twilio).routes())
            .merge(Arc::clone(&self.kannel).routes())
    }
}

impl Texts {
    /// Every well-formed text, oldest first; empty under [`Record::CountsOnly`](super::Record).
    pub fn texts(&self) -> Vec<TextSeen> {
        self.seen()
    }

    /// Waits for `count` texts since start, answered or not; panics after 10 s. For tests.
    pub async fn wait_for_texts(&self, count: u64) -> Vec<TextSeen> {
        self.wait_until(|texts| count <= texts.counts().seen).await;
        self.texts()
    }
}

fn fields_of(form: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(form).into_owned().collect()
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
    (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}
