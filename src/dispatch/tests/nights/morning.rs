//! What a night has left: alerts and their journals, dead letters, and what providers truly took.

use super::{
    history::{Config, End, Night},
    providers::Taken,
    *,
};
use crate::{
    alert::{AttemptOutcome, AttemptRow, ContactProgress, ResolvedBy, Signs, Successor, Texted},
    plan::GIVE_UP_AFTER,
    store::Sought,
    watch::{DeadLetter, Stands},
};

/// What matters of an alert, in one line.
pub(super) fn brief(alert: &Alert) -> String {
    let Alert { id, dedup_key, round, state, severity, openings, progress, conversation, .. } = alert;
    let id = id.to_string();
    format!(
        "{id} {dedup_key:?} round {round} {state:?} {severity} {openings:?} {conversation:?} {progress:?}"
    )
}

/// Nobody spoke of it for long.
pub(super) fn is_closed_by_silence(alert: &Alert) -> bool {
    alert.resolved.as_ref().is_some_and(|end| end.by == ResolvedBy::Silence)
}

/// The digest that this row says counts its alert for this contact.
fn digest_of(row: &Row, name: &ContactName) -> Option<AlertId> {
    let Entry::Folded { contact, digest, .. } = &row.entry else { return None };
    digest.filter(|_| contact == name)
}

pub(super) struct Morning<'a> {
    pub(super) night: &'a Night,
    pub(super) world: &'a World,
    pub(super) alerts: Vec<Alert>,
    rows: BTreeMap<AlertId, Vec<Row>>,
    pub(super) due: BTreeMap<AlertId, Timestamp>,
    pub(super) letters: Vec<DeadLetter>,
    pub(super) taken: Vec<Taken>,
}

impl<'a> Morning<'a> {
    pub(super) async fn of(night: &'a Night, world: &'a World) -> Self {
        let alerts = every_alert(&world.store).await;
        let mut rows = BTreeMap::new();
        for alert in &alerts {
            rows.insert(alert.id, super::history(&world.store, alert).await);
        }
        let all = Sought { signs: Signs::all(), written_after: Timestamp::MIN };
        let scheduled = world.store.sought(None, all, 10_000).await.expect("it works");
        let due = scheduled.alerts.into_iter().map(|(due, stored)| (stored.alert.id, due)).collect();
        let letters = world.ours.as_ref().map(|ours| ours.dead_letters.all()).unwrap_or_default();
        Self { night, world, alerts, rows, due, letters, taken: world.providers.taken() }
    }

    /// Those of senders, as far as they can be read.
    pub(super) fn alerts(&self) -> impl Iterator<Item = &Alert> {
        let is_readable = |alert: &&Alert| !self.world.damaged.alerts.contains(&alert.id);
        self.alerts
            .iter()
            .filter(|alert| alert.digest.is_none() && alert.integration == "monitor")
            .filter(is_readable)
    }

    /// When that was, as long as our clock was not set after it.
    fn since(&self, at: Timestamp) -> SignedDuration {
        self.world.night - self.world.clock.now().duration_since(at)
    }

    pub(super) fn find(&self, id: AlertId) -> Option<&Alert> {
        self.alerts.iter().find(|alert| alert.id == id)
    }

    pub(super) fn rounds(&self, key: &DedupKey) -> impl Iterator<Item = &Alert> {
        self.alerts().filter(move |alert| alert.dedup_key == *key)
    }

    pub(super) fn latest(&self, key: &DedupKey) -> Option<&Alert> {
        self.rounds(key).max_by_key(|alert| alert.round)
    }

    /// At some time it could not be read.
    pub(super) fn was_damaged(&self, alert: &Alert) -> bool {
        self.world.once_damaged.contains(&alert.id)
    }

    /// It could not be read when we looked for what a clock that was set back has dated ahead.
    pub(super) fn is_dated_ahead(&self, alert: &Alert) -> bool {
        self.was_damaged(alert) && self.world.clock_was_set
    }

    /// So was one of its rounds.
    pub(super) fn was_key_damaged(&self, key: &DedupKey) -> bool {
        self.alerts.iter().any(|alert| alert.dedup_key == *key && self.was_damaged(alert))
    }

    /// A later round tells of it, or an earlier one has, whose contacts are judged there.
    pub(super) fn is_told_by_another_round(&self, alert: &Alert) -> bool {
        let is_quiet = alert.openings.is_quiet(alert.severity);
        match alert.openings.superseded {
            Some(Successor::Tells) => true,
            Some(Successor::IsQuiet) => is_quiet || alert.conversation.acknowledged.is_some(),
            None => alert.openings.flapping().is_some() && self.is_young(alert),
        }
    }

    /// Neither come nor gone for long enough to be told.
    fn is_young(&self, alert: &Alert) -> bool {
        let since = alert.resolved.as_ref().map_or(alert.opened_at, |end| end.at);
        self.world.clock.now().duration_since(since)
            <= crate::alert::STABLE_AFTER + SignedDuration::from_mins(1)
    }

