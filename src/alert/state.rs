//! How an alert stands.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AlertState {
    /// Not an alert yet: an update came before its problem. Never listed, nobody is told.
    Noted,
    /// Nobody has taken it.
    Triggered,
    /// Somebody has.
    Acknowledged,
    Resolved,
}

impl AlertState {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
