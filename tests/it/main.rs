//! Promises, one a test. Everything runs against the real server on a clock that stands still, with
//! the sandbox as Google and as the SMS company. Nothing needs to be installed.

#![expect(clippy::indexing_slicing, reason = "a test that indexes past the end fails, as it should")]

mod harness;

mod acknowledge;
mod again;
mod api;
mod compose;
mod contract;
mod crowd;
mod damage;
mod dead_letters;
mod disaster;
mod fallback;
mod heartbeats;
mod hung_disk;
mod layout;
mod limits;
mod outage;
mod receive;
mod reports;
mod resolve;
mod restart;
mod senders;
mod secrets;
mod shutdown;
mod storm;
mod texts;
mod unreachable;
