//! Bongsu, a self-hosted alert dispatcher.
//!
//! An alert travels through the folders in this order:
//!
//! ```text
//! receive ──▶ queue ──▶ dispatch: plan ──▶ deliver ──▶ record
//! ```
//!
//! `ARCHITECTURE.md` says who may import whom and which promises each folder keeps.

pub mod alert; //     the words: severity, event, alert, outcome
pub mod receive; //   1. a webhook becomes events
pub mod queue; //     2. events become alerts, once, durably
pub mod plan; //      3. who is told now, how, and when to look again (pure)
pub mod deliver; //   4. one attempt, one outcome: FCM, SMS
pub mod record; //    5. what happened: the ledger
pub mod dispatch; //  the loop: due → plan → deliver → settle
pub mod watch; //     what Bongsu says about senders and itself

pub mod web; //       what every handler stands on
pub mod intake; //    events, heartbeats and reports come in
pub mod api; //       JSON for operators and probes
pub mod console; //   pages for people
pub mod sandbox; //   a stand-in for Google, an SMS company and some phones

pub mod store; //     ground: the only folder that names an engine
pub mod config; //    ground: bongsu.toml, checked once
pub mod clock; //     ground: time is an argument
pub mod roster; //    ground: the people of this moment
pub mod chance; //    ground: so is randomness, where it matters
pub mod signing; //   ground: what only we can have signed
pub mod telemetry; // ground: logs and metrics

pub mod app; //       puts the above together
pub mod cli; //       the subcommands
