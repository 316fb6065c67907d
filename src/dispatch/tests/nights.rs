//! Whole nights: senders, people, providers and we, each with what goes wrong with it, and what must hold in the
//! morning. The real queue, dispatch, dead letters and roster, over a store that outlives them.
//!
//! A few nights are played with every `cargo test`; many by hand:
//!
//! ```sh
//! PROPTEST_CASES=100000 cargo test --release --locked --lib nights
//! ```
//!
//! What fails is printed line by line, with what was said and sent; `PROPTEST_RNG_SEED` plays the same nights again.

mod happenings;
mod hearsay;
mod history;
mod morning;
mod oracle;
mod people;
mod process;
mod providers;
mod senders;
mod truths;
mod world;

use proptest::prelude::*;

use self::{history::Night, world::World};
use super::*;

async fn faults(night: &Night) -> Vec<String> {
    let mut world = World::play(night).await;
    let mut faults = oracle::faults(night, &world).await;
    if !faults.is_empty() {
        world.log("morning");
        faults.append(&mut world.log);
    }
    faults
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_the_morning_everybody_was_told_or_told_of(night in history::night()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let faults = runtime.block_on(faults(&night));
        prop_assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    }
}
