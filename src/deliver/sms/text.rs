//! How long a text is, and where it may be cut.

use unicode_segmentation::UnicodeSegmentation;

/// Longest text, in UTF-16 code units: what one message part holds as soon as one character is
/// outside GSM-7 (3GPP TS 23.038: 140 octets of UCS-2). A carrier counts the same way, so an emoji
/// takes two of them.
pub const TEXT_CHARS_MAX: usize = 70;

/// Most segments that one text takes: it is cut to one.
pub const SEGMENTS_MAX: u16 = 1;

/// Stands for what was cut off. It exists in EUC-KR, so Korean carriers take it.
const ELLIPSIS: &str = "…";

/// The text as a gateway gets it: at most [`TEXT_CHARS_MAX`] units, on one line.
///
/// It is cut between grapheme clusters, never inside one: half a surrogate pair is refused or shown
/// as a box, and half a cluster (a Hangul syllable typed on a Mac as separate letters, a flag, a
/// family emoji) is another character than the one that was meant.
pub fn fit(text: &str) -> String {
    let folded = fold(text);
    prefix(&folded, TEXT_CHARS_MAX).trim_end().to_owned()
}

/// The text, or as much of it as leaves room for an ellipsis within `units`.
pub(crate) fn shorten(text: &str, units: usize) -> String {
    if length(text) <= units {
        return text.to_owned();
    }
    let kept = prefix(text, units.saturating_sub(length(ELLIPSIS))).trim_end();
    if kept.is_empty() { prefix(text, units).to_owned() } else { format!("{kept}{ELLIPSIS}") }
}

/// Its length in UTF-16 code units.
pub(crate) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// One line: white space, line ends and control characters become single spaces.
pub(crate) fn fold(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// The longest prefix of whole characters that takes at most `units`.
fn prefix(text: &str, units: usize) -> &str {
    let mut taken = 0;
    for (start, cluster) in text.grapheme_indices(true) {
        taken += length(cluster);
        if units < taken {
            return text.get(..start).unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_of_seventy_units_is_left_alone_and_a_longer_one_is_cut_there() {
        for (text, units) in [
            ("가".repeat(70), 70),
            ("가".repeat(71), 70),
            ("a".repeat(200), 70),
            ("🔥".repeat(35), 70),
            (format!("a{}", "🔥".repeat(35)), 69),
            (format!("{}👨‍👩‍👧‍👦", "a".repeat(60)), 60),
            (format!("{}\u{1100}\u{1161}\u{11a8}", "a".repeat(68)), 68),
        ] {
            let cut = fit(&text);
            assert_eq!(length(&cut), units, "{text}");
            assert!(text.starts_with(&cut));
        }
    }

    #[test]
    fn line_ends_and_control_characters_become_single_spaces() {
        assert_eq!(fit("  disk\r\n\tfull\u{7}\u{2028}on  db1 "), "disk full on db1");
    }

    #[test]
    fn what_was_cut_off_is_marked() {
        assert_eq!(shorten("디스크 가득 참", 8), "디스크 가득 참");
        assert_eq!(shorten("디스크 가득 참", 7), "디스크 가득…");
        assert_eq!(shorten("디스크 가득 참", 5), "디스크…");
        assert_eq!(shorten("ab", 1), "a");
        assert_eq!(shorten("ab", 0), "");
    }

    proptest! {
        #[test]
        fn a_cut_text_fits_and_is_made_of_whole_characters(text in "\\PC*", units in 0_usize..90) {
            let cut = shorten(&text, units);
            prop_assert!(length(&cut) <= units);
            let kept = cut.strip_suffix(ELLIPSIS).filter(|_| cut != text).unwrap_or(&cut);
            prop_assert!(text.starts_with(kept));
            prop_assert!(length(&fit(&text)) <= TEXT_CHARS_MAX);
        }
    }
}
