//! What an event changes of an alert that is known.

use jiff::Timestamp;

use crate::alert::{Acknowledgement, Alert, AlertState, Entry, Event, Row, Severity, Update};

/// True if it said anything that was not known.
pub(super) fn remember(alert: &mut Alert, event: &Event, update: &Update, now: Timestamp) -> bool {
    let by = update.by.clone().unwrap_or_else(|| alert.integration.clone());
    let severity = event.severity.unwrap_or(alert.severity);
    let mut changed = change_severity(alert, severity, now);
    match update.acknowledged {
        Some(true) => {
            changed |= acknowledge(alert, Acknowledgement { by, at: now, severity, by_sender: true });
        }
        Some(false) => changed |= unacknowledge(alert, &by, now),
        None => {}
    }
    changed | remember_comment(alert, update, now)
}

/// False if there is none, or it is there already.
pub(super) fn remember_comment(alert: &mut Alert, update: &Update, now: Timestamp) -> bool {
    update.comment.as_ref().is_some_and(|text| comment(alert, update.by.as_deref(), text, now))
}

/// False if it is there already: every Zabbix user with the media repeats the comment.
pub(super) fn comment(alert: &mut Alert, by: Option<&str>, text: &str, now: Timestamp) -> bool {
    let by = by.unwrap_or(&alert.integration).to_owned();
    let entry = Entry::Comment { by, text: text.to_owned() };
    let is_new = alert.rows.iter().all(|row| row.entry != entry);
    if is_new {
        alert.rows.push(Row { at: now, entry });
    }
    is_new
}

/// False if it is as severe as that.
pub(super) fn change_severity(alert: &mut Alert, to: Severity, now: Timestamp) -> bool {
    let from = alert.severity;
    if from == to {
        return false;
    }
    alert.severity = to;
    alert.rows.push(Row { at: now, entry: Entry::Severity { from, to } });
    true
}

/// False if somebody already has it; but a person may take what has become more severe since.
pub(super) fn acknowledge(alert: &mut Alert, acknowledgement: Acknowledgement) -> bool {
    let severity = alert.openings.worst(alert.severity);
    if let Some(taken) = &alert.conversation.acknowledged
        && (acknowledgement.by_sender || severity <= taken.severity)
    {
        return false;
    }
    let acknowledgement = Acknowledgement { severity, ..acknowledgement };
    if alert.state == AlertState::Triggered {
        alert.state = AlertState::Acknowledged;
    }
    let Acknowledgement { by, at, .. } = &acknowledgement;
    alert.rows.push(Row { at: *at, entry: Entry::Acknowledged { by: by.clone() } });
    alert.conversation.acknowledged = Some(acknowledgement);
    true
}

/// It fires, and its sender keeps quiet about what is acknowledged there: so it is not any more.
pub(super) fn is_let_go_by_sender(known: &Alert, event: &Event) -> bool {
    let times = known.heard.times(event);
    let by_sender = known.conversation.acknowledged.as_ref().is_some_and(|taken| taken.by_sender);
    let may_return = event.quiet_while_acknowledged && !event.key_never_returns;
    by_sender && may_return && times.start.is_none() && known.heard.is_later_message(times)
}

/// False if nobody had it.
pub(super) fn unacknowledge(alert: &mut Alert, by: &str, now: Timestamp) -> bool {
    if alert.conversation.acknowledged.take().is_none() {
        return false;
    }
    if alert.state == AlertState::Acknowledged {
        alert.state = AlertState::Triggered;
    }
    alert.rows.push(Row { at: now, entry: Entry::Unacknowledged { by: by.to_owned() } });
    true
}
