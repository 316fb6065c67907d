//! `GET` and `POST /v1/sms/reports/{gateway}`: gateways report what became of a text. The address of a text
//! is the credential: the token in it is signed by us, and Twilio signs each request besides. A report about a text
//! that is settled is counted and forgotten.

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
    let gateway = gateway(&context, &name)?;
    let GatewayProvider::Kannel { .. } = gateway.provider else { return Err(no_gateway()) };
    let query = delivery::fields(uri.query().unwrap_or_default().as_bytes());
    let said = |name| field(&query, name).unwrap_or_default();
    keep(&context, gateway, &uri, delivery::kannel(said("state"), said("answer"))).await
}

/// `POST /v1/sms/reports/{gateway}?text=…`: Twilio.
pub(super) async fn twilio(
    State(context): State<Context>,
    Name(name): Name,
    headers: HeaderMap,
    uri: Uri,
    request: Body,
) -> Result<&'static str, Problem> {
    let gateway = gateway(&context, &name)?;
    let GatewayProvider::Twilio(twilio) = &gateway.provider else { return Err(no_gateway()) };
    let form = body(&headers, request, REPORT_BYTES_MAX, "the limit for reports").await?;
    let form = delivery::fields(&form);
    // The address as Twilio was given it: a proxy before us may have changed the one that arrived.
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let address = format!("{}{path}", context.config.public_url);
    let signature = text_of(&headers, "x-twilio-signature").unwrap_or_default();
    if !delivery::is_signed_by_twilio(twilio.auth_token.expose_secret(), &address, &form, signature) {
        context.metrics.sms_report(gateway.name.as_str(), "refused");
        let detail = "X-Twilio-Signature does not match: is `auth_token` this account's, and `public_url` this address?";
        return Err(Problem::forbidden(detail));
    }
    keep(&context, gateway, &uri, delivery::twilio(&form)).await
}

fn gateway<'c>(context: &'c Context, name: &str) -> Result<&'c Gateway, Problem> {
    let mut gateways = context.config.sms.gateways.iter();
    gateways.find(|gateway| gateway.name.as_str() == name).ok_or_else(no_gateway)
}

fn no_gateway() -> Problem {
    Problem::not_found("no [[sms.gateway]] of this name reports in this way")
}

/// Keeps what became of the text that the token in the address names.
async fn keep(
    context: &Context,
    gateway: &Gateway,
    uri: &Uri,
    fate: Option<Fate>,
) -> Result<&'static str, Problem> {
    let query = delivery::fields(uri.query().unwrap_or_default().as_bytes());
    let token = field(&query, "text").unwrap_or_default();
    let Some((alert, attempt)) = context.signing_key.read_text_token(gateway.name.as_str(), token) else {
        context.metrics.sms_report(gateway.name.as_str(), "refused");
        return Err(Problem::forbidden("`text` names no text of this gateway"));
    };
    let mut result = "ignored";
    if let Some(fate) = fate {
        let word = fate.as_str();
        if context.queue.report(alert, &Report { attempt, at: context.clock.now(), fate }).await? {
            result = word;
        }
    }
    context.metrics.sms_report(gateway.name.as_str(), result);
    Ok(THANKS)
}
