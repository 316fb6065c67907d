//! Who posts: the integration that the path names, if the request holds its key.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::{
    config::Integration,
    web::{Context, Name, PresentedKey, Problem},
};

/// The integration `{integration}` of the path. Where bodies are signed, the key may be absent: the signature is
/// looked at once the body is here. A wrong key is wrong there too.
pub(super) struct Sender(pub(super) Arc<Integration>);

impl FromRequestParts<Context> for Sender {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Problem> {
        let Ok(Name(name)) = Name::from_request_parts(parts, context).await;
        let Some((integration, key)) = context.keys.integration(&name, &parts.headers, &parts.uri) else {
            context.metrics.refused("unknown_integration");
            return Err(Problem::unknown("integration", "unknown_integration", &name));
        };
        match key {
            PresentedKey::Right => Ok(Self(integration.clone())),
            PresentedKey::None if integration.hmac.is_some() => Ok(Self(integration.clone())),
            PresentedKey::None | PresentedKey::Wrong => {
                let detail = format!("this is not the key of integration `{name}`");
                Err(refuse(context, &name, detail).await)
            }
        }
    }
}

/// Counts a wrong key or signature, and tells people of repeated ones.
pub(super) async fn refuse(context: &Context, integration: &str, detail: String) -> Problem {
    context.metrics.refused("wrong_key");
    match context.senders.wrong_key(integration).await {
        Ok(()) => Problem::unauthorized(detail),
        Err(error) => error.into(),
    }
}
