//! Looks every hour at what is left on the accounts of SMS companies, and tells people before it is nothing.

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;
use tracing::{info, warn};

use super::pace::Pace;
use crate::{
    alert::{DedupKey, Event, EventStatus, HOUSE, Severity},
    api::Context,
    deliver::{
        SmsTransport,
        sms::{Balance, Look, Seen},
    },
    queue::Poster,
};

/// How often.
pub(super) const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// An alert about an account that is not mentioned any more (the gateway left the configuration) ends after so
/// long.
const CLOSES_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Runs until the pace is stopped, or ends at once where no gateway can be asked.
pub(super) async fn watch(context: Context, gateways: Vec<Arc<dyn SmsTransport>>, mut pace: Pace) {
    let mut low = BTreeMap::new();
    loop {
        let mut asked = false;
        for gateway in &gateways {
            asked |= look(&context, gateway.as_ref(), &mut low).await;
        }
        if !asked || !pace.next().await {
            break;
        }
    }
}

/// False if this gateway cannot be asked. `low` holds what is known of the others.
async fn look(context: &Context, gateway: &dyn SmsTransport, low: &mut BTreeMap<String, bool>) -> bool {
    let name = gateway.name().as_str();
    let balance = match gateway.look(Look::Balance).await {
        None => return false,
        Some(Ok(Seen::Balance(balance))) => balance,
        Some(Ok(Seen::Good(_) | Seen::Limited(_) | Seen::Bad(_))) => return true,
        Some(Err(error)) => {
            // Whether texts go out is another question, which the next text answers.
            info!(gateway = name, "could not ask for the balance: {error}");
            return true;
        }
    };
    context.metrics.sms_balance(name, balance.amount);
    let is_low = balance.is_low();
    let was_low = low.insert(name.to_owned(), is_low);
    if is_low {
        warn!(gateway = name, "SMS gateway {name}: only {balance} left");
    }
    // At start an alert of an earlier run may be open, so its end is said once, too.
    if is_low || was_low != Some(false) {
        tell(context, name, &balance).await;
    }
    true
}

/// Opens, joins or ends the alert about this account.
async fn tell(context: &Context, gateway: &str, balance: &Balance) {
    let key = DedupKey::new(format!("bongsu:sms-balance:{gateway}"));
    let title = format!("SMS gateway {gateway}: only {balance} left");
    let firing = Event {
        severity: Some(Severity::High),
        body: "Texts stop when nothing is left. Add money to the account.".to_owned(),
        ..Event::firing(key, title)
    };
    let over = EventStatus::Resolved { note: None, escalation_cancelled: false };
    let status = if balance.is_low() { EventStatus::Firing } else { over };
    let poster = Poster { integration: HOUSE, close_after: CLOSES_AFTER, house: true };
    if let Err(error) = context.queue.admit(poster, &[Event { status, ..firing }]).await {
        warn!(error = %error, "could not keep an alert about a balance: {error}");
    }
}
