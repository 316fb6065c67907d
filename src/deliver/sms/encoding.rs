//! How long a text is: what each character takes, and how much goes into one segment.

use super::{euc_kr, gsm7};
use crate::config::Encoding;

/// In EUC-KR.
pub(crate) const KOREAN_SMS_BYTES_MAX: usize = 90;
/// In EUC-KR; also what Solapi and NHN take.
pub(crate) const LMS_BYTES_MAX: usize = 2_000;
/// An LMS costs about as much as three SMS.
pub(crate) const LMS_SEGMENTS: u8 = 3;

/// Septets or UTF-16 code units of a text that is one segment, and of each part of a longer one: six octets in each part
/// join them (3GPP TS 23.040 §9.2.3.24.1).
pub(crate) struct Capacity {
    pub(crate) alone: usize,
    pub(crate) part: usize,
}

impl Encoding {
    /// In septets, UTF-16 code units or bytes; `None` if it cannot be written.
    pub(crate) fn width(self, c: char) -> Option<usize> {
        match self {
            Self::Gsm7 => gsm7::septets(c),
            Self::Ucs2 => Some(c.len_utf16()),
            Self::EucKr => euc_kr::bytes(c),
        }
    }

    pub(crate) fn ellipsis(self) -> &'static str {
        match self {
            Self::Gsm7 => "...",
            Self::Ucs2 | Self::EucKr => "…",
        }
    }

    /// `None` for EUC-KR: Korean companies join no parts, a longer text is an LMS.
    pub(crate) fn capacity(self) -> Option<Capacity> {
        match self {
            Self::Gsm7 => Some(Capacity { alone: 160, part: 153 }),
            Self::Ucs2 => Some(Capacity { alone: 70, part: 67 }),
            Self::EucKr => None,
        }
    }
}

/// A character that cannot be written counts as two.
pub(crate) fn width(text: &str, encoding: Encoding) -> usize {
    text.chars().map(|c| width_of(c, encoding)).sum()
}

/// As they are billed: at least one, at most 255.
pub fn segments(text: &str, encoding: Encoding) -> u8 {
    let whole = width(text, encoding);
    let count = match encoding.capacity() {
        Some(Capacity { alone, .. }) if whole <= alone => 1,
        Some(Capacity { part, .. }) => parts(text, encoding, part).count(),
        None if whole <= KOREAN_SMS_BYTES_MAX => 1,
        None => whole.div_ceil(LMS_BYTES_MAX).saturating_mul(usize::from(LMS_SEGMENTS)),
    };
    u8::try_from(count).unwrap_or(u8::MAX)
}

/// A surrogate pair and an escape pair go whole into the next part, so that a part may stay one unit short.
fn parts(text: &str, encoding: Encoding, part: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut used = 0;
        let beyond = |c: char| {
            used += width_of(c, encoding);
            part < used
        };
        let end = rest.find(beyond).unwrap_or(rest.len());
        let (this, after) = rest.split_at_checked(end).filter(|(this, _)| !this.is_empty())?;
        rest = after;
        Some(this)
    })
}

fn width_of(c: char, encoding: Encoding) -> usize {
    encoding.width(c).unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::spell::spell, *};

    /// What a phone gets: UTF-16, or a byte a septet.
    fn units(text: &str, encoding: Encoding) -> Vec<u8> {
        let septets = |c: char| match encoding.width(c) {
            Some(2) => vec![0x1b, u8::try_from(u32::from(c) & 0x7f).expect("seven bits")],
            _ => vec![u8::try_from(u32::from(c) & 0x7f).expect("seven bits")],
        };
        match encoding {
            Encoding::Ucs2 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Encoding::Gsm7 | Encoding::EucKr => text.chars().flat_map(septets).collect(),
        }
    }

    #[test]
    fn segments_are_counted_as_they_are_billed() {
        use Encoding::{EucKr, Gsm7, Ucs2};
        for (text, encoding, count) in [
            (String::new(), Gsm7, 1),
            ("a".repeat(160), Gsm7, 1),
            ("a".repeat(161), Gsm7, 2),
            ("a".repeat(306), Gsm7, 2),
            ("a".repeat(307), Gsm7, 3),
            ("€".repeat(80), Gsm7, 1),
            // 76 pairs and one septet to spare in each part.
            ("€".repeat(152), Gsm7, 2),
            ("€".repeat(153), Gsm7, 3),
            (format!("{}€", "a".repeat(152)) + &"a".repeat(151), Gsm7, 2),
            (format!("{}€", "a".repeat(152)) + &"a".repeat(152), Gsm7, 3),
            ("가".repeat(70), Ucs2, 1),
            ("가".repeat(71), Ucs2, 2),
            ("가".repeat(134), Ucs2, 2),
            ("가".repeat(135), Ucs2, 3),
            ("🔥".repeat(35), Ucs2, 1),
            ("🔥".repeat(66), Ucs2, 2),
            ("🔥".repeat(67), Ucs2, 3),
            ("가".repeat(45), EucKr, 1),
            ("가".repeat(45) + "a", EucKr, 3),
            ("가".repeat(1_000), EucKr, 3),
            ("가".repeat(1_001), EucKr, 6),
            ("a".repeat(100_000), Gsm7, 255),
        ] {
            assert_eq!(segments(&text, encoding), count, "{} × {encoding:?}", text.chars().count());
        }
    }

    proptest! {
        #[test]
        fn cutting_into_segments_loses_and_splits_nothing(text in "([a-z]|[€~]|[가-힣]|🔥|\\PC){0,400}") {
            for encoding in [Encoding::Gsm7, Encoding::Ucs2] {
                let text = spell(&text, encoding);
                let Capacity { alone, part } = encoding.capacity().expect("it has parts");
                if width(&text, encoding) <= alone {
                    prop_assert_eq!(segments(&text, encoding), 1);
                    continue;
                }
                let parts: Vec<Vec<u8>> = parts(&text, encoding, part).map(|part| units(part, encoding)).collect();
                prop_assert_eq!(parts.len(), usize::from(segments(&text, encoding)));
                prop_assert_eq!(parts.concat(), units(&text, encoding));
                let (last, full) = parts.split_last().expect("there are several");
                let size = if encoding == Encoding::Ucs2 { 2 } else { 1 };
                prop_assert!(!last.is_empty() && last.len() <= part * size);
                for each in full {
                    // No room for another character, whatever that would be.
                    prop_assert!(((part - 1) * size..=part * size).contains(&each.len()));
                }
            }
        }
    }
}
