//! One alert with everything that happened to it.

use super::{NotificationView, history, notifications};
use crate::{
    alert::{Alert, AlertId, AlertState, Row},
    store::{Store, StoreError},
};

/// An alert as people look at it.
pub struct AlertHistory {
    pub alert: Alert,
    pub notifications: Vec<NotificationView>,
    pub journal: Vec<Row>,
}

/// `None` if there is no such alert; one that is only noted is none yet.
pub async fn read(store: &dyn Store, id: AlertId) -> Result<Option<AlertHistory>, StoreError> {
    let stored = store.get(id).await?.filter(|stored| stored.alert.state != AlertState::Noted);
    let Some(alert) = stored.map(|stored| stored.alert) else { return Ok(None) };
    let journal = history(store, &alert).await?;
    let notifications = notifications(&alert, &journal);
    Ok(Some(AlertHistory { alert, notifications, journal }))
}
