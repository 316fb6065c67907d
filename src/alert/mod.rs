//! The words of the house. Pure: no I/O, no async, no clock, no axum, no engine.

mod admission;
#[expect(clippy::module_inception, reason = "the alert is what this folder is about")]
mod alert;
mod contact;
mod dedup_key;
mod event;
mod id;
mod journal;
mod outcome;
mod report;
mod severity;
mod signing;
mod telling;

pub use admission::{Admission, IgnoreReason};
pub use alert::{Acknowledgement, Alert, AlertState, Resolution, ResolvedBy};
pub use contact::{
    ContactName, DeviceId, InvalidContactName, InvalidPhoneNumber, Language, PhoneNumber, PushTarget,
};
pub use dedup_key::{DedupKey, Tag, ThreadKey};
pub use event::{Event, EventStatus, Update};
pub use id::AlertId;
pub use journal::{AttemptRow, Entry, Row};
pub use outcome::{DeferCause, Outcome, RejectCause};
pub use report::{Fate, Report};
pub use severity::{Severity, UnknownSeverity};
pub use signing::SigningKey;
pub use telling::{
    ContactTelling, Cycle, Milestone, PushRoad, REPORTS_WAITING_MAX, RoadState, SentText, SmsRoad, Subject,
    Telling, Told, Transport, Unanswered,
};
