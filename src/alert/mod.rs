//! The words, as types. Pure: no I/O, no async, no clock, no axum, no engine.

mod address;
mod admission;
#[expect(clippy::module_inception, reason = "the alert is what this folder is about")]
mod alert;
mod contact;
mod conversation;
mod dedup_key;
mod digest;
mod event;
mod flapping;
mod heard;
mod holds;
mod id;
mod journal;
mod kept;
mod kind;
mod outcome;
mod part;
mod pending;
mod progress;
mod push;
mod report;
mod severity;
mod signs;
mod spending;
mod state;
mod subject;
mod taking;
mod text;

pub use address::{Address, GatewayName, Transport};
pub use admission::{Admission, Reason};
pub use alert::{Alert, GivenUp, OURS, Resolution, ResolvedBy};
pub use contact::{
    ContactName, DeviceId, InvalidContactName, InvalidPhoneNumber, Language, PhoneNumber, PushTarget,
};
pub use conversation::{Acknowledgement, Conversation, Hold, Taken};
pub use dedup_key::{DedupKey, Tag, ThreadKey};
pub use digest::{
    Counted, DIGEST_ALERTS_MAX, DIGEST_NAMES_MAX, Digest, FoldRow, FoldWord, Folded, Named, Unreached,
};
pub use event::{Event, EventStatus, Update};
pub use flapping::{FLAPPING_ROUNDS, FLAPPING_WITHIN, LastRound, Openings, STABLE_AFTER, Successor};
pub use heard::{Heard, LATE_WITHIN, Next, SOON_AFTER, Times};
pub use holds::COPY_WITHIN;
pub use id::AlertId;
pub use journal::{AttemptRow, Entry, Row};
pub use kept::{DOUBT_LASTS, KeptEvent};
pub use kind::{Kind, Transports};
pub use outcome::{AttemptOutcome, DeferCause, Outcome, RejectCause};
pub use part::Part;
pub use pending::{Epoch, Pending};
pub use progress::{ContactProgress, Milestone, Notification, Notified, Others, Progress, Texted};
pub use push::{DevicePush, PushState};
pub use report::{Fate, Report};
pub use severity::{Severity, UnknownSeverity};
pub use signs::Signs;
pub use spending::{Charge, Payer, Tier};
pub use state::AlertState;
pub use subject::{Subject, Topic, UNREACHED_NAMED_MAX};
pub use text::{LostText, OpenText, Reserved, SentText, TextState, Unanswered};

/// What need not be written down.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
