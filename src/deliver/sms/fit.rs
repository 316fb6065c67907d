//! A text made to fit what one gateway takes and its operator pays for: pure.

use super::{
    encoding::{KOREAN_SMS_BYTES_MAX, LMS_BYTES_MAX, LMS_SEGMENTS, segments, width},
    number, spell,
};
use crate::{alert::PhoneNumber, config::Encoding, deliver::text::cut};

/// Fewest units of the words that a link may leave: with fewer, the reader would not know what it is about, and the link
/// is left out. Enough for `[Disaster] db1...`, or for `[재난] 서버실…` in EUC-KR.
pub const WORDS_UNITS_MIN: usize = 16;
/// In EUC-KR; what Solapi and NHN take above an LMS.
pub(crate) const SUBJECT_BYTES_MAX: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextRules {
    /// `None` = GSM-7 if nothing but plainer punctuation is lost by it, else UCS-2.
    pub encoding: Option<Encoding>,
    /// 0 counts as 1.
    pub max_segments: u8,
    /// A Korean text that is longer than an SMS may go as an LMS, if `max_segments` allows its three.
    pub lms: bool,
}

impl TextRules {
    /// GSM-7 or UCS-2, whichever the text needs: international gateways.
    pub fn automatic(max_segments: u8) -> Self {
        Self { encoding: None, max_segments, lms: false }
    }

    /// Always this encoding. EUC-KR goes as an LMS where it is longer than an SMS.
    pub fn fixed(encoding: Encoding, max_segments: u8) -> Self {
        Self { encoding: Some(encoding), max_segments, lms: encoding == Encoding::EucKr }
    }

    /// Companies within Korea: EUC-KR and LMS at home, one part abroad.
    pub(super) fn of_korea(to: &PhoneNumber, max_segments: u8) -> Self {
        match number::abroad(to) {
            Some(_) => Self::automatic(1),
            None => Self::fixed(Encoding::EucKr, max_segments),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// One line; every character of it exists in `encoding`.
    pub text: String,
    pub encoding: Encoding,
    pub segments: u8,
    /// It goes as a Korean LMS.
    pub long: bool,
    /// Of an LMS; empty unless `long`.
    pub subject: String,
}

impl Fitted {
    /// A text as it stands, for one that is known to fit.
    pub(crate) fn verbatim(text: &str, encoding: Encoding) -> Self {
        let (segments, text) = (segments(text, encoding), text.to_owned());
        Self { text, encoding, segments, long: false, subject: String::new() }
    }
}

/// The link stays whole and the words are cut, unless that would leave fewer than [`WORDS_UNITS_MIN`] units of them.
pub fn fit(words: &str, link: &str, rules: TextRules) -> Fitted {
    let (words, encoding) = match rules.encoding {
        Some(encoding) => (spell::spell(words, encoding), encoding),
        None => match spell::plainly(words) {
            Some(plain) => (plain, Encoding::Gsm7),
            None => (spell::spell(words, Encoding::Ucs2), Encoding::Ucs2),
        },
    };
    let link = spell::link(link, encoding);
    let room = Room::of(encoding, rules);
    let text = room.fill(&words, &link);
    let count = segments(&text, encoding);
    let long = encoding == Encoding::EucKr && 1 < count;
    let subject = if long { shortened(&words, SUBJECT_BYTES_MAX, encoding) } else { String::new() };
    Fitted { text, encoding, segments: count, long, subject }
}

struct Room {
    encoding: Encoding,
    segments: u8,
    units: usize,
}

impl Room {
    fn of(encoding: Encoding, rules: TextRules) -> Self {
        let segments = rules.max_segments.max(1);
        let units = match encoding.capacity() {
            Some(capacity) if segments == 1 => capacity.alone,
            Some(capacity) => capacity.part * usize::from(segments),
            None if rules.lms && LMS_SEGMENTS <= segments => LMS_BYTES_MAX,
            None => KOREAN_SMS_BYTES_MAX,
        };
        Self { encoding, segments, units }
    }

    fn fill(&self, words: &str, link: &str) -> String {
        if link.is_empty() || words.is_empty() {
            return self.shorten(if words.is_empty() { link } else { words }, "");
        }
        let tail = format!(" {link}");
        let least = width(words, self.encoding).min(WORDS_UNITS_MIN);
        let linked = least + width(&tail, self.encoding) <= self.units;
        self.shorten(words, if linked { &tail } else { "" })
    }

    /// The words, cut if they must be, and `tail`, which fits.
    fn shorten(&self, words: &str, tail: &str) -> String {
        let mut room = self.units - width(tail, self.encoding).min(self.units);
        loop {
            let text = shortened(words, room, self.encoding) + tail;
            // Pairs that may not be split can leave a part one unit short.
            if segments(&text, self.encoding) <= self.segments || room == 0 {
                return text;
            }
            room -= 1;
        }
    }
}

fn shortened(words: &str, units: usize, encoding: Encoding) -> String {
    cut(words, units, encoding.ellipsis(), |c| encoding.width(c).unwrap_or(2))
}

#[cfg(test)]
mod tests;
