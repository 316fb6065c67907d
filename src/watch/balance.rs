//! Looks every hour at what is left on the accounts of SMS companies, and tells people before it is nothing.

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;
use tracing::{info, warn};

use super::{Life, OwnEvent, Pace, firing, over};
use crate::{
    alert::Severity,
    deliver::{
        SmsTransport,
        sms::{Balance, Finding, Look},
    },
    queue::Queue,
    telemetry::Metrics,
};

const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// An alert about a low account closes after this and opens again at the next look: one notification a day. One about
/// a gateway that left the configuration ends so, too.
const CLOSES_AFTER: SignedDuration = SignedDuration::from_hours(24);

pub struct Balances {
    pub gateways: Vec<Arc<dyn SmsTransport>>,
    pub queue: Arc<Queue>,
    pub metrics: Arc<Metrics>,
}

impl Balances {
    /// Runs until it is stopped.
    pub async fn watch(self: Arc<Self>, life: Life) {
        let mut pace = Pace::new(life, EVERY);
        let mut low = BTreeMap::new();
        loop {
            for gateway in &self.gateways {
                self.look(gateway.as_ref(), &mut low).await;
                pace.sign();
            }
            if !pace.next().await {
                break;
            }
        }
    }

    /// `low` holds what is known of the gateways.
    async fn look(&self, gateway: &dyn SmsTransport, low: &mut BTreeMap<String, bool>) {
        let name = gateway.name().as_str();
        let balance = match gateway.look(Look::Balance).await {
            Some(Ok(Finding::Balance(balance))) => balance,
            // `None`: it cannot be asked.
            None | Some(Ok(Finding::Good(_) | Finding::Limited(_) | Finding::Bad(_))) => return,
            Some(Err(error)) => {
                // Whether texts go out is another question, which the next text answers.
                info!(gateway = name, "could not ask for the balance: {error}");
                return;
            }
        };
        self.metrics.sms_balance(name, balance.amount);
        let is_low = balance.is_low();
        let was_low = low.insert(name.to_owned(), is_low);
        if is_low {
            warn!(gateway = name, "SMS gateway {name}: only {balance} left");
        }
        // At start an alert of an earlier run may be open, so its end is said once, too.
        if is_low || was_low != Some(false) {
            self.tell(name, &balance).await;
        }
    }

    async fn tell(&self, gateway: &str, balance: &Balance) {
        let key = format!("bongsu:sms-balance:{gateway}");
        let title = format!("SMS gateway {gateway}: only {balance} left");
        let event = if balance.is_low() {
            firing(key, Severity::High, title, "Texts stop when nothing is left. Add money to the account.")
        } else {
            over(key, title, None)
        };
        let own = OwnEvent { close_after: CLOSES_AFTER, ..OwnEvent::once(event) };
        if let Err(error) = own.post(&self.queue).await {
            warn!(error = %error, "could not keep an alert about a balance: {error}");
        }
    }
}
