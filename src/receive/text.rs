//! Text of senders, made safe to store and to show.

use std::borrow::Cow;

use super::{BODY_BYTES_MAX, NOTE_BYTES_MAX, TITLE_BYTES_MAX};

/// The body as text, without a byte order mark. UTF-16 is known by its mark (what `PowerShell` writes to a file).
/// What is no UTF-8 is read as EUC-KR if it is that throughout (older Korean systems), else broken bytes become
/// U+FFFD.
pub(super) fn decode(body: &[u8]) -> Cow<'_, str> {
    let marked = encoding_rs::Encoding::for_bom(body);
    let body = marked.and_then(|(_, length)| body.get(length..)).unwrap_or(body);
    if let Some((encoding, _)) = marked.filter(|(encoding, _)| *encoding != encoding_rs::UTF_8) {
        return encoding.decode_without_bom_handling(body).0;
    }
    match str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => encoding_rs::EUC_KR
            .decode_without_bom_handling_and_without_replacement(body)
            .unwrap_or_else(|| String::from_utf8_lossy(body)),
    }
}

pub(super) fn title(text: &str) -> String {
    one_line(text, TITLE_BYTES_MAX)
}

/// The details of an event; says so where something is cut.
pub(super) fn body(text: &str) -> String {
    tidy_body(text, BODY_BYTES_MAX)
}

pub(super) fn note(text: &str) -> String {
    tidy(text, NOTE_BYTES_MAX)
}

/// LF line ends, no control characters but LF and TAB, no space around it, at most `limit` bytes.
fn tidy(text: &str, limit: usize) -> String {
    let text = text.trim();
    let mut tidy = String::with_capacity(text.len().min(limit));
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => tidy.push('\n'),
            '\n' | '\t' => tidy.push(c),
            c if c.is_control() => {}
            c => tidy.push(c),
        }
        if limit < tidy.len() {
            return cut(&tidy, limit);
        }
    }
    tidy
}

/// As [`tidy`], and says so on a line of its own where it had to cut.
fn tidy_body(text: &str, limit: usize) -> String {
    let tidied = tidy(text, limit);
    if !tidied.ends_with(ELLIPSIS) || text.trim_end().ends_with(ELLIPSIS) {
        return tidied;
    }
    let note = format!("\n[cut: {} bytes in all]", text.trim().len());
    cut(&tidied, limit.saturating_sub(note.len())) + &note
}

/// One line: every run of spaces and control characters is one space; at most `limit` bytes.
pub(super) fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::with_capacity(text.len().min(limit));
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&cut(word, limit + 1));
        if limit < line.len() {
            return cut(&line, limit);
        }
    }
    line
}

/// The first line with something on it, and what follows it.
pub(super) fn split_first_line(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(['\n', '\r']).unwrap_or((text, ""))
}

const ELLIPSIS: char = '…';

/// At most `limit` bytes, cut between characters, with an ellipsis where something is missing.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit.saturating_sub(ELLIPSIS.len_utf8()));
    let mut kept = text.get(..end).unwrap_or_default().to_owned();
    kept.push(ELLIPSIS);
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn line_ends_become_lf_and_control_characters_go() {
        assert_eq!(tidy(" a\r\nb\rc\n\td\u{7}\u{1b}e\0 ", 100), "a\nb\nc\n\tde");
        assert_eq!(one_line("디스크\r\n  가득 \u{1} 참", 100), "디스크 가득 참");
        assert_eq!(split_first_line("\n title \r\nbody\nmore"), ("title ", "\nbody\nmore"));
    }

    #[test]
    fn a_cut_body_says_so() {
        let cut = tidy_body(&"봉".repeat(100), 90);
        assert!(cut.ends_with("…\n[cut: 300 bytes in all]"), "{cut}");
        assert_eq!(tidy_body("whole…", 90), "whole…");
    }

    #[test]
    fn a_byte_order_mark_is_no_text_and_broken_bytes_do_not_hurt() {
        assert_eq!(decode(b"\xEF\xBB\xBF{}"), "{}");
        assert_eq!(decode(b"a\xFFb"), "a\u{FFFD}b");
        for bytes in [&b"\xFF\xFE{\0}\0\x14\xBE"[..], b"\xFE\xFF\0{\0}\xBE\x14"] {
            assert_eq!(decode(bytes), "{}블");
        }
        assert_eq!((decode(b"\xFF\xFE").as_ref(), decode(b"\xFF\xFE{").as_ref()), ("", "\u{FFFD}"));
        assert_eq!(decode(b"\xB5\xF0\xBD\xBA\xC5\xA9 \xB0\xA1\xB5\xE6"), "디스크 가득");
    }

    proptest! {
        #[test]
        fn no_text_grows_past_its_limit(text in any::<String>(), limit in 30_usize..200) {
            prop_assert!(tidy(&text, limit).len() <= limit);
            prop_assert!(tidy_body(&text, limit).len() <= limit);
            let line = one_line(&text, limit);
            prop_assert!(line.len() <= limit && !line.contains(char::is_control), "{line:?}");
        }
    }
}
