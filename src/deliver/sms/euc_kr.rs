//! What Korean carriers take: EUC-KR, 90 bytes in an SMS. One character outside it and the whole
//! text is refused (Solapi 1029), so such characters are replaced rather than sent.

use encoding_rs::EUC_KR;
use icu_normalizer::ComposingNormalizerBorrowed;

/// Most that one Korean SMS holds, in bytes of EUC-KR; more goes as an LMS.
pub(crate) const SMS_BYTES_MAX: usize = 90;

/// The text in characters that EUC-KR has. Other letters become `?` and emoji vanish: a text with a
/// hole in it reaches somebody, a refused one does not.
pub(crate) fn speakable(text: &str) -> String {
    let mut spoken = String::with_capacity(text.len());
    // Hangul that a Mac spelt as separate letters is whole syllables to EUC-KR.
    for c in ComposingNormalizerBorrowed::new_nfc().normalize(text).chars() {
        match c {
            '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' => spoken.push(' '),
            '\u{2010}'..='\u{2014}' | '\u{2212}' => spoken.push('-'),
            c if is_spoken(c) => spoken.push(c),
            c if c.is_alphanumeric() => spoken.push('?'),
            _ => {}
        }
    }
    super::text::fold(&spoken)
}

/// How many bytes a speakable text takes.
pub(crate) fn bytes(text: &str) -> usize {
    EUC_KR.encode(text).0.len()
}

fn is_spoken(c: char) -> bool {
    let (_, _, had_errors) = EUC_KR.encode(c.encode_utf8(&mut [0; 4]));
    !had_errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_carriers_refuse_are_replaced() {
        for (text, spoken) in [
            ("[재난] 서버실 온도 45℃ 초과…", "[재난] 서버실 온도 45℃ 초과…"),
            ("disk — full\u{a0}now", "disk - full now"),
            ("🔥 화재 🔥 경보", "화재 경보"),
            ("café", "caf?"),
            ("\u{1112}\u{116a}\u{110c}\u{1162}", "화재"),
            ("Δ 溫度 温", "Δ 溫度 ?"),
        ] {
            assert_eq!(speakable(text), spoken);
        }
        assert_eq!(bytes("[재난] 서버실 온도 45℃ 초과"), 28);
    }

    proptest::proptest! {
        #[test]
        fn a_speakable_text_maps_without_loss(text in "\\PC*") {
            let spoken = speakable(&text);
            proptest::prop_assert!(!EUC_KR.encode(&spoken).2);
            proptest::prop_assert_eq!(speakable(&spoken), spoken);
        }
    }
}
