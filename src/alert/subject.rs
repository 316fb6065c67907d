//! What a notification tells.

use serde::{Deserialize, Serialize};
use strum::{EnumDiscriminants, IntoStaticStr};

use super::{ContactName, Severity, Unreached, is_default};

/// Most people that one message names as not reached; the others are counted.
pub const UNREACHED_NAMED_MAX: usize = 3;

/// What a notification tells; `Topic` is the same without details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, EnumDiscriminants)]
#[serde(tag = "subject", rename_all = "snake_case")]
#[strum_discriminants(name(Topic), derive(Hash, Serialize, Deserialize, IntoStaticStr))]
#[strum_discriminants(serde(rename_all = "snake_case"), strum(serialize_all = "snake_case"))]
pub enum Subject {
    Opened,
    /// Nobody has acknowledged yet; counted from 1.
    Repeat {
        number: u16,
        /// No other follows.
        #[serde(default, skip_serializing_if = "is_default")]
        last: bool,
    },
    /// It has become more severe than people were notified of.
    Raised {
        to: Severity,
    },
    /// It is over; this contact was notified of it.
    Resolved,
    /// It came and went before this contact was notified.
    Missed,
    /// Other contacts could not be reached.
    Unreachable {
        /// The first of them.
        contact: ContactName,
        reason: String,
        /// The next ones, with the first at most [`UNREACHED_NAMED_MAX`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        also: Vec<ContactName>,
        /// How many more.
        #[serde(default, skip_serializing_if = "is_default")]
        more: u32,
    },
    /// Alerts were held back: this alert is the digest that counts them.
    Digest,
}

impl Topic {
    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Subject {
    pub fn topic(&self) -> Topic {
        self.into()
    }

    /// True for what tells a contact of the alert itself. Who learns whom it did not reach learns of it, too.
    pub fn is_about_alert(&self) -> bool {
        *self != Self::Resolved
    }

    /// True for what tells that it is over.
    pub fn is_about_end(&self) -> bool {
        matches!(self, Self::Resolved | Self::Missed)
    }

    /// Who it says could not be reached.
    pub fn unreached(&self) -> Unreached {
        let more = if let Self::Unreachable { more, .. } = self { *more } else { 0 };
        Unreached { names: self.out_of_reach().cloned().collect(), more }
    }

    /// Who it says could not be reached, as far as it names them.
    pub fn out_of_reach(&self) -> impl Iterator<Item = &ContactName> {
        let (first, also) = match self {
            Self::Unreachable { contact, also, .. } => (Some(contact), also.as_slice()),
            Self::Opened
            | Self::Repeat { .. }
            | Self::Raised { .. }
            | Self::Resolved
            | Self::Missed
            | Self::Digest => (None, [].as_slice()),
        };
        first.into_iter().chain(also)
    }

    /// True for what an acknowledgement holds and a resolution makes pointless.
    pub fn is_about_open_alert(&self) -> bool {
        matches!(self, Self::Opened | Self::Repeat { .. } | Self::Raised { .. })
    }
}
