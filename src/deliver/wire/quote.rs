//! A provider's own words, safe to show on one line: they may repeat the request, and with it a token or key of
//! ours, the recipient's number or the alert's text.

use crate::deliver::text::{ELLIPSIS, one_line};

const WITHOUT_TOKENS_CHARS_MAX: usize = 200;
/// A longer word that is no link is taken for a token.
const WORD_CHARS_MAX: usize = 60;
const WITHOUT_NUMBERS_CHARS_MAX: usize = 160;
/// A run of digits this long may be a phone number; status codes and HTTP statuses are shorter.
const NUMBER_DIGITS_MIN: usize = 6;
/// A word of ours this long, in bytes, is too telling to repeat.
const OUR_WORD_BYTES_MIN: usize = 5;
const MASK: &str = "***";

/// Google's words without `secret` and without tokens. Links with numbers stay: the project is repaired there.
pub(crate) fn without_tokens(words: &str, secret: &str) -> String {
    let words = if secret.is_empty() { words.to_owned() } else { words.replace(secret, ELLIPSIS) };
    let is_token = |word: &str| word.len() > WORD_CHARS_MAX && !word.starts_with("https://");
    let line = one_line(&words);
    let shown: Vec<&str> = line.split(' ').map(|word| if is_token(word) { ELLIPSIS } else { word }).collect();
    let line = shown.join(" ");
    match line.char_indices().nth(WITHOUT_TOKENS_CHARS_MAX) {
        None => line,
        Some(_) => line.chars().take(WITHOUT_TOKENS_CHARS_MAX - 1).chain(ELLIPSIS.chars()).collect(),
    }
}

/// An SMS company's words without long numbers and without any word of `private`.
pub(crate) fn without_numbers(words: &str, private: &[String]) -> String {
    let cut: String = one_line(words).chars().take(WITHOUT_NUMBERS_CHARS_MAX).collect();
    let mut shown = String::with_capacity(cut.len());
    let mut rest = cut.as_str();
    while let Some(first) = rest.chars().next() {
        let in_word = first.is_alphanumeric();
        let end = rest.find(|c: char| c.is_alphanumeric() != in_word).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        shown.push_str(if in_word && is_telling(run, private) { MASK } else { run });
        rest = after;
    }
    mask_grouped_numbers(&shown)
}

fn is_telling(word: &str, private: &[String]) -> bool {
    let is_ours = OUR_WORD_BYTES_MIN <= word.len() && private.iter().any(|private| private.contains(word));
    is_ours || is_long_number(word)
}

fn is_long_number(text: &str) -> bool {
    NUMBER_DIGITS_MIN <= text.bytes().filter(u8::is_ascii_digit).count()
}

fn mask_grouped_numbers(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        masked.push_str(before);
        let in_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | ' ' | '(' | ')');
        let group = from.get(..from.find(|c| !in_number(c)).unwrap_or(from.len())).unwrap_or_default();
        let group = group.trim_end_matches(|c: char| !c.is_ascii_digit());
        masked.push_str(if is_long_number(group) { MASK } else { group });
        rest = from.get(group.len()..).unwrap_or_default();
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn links_stay_and_tokens_go() {
        let link =
            "https://console.developers.google.com/apis/api/fcm.googleapis.com/overview?project=123456";
        let token = format!("fX:APA91b{}", "q".repeat(130));
        let shown = without_tokens(&format!("see {link}\n for\t{token} and fid99"), "fid99");
        assert_eq!(shown, format!("see {link} for … and …"));
    }

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
            assert_eq!(without_numbers(words, &private), quoted, "{words}");
        }
    }

    #[test]
    fn a_quotation_is_short() {
        let quoted = without_numbers(&"긴 ".repeat(500), &[]);
        assert_eq!(quoted.chars().count(), WITHOUT_NUMBERS_CHARS_MAX);
    }

    proptest! {
        #[test]
        fn a_text_for_people_is_short_and_never_shows_the_target(
            before in "\\PC{0,250}", target in "[A-Za-z0-9_-]{22}", after in "\\PC{0,250}",
        ) {
            let shown = without_tokens(&format!("{before}{target}{after}"), &target);
            prop_assert!(shown.chars().count() <= WITHOUT_TOKENS_CHARS_MAX);
            prop_assert!(!shown.contains(&target));
        }

        #[test]
        fn no_phone_number_survives(before in "\\PC{0,20}", number in "\\+?[0-9]{8,15}", after in "\\PC{0,20}") {
            let quoted = without_numbers(&format!("{before}{number}{after}"), &[]);
            prop_assert!(!quoted.contains(&number));
        }
    }
}
