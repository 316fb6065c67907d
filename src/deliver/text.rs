//! Texts measured and cut between characters as people see them.

use unicode_segmentation::UnicodeSegmentation;

pub(crate) const ELLIPSIS: &str = "…";

/// The text, or as much of it as leaves room for an ellipsis within `units` UTF-16 code units.
pub(crate) fn shorten(text: &str, units: usize) -> String {
    cut(text, units, ELLIPSIS, char::len_utf16)
}

/// The text, or as much of it as leaves room for `ellipsis` within `units`, where each character takes `width`. It is cut
/// between grapheme clusters: half of one (a syllable typed as separate letters, a flag, a family emoji) is another
/// character. Only a single cluster that is too long by itself is cut between its characters.
pub(crate) fn cut(text: &str, units: usize, ellipsis: &str, width: impl Fn(char) -> usize) -> String {
    let length = |text: &str| text.chars().map(&width).sum::<usize>();
    if length(text) <= units {
        return text.to_owned();
    }
    let room = units.saturating_sub(length(ellipsis));
    let clusters = prefix(text.graphemes(true), room, length).trim_end().to_owned();
    if !clusters.is_empty() {
        return clusters + ellipsis;
    }
    let mut characters = prefix(text.chars().map(|c| c.to_string()), units, length);
    characters.truncate(characters.trim_end().len());
    characters
}

#[cfg(test)]
pub(crate) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// One line: white space, line ends and control characters become single spaces.
pub(crate) fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn prefix<P: AsRef<str>>(
    pieces: impl Iterator<Item = P>,
    units: usize,
    length: impl Fn(&str) -> usize,
) -> String {
    let (mut kept, mut taken) = (String::new(), 0);
    for piece in pieces {
        taken += length(piece.as_ref());
        if units < taken {
            break;
        }
        kept.push_str(piece.as_ref());
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn line_ends_and_control_characters_become_single_spaces() {
        assert_eq!(one_line("  disk\r\n\tfull\u{7}\u{2028}on  db1 "), "disk full on db1");
    }

    #[test]
    fn what_was_cut_off_is_marked() {
        assert_eq!(shorten("디스크 가득 참", 8), "디스크 가득 참");
        assert_eq!(shorten("디스크 가득 참", 7), "디스크 가득…");
        assert_eq!(shorten("디스크 가득 참", 5), "디스크…");
        assert_eq!(shorten("ab", 1), "a");
        assert_eq!(shorten("ab", 0), "");
    }

    #[test]
    fn a_cluster_is_kept_whole_unless_it_fills_the_room_by_itself() {
        for (text, units, kept) in [
            ("a👨‍👩‍👧‍👦b", 8, "a…"),
            ("ab\u{1100}\u{1161}\u{11a8}c", 5, "ab…"),
            ("e\u{301}\u{302}\u{303}\u{304}", 3, "e\u{301}\u{302}"),
            ("🔥🔥", 3, "🔥…"),
            ("🔥🔥", 1, ""),
        ] {
            assert_eq!(shorten(text, units), kept, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_cut_text_fits_and_is_made_of_whole_characters(text in "\\PC*", units in 0_usize..90) {
            let cut = shorten(&text, units);
            prop_assert!(length(&cut) <= units);
            let kept = cut.strip_suffix(ELLIPSIS).filter(|_| cut != text).unwrap_or(&cut);
            prop_assert!(text.starts_with(kept));
        }
    }
}
