//! `name=value&…` (`application/x-www-form-urlencoded`), in UTF-8 or, from older Korean systems, in EUC-KR.

use std::borrow::Cow;

use encoding_rs::EUC_KR;

type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// At most the first `limit` names and values, in their order. What is no UTF-8 once decoded is read as EUC-KR if
/// all names and values are that, else broken bytes become U+FFFD.
pub(super) fn pairs(text: &str, limit: usize) -> Vec<Pair<'_>> {
    let pairs: Vec<Pair<'_>> = url::form_urlencoded::parse(text.as_bytes()).take(limit).collect();
    // A replacement character may have been sent as such; then there are no other bytes either.
    let is_broken = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
    if !pairs.iter().any(|(name, value)| is_broken(name) || is_broken(value)) {
        return pairs;
    }
    let korean: Option<Vec<Pair<'_>>> =
        text.split('&').filter(|pair| !pair.is_empty()).take(limit).map(pair_in_euc_kr).collect();
    korean.unwrap_or(pairs)
}

fn pair_in_euc_kr(pair: &str) -> Option<Pair<'_>> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    Some((in_euc_kr(name)?.into(), in_euc_kr(value)?.into()))
}

fn in_euc_kr(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let bytes: Cow<'_, [u8]> = percent_encoding::percent_decode_str(&spaced).into();
    EUC_KR.decode_without_bom_handling_and_without_replacement(&bytes).map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        pairs(text, 9).into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn forms_are_read_in_both_encodings() {
        for (form, expected) in [
            ("title=disk+full&n=95+%25", &[("title", "disk full"), ("n", "95 %")][..]),
            ("title=%EB%94%94%EC%8A%A4%ED%81%AC", &[("title", "디스크")]),
            (
                "title=%B5%F0%BD%BA%C5%A9+%B0%A1%B5%E6&host=web01",
                &[("title", "디스크 가득"), ("host", "web01")],
            ),
            ("title=a%FFb", &[("title", "a\u{FFFD}b")]),
            ("a&=b&&c=", &[("a", ""), ("", "b"), ("c", "")]),
        ] {
            assert_eq!(read(form), owned(expected), "{form}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[a%&=+B0-9\\u{ac00}]{0,60}") {
            prop_assert!(pairs(&text, 9).len() <= 9);
        }
    }
}
