//! `bongsu check`: what is wrong with a configuration, and where.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use tokio_util::task::TaskTracker;

use super::{Failure, say};
use crate::{
    alert::{AlertId, Outcome},
    clock::{Clock, SystemClock},
    config::{Config, Environment, StoreEngine},
    deliver::{Renderer, SmsTransport, fcm::FcmTransport, sms},
};

/// Reads everything that `serve` reads, touches nothing, and says what it found.
pub(super) fn run(path: &Path, online: bool, environment: Environment<'_>) -> Result<(), Failure> {
    let config = super::read(path, environment)?;
    for warning in &config.warnings {
        say(&format!("warning: {warning}"));
    }
    let renderer = Renderer::new(config.templates.as_deref())?;
    let clock: Arc<dyn Clock> = SystemClock::start();
    super::runtime()?.block_on(async {
        let gateways = sms::gateways(&config.sms, clock.clone())?;
        let tasks = TaskTracker::new();
        let fcm = config.fcm.as_ref().map(|fcm| FcmTransport::new(fcm, clock.clone(), tasks.clone())).transpose()?;
        describe(path, &config);
        say_texts(&config, &renderer, &gateways);
        match (&fcm, online) {
            (Some(fcm), true) => rehearse(fcm).await?,
            (None, true) => say("online: there is no [fcm], so Google was not asked"),
            (_, false) => say("Google and the SMS companies were not asked; --online asks Google"),
        }
        if online && !gateways.is_empty() {
            say("online: SMS companies are not asked; a text would cost money. Try `bongsu send --severity disaster`");
        }
        Ok(())
    })
}

fn describe(path: &Path, config: &Config) {
    say(&format!("{}: no errors", path.display()));
    let engine = match &config.store.engine {
        StoreEngine::Memory => "in memory (nothing survives a restart)".to_owned(),
        StoreEngine::Sled(path) => format!("in {}", path.display()),
    };
    say(&format!(
        "listens on {}, links point to {}, alerts are kept {engine}",
        config.server.listen, config.public_url
    ));
    let integrations: Vec<&str> =
        config.integrations.iter().map(|integration| integration.name.as_str()).collect();
    say(&format!("integrations: {}", listed(&integrations)));
    for contact in &config.contacts {
        let devices = match contact.devices.len() {
            0 => "no device for pushes".to_owned(),
            1 => "1 device".to_owned(),
            several => format!("{several} devices"),
        };
        let phone = contact
            .phone
            .as_ref()
            .map_or_else(|| "no phone number for texts".to_owned(), |phone| format!("phone {phone}"));
        say(&format!("contact {}: {devices}, {phone}", contact.name));
    }
    let gateways: Vec<&str> = config.sms.gateways.iter().map(|gateway| gateway.name.as_str()).collect();
    say(&format!(
        "push: {}; SMS gateways in order: {}",
        if config.fcm.is_some() { "FCM" } else { "none" },
        listed(&gateways)
    ));
}

/// What a typical text is by each gateway, and what it costs; once for people who get the same.
fn say_texts(config: &Config, renderer: &Renderer, gateways: &[Arc<dyn SmsTransport>]) {
    let link = format!("{}/alerts/{}", config.public_url, AlertId::from_bytes([0x77; 16]));
    let mut said = BTreeSet::new();
    for (gateway, contact) in
        gateways.iter().flat_map(|gateway| config.contacts.iter().map(move |contact| (gateway, contact)))
    {
        let Some(phone) = &contact.phone else { continue };
        let fitted = gateway.fit(phone, &renderer.example_sms(&link, contact.language));
        if !said.insert((gateway.name(), fitted.text.clone(), fitted.segments)) {
            continue;
        }
        let segments = match (fitted.segments, fitted.long) {
            (1, _) => "1 segment".to_owned(),
            (count, false) => format!("{count} segments"),
            (count, true) => format!("an LMS, counted as {count} segments"),
        };
        say(&format!("a text by {} is {segments}: {}", gateway.name(), fitted.text));
        if !fitted.text.ends_with(&link) {
            say(&format!(
                "warning: [[sms.gateway]] `{}` max_segments: no room for the link; raise it, or shorten public_url",
                gateway.name()
            ));
        }
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A push with `validate_only`: Google checks key, project and API, and nothing rings.
async fn rehearse(fcm: &FcmTransport) -> Result<(), Failure> {
    match fcm.dry_run().await {
        Outcome::Accepted { .. } => {
            say("online: Google accepted the key and rehearsed a push");
            Ok(())
        }
        outcome @ (Outcome::Deferred { .. } | Outcome::Rejected { .. } | Outcome::Unknown { .. }) => {
            let cause = outcome.cause().unwrap_or("no answer");
            Err(format!("Google did not take a rehearsed push ({cause}): {}", outcome.detail()).into())
        }
    }
}
