//! `GET` and `POST /v1/sms/reports/{gateway}`: gateways report what became of a text. The address of a text
//! is the credential: the token in it is signed by us and says which account signs, too, as Twilio's does as long as it
//! is configured. An address stays good where its gateway was renamed, replaced or removed since. A report about a text
//! that is settled is counted and forgotten.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Uri},
};
use secrecy::ExposeSecret as _;

use crate::{
    alert::{AlertId, Fate, Report},
    config::{GatewayProvider, TwilioGateway},
    receive::delivery::{self, field},
    signing::Reporter,
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
    let reporter = Reporter { gateway: &name, account: None };
    let text = named(&context, reporter, &uri)?;
    let query = delivery::fields(uri.query().unwrap_or_default().as_bytes());
    let said = |name| field(&query, name).unwrap_or_default();
    keep(&context, reporter, &text, delivery::kannel(said("state"), said("answer"))).await
}

/// `POST /v1/sms/reports/{gateway}?text=…`: Twilio.
pub(super) async fn twilio(
    State(context): State<Context>,
    Name(name): Name,
    headers: HeaderMap,
    uri: Uri,
    request: Body,
) -> Result<&'static str, Problem> {
    let form = body(&headers, request, REPORT_BYTES_MAX, "the limit for reports").await?;
    let form = delivery::fields(&form);
    let of_name = match provider(&context, &name) {
        Some(GatewayProvider::Twilio(twilio)) => Some(twilio.account_sid.as_str()),
        _ => None,
    };
    let account = field(&form, "AccountSid").or(of_name).unwrap_or_default();
    let reporter = Reporter { gateway: &name, account: Some(account) };
    let text = named(&context, reporter, &uri)?;
    // The address as Twilio was given it: a proxy before us may have changed the one that arrived.
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let address = format!("{}{path}", context.config.public_url);
    let signature = text_of(&headers, "x-twilio-signature").unwrap_or_default();
    let secrets: Vec<&str> = accounts(&context)
        .filter(|twilio| twilio.account_sid == account)
        .map(|twilio| twilio.auth_token.expose_secret())
        .collect();
    let is_signed = |secret: &&str| delivery::is_signed_by_twilio(secret, &address, &form, signature);
    if !secrets.is_empty() && !secrets.iter().any(is_signed) {
        let detail = "X-Twilio-Signature does not match: is `auth_token` this account's, and `public_url` this address?";
        return Err(not_believed(&context, reporter, detail));
    }
    keep(&context, reporter, &text, delivery::twilio(&form)).await
}

/// `None` where no gateway of this name is configured, or none is any more.
fn provider<'c>(context: &'c Context, name: &str) -> Option<&'c GatewayProvider> {
    let mut gateways = context.config.sms.gateways.iter();
    gateways.find(|gateway| gateway.name.as_str() == name).map(|gateway| &gateway.provider)
}

fn accounts(context: &Context) -> impl Iterator<Item = &TwilioGateway> {
    context.config.sms.gateways.iter().filter_map(|gateway| match &gateway.provider {
        GatewayProvider::Twilio(twilio) => Some(twilio.as_ref()),
        GatewayProvider::Solapi { .. }
        | GatewayProvider::Kannel { .. }
        | GatewayProvider::Nhn { .. }
        | GatewayProvider::Http(_) => None,
    })
}

/// One of our texts.
struct Text {
    alert: AlertId,
    /// Number of the attempt within the alert.
    attempt: u32,
}

/// The text that the token in the address names.
fn named(context: &Context, reporter: Reporter<'_>, uri: &Uri) -> Result<Text, Problem> {
    let query = delivery::fields(uri.query().unwrap_or_default().as_bytes());
    let token = field(&query, "text").unwrap_or_default();
    let text = context.signing_key.read_text_token(reporter, token);
    let (alert, attempt) =
        text.ok_or_else(|| not_believed(context, reporter, "`text` names no text of this gateway"))?;
    Ok(Text { alert, attempt })
}

fn not_believed(context: &Context, reporter: Reporter<'_>, detail: &str) -> Problem {
    let signs = match provider(context, reporter.gateway) {
        Some(GatewayProvider::Kannel { .. }) => Some(false),
        Some(GatewayProvider::Twilio(_)) => Some(true),
        Some(GatewayProvider::Solapi { .. } | GatewayProvider::Nhn { .. } | GatewayProvider::Http(_))
        | None => None,
    };
    if signs != Some(reporter.account.is_some()) {
        return Problem::not_found("no [[sms.gateway]] of this name reports in this way");
    }
    context.metrics.sms_report(reporter.gateway, "refused");
    Problem::forbidden(detail)
}

/// Keeps what became of the text.
async fn keep(
    context: &Context,
    reporter: Reporter<'_>,
    text: &Text,
    fate: Option<Fate>,
) -> Result<&'static str, Problem> {
    let mut result = "ignored";
    if let Some(fate) = fate {
        let word = fate.as_str();
        if context
            .queue
            .report(text.alert, &Report { attempt: text.attempt, at: context.clock.now(), fate })
            .await?
        {
            result = word;
        }
    }
    context.metrics.sms_report(reporter.gateway, result);
    Ok(THANKS)
}
