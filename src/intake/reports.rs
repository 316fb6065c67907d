//! `GET` and `POST /v1/sms/reports/{gateway}`: gateways report what became of a text. The address of a text
//! is the credential: the token in it is signed by us, and Twilio signs each request besides. It stays one where the
//! gateway was renamed or removed since. A report about a text that is settled is counted and forgotten.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Uri},
};
use secrecy::ExposeSecret as _;

use crate::{
    alert::{Fate, Report},
    config::{Gateway, GatewayProvider},
    receive::delivery::{self, field},
    web::{Context, Name, Problem, body, text_of},
};

/// Largest report, in bytes; Twilio's have less than one thousand.
const REPORT_BYTES_MAX: usize = 16 * 1024;

/// What a provider gets for a report, used or not: it has no use for more.
const THANKS: &str = "ok\n";

/// `GET /v1/sms/reports/{gateway}?text=…&state=…&answer=…`: Kannel.
pub(super) async fn kannel(
    State(context): State<Context>,
    Name(name): Name,
    uri: Uri,
) -> Result<&'static str, Problem> {
    let gateway = gateway(&context, &name);
    if gateway.is_some_and(|gateway| !matches!(gateway.provider, GatewayProvider::Kannel { .. })) {
        return Err(no_gateway());
    }
    let query = delivery::fields(uri.query().unwrap_or_default().as_bytes());
    let said = |name| field(&query, name).unwrap_or_default();
    keep(&context, &name, &uri, delivery::kannel(said("state"), said("answer"))).await
}

/// `POST /v1/sms/reports/{gateway}?text=…`: Twilio.
pub(super) async fn twilio(
    State(context): State<Context>,
    Name(name): Name,
    headers: HeaderMap,
    uri: Uri,
    request: Body,
) -> Result<&'static str, Problem> {
    let gateway = gateway(&context, &name);
    let may_sign =
        context.config.sms.gateways.iter().filter(|one| gateway.is_none_or(|it| it.name == one.name));
    let twilio = |one: &'_ Gateway| match &one.provider {
        GatewayProvider::Twilio(twilio) => Some(Arc::clone(twilio)),
        GatewayProvider::Solapi { .. }
        | GatewayProvider::Kannel { .. }
        | GatewayProvider::Nhn { .. }
        | GatewayProvider::Http(_) => None,
    };
    let accounts: Vec<_> = may_sign.filter_map(twilio).collect();
    if accounts.is_empty() {
        return Err(no_gateway());
    }
    let form = body(&headers, request, REPORT_BYTES_MAX, "the limit for reports").await?;
    let form = delivery::fields(&form);
    // The address as Twilio was given it: a proxy before us may have changed the one that arrived.
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let address = format!("{}{path}", context.config.public_url);
    let signature = text_of(&headers, "x-twilio-signature").unwrap_or_default();
    let mut tokens = accounts.iter().map(|twilio| twilio.auth_token.expose_secret());
    if !tokens.any(|token| delivery::is_signed_by_twilio(token, &address, &form, signature)) {
        let detail = "X-Twilio-Signature does not match: is `auth_token` this account's, and `public_url` this address?";
        return Err(not_believed(&context, gateway, detail));
    }
    keep(&context, &name, &uri, delivery::twilio(&form)).await
}

/// `None` where it is not configured, or not any more.
fn gateway<'c>(context: &'c Context, name: &str) -> Option<&'c Gateway> {
    context.config.sms.gateways.iter().find(|gateway| gateway.name.as_str() == name)
}

fn no_gateway() -> Problem {
    Problem::not_found("no [[sms.gateway]] of this name reports in this way")
}

fn not_believed(context: &Context, gateway: Option<&Gateway>, detail: &str) -> Problem {
    let Some(gateway) = gateway else { return no_gateway() };
    context.metrics.sms_report(gateway.name.as_str(), "refused");
    Problem::forbidden(detail)
}

/// Keeps what became of the text that the token in the address names.
async fn keep(context: &Context, name: &str, uri: &Uri, fate: Option<Fate>) -> Result<&'static str, Problem> {
    let query = delivery::fields(uri.query().unwrap_or_default().as_bytes());
    let token = field(&query, "text").unwrap_or_default();
    let Some((alert, attempt)) = context.signing_key.read_text_token(name, token) else {
        return Err(not_believed(context, gateway(context, name), "`text` names no text of this gateway"));
    };
    let mut result = "ignored";
    if let Some(fate) = fate {
        let word = fate.as_str();
        if context.queue.report(alert, &Report { attempt, at: context.clock.now(), fate }).await? {
            result = word;
        }
    }
    context.metrics.sms_report(name, result);
    Ok(THANKS)
}
