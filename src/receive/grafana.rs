//! Grafana's webhook contact point: unified alerting (8 and later), and the alerting before it ([`legacy`]).
//!
//! A body holds every alert of a group, firing and resolved together, and comes again for each change
//! and each repetition; each alert counts on its own, by its fingerprint. Differences from Alertmanager:
//!
//! * A rule without data, or with an error, fires under another name (`DatasourceNoData`,
//!   `DatasourceError`) and with labels of its own, so it is an alert of its own here too.
//! * The Test button sends one alert that is never resolved.
//! * `values`, and links to panel and dashboard.

mod legacy;

#[cfg(test)]
mod tests;

pub(super) use legacy::read as read_rule;

use super::{
    Post, Reading,
    json::{Pairs, scalar},
    labelled::{Alert, Extras, read_group as read_labelled},
    link,
};
use crate::alert::{DedupKey, Event, Kind};

/// How many values of one alert are shown.
const VALUES_MAX: usize = 16;

/// `None` for a body from a payload template of the operator's own. The Content-Type is always JSON.
pub(super) fn read(post: &Post<'_>) -> Option<Reading> {
    let top = Pairs::read(post.text.trim())?;
    read_group(post, &top).or_else(|| read_rule(post, &top))
}

/// `None` if it is no group of alerts.
pub(super) fn read_group(post: &Post<'_>, top: &Pairs<'_>) -> Option<Reading> {
    read_labelled(post, top, event)
}

fn event(alert: &Alert<'_>) -> Option<Event> {
    let fault = fault(alert);
    // A rule without data says what it would say if it fired for good reason; that is not the title.
    let of_fault =
        |name| alert.annotations.get(name).filter(|_| fault.is_some()).cloned().unwrap_or_default();
    let labels: Vec<(&str, String)> =
        [("dashboard_url", "dashboardURL"), ("panel_url", "panelURL"), ("silence_url", "silenceURL")]
            .into_iter()
            .filter_map(|(label, member)| Some((label, alert.members.text(member)?)))
            .filter(|(_, link)| link::parse(link).is_some())
            .collect();
    let extras = Extras {
        lines: &[of_fault("Error"), of_fault("summary"), values(alert)],
        labels: &labels,
        pages: &["generatorURL", "panelURL", "dashboardURL"],
    };
    let title = fault.clone().or_else(|| alert.title())?;
    let mut event = alert.event(&title, &extras);
    if is_test(alert) {
        event.kind = Kind::Test;
        let pressed_at = alert.members.text("startsAt").unwrap_or_default();
        event.dedup_key = DedupKey::derived("test", &[event.dedup_key.as_str(), &pressed_at]);
    }
    Some(event)
}

/// The title where something is wrong with the rule itself. A rule that is really named so lacks the labels.
fn fault(alert: &Alert<'_>) -> Option<String> {
    let label = |name: &str| alert.labels.get(name).map(String::as_str);
    let what = match label("alertname")? {
        "DatasourceNoData" => "NoData",
        "DatasourceError" => "Error",
        _ => return None,
    };
    Some(format!("{what}: {}", label("rulename").or_else(|| label("datasource_uid"))?))
}

/// The Test button's own labels; or the group key that it makes of receiver, fingerprint and time, where the
/// labels were written by hand.
fn is_test(alert: &Alert<'_>) -> bool {
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
fn values(alert: &Alert<'_>) -> String {
    let pairs = alert.members.object("values").map(|pairs| pairs.0).unwrap_or_default();
    let values: Vec<String> = pairs
        .iter()
        .take(VALUES_MAX)
        .filter_map(|(name, value)| Some(format!("{name} = {}", scalar(value.get())?)))
        .collect();
    if values.is_empty() { alert.members.text("valueString").unwrap_or_default() } else { values.join(", ") }
}
