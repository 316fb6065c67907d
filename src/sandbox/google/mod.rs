//! Google's part: access tokens and `messages:send`.

mod answer;
mod check;
mod key;
mod schema;
mod send;
mod token;

use std::{io, sync::Arc};

use axum::{Router, routing::post};

pub(super) use self::key::ServiceAccount;
pub use self::token::TokenEndpoint;
use super::{
    Options,
    answer::Answer,
    seen::PushSeen,
    stage::{Ground, Stage},
};

pub const PROJECT: &str = "bongsu-sandbox";

/// `messages:send`, seen from the company's side.
pub type Fcm = Stage<PushSeen>;

pub(super) struct Google {
    pub(super) account: ServiceAccount,
    pub(super) tokens: Arc<TokenEndpoint>,
    pub(super) fcm: Arc<Fcm>,
}

impl Google {
    pub(super) fn open(ground: &Arc<Ground>, base_url: &str, options: &Options) -> io::Result<Self> {
        Ok(Self {
            account: ServiceAccount::generate(base_url)?,
            tokens: Arc::new(TokenEndpoint::open(ground, options.token_lifetime)),
            fcm: Arc::new(Stage::open(ground, Answer::unavailable(None), options.record)),
        })
    }

    pub(super) fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/token", post(token::exchange))
            .route("/v1/projects/{project}/messages:send", post(send::send))
            .with_state(self)
    }
}

impl Fcm {
    /// The answer for one device from now on, before any script: the token, or `fid:…`, `topic:…`.
    pub fn answer_for_token(&self, target: &str, answer: Answer) {
        self.answer_for(target, answer);
    }

    /// Every well-formed push, oldest first; empty under [`Record::CountsOnly`](super::Record).
    pub fn pushes(&self) -> Vec<PushSeen> {
        self.seen()
    }

    /// Waits for `count` pushes since start, answered or not; panics after 10 s. For tests.
    pub async fn wait_for_pushes(&self, count: u64) -> Vec<PushSeen> {
        self.wait_until(|fcm| count <= fcm.counts().seen).await;
        self.pushes()
    }
}
