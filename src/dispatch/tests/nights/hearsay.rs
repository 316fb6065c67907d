//! What came of what senders said, as far as the morning can tell.

use super::{
    morning::Morning,
    senders::{Sender, Word},
    world::Heard,
    *,
};
use crate::queue::Action;

impl Morning<'_> {
    pub(super) fn heard(&self, key: &DedupKey) -> impl DoubleEndedIterator<Item = &Heard> {
        self.world.heard.iter().filter(move |heard| heard.key == *key)
    }

    /// Those of which their sender was told that we have them.
    pub(super) fn fires(&self, key: &DedupKey) -> impl DoubleEndedIterator<Item = &Heard> {
        self.heard(key).filter(|heard| heard.word == Word::Fires && heard.is_certain)
    }

    /// The first of it that we may have.
    pub(super) fn first_fires(&self, key: &DedupKey, problem: u32) -> Option<&Heard> {
        self.heard(key).find(|heard| heard.word == Word::Fires && heard.problem == problem)
    }

    pub(super) fn last_recovery(&self, key: &DedupKey) -> Option<SignedDuration> {
        self.heard(key).filter(|heard| heard.word == Word::IsOver).map(|heard| heard.at).max()
    }

    /// By a sender or a person.
    pub(super) fn last_end(&self, key: &DedupKey) -> Option<SignedDuration> {
        let deeds = self.world.deeds.iter().filter(|deed| deed.key == *key && deed.what == Action::Resolve);
        self.last_recovery(key).max(deeds.map(|deed| deed.at).max())
    }

    pub(super) fn took(&self, alert: &Alert, since: SignedDuration) -> bool {
        let mut deeds = self.world.deeds.iter();
        deeds.any(|deed| deed.alert == alert.id && deed.what == Action::Acknowledge && since <= deed.at)
    }

    pub(super) fn sender_of(&self, alert: &Alert) -> Option<&Sender> {
        let speaks_of =
            |sender: &&Sender| (1..=sender.problems).any(|problem| sender.key(problem) == alert.dedup_key);
        self.world.senders.iter().find(speaks_of)
    }

    /// It came while this round was the last, by our clock, which was not set.
    pub(super) fn is_about(&self, heard: &Heard, alert: &Alert) -> bool {
        let next = self.rounds(&alert.dedup_key).filter(|other| alert.round < other.round);
        let until = next.map(|next| next.opened_at).min().unwrap_or(Timestamp::MAX);
        !self.world.clock_was_set && (alert.opened_at..until).contains(&(T0 + heard.at))
    }

    /// Nothing of what people did about the rounds before goes on with it.
    pub(super) fn is_a_conversation_of_its_own(&self, alert: &Alert) -> bool {
        alert.openings.flapping().is_none()
            && alert.taken_back.is_none()
            && !self.was_key_damaged(&alert.dedup_key)
    }

    /// Whom no channel is left for.
    pub(super) fn given_up(&self) -> impl Iterator<Item = (&Alert, ContactName)> {
        let unreachable = self.alerts().flat_map(|alert| {
            let contacts = alert.progress.contacts.iter();
            let names =
                contacts.filter(|(_, contact)| contact.unreachable.is_some()).map(|(name, _)| name.clone());
            names.map(move |name| (alert, name))
        });
        let letters = self.letters.iter().filter_map(|letter| {
            let alert = self.find(letter.alert_id).filter(|alert| alert.digest.is_none())?;
            Some((alert, letter.contact.clone()))
        });
        unreachable.chain(letters)
    }
}
