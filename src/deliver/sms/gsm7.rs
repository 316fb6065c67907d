//! The GSM 7-bit default alphabet and its extension (3GPP TS 23.038 §6.2.1); few phones know the national tables.

/// The basic table without control characters; its code 0x1B is the escape.
const BASIC: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Reached by an escape, so each takes two septets, which must stay together.
const EXTENSION: &str = "^{}\\[~]|€";

/// `None` if the alphabet lacks the character. Control characters are no part of a text.
pub(crate) fn septets(c: char) -> Option<usize> {
    // Most of most texts; in ASCII the alphabet lacks only the control characters and the backtick.
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' => Some(1),
        c if BASIC.contains(c) => Some(1),
        c if EXTENSION.contains(c) => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_tables_have_as_many_characters_as_the_standard_names() {
        // 128 codes less the escape, line feed and carriage return; the extension less its form feed.
        for (table, count) in [(BASIC, 125), (EXTENSION, 9)] {
            assert_eq!(table.chars().count(), count);
            assert_eq!(table.chars().collect::<BTreeSet<_>>().len(), count, "no character twice");
        }
        assert!(EXTENSION.chars().all(|c| !BASIC.contains(c)));
    }

    #[test]
    fn characters_take_what_the_standard_says() {
        for (text, septets_each) in [("aZ09 @Δñ§_'\"", 1), ("€[]{}^|~\\", 2)] {
            assert!(text.chars().all(|c| septets(c) == Some(septets_each)), "{text}");
        }
        assert!("`ççã재—…\n\t\u{c}🔥".chars().all(|c| septets(c).is_none()));
        let ascii: String = (' '..='~').filter(|c| septets(*c).is_none()).collect();
        assert_eq!(ascii, "`");
    }
}
