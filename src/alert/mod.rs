//! The words of the house. Pure: no I/O, no async, no clock, no axum, no engine.

mod address;
mod admission;
#[expect(clippy::module_inception, reason = "the alert is what this folder is about")]
mod alert;
mod contact;
mod dedup_key;
mod digest;
mod event;
mod flapping;
mod id;
mod journal;
mod outcome;
mod report;
mod severity;
mod spending;
mod telling;

pub use address::{Address, GatewayName, Transport};
pub use admission::{Admission, IgnoreReason};
pub use alert::{Acknowledgement, Alert, AlertState, HOUSE, Resolution, ResolvedBy, Roads};
pub use contact::{
    ContactName, DeviceId, InvalidContactName, InvalidPhoneNumber, Language, PhoneNumber, PushTarget,
};
pub use dedup_key::{DedupKey, Tag, ThreadKey};
pub use digest::{
    Counted, DIGEST_ALERTS_MAX, DIGEST_NAMES_MAX, Digest, DigestLane, FoldRow, FoldWord, Folded, Named,
};
pub use event::{Event, EventStatus, Update};
pub use flapping::{FLAPPING_ROUNDS, FLAPPING_WITHIN, Openings, STABLE_AFTER};
pub use id::AlertId;
pub use journal::{AttemptRow, Entry, Row};
pub use outcome::{DeferCause, Outcome, RejectCause};
pub use report::{Fate, Report, SentText, Unanswered};
pub use severity::{Severity, UnknownSeverity};
pub use spending::{Charge, Payer, Purse};
pub use telling::{
    ContactTelling, Cycle, Milestone, PushRoad, REPORTS_WAITING_MAX, RoadState, SmsRoad, Subject, Telling,
    Told, UNREACHED_NAMED_MAX,
};
