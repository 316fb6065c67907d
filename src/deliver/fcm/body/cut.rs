//! Texts cut to a number of bytes, on a character's boundary.

use crate::deliver::text::ELLIPSIS;

/// Bytes of a text inside a JSON string, as `serde_json` escapes it.
pub(super) fn json_len(text: &str) -> usize {
    text.chars().map(json_char_len).sum()
}

/// The text, or its beginning and `…`, in at most `bytes_max` bytes inside a JSON string.
pub(super) fn to_json_bytes(text: &str, bytes_max: usize) -> String {
    if json_len(text) <= bytes_max {
        return text.to_owned();
    }
    let Some(room) = bytes_max.checked_sub(ELLIPSIS.len()) else { return String::new() };
    let mut used = 0;
    let kept = text.chars().take_while(|c| {
        used += json_char_len(*c);
        used <= room
    });
    kept.chain(ELLIPSIS.chars()).collect()
}

fn json_char_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_length_in_json_is_what_serde_json_writes(text in any::<String>()) {
            prop_assert_eq!(json_len(&text) + 2, serde_json::to_string(&text).expect("text").len());
        }

        #[test]
        fn a_cut_text_fits_and_is_a_beginning(text in any::<String>(), bytes_max in 0..200_usize) {
            let cut = to_json_bytes(&text, bytes_max);
            prop_assert!(json_len(&cut) <= bytes_max);
            prop_assert!(text == cut || text.starts_with(cut.trim_end_matches('…')));
        }
    }
}
