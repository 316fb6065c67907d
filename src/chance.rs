//! Randomness, in one place: the system's generator, and for tests one that gives the same again.

use std::sync::atomic::{AtomicU64, Ordering};

/// `N` bytes of the system's generator: what nobody may guess is made of these alone.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without the system's generator neither TLS nor tokens would work either.
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has random bytes");
    bytes
}

/// Where ids and pauses come from: like time, an argument.
#[derive(Debug)]
pub enum Chance {
    System,
    /// What comes next follows from this.
    Seeded(AtomicU64),
}

impl Chance {
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(AtomicU64::new(seed))
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let Self::Seeded(state) = self else { return bytes() };
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(size_of::<u64>()) {
            for (byte, random) in chunk.iter_mut().zip(next(state).to_le_bytes()) {
                *byte = random;
            }
        }
        bytes
    }

    /// A number in `[0, 1)`.
    pub fn unit(&self) -> f64 {
        f64::from(u32::from_le_bytes(self.bytes())) / (f64::from(u32::MAX) + 1.0)
    }
}

/// `SplitMix64`.
fn next(state: &AtomicU64) -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
