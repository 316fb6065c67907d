//! A text in characters that its alphabet has. A text with a gap in it still reaches its reader, a refused
//! one does not; and `&#8212;` on a phone helps no one.

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::{config::Encoding, deliver::text::one_line};

/// The text with a stand-in for whatever `encoding` cannot write.
pub(crate) fn spell(text: &str, encoding: Encoding) -> String {
    let mut spelt = String::with_capacity(text.len());
    // Hangul that a Mac spelt as separate letters is whole syllables to every alphabet.
    for c in ComposingNormalizerBorrowed::new_nfc().normalize(text).chars() {
        if encoding.width(c).is_some() {
            spelt.push(c);
        } else {
            spelt.extend(stand_in(c).chars().filter(|c| encoding.width(*c).is_some()));
        }
    }
    one_line(&spelt)
}

/// The text in GSM-7, if that says the same with plainer punctuation.
pub(crate) fn plainly(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    for c in ComposingNormalizerBorrowed::new_nfc().normalize(text).chars() {
        if Encoding::Gsm7.width(c).is_some() {
            plain.push(c);
        } else {
            plain.push_str(plain_form(c)?);
        }
    }
    Some(one_line(&plain))
}

/// The link with whatever `encoding` cannot write percent-encoded: it still leads where it led.
pub(crate) fn link(link: &str, encoding: Encoding) -> String {
    let mut written = String::with_capacity(link.len());
    for c in link.trim().chars() {
        if encoding.width(c).is_some() && !c.is_whitespace() && !c.is_control() {
            written.push(c);
        } else {
            written.extend(c.to_string().bytes().map(|byte| format!("%{byte:02X}")));
        }
    }
    written
}

fn plain_form(c: char) -> Option<&'static str> {
    Some(match c {
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' => "\"",
        '‘' | '’' | '‚' | '‛' | '′' | '´' | '`' => "'",
        '\u{2010}'..='\u{2015}' | '−' | '·' => "-",
        '…' => "...",
        '•' | '‣' | '◦' | '∙' => "*",
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        // Soft hyphen, zero-width characters, marks of direction and of variants.
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' => "",
        '→' => "->",
        '←' => "<-",
        '⇒' => "=>",
        '≥' => ">=",
        '≤' => "<=",
        '≠' => "!=",
        '×' => "x",
        'µ' | 'μ' => "u",
        '°' => "deg",
        '℃' => "degC",
        _ => return None,
    })
}

/// In ASCII; empty for what only decorates.
fn stand_in(c: char) -> &'static str {
    if let Some(plain) = plain_form(c) {
        return plain;
    }
    match c {
        // What monitors say with them.
        '✅' | '✔' | '✓' => return "OK",
        '❌' | '✖' | '✗' | '✘' => return "X",
        '⚠' => return "!",
        '🔴' => return "(red)",
        '🟠' => return "(orange)",
        '🟡' => return "(yellow)",
        '🟢' => return "(green)",
        '🔵' => return "(blue)",
        c if c.is_whitespace() => return " ",
        _ => {}
    }
    let letters = deunicode::deunicode_char(c);
    if c.is_alphanumeric() {
        letters.unwrap_or("?")
    } else {
        // A name with a space behind it is an emoji's ("rotating light "): it would take the room of
        // the words around it.
        letters.filter(|name| !name.ends_with(' ')).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_korean_carriers_refuse_is_replaced() {
        for (text, spelt) in [
            ("[재난] 서버실 온도 45℃ 초과…", "[재난] 서버실 온도 45℃ 초과…"),
            ("disk — full\u{a0}now", "disk - full now"),
            ("🔥 화재 🔥 경보", "화재 경보"),
            ("🔴 db1 ✅ db2", "(red) db1 OK db2"),
            ("café", "cafe"),
            ("\u{1112}\u{116a}\u{110c}\u{1162}", "화재"),
            ("Δ 溫度 温", "Δ 溫度 Wen"),
            ("👨\u{200d}👩\u{200d}👧 family", "family"),
            ("\u{e000}\u{10ffff}x", "x"),
            ("ﬁle ½", "file ½"),
        ] {
            assert_eq!(spell(text, Encoding::EucKr), spelt);
        }
    }

    #[test]
    fn what_gsm_7_lacks_is_replaced() {
        for (text, spelt) in [
            ("“Ärger” – 45°C → `df`", "\"Ärger\" - 45degC -> 'df'"),
            ("재난", "jaenan"),
            ("façade", "facade"),
            ("μs ≠ ㎳", "us != ms"),
        ] {
            assert_eq!(spell(text, Encoding::Gsm7), spelt);
        }
    }

    #[test]
    fn only_punctuation_is_given_up_for_cheaper_segments() {
        assert_eq!(plainly("CPU ≥ 90 % — “db1”…").as_deref(), Some("CPU >= 90 % - \"db1\"..."));
        for text in ["ç", "재난", "🔥 fire", "ﬁ"] {
            assert_eq!(plainly(text), None, "{text}");
        }
    }

    #[test]
    fn a_link_stays_a_link() {
        assert_eq!(link("https://a.example/x_~[1]", Encoding::Gsm7), "https://a.example/x_~[1]");
        assert_eq!(link(" https://a.example/`é b\n", Encoding::Gsm7), "https://a.example/%60é%20b");
        assert_eq!(link("https://a.example/é", Encoding::EucKr), "https://a.example/%C3%A9");
    }

    proptest! {
        #[test]
        fn a_spelt_text_can_be_written_and_stays_as_it_is(text in "\\PC*") {
            for encoding in [Encoding::Gsm7, Encoding::Ucs2, Encoding::EucKr] {
                let spelt = spell(&text, encoding);
                prop_assert!(spelt.chars().all(|c| encoding.width(c).is_some()), "{spelt}");
                prop_assert_eq!(&spell(&spelt, encoding), &spelt);
                let link = link(&text, encoding);
                prop_assert!(link.chars().all(|c| encoding.width(c).is_some()), "{link}");
            }
        }

        #[test]
        fn what_is_encoded_for_a_korean_carrier_has_no_numeric_references(text in "\\PC*") {
            let spelt = spell(&text, Encoding::EucKr);
            let (bytes, _, had_errors) = encoding_rs::EUC_KR.encode(&spelt);
            prop_assert!(!had_errors);
            prop_assert_eq!(bytes.len(), super::super::encoding::width(&spelt, Encoding::EucKr));
        }
    }
}
