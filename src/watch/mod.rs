//! WATCH: everything that Bongsu says about senders and itself: monitors that fall silent, senders that misbehave,
//! gateways near their limits, accounts that run empty, a clock that was set; and how we are
//! ourselves.
//!
//! Each looks at one thing and posts an event of our own ([`own_event`]) to the queue, as a sender does.

mod balance;
mod drift;
mod gateways;
mod heartbeats;
mod own_event;
mod pace;
mod senders;
mod vitals;

pub use self::{
    balance::Balances,
    drift::watch_drift,
    gateways::GatewayLimits,
    heartbeats::{BeatState, HeartbeatStatus, Heartbeats},
    pace::Pace,
    senders::{Fault, Senders},
    vitals::{StormStatus, Vitals},
};
