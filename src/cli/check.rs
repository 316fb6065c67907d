//! `bongsu check`: what is wrong with a configuration, and where.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use tokio_util::task::TaskTracker;

use super::{Failure, accounts, say};
use crate::{
    alert::{AlertId, Outcome},
    clock::{Clock, SystemClock},
    config::{Config, Environment, StoreEngine},
    deliver::{Renderer, SmsTransport, fcm::FcmTransport, sms},
};

/// What `--online` found: one fault a line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub(super) struct Faults(Vec<String>);

/// Reads everything that `serve` reads, touches nothing, and says what it found.
pub(super) fn run(path: &Path, online: bool, environment: Environment<'_>) -> Result<(), Failure> {
    let config = super::read(path, environment)?;
    for warning in &config.warnings {
        say(&format!("warning: {warning}"));
    }
    let renderer = Renderer::new(config.templates.as_deref())?;
    let clock: Arc<dyn Clock> = SystemClock::start();
    super::block_on(async {
        let gateways = sms::gateways(&config.sms, clock.clone())?;
        let fcm = match &config.fcm {
            Some(fcm) => Some(FcmTransport::new(fcm, clock.clone(), TaskTracker::new())?),
            None => None,
        };
        describe(path, &config);
        say_texts(&config, &renderer, &gateways);
        if !online {
            say("Google and the SMS companies were not asked; --online asks them");
            return Ok(());
        }
        // What is wrong with one road is no reason to be silent about the other.
        let mut faults = Vec::new();
        if let Some(fcm) = &fcm {
            faults.extend(rehearse(fcm).await.err());
        } else {
            say("online: there is no [fcm], so Google was not asked");
        }
        faults.extend(accounts::look_at(&gateways).await);
        if faults.is_empty() { Ok(()) } else { Err(Faults(faults).into()) }
    })
}

fn describe(path: &Path, config: &Config) {
    say(&format!("{}: the file has no errors", path.display()));
    let engine = match &config.store.engine {
        StoreEngine::Memory => "in memory (nothing survives a restart)".to_owned(),
        StoreEngine::Sled(path) => format!("in {}", path.display()),
    };
    say(&format!(
        "listens on {}, links point to {}, alerts are kept {engine}",
        config.server.listen, config.public_url
    ));
    let integrations = config.integrations.iter().map(|integration| integration.name.as_str());
    say(&format!("integrations: {}", listed(integrations)));
    for contact in &config.contacts {
        let devices = match contact.devices.len() {
            0 => "no device for pushes".to_owned(),
            1 => "1 device".to_owned(),
            several => format!("{several} devices"),
        };
        let phone = contact.phone.as_ref().map(|phone| format!("phone {phone}"));
        let phone = phone.as_deref().unwrap_or("no phone number for texts");
        say(&format!("contact {}: {devices}, {phone}", contact.name));
    }
    let push = if config.fcm.is_some() { "FCM" } else { "none" };
    let gateways = config.sms.gateways.iter().map(|gateway| gateway.name.as_str());
    say(&format!("push: {push}; SMS gateways in order: {}", listed(gateways)));
}

/// What a typical text is by each gateway, and what it costs; once for people who get the same.
fn say_texts(config: &Config, renderer: &Renderer, gateways: &[Arc<dyn SmsTransport>]) {
    let link = format!("{}/alerts/{}", config.public_url, AlertId::from_bytes([0x77; 16]));
    let mut said = BTreeSet::new();
    let pairs = gateways.iter().zip(&config.sms.gateways);
    let pairs = pairs.flat_map(|pair| config.contacts.iter().map(move |contact| (pair, contact)));
    for ((gateway, settings), contact) in pairs {
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
            let advice = if sms::is_one_segment(&settings.provider, phone) {
                "for the link to a number abroad: its texts there are one segment, so only a shorter public_url helps"
            } else {
                "for the link; raise max_segments, or shorten public_url"
            };
            say(&format!("warning: [[sms.gateway]] `{}`: no room {advice}", gateway.name()));
        }
    }
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A push with `validate_only`: Google checks key, project and API, and nothing rings.
async fn rehearse(fcm: &FcmTransport) -> Result<(), String> {
    let outcome = fcm.dry_run().await;
    if let Outcome::Accepted { .. } = outcome {
        say("online: Google accepted the key and rehearsed a push");
        return Ok(());
    }
    let cause = outcome.cause().unwrap_or("no answer");
    Err(format!("Google did not take a rehearsed push ({cause}): {}", outcome.detail()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{alert::PhoneNumber, config::GatewayProvider};

    #[test]
    fn texts_of_korean_companies_abroad_are_one_segment_whatever_max_segments_says() {
        let solapi = GatewayProvider::Solapi {
            base_url: String::new(),
            api_key: String::new(),
            api_secret: "s".into(),
        };
        let kannel =
            GatewayProvider::Kannel { url: "u".into(), username: String::new(), password: "p".into() };
        for (provider, to, expected) in [
            (&solapi, "+12025550123", true),
            (&solapi, "+821012345678", false),
            (&kannel, "+12025550123", false),
        ] {
            assert_eq!(
                sms::is_one_segment(provider, &PhoneNumber::parse(to).expect("a number")),
                expected,
                "{to}"
            );
        }
    }
}
