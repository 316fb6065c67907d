//! `GET` and `POST /v1/sms/reports/{gateway}`: gateways tell what became of a text. Whoever knows the address
//! of a text may report about it: the token in it is signed by us, and Twilio signs each request besides.
//! A report that nobody waits for is counted and forgotten.

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, Uri},
};
use secrecy::ExposeSecret as _;

use crate::{
    alert::{AlertId, Fate, Report},
    config::{Gateway, GatewayProvider},
    receive::delivery::{self, Fields, field},
    web::{Context, Problem, body},
};

/// Largest report, in bytes; Twilio's have less than one thousand.
const REPORT_BYTES_MAX: usize = 16 * 1024;

/// What a provider gets for a report, used or not: it has no use for more.
const THANKS: &str = "ok\n";

/// `GET /v1/sms/reports/{gateway}?text=…&state=…&answer=…`: Kannel.
pub(super) async fn kannel(
    State(context): State<Context>,
    name: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<&'static str, Problem> {
    let gateway = gateway(&context, name, |provider| matches!(provider, GatewayProvider::Kannel { .. }))?;
    let (query, text) = named(&context, gateway, &uri)?;
    let said = |name| field(&query, name).unwrap_or_default();
    keep(&context, gateway, text, delivery::kannel(said("state"), said("answer"))).await
}

/// `POST /v1/sms/reports/{gateway}?text=…`: Twilio.
pub(super) async fn twilio(
    State(context): State<Context>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
    request: Body,
) -> Result<&'static str, Problem> {
    let gateway = gateway(&context, name, |provider| matches!(provider, GatewayProvider::Twilio(_)))?;
    let GatewayProvider::Twilio(twilio) = &gateway.provider else { return Err(no_gateway()) };
    let form = body(&headers, request, REPORT_BYTES_MAX, "the limit for reports").await?;
    let form = delivery::fields(&form);
    // The address as Twilio was given it: a proxy before us may have changed the one that arrived.
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let address = format!("{}{path}", context.config.public_url);
    let signature =
        headers.get("x-twilio-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !delivery::is_signed_by_twilio(twilio.auth_token.expose_secret(), &address, &form, signature) {
        context.metrics.sms_report(&gateway.name, "refused");
        let detail = "X-Twilio-Signature does not match: is `auth_token` this account's, and `public_url` this address?";
        return Err(Problem::forbidden(detail));
    }
    let (_, text) = named(&context, gateway, &uri)?;
    keep(&context, gateway, text, delivery::twilio(&form)).await
}

fn gateway(
    context: &Context,
    name: Result<Path<String>, PathRejection>,
    speaks: impl Fn(&GatewayProvider) -> bool,
) -> Result<&Gateway, Problem> {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let mut gateways = context.config.sms.gateways.iter();
    gateways.find(|gateway| gateway.name == name && speaks(&gateway.provider)).ok_or_else(no_gateway)
}

fn no_gateway() -> Problem {
    Problem::not_found("no [[sms.gateway]] of this name reports in this way")
}

/// The query, and which text its token names.
fn named(context: &Context, gateway: &Gateway, uri: &Uri) -> Result<(Fields, (AlertId, u32)), Problem> {
    let query = delivery::fields(uri.query().unwrap_or_default().as_bytes());
    let token = field(&query, "text").unwrap_or_default();
    if let Some(text) = context.signing_key.read_text_token(&gateway.name, token) {
        return Ok((query, text));
    }
    context.metrics.sms_report(&gateway.name, "refused");
    Err(Problem::forbidden("`text` names no text of this gateway"))
}

async fn keep(
    context: &Context,
    gateway: &Gateway,
    (alert, attempt): (AlertId, u32),
    fate: Option<Fate>,
) -> Result<&'static str, Problem> {
    let result = match fate {
        None => "ignored",
        Some(fate) => {
            let word = fate.as_str();
            let report = Report { attempt, at: context.clock.now(), fate };
            if context.queue.report(alert, &report).await? { word } else { "ignored" }
        }
    };
    context.metrics.sms_report(&gateway.name, result);
    Ok(THANKS)
}
