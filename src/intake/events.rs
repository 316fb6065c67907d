//! `POST /v1/events/{integration}`: what monitors say. The answer leaves after it is durable.

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::HeaderMap,
    response::Response,
};
use jiff::Timestamp;

use super::{Sender, accepted, heartbeats, refuse_key, signature};
use crate::{
    alert::{Event, Reason},
    config::Integration,
    queue::{Admitted, BodyDigest, Poster},
    receive::{self, Reading, redact},
    watch::Fault,
    web::{BodyError, Context, Problem, body, text_of},
};

const KEPT_BODY_BYTES_MAX: usize = 4 * 1024;

/// A reader of bodies: integration, content type, body, time of arrival.
type Read = fn(&Integration, Option<&str>, &[u8], Timestamp) -> Reading;

pub(super) async fn post_events(
    State(context): State<Context>,
    Sender(integration): Sender,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    Post { context, integration: &integration, headers, read: receive::read }.take(body).await
}

/// `POST /v1/events/{integration}/api/v2/alerts`: Prometheus, vmalert and Loki, which think that this is an
/// Alertmanager.
pub(super) async fn post_prometheus(
    State(context): State<Context>,
    Sender(integration): Sender,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let read: Read = |integration, _, bytes, now| receive::alertmanager::read_array(integration, bytes, now);
    Post { context, integration: &integration, headers, read }.take(body).await
}

struct Post<'a> {
    context: Context,
    integration: &'a Integration,
    headers: HeaderMap,
    read: Read,
}

