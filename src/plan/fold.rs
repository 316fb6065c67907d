//! What a budget holds back goes into a digest instead.

use super::{
    Fold, Opening,
    output::{Draft, Message},
    present::Facts,
    spending,
};
use crate::alert::{
    AlertId, ContactName, ContactProgress, Entry, FoldWord, Folded, Notified, Severity, Subject, Texted, Tier,
};

/// Why this notification, which has not begun, is told in a digest whatever the budgets say: who heard of an alert
/// by a digest hears of its end by one, and in a storm nobody is reminded alert by alert.
pub(super) fn reason(
    facts: Facts<'_>,
    message: Message<'_>,
    contact: &ContactProgress,
) -> Option<&'static str> {
    if spending::is_exempt(facts) {
        return None;
    }
    let by_digest = contact.notified() == Notified::Counted;
    let is_stormy = || facts.present.budgets.is_stormy(message.contact, facts.now());
    match message.subject {
        Subject::Resolved if by_digest => Some("a digest told the beginning"),
        Subject::Repeat { .. } if by_digest || is_stormy() => Some("no reminders one by one in a storm"),
        Subject::Resolved
        | Subject::Repeat { .. }
        | Subject::Opened
        | Subject::Raised { .. }
        | Subject::Missed
        | Subject::Unreachable { .. }
        | Subject::Digest => None,
    }
}

#[derive(Clone, Debug)]
pub(super) struct Held {
    /// A text is held back, too.
    pub(super) text: bool,
    /// Nothing of it goes out; else a digest that collects already counts it beside what does.
    pub(super) whole: bool,
    pub(super) reason: String,
}

/// Lets a digest tell it. False if it tells itself: a digest, which is never held back, and what goes out in part.
pub(super) fn hold_back(
    draft: &mut Draft<'_>,
    message: Message<'_>,
    contact: &mut ContactProgress,
    held: Held,
) -> bool {
    let unreached = message.subject.unreached();
    let word = match message.subject {
        Subject::Opened | Subject::Raised { .. } | Subject::Repeat { .. } => FoldWord::Fired,
        Subject::Resolved | Subject::Missed => FoldWord::Resolved,
        Subject::Unreachable { .. } => FoldWord::Unreachable,
        Subject::Digest => return false,
    };
    // The digest that is about to tell the beginning tells that it is over.
    let tells =
        |earlier: &&Folded| word == FoldWord::Resolved && collects(draft, message.contact, earlier.digest);
    let own = spending::tier(draft.facts, message.subject);
    let tier = contact.folded.iter().find(|(_, earlier)| tells(earlier)).map_or(own, |(tier, _)| *tier);
    let digest = match collecting(draft, message.contact, tier) {
        Some(digest) => digest,
        None if held.whole => open_digest(draft, message.contact, tier),
        None => {
            let (contact, reason) = (message.contact.clone(), held.reason);
            draft.note(Entry::Folded { contact, digest: None, reason });
            return false;
        }
    };
    let missed = !contact.knows(draft.facts.news);
    let of_others = word == FoldWord::Unreachable;
    let severity = if of_others { Severity::default() } else { draft.facts.severity_of(message.subject) };
    let folded = Folded { digest, word, severity, at: draft.facts.now(), text: held.text, missed, unreached }
        .after(contact.folded.get(&tier));
    draft.plan.folds.retain(|fold| fold.digest != digest);
    draft.plan.folds.push(Fold {
        digest,
        contact: message.contact.clone(),
        row: draft.facts.alert.fold_row(&folded),
    });
    draft.note(Entry::Folded { contact: message.contact.clone(), digest: Some(digest), reason: held.reason });
    if folded.tells_of_it() {
        contact.certain = contact.certain.max(Notified::Counted);
        contact.unreachable = None;
    }
    if held.text {
        // By the digest.
        contact.texted = contact.texted.max(Texted::Yes);
    }
    let earlier = contact.folded.insert(tier, folded);
    if let Some(told) = earlier.filter(|earlier| earlier.digest != digest && earlier.tells_of_it()) {
        contact.known_as = contact.known_as.max(told.severity);
    }
    held.whole
}

/// Digests that are about to say that the alert fires say that it is over.
pub(super) fn is_over(draft: &mut Draft<'_>, name: &ContactName, contact: &mut ContactProgress) {
    for folded in contact.folded.values_mut() {
        if folded.word == FoldWord::Fired && collects(draft, name, folded.digest) {
            folded.word = FoldWord::Resolved;
            let (digest, row) = (folded.digest, draft.facts.alert.fold_row(folded));
            draft.plan.folds.push(Fold { digest, contact: name.clone(), row });
        }
    }
}

fn collects(draft: &Draft<'_>, name: &ContactName, digest: AlertId) -> bool {
    draft.facts.present.budgets.is_collecting(name, digest, draft.facts.now())
        || draft.plan.opens.iter().any(|open| open.id == digest)
}

/// The digest that collects for this contact.
fn collecting(draft: &Draft<'_>, name: &ContactName, tier: Tier) -> Option<AlertId> {
    let opened = draft.plan.opens.iter().find(|open| open.contact == *name && open.tier == tier);
    let facts = &draft.facts;
    opened.map(|open| open.id).or_else(|| facts.present.budgets.digest(name, tier, facts.now()))
}

fn open_digest(draft: &mut Draft<'_>, name: &ContactName, tier: Tier) -> AlertId {
    let id = fresh_id(draft);
    let due_at = draft.facts.present.budgets.next_digest_at(name, tier, draft.facts.now());
    draft.plan.opens.push(Opening { id, contact: name.clone(), tier, due_at });
    id
}

fn fresh_id(draft: &Draft<'_>) -> AlertId {
    let mut entropy = draft.facts.present.entropy;
    let number = u16::try_from(draft.plan.opens.len()).unwrap_or(u16::MAX);
    for (byte, number) in entropy.iter_mut().rev().zip(number.to_le_bytes()) {
        *byte = byte.wrapping_add(number);
    }
    AlertId::new(draft.facts.now(), entropy)
}
