//! `[store]`: where alerts are kept, and for how long.

use std::{ops::RangeInclusive, path::PathBuf};

use jiff::SignedDuration;

use super::{
    check::{Check, NOT_BUILT_YET, open},
    raw::{Part, RawStore},
    units::Wanted,
};

const FOLDER_DEFAULT: &str = "./bongsu-data";
const KEEP: RangeInclusive<SignedDuration> =
    SignedDuration::from_mins(1)..=SignedDuration::from_hours(24 * 36_525);
const KEEP_DEFAULT: SignedDuration = SignedDuration::from_hours(24 * 400);

#[derive(Clone, Debug)]
pub struct StoreConfig {
    pub engine: StoreEngine,
    /// How long resolved alerts are kept.
    pub keep: SignedDuration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreEngine {
    /// `memory:` — nothing survives; for tests.
    Memory,
    /// `sled:PATH`
    Sled(PathBuf),
}

pub(super) fn store(check: &mut Check<'_>, part: Option<Part<RawStore>>) -> StoreConfig {
    let (at, raw) = open(part);
    let mut section = check.section("[store]", at);
    let folder = section.read(raw.url(), folder).unwrap_or_else(|| Some(FOLDER_DEFAULT.into()));
    let keep = section.duration(raw.keep(), &KEEP);
    let engine = folder.map_or(StoreEngine::Memory, |folder| StoreEngine::Sled(check.resolve(folder)));
    StoreConfig { engine, keep: keep.unwrap_or(KEEP_DEFAULT) }
}

/// Sled's folder; `None` = in memory. Errors do not repeat the URL: it may hold a password.
fn folder(text: &str) -> Result<Option<PathBuf>, Wanted> {
    match text.split_once(':') {
        Some(("memory", "")) => Ok(None),
        Some(("sled", path)) if !path.trim().is_empty() => Ok(Some(path.into())),
        Some(("postgres" | "postgresql", _)) => Err(format!("a postgres:// store {NOT_BUILT_YET}")),
        _ => Err("expected \"sled:PATH\", such as \"sled:./bongsu-data\"".to_owned()),
    }
}
