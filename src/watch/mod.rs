//! WATCH: what must keep coming, and the event that is made when it stops.
//!
//! Deciding is pure ([`Beat`]); [`Heartbeats`] takes the calls, keeps them, and posts to the queue
//! as a sender does.

mod beat;
mod heartbeats;
mod words;

pub use self::{
    beat::{Beat, BeatState, Calls, Errand},
    heartbeats::{Glance, Heartbeats},
};

pub use crate::alert::HOUSE as OURS;
