//! A digest that cannot be read tells nothing of what it was to count: that is told again, alone or in the next one.

use super::{
    notification,
    present::{Facts, Present},
};
use crate::{
    alert::{Alert, AlertId, ContactName, FoldWord, Notified, Others, Subject},
    roster,
};

/// Whom this digest was to tell of the alert does not know of it by that; the caller then calls [`super::advance`], which
/// notifies those who know nothing. Who has heard of the alert otherwise is told how it stands.
pub fn take_back(alert: &mut Alert, digest: AlertId, present: &Present<'_>) {
    let mut progress = std::mem::take(&mut alert.progress);
    let facts = Facts::new(alert, &alert.conversation, &progress, present);
    let mut unreached: Vec<ContactName> = Vec::new();
    for (name, contact) in &mut progress.contacts {
        let Some(folded) = contact.folded.take_if(|folded| folded.digest == digest) else { continue };
        unreached.extend(folded.unreached);
        if contact.certain == Notified::Counted {
            contact.certain = Notified::No;
        }
        if folded.word != FoldWord::Unreachable
            && contact.has_heard()
            && contact.is_idle()
            && let Some(person) = roster::find(present.people, name)
        {
            let severity = alert.severity;
            let subject = if alert.is_open() { Subject::Raised { to: severity } } else { Subject::Resolved };
            contact.notifications.push(notification::begin(facts, person, subject, contact.texted));
        }
    }
    for name in unreached {
        // The others are told of them anew.
        if let Some(contact) = progress.contacts.get_mut(&name) {
            contact.others = Others::NotTold;
        }
    }
    alert.progress = progress;
}
