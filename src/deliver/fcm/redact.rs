//! Words of others, made fit to be shown: short, one line, without tokens.

/// Longest text, in characters.
pub(super) const DETAIL_CHARS_MAX: usize = 200;
/// A word of so many characters that is no link is taken for a token.
const WORD_CHARS_MAX: usize = 60;
/// What stands for what was left out.
const LEFT_OUT: &str = "…";

/// One line of at most [`DETAIL_CHARS_MAX`] characters, without `secret` and without any word
/// that could be a token.
pub(super) fn for_people(text: &str, secret: &str) -> String {
    let text = if secret.is_empty() { text.to_owned() } else { text.replace(secret, LEFT_OUT) };
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .map(|word| if looks_like_a_token(word) { LEFT_OUT } else { word })
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(DETAIL_CHARS_MAX) {
        None => line,
        Some(_) => line.chars().take(DETAIL_CHARS_MAX - 1).chain(LEFT_OUT.chars()).collect(),
    }
}

fn looks_like_a_token(word: &str) -> bool {
    word.len() > WORD_CHARS_MAX && !word.starts_with("https://")
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
        let shown = for_people(&format!("see {link}\n for\t{token} and fid99"), "fid99");
        assert_eq!(shown, format!("see {link} for … and …"));
    }

    proptest! {
        #[test]
        fn a_text_for_people_is_short_and_never_shows_the_target(
            before in "\\PC{0,250}", target in "[A-Za-z0-9_-]{22}", after in "\\PC{0,250}",
        ) {
            let shown = for_people(&format!("{before}{target}{after}"), &target);
            prop_assert!(shown.chars().count() <= DETAIL_CHARS_MAX);
            prop_assert!(!shown.contains(&target));
        }
    }
}
