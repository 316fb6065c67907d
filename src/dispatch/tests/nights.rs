//! Whole nights: senders, people, providers and we, each with what goes wrong with it, and what must hold in the
//! morning. The real queue, dispatch, dead letters and roster, over a store that outlives them.
//!
//! A few nights are played with every `cargo test`; many by hand:
//!
//! ```sh
//! PROPTEST_CASES=100000 cargo test --release --locked --lib many_nights -- --ignored
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

use proptest::{prelude::*, test_runner::TestCaseError};

use self::{history::Night, world::World};
use super::*;

/// Nights of every run.
const A_FEW: u32 = 64;

/// What does not hold of it, and what happened.
struct Played {
    faults: Vec<String>,
    log: Vec<String>,
}

fn play(night: &Night) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut world = World::play(night).await;
        let faults = oracle::faults(night, &world).await;
        world.log("morning");
        Played { faults, log: world.log }
    })
}

fn everybody_was_told_or_told_of(night: &Night) -> Result<(), TestCaseError> {
    let Played { faults, log } = play(night);
    prop_assert!(faults.is_empty(), "\n{}\n{}", faults.join("\n"), log.join("\n"));
    Ok(())
}

/// What failed is printed, and the same seed plays it again: no file is needed for that.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: A_FEW, ..config() })]

    #[test]
    fn a_night_is_played_again_as_it_was(night in history::night()) {
        prop_assert_eq!(play(&night).log, play(&night).log);
    }

    #[test]
    fn in_the_morning_of_a_few_nights_everybody_was_told_or_told_of(night in history::night()) {
        everybody_was_told_or_told_of(&night)?;
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    #[ignore = "as many as PROPTEST_CASES says: by hand, and by tests/long"]
    fn in_the_morning_of_many_nights_everybody_was_told_or_told_of(night in history::night()) {
        everybody_was_told_or_told_of(&night)?;
    }
}