    // --- people

    pub(super) fn people(&self) -> impl Iterator<Item = ContactName> {
        self.world.config.people.iter().map(|number| people::name(*number))
    }

    pub(super) fn is_here(&self, name: &ContactName) -> bool {
        self.people().any(|known| known == *name)
    }

    /// Nothing works, and it is not a day yet, or it was not planned since.
    pub(super) fn is_being_tried(&self, contact: &ContactProgress) -> bool {
        let limit = self.world.clock.now() - GIVE_UP_AFTER - RETRY_MAX;
        self.night.end == End::Defers
            && contact.notifications.iter().any(|one| !one.replaced && limit <= one.since)
    }

    /// Those who have been there all the time and have a phone.
    pub(super) fn phones(&self) -> impl Iterator<Item = ContactName> {
        let all = (0..people::NAMES.len()).filter(|number| people::person(*number).phone.is_some());
        all.filter(|number| self.world.configs.iter().all(|config| config.people.contains(number)))
            .map(people::name)
    }

    pub(super) fn taken_by<'t>(
        &'t self,
        alert: &Alert,
        name: &ContactName,
    ) -> impl Iterator<Item = &'t Taken> {
        self.taken_or_lost(alert, name).filter(|taken| !taken.is_lost)
    }

    pub(super) fn taken_or_lost<'t>(
        &'t self,
        alert: &Alert,
        name: &ContactName,
    ) -> impl Iterator<Item = &'t Taken> {
        let (id, name) = (alert.id, name.clone());
        self.taken.iter().filter(move |taken| taken.alert == id && taken.contact == name)
    }

    /// When a digest was to count it for this contact.
    pub(super) fn folds(&self, alert: &Alert, name: &ContactName) -> impl Iterator<Item = SignedDuration> {
        let (name, rows) = (name.clone(), &self.rows[&alert.id]);
        rows.iter().filter(move |row| digest_of(row, &name).is_some()).map(|row| self.since(row.at))
    }

    /// When a budget held back what was to be told of it, whether a digest was to count that or not.
    pub(super) fn held_back(
        &self,
        alert: &Alert,
        name: &ContactName,
    ) -> impl Iterator<Item = SignedDuration> {
        let (name, rows) = (name.clone(), &self.rows[&alert.id]);
        rows.iter()
            .filter(move |row| matches!(&row.entry, Entry::Folded { contact, .. } if *contact == name))
            .map(|row| self.since(row.at))
    }

    /// When nobody had it, and so it stayed for this long while we were up.
    pub(super) fn nobody_has_it_from(&self, alert: &Alert, time: SignedDuration) -> Vec<SignedDuration> {
        let (mut free, mut breaks) = (Vec::new(), self.world.starts_and_stops.clone());
        let (mut is_there, mut is_taken) = (false, false);
        for row in &self.rows[&alert.id] {
            let was_taken = is_taken;
            is_taken &= !matches!(row.entry, Entry::Unacknowledged { .. });
            is_taken |= matches!(row.entry, Entry::Acknowledged { .. });
            // What a note says goes before it.
            is_there |= row.entry == Entry::Opened;
            if !was_taken && row.entry == Entry::Opened || is_there && was_taken && !is_taken {
                free.push(self.since(row.at));
            } else if is_taken || matches!(row.entry, Entry::Resolved { .. }) {
                breaks.push(self.since(row.at));
            }
        }
        let is_whole = |from: &SignedDuration| {
            let within = *from..=*from + time;
            let stops = self.world.starts_and_stops.iter().filter(|at| *at <= from).count();
            stops % 2 == 1
                && *within.end() <= self.world.night
                && !breaks.iter().any(|at| within.contains(at))
        };
        free.retain(is_whole);
        free
    }

    /// Whatever the configuration was.
    pub(super) fn texts_are_always_on(&self) -> bool {
        self.world.configs.iter().all(|config| {
            let is_on = config.fallback_at == Some(Severity::NotClassified);
            is_on && config.budget.is_none() && !config.gateways.is_empty()
        })
    }

    /// When somebody first said that it is over.
    pub(super) fn ended(&self, alert: &Alert) -> Option<SignedDuration> {
        let ends = |row: &&Row| matches!(row.entry, Entry::Resolved { .. });
        self.rows[&alert.id].iter().find(ends).map(|row| self.since(row.at))
    }

    /// When it last became as severe as it is, if that is `high` or graver, and it never was before, or not since
    /// somebody took it who had not had it as that before.
    pub(super) fn raised(&self, alert: &Alert) -> Option<(SignedDuration, Severity)> {
        let earlier = alert.conversation.acknowledged.as_ref().filter(|taken| taken.at < alert.opened_at);
        let known = alert.openings.worst(earlier.map(|taken| taken.severity).unwrap_or_default());
        let changes = |row: &Row| {
            let Entry::Severity { from, .. } = row.entry else { return None };
            Some(from)
        };
        let mut is = self.rows[&alert.id].iter().find_map(changes).unwrap_or(alert.severity);
        let (mut before, mut taken_as) = (known, known);
        let mut raised = None;
        for row in &self.rows[&alert.id] {
            if let Entry::Severity { from, to } = row.entry {
                (before, is) = (before.max(from), to);
                let is_news = before < to && Severity::High <= to;
                raised = is_news.then_some((self.since(row.at), to));
            } else if let Entry::Acknowledged { .. } = row.entry {
                taken_as = taken_as.max(is);
                (before, raised) = (taken_as, None);
            } else if let Entry::Unacknowledged { .. } = row.entry {
                taken_as = known;
            }
        }
        raised
    }

    /// It became more or less severe since then.
    pub(super) fn has_changed(&self, alert: &Alert, since: SignedDuration) -> bool {
        let is_change =
            |row: &Row| matches!(row.entry, Entry::Severity { .. }) && since <= self.since(row.at);
        self.rows[&alert.id].iter().any(is_change)
    }

    /// By a message that arrived, or by a digest that did, or is shown not to have.
    pub(super) fn knows(&self, alert: &Alert, name: &ContactName) -> bool {
        let mut digests = self.rows[&alert.id].iter().filter_map(|row| digest_of(row, name));
        self.taken_by(alert, name).next().is_some()
            || digests.any(|id| self.find(id).is_some_and(|digest| self.is_carried(digest, name)))
    }

    fn is_carried(&self, digest: &Alert, name: &ContactName) -> bool {
        let collects = digest.digest.as_ref().is_some_and(|digest| digest.counted.is_none());
        // While somebody is away their digest goes to those who are there.
        let is_away = |config: &Config| config.people.iter().all(|number| people::name(*number) != *name);
        let was_away = self.world.configs.iter().any(is_away);
        let mut taken = self.taken.iter().filter(|taken| taken.alert == digest.id && !taken.is_lost);
        let is_told = taken.any(|taken| taken.contact == *name || was_away);
        collects || is_told || self.is_shown(digest, name)
    }

    pub(super) fn is_known(&self, alert: &Alert) -> bool {
        alert.progress.contacts.keys().any(|name| self.knows(alert, name))
    }

    /// An operator can see that this contact was not told.
    pub(super) fn is_shown(&self, alert: &Alert, name: &ContactName) -> bool {
        let is_letter = |letter: &DeadLetter| {
            let is_told = matches!(letter.stands, Stands::Told { .. });
            letter.alert_id == alert.id && letter.contact == *name && !is_told
        };
        alert.reaches_nobody_from().is_some_and(|from| from <= self.world.clock.now())
            || self.letters.iter().any(is_letter)
    }

    /// Something could reach this contact now, of this alert.
    pub(super) fn has_channel(&self, alert: &Alert, name: &ContactName) -> bool {
        let config = &self.world.config;
        let Some(person) =
            config.people.iter().map(|number| people::person(*number)).find(|it| it.name == *name)
        else {
            return false;
        };
        let is_from = |least: Option<Severity>| least.is_some_and(|least| least <= alert.severity);
        let contact = alert.progress.contacts.get(name);
        let texts = person.phone.is_some()
            && !config.gateways.is_empty()
            && (is_from(config.always_at) || is_from(config.fallback_at))
            && contact.is_none_or(|contact| contact.texted != Texted::Unanswered);
        let pushes = !person.devices.is_empty() && !self.world.providers.is_gone(name);
        texts || pushes
    }

    // --- requests

    pub(super) fn attempts(&self, id: AlertId) -> impl Iterator<Item = &AttemptRow> {
        self.rows.get(&id).into_iter().flatten().filter_map(|row| {
            let Entry::Attempt(attempt) = &row.entry else { return None };
            Some(attempt)
        })
    }

    pub(super) fn texts(&self, id: AlertId, name: &ContactName) -> impl Iterator<Item = &AttemptRow> {
        let name = name.clone();
        let is_text =
            move |row: &&AttemptRow| row.contact == name && row.address.transport() == Transport::Sms;
        self.attempts(id).filter(is_text)
    }

    pub(super) fn was_taken(&self, id: AlertId, attempt: u32) -> bool {
        self.taken.iter().any(|taken| (taken.alert, taken.text) == (id, Some(attempt)))
    }

    pub(super) fn was_lost(&self, id: AlertId, attempt: u32) -> bool {
        self.taken
            .iter()
            .any(|taken| (taken.alert, taken.text, taken.may_be_lost) == (id, Some(attempt), true))
    }

    pub(super) fn went_unanswered(&self, id: AlertId, attempt: u32) -> bool {
        self.attempts(id).any(|row| row.attempt == attempt && row.outcome == AttemptOutcome::Unknown)
    }
}
