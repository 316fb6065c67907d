//! What operators do with an alert, and what gateways report about its texts.

use jiff::Timestamp;

use super::{CONFLICTS_MAX, Queue};
use crate::{
    alert::{
        Alert, AlertId, AlertState, ContactName, ContactProgress, Entry, Report, Resolution, ResolvedBy, Row,
    },
    plan::can_try_anew,
    roster::Person,
    store::{AlertWrite, Commit, Expect, Lane, StoreError, Stored},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Acknowledge,
    Unacknowledge,
    Resolve,
    Comment(String),
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum ActionError {
    #[error("there is no alert {0}")]
    NotFound(AlertId),
    #[error("alert {0} is resolved")]
    AlreadyResolved(AlertId),
    #[error("could not save the change")]
    Store(#[from] StoreError),
}

impl Queue {
    /// The alert as it is afterwards.
    pub async fn act(&self, id: AlertId, action: &Action, by: &str) -> Result<Alert, ActionError> {
        let change = |alert: &mut Alert| {
            let is_shown = alert.state != AlertState::Noted;
            if is_shown { apply(alert, action, by, self.clock.now()) } else { Err(ActionError::NotFound(id)) }
        };
        let changed = self.change(id, change).await?;
        changed.map(|changed| changed.alert).ok_or(ActionError::NotFound(id))
    }

    /// Tries a contact once more who was given up. False if there is nobody of this name who was, or nothing would begin
    /// ([`can_try_anew`]).
    pub async fn retry(
        &self,
        id: AlertId,
        contact: &ContactName,
        people: &[Person],
        by: &str,
    ) -> Result<bool, StoreError> {
        let change = |alert: &mut Alert| {
            let can_try = can_try_anew(alert, contact, people, self.clock.now());
            let known = alert.progress.contacts.get_mut(contact);
            let given_up = known.filter(|known| known.unreachable.is_some() && can_try);
            let is_there = given_up.map(ContactProgress::try_anew).is_some();
            if is_there {
                let entry = Entry::Retried { contact: contact.clone(), by: by.to_owned() };
                alert.rows.push(Row { at: self.clock.now(), entry });
            }
            Ok::<_, StoreError>(is_there)
        };
        Ok(self.change(id, change).await?.is_some_and(|changed| changed.has_changed))
    }

    /// Keeps a provider's report about a text for dispatch to plan. False if it is about no text of ours, came
    /// twice, or came too late to matter.
    pub async fn report(&self, id: AlertId, report: &Report) -> Result<bool, StoreError> {
        let change = |alert: &mut Alert| Ok::<_, StoreError>(alert.progress.take_report(report));
        Ok(self.change(id, change).await?.is_some_and(|changed| changed.has_changed))
    }

    /// Makes a change, anew where somebody else was faster. `None` if there is no such alert.
    pub(super) async fn change<E: From<StoreError>>(
        &self,
        id: AlertId,
        change: impl Fn(&mut Alert) -> Result<bool, E>,
    ) -> Result<Option<Changed>, E> {
        let mut current = self.store.get(id).await?;
        for _ in 0..CONFLICTS_MAX {
            let Some(Stored { mut alert, version }) = current else { return Ok(None) };
            if !change(&mut alert)? {
                return Ok(Some(Changed { alert, has_changed: false }));
            }
            let write = AlertWrite::of(alert.clone(), Expect::Version(version), Some(self.clock.now()));
            match self.store.commit(Lane::Accept, &[write]).await?.pop() {
                Some(Commit::Done(_)) => return Ok(Some(Changed { alert, has_changed: true })),
                Some(Commit::Conflict(other)) => current = other.map(|stored| *stored),
                Some(Commit::Failed(error)) => return Err(error.into()),
                None => break,
            }
        }
        Err(StoreError::Unavailable("too many writers on one alert".into()).into())
    }
}

pub(super) struct Changed {
    alert: Alert,
    /// There was something to change.
    has_changed: bool,
}

/// False if there was nothing to change.
fn apply(alert: &mut Alert, action: &Action, by: &str, now: Timestamp) -> Result<bool, ActionError> {
    let over = alert.state == AlertState::Resolved;
    match action {
        Action::Comment(text) => {
            let entry = Entry::Comment { by: by.to_owned(), text: text.clone() };
            alert.rows.push(Row { at: now, entry });
            Ok(true)
        }
        Action::Acknowledge | Action::Unacknowledge if over => Err(ActionError::AlreadyResolved(alert.id)),
        Action::Acknowledge => Ok(alert.acknowledge(by, false, now)),
        Action::Unacknowledge => Ok(alert.unacknowledge(by, now)),
        Action::Resolve if over => Ok(false),
        Action::Resolve => {
            alert.resolve(Resolution::by(ResolvedBy::Operator(by.to_owned()), now));
            Ok(true)
        }
    }
}
