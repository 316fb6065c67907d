//! The provider's words, as long as a document may keep them.

/// Longest reason kept of a road that failed, in bytes.
const REASON_BYTES_MAX: usize = 200;

/// Longest detail of a journal row, in characters.
pub(super) const DETAIL_CHARS_MAX: usize = 200;

/// Why a road failed; a provider says as much as it likes, and the document keeps it for each contact.
pub(super) fn reason_of(detail: &str, otherwise: &str) -> String {
    let words = if detail.is_empty() { otherwise } else { detail };
    let (kept, _) = words.split_at(words.floor_char_boundary(REASON_BYTES_MAX));
    kept.to_owned()
}
