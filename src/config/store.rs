//! `[store]`: where alerts are kept, and for how long.

use std::{ops::RangeInclusive, path::PathBuf};

use jiff::SignedDuration;

use super::{
    check::{Check, NOT_BUILT_YET, open},
    raw::{Part, RawStore},
    units::Wanted,
};

const STORE_DEFAULT: &str = "./bongsu-data";
const KEEP: RangeInclusive<SignedDuration> =
    SignedDuration::from_mins(1)..=SignedDuration::from_hours(24 * 36_525);
const KEEP_DEFAULT: SignedDuration = SignedDuration::from_hours(24 * 400);

#[derive(Clone, Debug)]
pub struct StoreConfig {
    pub engine: StoreEngine,
    /// How long resolved alerts are kept; default 400 days.
    pub keep: SignedDuration,
}

/// Which engine keeps the alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreEngine {
    /// `memory:` — nothing survives; for tests.
    Memory,
    /// `sled:PATH`
    Sled(PathBuf),
}

pub(super) fn store(check: &mut Check<'_>, part: Option<Part<RawStore>>) -> StoreConfig {
    let (span, raw) = open(part);
    let mut section = check.section("[store]", span);
    let engine = section.read("url", raw.url.as_ref(), engine).unwrap_or_else(|| sled_at(STORE_DEFAULT));
    let keep = section.duration("keep", raw.keep.as_ref(), &KEEP);
    let engine = match engine {
        StoreEngine::Sled(path) => StoreEngine::Sled(check.resolve(path)),
        StoreEngine::Memory => StoreEngine::Memory,
    };
    StoreConfig { engine, keep: keep.unwrap_or(KEEP_DEFAULT) }
}

/// Errors do not repeat the URL: it may hold a password.
fn engine(text: &str) -> Result<StoreEngine, Wanted> {
    match text.split_once(':') {
        Some(("memory", "")) => Ok(StoreEngine::Memory),
        Some(("sled", path)) if !path.trim().is_empty() => Ok(sled_at(path)),
        Some(("postgres" | "postgresql", _)) => Err(format!("a postgres:// store {NOT_BUILT_YET}")),
        _ => Err("expected \"sled:PATH\", such as \"sled:./bongsu-data\"".to_owned()),
    }
}

fn sled_at(path: &str) -> StoreEngine {
    StoreEngine::Sled(PathBuf::from(path))
}
