//! What Korean carriers take: EUC-KR, 90 bytes in an SMS, 2,000 in an LMS. One character outside it
//! and the whole text is refused (Solapi 1029, NHN -2023).

use encoding_rs::EUC_KR;

/// `None` if the alphabet lacks the character. The WHATWG encoding is CP949, so it has every modern Hangul syllable. Its
/// encoder writes what it lacks as `&#8212;` and says so: such output never leaves this function.
pub(crate) fn bytes(c: char) -> Option<usize> {
    if c.is_ascii() {
        return (!c.is_ascii_control()).then_some(1);
    }
    let mut utf8 = [0; 4];
    let (encoded, _, had_errors) = EUC_KR.encode(c.encode_utf8(&mut utf8));
    (!had_errors).then_some(encoded.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_take_one_byte_or_two_or_are_not_there() {
        for (c, taken) in [
            ('a', Some(1)),
            ('~', Some(1)),
            ('가', Some(2)),
            ('뷁', Some(2)),
            ('℃', Some(2)),
            ('…', Some(2)),
            ('溫', Some(2)),
            ('温', None),
            ('é', None),
            ('—', None),
            ('\u{a0}', None),
            ('🔥', None),
            ('\n', None),
        ] {
            assert_eq!(bytes(c), taken, "{c}");
        }
    }
}