impl Post<'_> {
    async fn take(self, body: Body) -> Result<Response, Problem> {
        let began = self.context.clock.now();
        let bytes = self.body(body, began).await?;
        let taking = self.context.queue.unless_taken();
        taking.answered(self.answer(&bytes, began).await)
    }

    async fn answer(&self, bytes: &[u8], began: Timestamp) -> Result<Response, Problem> {
        let digest = BodyDigest::new(&self.integration.name, bytes);
        if let Some(admitted) = self.context.queue.admit_again(self.poster(), digest).await? {
            return Ok(accepted(&self.context, &self.integration.name, admitted));
        }
        let content_type = text_of(&self.headers, "content-type");
        let admitted = match (self.read)(self.integration, content_type, bytes, began) {
            Reading::Events(events) => self.admit(events, digest).await?,
            Reading::Unreadable { reason } => self.keep_unreadable(&reason, bytes).await?,
        };
        let took = self.context.clock.now().duration_since(began);
        self.context.metrics.accepted_in(took.as_secs_f64());
        Ok(accepted(&self.context, &self.integration.name, admitted))
    }

    /// The whole body, its signature checked.
    async fn body(&self, request: Body, began: Timestamp) -> Result<Bytes, Problem> {
        let (context, name) = (&self.context, &self.integration.name);
        let limit = context.config.server.body_limit;
        let bytes = body(&self.headers, request, limit, "server.body_limit").await;
        if let Err(BodyError::TooLarge { limit, .. }) = bytes {
            context.metrics.refused("body_too_large");
            context.senders.report(name, Fault::Oversized { limit }).await?;
        }
        let bytes = bytes?;
        if let Some(rule) = &self.integration.hmac
            && let Err(error) = signature::verify(rule, &self.headers, &bytes, began)
        {
            return Err(refuse_key(context, name, error.to_string()).await);
        }
        Ok(bytes)
    }

    fn poster(&self) -> Poster<'_> {
        let Integration { name, close_after, .. } = self.integration;
        Poster { integration: name, close_after: *close_after }
    }

    async fn admit(&self, events: Vec<Event>, digest: BodyDigest) -> Result<Vec<Admitted>, Problem> {
        let Self { context, integration, .. } = self;
        let sifted = heartbeats::sift(&context.heartbeats, integration.kind, events).await?;
        for _ in sifted.events.iter().filter(|event| event.unknown_severity.is_some()) {
            context.metrics.unknown_severity(&integration.name);
        }
        let admitted = context.queue.admit(self.poster(), &sifted.events).await?;
        if let Some(moving) = admitted.iter().find(|one| one.reason == Some(Reason::MovingStart)) {
            let fault = Fault::MovingStart { dedup_key: &moving.dedup_key };
            context.senders.report(&integration.name, fault).await?;
        }
        // The call of a heartbeat counts each time it comes.
        if sifted.has_no_calls() {
            context.queue.remember(self.poster(), digest, &sifted.events, &admitted);
        }
        Ok(sifted.with(admitted))
    }

    async fn keep_unreadable(&self, reason: &str, bytes: &[u8]) -> Result<Vec<Admitted>, Problem> {
        let kept = bytes.get(..bytes.len().min(KEPT_BODY_BYTES_MAX)).unwrap_or_default();
        let kept = redact::redact(&String::from_utf8_lossy(kept));
        let fault = Fault::Unreadable { reason, kept: &kept };
        let told = self.context.senders.report(&self.integration.name, fault).await?;
        Ok(told.into_iter().map(|told| Admitted { reason: Some(Reason::Unreadable), ..told }).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        path::Path,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
    };

    use async_trait::async_trait;
    use serde_json::json;

    use super::*;
    use crate::{
        clock::{Clock as _, ManualClock},
        config,
        signing::SigningKey,
        store::{
            MemoryStore, StoreError,
            guarded::{Guard, Guarded, Ruling},
        },
        web::Shared,
    };

    #[derive(Default)]
    struct Disk {
        is_away: AtomicBool,
    }

    impl Disk {
        fn answer(&self) -> Result<(), StoreError> {
            let away = StoreError::Unavailable("input/output error".to_owned());
            if self.is_away.load(Ordering::SeqCst) { Err(away) } else { Ok(()) }
        }
    }

    #[async_trait]
    impl Guard for Disk {
        async fn write(&self) -> Ruling {
            self.answer().map_or_else(Ruling::Refused, |()| Ruling::Made)
        }

        fn read(&self) -> Result<(), StoreError> {
            self.answer()
        }
    }

    #[tokio::test]
    async fn whoever_is_not_answered_with_what_became_of_it_was_refused() {
        let text = "[[integration]]\nname = \"am\"\nkind = \"alertmanager\"\nkey = \"k\"\n\
                    [[heartbeat]]\nname = \"Watchdog\"\n\
                    [[sms.gateway]]\nname = \"sms\"\nprovider = \"solapi\"\nfrom = \"1\"\napi_key = \"k\"\napi_secret = \"s\"\n\
                    [[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\n";
        let config = config::parse(text, Path::new("bongsu.toml"), &|_| None).expect("it is right");
        let clock = ManualClock::at(Timestamp::constant(1_800_000_000, 0));
        let store = Arc::new(Guarded { inner: Arc::new(MemoryStore::new()), guard: Disk::default() });
        let context = Shared::new(config, clock.clone(), store.clone(), SigningKey::default());
        let integration = context.config.integrations[0].clone();
        let post = async |alerts: Vec<serde_json::Value>| {
            let (context, headers, read) = (context.clone(), HeaderMap::new(), receive::read as Read);
            let body = Body::from(json!({ "version": "4", "alerts": alerts }).to_string());
            Post { context, integration: &integration, headers, read }.take(body).await
        };
        let fires = |name: String| json!({ "status": "firing", "labels": { "alertname": name } });
        let long = || (0..100).map(|number| fires(format!("Disk{number}"))).collect::<Vec<_>>();
        post(long()).await.expect("it is taken");
        assert_eq!(context.queue.refused_at(), None);
        for alerts in [long(), vec![fires("Watchdog".to_owned())]] {
            clock.advance(jiff::SignedDuration::from_mins(1));
            store.guard.is_away.store(true, Ordering::SeqCst);
            assert!(post(alerts.clone()).await.is_err());
            assert_eq!(context.queue.refused_at(), Some(clock.now()), "{}", alerts.len());
            store.guard.is_away.store(false, Ordering::SeqCst);
        }
    }
}
