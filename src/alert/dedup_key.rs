//! Under which identity events join one alert.

use std::fmt;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

/// Unique within its integration; events with the same key join one alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DedupKey(String);

impl DedupKey {
    /// Longest key kept as it is, in bytes; a longer one is replaced by a digest of itself.
    pub const BYTES_MAX: usize = 255;

    /// Takes any text; one longer than [`Self::BYTES_MAX`] becomes `sha256:` and its digest.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.len() <= Self::BYTES_MAX {
            return Self(text);
        }
        Self(format!("sha256:{}", hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())))
    }

    /// A key for what came without one: `prefix:` and 32 hexadecimal digits that stand for all
    /// `parts` in this order. Equal parts give an equal key, in every version of the program.
    pub fn derived(prefix: &str, parts: &[&str]) -> Self {
        let lengths: Vec<[u8; 8]> = parts.iter().map(|part| (part.len() as u64).to_be_bytes()).collect();
        let input: Vec<&[u8]> = lengths
            .iter()
            .zip(parts)
            .flat_map(|(length, part)| [length.as_slice(), part.as_bytes()])
            .collect();
        Self::new(format!("{prefix}:{}", hex(&sixteen_bytes_of(&input))))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DedupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Identity of all rounds of one dedup key of one integration: the first 16 bytes of a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadKey([u8; 16]);

impl ThreadKey {
    /// Integration names have no NUL byte, so no two pairs share an input.
    pub fn new(integration: &str, dedup_key: &DedupKey) -> Self {
        Self(sixteen_bytes_of(&[integration.as_bytes(), b"\0", dedup_key.as_str().as_bytes()]))
    }

    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

/// What a phone folds duplicates by: the same for every copy of one round, on both peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag([u8; 16]);

impl Tag {
    pub fn new(integration: &str, dedup_key: &DedupKey, round: u32) -> Self {
        let thread = ThreadKey::new(integration, dedup_key);
        Self(sixteen_bytes_of(&[&thread.0, &round.to_be_bytes()]))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// The first half of the SHA-256 of all parts in a row.
pub(super) fn sixteen_bytes_of(parts: &[&[u8]]) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    *context.finish().as_ref().first_chunk().expect("it has 32 bytes")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 0xf), 16).unwrap_or('0'));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_key_is_replaced_by_a_digest_and_stays_itself() {
        let long = "x".repeat(DedupKey::BYTES_MAX + 1);
        assert_eq!(DedupKey::new(long.clone()), DedupKey::new(long));
        assert!(DedupKey::new("x".repeat(5_000)).as_str().len() <= DedupKey::BYTES_MAX);
        assert_eq!(DedupKey::new("x".repeat(DedupKey::BYTES_MAX)).as_str().len(), DedupKey::BYTES_MAX);
    }

    #[test]
    fn a_derived_key_tells_its_parts_apart() {
        let key = DedupKey::derived("generic", &["web01", "disk full"]);
        assert_eq!(key, DedupKey::derived("generic", &["web01", "disk full"]));
        assert_ne!(key, DedupKey::derived("generic", &["web01d", "isk full"]));
        assert_eq!(key.as_str().len(), "generic:".len() + 32);
    }

    #[test]
    fn a_tag_differs_by_integration_key_and_round() {
        let key = DedupKey::new("459");
        let tag = Tag::new("zabbix", &key, 1);
        assert_eq!(tag, Tag::new("zabbix", &key, 1));
        assert_ne!(tag, Tag::new("zabbix", &key, 2));
        assert_ne!(tag, Tag::new("zabbix2", &key, 1));
        assert_eq!(tag.to_string().len(), 32);
    }
}
