//! What an event changes of an alert that is known.

use jiff::Timestamp;

use crate::alert::{Alert, Entry, Event, Row, Severity, Update};

/// True if it said anything that was not known.
pub(super) fn remember(alert: &mut Alert, event: &Event, update: &Update, now: Timestamp) -> bool {
    let by = update.by.clone().unwrap_or_else(|| alert.integration.clone());
    let mut changed = change_severity(alert, event.severity.unwrap_or(alert.severity), now);
    match update.acknowledged {
        Some(true) => changed |= alert.acknowledge(&by, true, now),
        Some(false) => changed |= alert.unacknowledge(&by, now),
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

/// It fires, and its sender keeps quiet about what is acknowledged there: so it is not any more.
pub(super) fn is_let_go_by_sender(known: &Alert, event: &Event) -> bool {
    let times = known.heard.times(event);
    let by_sender = known.conversation.acknowledged.as_ref().is_some_and(|taken| taken.by_sender);
    let may_return = event.quiet_while_acknowledged && !event.key_never_returns;
    by_sender && may_return && times.start.is_none() && known.heard.is_later_message(times)
}
