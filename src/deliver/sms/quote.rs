//! A provider's own words, safe to show: they may repeat the request, and with it our key, the
//! recipient's number or the alert's text.

/// Longest quotation, in characters.
const QUOTE_CHARS_MAX: usize = 160;
/// A run of digits this long may be a phone number; status codes and HTTP statuses are shorter.
const NUMBER_DIGITS_MIN: usize = 6;
/// A word of ours this long, in bytes, is too telling to repeat.
const WORD_BYTES_MIN: usize = 5;
/// Stands for what is not repeated.
const MASK: &str = "***";

/// The words on one line, without numbers and without any word of `private`, cut to a readable length.
pub(crate) fn quote(words: &str, private: &[String]) -> String {
    let cut: String = super::text::fold(words).chars().take(QUOTE_CHARS_MAX).collect();
    let mut quoted = String::with_capacity(cut.len());
    let mut rest = cut.as_str();
    while let Some(first) = rest.chars().next() {
        let in_word = first.is_alphanumeric();
        let end = rest.find(|c: char| c.is_alphanumeric() != in_word).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        quoted.push_str(if in_word && tells(run, private) { MASK } else { run });
        rest = after;
    }
    join_numbers(&quoted)
}

fn tells(word: &str, private: &[String]) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let ours = WORD_BYTES_MIN <= word.len() && private.iter().any(|private| private.contains(word));
    NUMBER_DIGITS_MIN <= digits || ours
}

/// Masks numbers that are written in groups: `010-1234-5678` is as telling as its digits.
fn join_numbers(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        joined.push_str(before);
        let in_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | ' ' | '(' | ')');
        let group = from.get(..from.find(|c| !in_number(c)).unwrap_or(from.len())).unwrap_or_default();
        let group = group.trim_end_matches(|c: char| !c.is_ascii_digit());
        let digits = group.bytes().filter(u8::is_ascii_digit).count();
        joined.push_str(if NUMBER_DIGITS_MIN <= digits { MASK } else { group });
        rest = from.get(group.len()..).unwrap_or_default();
    }
    joined.push_str(rest);
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_repeats_no_number_and_no_word_of_ours() {
        let private = ["Bearer s3cr3t-t0ken-value".to_owned(), "서버실 온도 초과".to_owned()];
        for (words, quoted) in [
            ("발신번호 미등록", "발신번호 미등록"),
            ("error 1062 at line 12", "error 1062 at line 12"),
            ("to 01012345678 refused", "to *** refused"),
            ("to +82 10-1234-5678 refused", "to +*** refused"),
            ("key s3cr3t-t0ken-value unknown", "key ***-***-*** unknown"),
            ("text `서버실 온도 초과` is too long", "text `*** *** ***` is too long"),
            ("two\r\nlines\u{0}", "two lines"),
            ("", ""),
        ] {
            assert_eq!(quote(words, &private), quoted, "{words}");
        }
    }

    #[test]
    fn a_quotation_is_short() {
        assert_eq!(quote(&"긴 ".repeat(500), &[]).chars().count(), QUOTE_CHARS_MAX);
    }

    proptest::proptest! {
        #[test]
        fn no_phone_number_survives(before in "\\PC{0,20}", number in "\\+?[0-9]{8,15}", after in "\\PC{0,20}") {
            let quoted = quote(&format!("{before}{number}{after}"), &[]);
            proptest::prop_assert!(!quoted.contains(&number));
        }
    }
}
