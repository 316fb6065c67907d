//! Google's part: access tokens and `messages:send`.

mod check;
mod key;
mod schema;
mod send;
mod token;

use std::{collections::HashMap, sync::Arc};

use jiff::SignedDuration;

#[cfg(test)]
pub(super) use key::hex;
pub(super) use key::{ServiceAccount, random_hex};
pub(super) use send::send;
pub(super) use token::{IssuedTokens, exchange};

use super::{
    answer::Answer,
    script::{Breakage, scripted},
    seen::{Counts, PushSeen, RefusalSeen, wait_until},
    world::World,
};

/// The only project of the sandbox.
pub const PROJECT: &str = "bongsu-sandbox";

/// `messages:send`, seen from the company's side.
#[derive(Clone, Debug)]
pub struct Fcm {
    pub(super) world: Arc<World>,
}

scripted!(Fcm, fcm_script);

impl Fcm {
    /// The answer for one device from now on, before any script: the token, or `fid:…`, `topic:…`.
    pub fn answer_for_token(&self, target: &str, answer: Answer) {
        self.world.fcm_script.set_for(target, answer);
    }

    /// Every well-formed push, oldest first; empty under [`Record::CountsOnly`](super::Record).
    pub fn pushes(&self) -> Vec<PushSeen> {
        self.world.pushes.entries()
    }

    /// Requests that Google would not have understood or allowed; a test expects none.
    pub fn refusals(&self) -> Vec<RefusalSeen> {
        self.world.pushes.refusals()
    }

    /// Accepted pushes per alert id.
    pub fn accepted_counts(&self) -> HashMap<String, u32> {
        self.world.pushes.accepted_counts()
    }

    /// Totals since start.
    pub fn counts(&self) -> Counts {
        self.world.pushes.counts()
    }

    /// Waits for `count` pushes since start, answered or not; panics after 10 s. For tests.
    pub async fn wait_for_pushes(&self, count: u64) -> Vec<PushSeen> {
        self.wait_until(|fcm| count <= fcm.counts().seen).await;
        self.pushes()
    }

    /// Waits until `holds`; panics after 10 s of real time. For tests.
    pub async fn wait_until(&self, holds: impl Fn(&Self) -> bool) {
        let instead = || format!("pushes: {:?}, last refusal: {:?}", self.counts(), self.refusals().last());
        wait_until(&self.world.changes, || holds(self), instead).await;
    }
}

/// The token endpoint, seen from the company's side.
#[derive(Clone, Debug)]
pub struct TokenEndpoint {
    pub(super) world: Arc<World>,
}

scripted!(TokenEndpoint, token_script);

impl TokenEndpoint {
    /// How many access tokens were given out.
    pub fn issued(&self) -> u64 {
        self.world.issued.count()
    }

    /// Makes every access token given out so far worthless: the next push gets a 401.
    pub fn revoke_all(&self) {
        self.world.issued.revoke_all();
    }

    /// Google's clock is `ahead` of the sandbox's from now on; its `Date` header says so.
    pub fn run_ahead(&self, ahead: SignedDuration) {
        self.world.issued.run_ahead(ahead);
    }

    /// Assertions that were refused.
    pub fn refusals(&self) -> Vec<RefusalSeen> {
        self.world.issued.refusals()
    }
}
