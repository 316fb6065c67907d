//! Grafana's webhook contact point: unified alerting (8 and later), the alerting before it, and bodies
//! from a payload template of the operator's own.
//!
//! A body holds every alert of a group, firing and resolved together, and comes again for each change
//! and each repetition; each alert counts on its own, by its fingerprint. Differences from Alertmanager:
//!
//! * A rule without data, or with an error, fires under another name (`DatasourceNoData`,
//!   `DatasourceError`) and with labels of its own, so it is an alert of its own here too.
//! * The Test button sends one alert that is never resolved.
//! * `values`, and links to panel and dashboard.

mod before;

#[cfg(test)]
mod tests;

pub(super) use before::read as before_unified;

use jiff::Timestamp;

use super::{
    BODY_BYTES_MAX, Reading,
    alertmanager::{Labelled, group},
    generic,
    json::{Pairs, scalar},
    text,
};
use crate::{
    alert::{DedupKey, Event, Kind},
    config::Integration,
};

/// Most values of one alert that are shown.
const VALUES_MAX: usize = 16;

/// Reads a body; the Content-Type is always JSON and says nothing.
pub fn read(integration: &Integration, content_type: Option<&str>, body: &[u8], now: Timestamp) -> Reading {
    let decoded = text::decode(body);
    let read = Pairs::read(decoded.trim())
        .and_then(|top| group(integration, &top, now, unified).or_else(|| before_unified(integration, &top)));
    read.unwrap_or_else(|| generic::read(integration, content_type, body, now))
}

pub(super) fn unified(alert: &Labelled<'_>, integration: &Integration, now: Timestamp) -> Option<Event> {
    let fault = fault(alert);
    let title = match &fault {
        Some((what, rule)) => format!("{what}: {rule}"),
        None => alert.title()?,
    };
    let mut event = alert.event(&title, integration, now);
    // A rule without data says what it would say if it fired for good reason; that is not the title.
    let of_fault = |name: &str| alert.annotations.get(name).filter(|_| fault.is_some()).cloned();
    let more =
        [of_fault("Error").unwrap_or_default(), of_fault("summary").unwrap_or_default(), values(alert)];
    event.body = text::tidy_body(&alert.body(&more), BODY_BYTES_MAX);
    event.source_url = alert.link(&["generatorURL", "panelURL", "dashboardURL"]);
    let link = |name| alert.members.text(name).unwrap_or_default();
    let (dashboard, panel, silence) = (link("dashboardURL"), link("panelURL"), link("silenceURL"));
    let links = [("dashboard_url", dashboard), ("panel_url", panel), ("silence_url", silence)];
    let links: Vec<(&str, &str)> = links
        .iter()
        .filter(|(_, link)| super::link::parse(link).is_some())
        .map(|(name, link)| (*name, link.as_str()))
        .collect();
    event.labels = alert.kept_labels(&links);
    if is_test(alert) {
        event.kind = Kind::Test;
        let pressed = alert.members.text("startsAt").unwrap_or_default();
        event.dedup_key = DedupKey::derived("test", &[event.dedup_key.as_str(), &pressed]);
    }
    Some(event)
}

/// What is wrong with the rule itself, and its name. A rule that is really named so lacks the labels.
fn fault<'a>(alert: &'a Labelled<'_>) -> Option<(&'static str, &'a str)> {
    let label = |name: &str| alert.labels.get(name).map(String::as_str);
    let what = match label("alertname")? {
        "DatasourceNoData" => "NoData",
        "DatasourceError" => "Error",
        _ => return None,
    };
    let rule = label("rulename").or_else(|| label("datasource_uid"))?;
    Some((what, rule))
}

/// The Test button's own labels; or the group key that it makes of receiver, fingerprint and time, where the
/// labels were written by hand.
fn is_test(alert: &Labelled<'_>) -> bool {
    let is = |name: &str, value: &str| alert.labels.get(name).is_some_and(|label| label == value);
    let made_up = || {
        let mut parts = alert.group.key.as_deref()?.rsplitn(3, '-');
        let (time, fingerprint, _receiver) = (parts.next()?, parts.next()?, parts.next()?);
        let is_time = time.len() == 10 && time.bytes().all(|b| b.is_ascii_digit());
        Some(is_time && alert.members.text("fingerprint")? == fingerprint)
    };
    is("alertname", "TestAlert") && is("instance", "Grafana") || made_up().unwrap_or(false)
}

/// `B = 92.1, C = 1`; the old form (`valueString`) where there is no new one.
fn values(alert: &Labelled<'_>) -> String {
    let pairs = alert.members.raw("values").and_then(Pairs::read).map(|pairs| pairs.0).unwrap_or_default();
    let values: Vec<String> = pairs
        .iter()
        .take(VALUES_MAX)
        .filter_map(|(name, value)| Some(format!("{name} = {}", scalar(value.get())?)))
        .collect();
    if values.is_empty() { alert.members.text("valueString").unwrap_or_default() } else { values.join(", ") }
}
