//! When an alert is planned next.

use jiff::Timestamp;

use super::{Rules, conversation, delivery, digest, notification, quiet, unreachable};
use crate::alert::{Alert, AlertState};

/// `None` only for an alert that is over and notified.
pub(super) fn of(alert: &Alert, rules: &Rules) -> Option<Timestamp> {
    let count = digest::counts_at(alert);
    let notifications = alert.progress.notifications().filter_map(|one| notification::wakes_at(alert, one));
    let is_repeated = alert.state == AlertState::Triggered && conversation::is_repeated(alert, rules);
    let repeat = alert.conversation.repeat_at.filter(|_| is_repeated);
    let close = (alert.state != AlertState::Resolved).then_some(alert.close_at);
    let asks = alert.progress.contacts.values().filter_map(delivery::wakes_at);
    let stable = quiet::until(alert, &alert.progress.planned);
    let unreached = unreachable::tells_at(&alert.progress);
    let again = alert.progress.again_at;
    let doubt = alert.doubt_ends_at();
    notifications
        .chain(repeat)
        .chain(close)
        .chain(asks)
        .chain(count)
        .chain(stable)
        .chain(unreached)
        .chain(again)
        .chain(doubt)
        .min()
}
