//! The digest itself: it waits until its time has come, is counted (by whoever can read the rows), and
//! is then told like any alert, except that no budget holds it back.

use jiff::Timestamp;

use super::desk::{Desk, open_text};
use crate::alert::{
    Alert, AlertState, ContactTelling, Counted, Cycle, DigestLane, Entry, Milestone, Resolution, ResolvedBy,
    Row, SmsRoad, Subject, Telling, Told,
};

/// When this digest wants to be counted; `None` for anything else.
pub(super) fn counts_at(alert: &Alert) -> Option<Timestamp> {
    alert.digest.as_ref().filter(|digest| digest.counted.is_none()).map(|digest| digest.due_at)
}

/// A digest that has been counted begins to be told. Whatever people do to it meanwhile, it is told.
pub(super) fn apply(desk: &mut Desk<'_>, telling: &mut Telling, counted: &Counted) {
    if !telling.planned.insert(Milestone::Opened) || counted.total() == 0 {
        return;
    }
    desk.note(Entry::Counted { alerts: counted.total(), text: counted.words() });
    for person in desk.audience() {
        let cycle = desk.begin(&person, Subject::Digest, false);
        telling
            .contacts
            .insert(person.name, ContactTelling { cycles: vec![cycle], ..ContactTelling::default() });
    }
}

/// The text is out, or none is to come: a push that failed is not tried again.
fn is_enough(cycle: &mut Cycle) -> bool {
    if matches!(cycle.sms, SmsRoad::Standby { .. } | SmsRoad::Open { .. }) {
        return false;
    }
    cycle.folded = true;
    cycle.pushes.retain(|road| road.state.is_in_flight());
    cycle.pushes.is_empty()
}

/// A digest is over when it is told, or has nothing to tell.
pub(super) fn end(alert: &mut Alert, now: Timestamp) {
    let Some(counted) = alert.digest.as_ref().and_then(|digest| digest.counted.as_ref()) else { return };
    let planned = alert.telling.planned.contains(&Milestone::Opened);
    let nothing = counted.total() == 0;
    let mut all_told = true;
    for contact in alert.telling.contacts.values_mut() {
        if contact.told == Told::Yes {
            contact.cycles.retain_mut(|cycle| !is_enough(cycle));
        }
        all_told &= contact.cycles.is_empty() && Told::Maybe <= contact.told;
    }
    if alert.is_open() && planned && (all_told || nothing) {
        let by = ResolvedBy::Told;
        alert.rows.push(Row { at: now, entry: Entry::Resolved { by: by.describe().to_owned(), note: None } });
        alert.resolved = Some(Resolution { by, at: now, note: None, ended_at: None });
        alert.state = AlertState::Resolved;
    }
}

impl Desk<'_> {
    /// The text of a digest: at once where a text was held back or a disaster was; none for mere ends.
    pub(super) fn text_of_digest(&self) -> SmsRoad {
        let rules = self.present.rules;
        let Some(digest) = &self.alert.digest else { return SmsRoad::Off };
        let Some(counted) = &digest.counted else { return SmsRoad::Off };
        if counted.text || (digest.lane == DigestLane::Disaster && 0 < counted.firing()) {
            open_text()
        } else if 0 < counted.firing() + counted.unreachable && rules.falls_back(self.severity) {
            SmsRoad::Standby { deadline: self.after(rules.accept_within) }
        } else {
            SmsRoad::Off
        }
    }

    /// A digest that nobody gets matters unless it tells only ends.
    pub(super) fn digest_matters(&self) -> bool {
        let counted = self.alert.digest.as_ref().and_then(|digest| digest.counted.as_ref());
        counted.is_some_and(|counted| 0 < counted.firing() + counted.unreachable)
    }
}
