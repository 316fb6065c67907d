//! How documents, journal chunks and small records become bytes.
//!
//! ```text
//! 0        format of the value: 1, or 2 = the rest of a document that begins as another value does
//! 1..5     CRC-32 of every other byte, big-endian
//! 5        flags: 1 = has a due time, 2 = the alert is open, 4 = its end is in doubt, 8 = a start finds it, 16 to 80 = its severity from 1 to 5
//! 6        its urgency, from 0 to 5
//! 7..15    version of the document (0 for chunks and records)
//! 15..23   due time in ms since the epoch (0 without one)
//! 23..     JSON
//!
//! in format 2:
//! 23..25   how many further values the rest goes on in, big-endian
//! 25..33   version of the value that it begins as
//! 33..37   how many bytes of the JSON of that value
//! 37..     JSON
//! ```
//!
//! A document is written as one value first, and then only what differs from that. What is too long for a value goes on in
//! further ones, which have the header of format 1, with the version of the document.

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::{DOCUMENT_BYTES_MAX, StoreError, Stored, VALUE_BYTES_MAX, Version};
use crate::alert::{Alert, Row, Severity};

pub(super) const FORMAT: u8 = 1;
const FORMAT_REST: u8 = 2;

const HEADER_BYTES: usize = 23;
const REST_HEADER_BYTES: usize = HEADER_BYTES + 2 + 8 + 4;
const FLAG_DUE: u8 = 1;
const FLAG_OPEN: u8 = 2;
const FLAG_DOUBT: u8 = 4;
const FLAG_FOUND: u8 = 8;
const SEVERITY_SHIFT: u8 = 4;

/// What a writer needs of a document without reading its JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) version: Version,
    pub(super) due_ms: Option<u64>,
    pub(super) open: bool,
    pub(super) severity: Severity,
    /// [`Alert::urgency`].
    pub(super) urgency: Severity,
    pub(super) in_doubt: bool,
    /// By its row every start comes upon it at once, whatever its clock says.
    pub(super) found: bool,
    /// This is the rest of a document that begins so.
    pub(super) begins: Option<Beginning>,
    /// How many values it goes on in.
    pub(super) further: u16,
}

/// What a document begins as: so many bytes of the JSON of a value of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    pub(super) version: Version,
    bytes: u32,
}

/// What is to be written of a document.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) beginning: First,
    /// Without it the document is the value that it begins as.
    pub(super) rest: Option<Vec<u8>>,
    pub(super) further: Vec<Vec<u8>>,
}

/// The value that a document begins as.
#[derive(Debug)]
pub(super) enum First {
    /// The one that is there.
    Kept,
    /// The whole document.
    Whole,
    Cut(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DecodeError {
    #[error("a value of {0} bytes is shorter than its header")]
    Short(usize),
    #[error(
        "value format {0} is unknown, this program reads formats {FORMAT} and {FORMAT_REST}: was it written by a newer version?"
    )]
    Format(u8),
    #[error("the checksum does not match")]
    Checksum,
    #[error("flags {0} hold no severity")]
    Severity(u8),
    #[error("a value that it goes on in is missing")]
    Missing,
    #[error("the JSON does not read: {0}")]
    Json(String),
}

/// The whole document as one value, however long.
pub(super) fn encode_alert(
    alert: &Alert,
    version: Version,
    due: Option<Timestamp>,
    found: bool,
) -> Result<Vec<u8>, StoreError> {
    let (open, severity, in_doubt) = (alert.is_open(), alert.severity, alert.doubt.is_some());
    let (due_ms, urgency) = (due.map(due_ms), alert.urgency());
    let header = Header { version, due_ms, open, severity, urgency, in_doubt, found, ..Header::default() };
    let bytes = written(header, alert);
    if DOCUMENT_BYTES_MAX < bytes.len() {
        return Err(StoreError::TooLarge { bytes: bytes.len(), limit: DOCUMENT_BYTES_MAX });
    }
    Ok(sealed(bytes))
}

/// How to write this document over the value of this version that the one before begins as; without one it is new.
pub(super) fn lay_out(whole: &[u8], kept: Option<(Version, &[u8])>) -> Layout {
    let alone = |beginning| Layout { beginning, rest: None, further: Vec::new() };
    let Some((version, kept)) = kept else {
        if whole.len() <= VALUE_BYTES_MAX {
            return alone(First::Whole);
        }
        let first = whole.get(..VALUE_BYTES_MAX).unwrap_or_default();
        let version = version_of(whole);
        return Layout { beginning: First::Cut(sealed(first.to_vec())), ..rest_of(whole, version, first) };
    };
    let same = whole.iter().zip(kept).skip(HEADER_BYTES).take_while(|(new, old)| new == old).count();
    let is_much = kept.len() <= HEADER_BYTES + 2 * same;
    if !is_much && whole.len() <= VALUE_BYTES_MAX {
        return alone(First::Whole);
    }
    rest_of(whole, version, kept.get(..HEADER_BYTES + same).unwrap_or_default())
}

/// What follows after `beginning`, which is of that version.
fn rest_of(whole: &[u8], version: Version, beginning: &[u8]) -> Layout {
    let (header, json) = (whole.get(..HEADER_BYTES).unwrap_or_default(), whole.get(beginning.len()..));
    let json = json.unwrap_or_default();
    let (near, far) = json.split_at(json.len().min(VALUE_BYTES_MAX - REST_HEADER_BYTES));
    let piece_header = bytes_of(Header { version: version_of(whole), ..Header::default() });
    let piece = |json: &[u8]| sealed([piece_header.as_slice(), json].concat());
    let further: Vec<_> = far.chunks(VALUE_BYTES_MAX - HEADER_BYTES).map(piece).collect();
    // The limits of a document and a value are far below what these numbers hold.
    let count = u16::try_from(further.len()).unwrap_or(u16::MAX).to_be_bytes();
    let bytes = u32::try_from(beginning.len() - HEADER_BYTES).unwrap_or(u32::MAX).to_be_bytes();
    let mut rest = [header, count.as_slice(), &version.to_be_bytes(), &bytes, near].concat();
    if let Some(format) = rest.first_mut() {
        *format = FORMAT_REST;
    }
    Layout { beginning: First::Kept, rest: Some(sealed(rest)), further }
}

/// `header` is that of `newest`, the rest if there is one, else the value that the document begins as.
pub(super) fn decode_alert(
    header: Header,
    newest: &[u8],
    beginning: Option<&[u8]>,
    further: &[impl AsRef<[u8]>],
) -> Result<Stored, DecodeError> {
    let version = header.version;
    let Some(begins) = header.begins else {
        return Ok(Stored { alert: decode_json(newest, HEADER_BYTES)?, version });
    };
    let beginning = beginning.ok_or(DecodeError::Missing)?;
    let end = usize::try_from(begins.bytes).ok().and_then(|bytes| HEADER_BYTES.checked_add(bytes));
    let beginning = end.and_then(|end| beginning.get(HEADER_BYTES..end)).ok_or(DecodeError::Missing)?;
    let rest = newest.get(REST_HEADER_BYTES..).ok_or(DecodeError::Short(newest.len()))?;
    if further.len() != usize::from(header.further) {
        return Err(DecodeError::Missing);
    }
    let pieces = further.iter().map(|value| value.as_ref().get(HEADER_BYTES..).unwrap_or_default());
    let whole: Vec<&[u8]> = [beginning, rest].into_iter().chain(pieces).collect();
    Ok(Stored { alert: decode_json(&whole.concat(), 0)?, version })
}

/// As many values as it takes, each with the number of its first row; `first` is that of the first.
pub(super) fn encode_rows(first: u32, rows: &[Row]) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
    match encode_plain(&rows) {
        Err(StoreError::TooLarge { .. }) if 1 < rows.len() => {
            let (one, other) = rows.split_at(rows.len() / 2);
            let mut values = encode_rows(first, one)?;
            let count = u32::try_from(one.len()).unwrap_or(u32::MAX);
            values.extend(encode_rows(first.saturating_add(count), other)?);
            Ok(values)
        }
        value => Ok(if rows.is_empty() { Vec::new() } else { vec![(first, value?)] }),
    }
}

/// Of anything that must fit in one value.
pub(super) fn encode_plain<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    let bytes = written(Header::default(), value);
    if VALUE_BYTES_MAX < bytes.len() {
        return Err(StoreError::TooLarge { bytes: bytes.len(), limit: VALUE_BYTES_MAX });
    }
    Ok(sealed(bytes))
}

pub(super) fn decode_plain<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    decode_header(bytes)?;
    decode_json(bytes, HEADER_BYTES)
}

pub(super) fn decode_header(bytes: &[u8]) -> Result<Header, DecodeError> {
    let short = || DecodeError::Short(bytes.len());
    let format = checked(bytes)?;
    let flags = *bytes.get(5).ok_or_else(short)?;
    let urgency = *bytes.get(6).ok_or_else(short)?;
    let urgency = Severity::from_number(urgency).ok_or(DecodeError::Severity(urgency))?;
    let version = u64::from_be_bytes(array(bytes, 7).ok_or_else(short)?);
    let due_ms = u64::from_be_bytes(array(bytes, 15).ok_or_else(short)?);
    let due_ms = (flags & FLAG_DUE != 0).then_some(due_ms);
    let severity = Severity::from_number(flags >> SEVERITY_SHIFT).ok_or(DecodeError::Severity(flags))?;
    let (mut begins, mut further) = (None, 0);
    if format == FORMAT_REST {
        further = u16::from_be_bytes(array(bytes, HEADER_BYTES).ok_or_else(short)?);
        let version = u64::from_be_bytes(array(bytes, HEADER_BYTES + 2).ok_or_else(short)?);
        let bytes = u32::from_be_bytes(array(bytes, HEADER_BYTES + 10).ok_or_else(short)?);
        begins = Some(Beginning { version, bytes });
    }
    let (open, in_doubt) = (flags & FLAG_OPEN != 0, flags & FLAG_DOUBT != 0);
    let found = flags & FLAG_FOUND != 0;
    Ok(Header { version, due_ms, open, severity, urgency, in_doubt, found, begins, further })
}

/// A due time as it is stored: rounded up, so that nothing is due before its time.
pub(super) fn due_ms(due: Timestamp) -> u64 {
    let floor = due.as_millisecond();
    let ceiling = if due.subsec_nanosecond() % 1_000_000 > 0 { floor.saturating_add(1) } else { floor };
    u64::try_from(ceiling).unwrap_or(0)
}

pub(super) fn due_at(due_ms: u64) -> Timestamp {
    let millis = i64::try_from(due_ms).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

/// A header without its checksum, with room for what follows.
fn bytes_of(header: Header) -> Vec<u8> {
    let due = if header.due_ms.is_some() { FLAG_DUE } else { 0 };
    let open = if header.open { FLAG_OPEN } else { 0 };
    let doubt = if header.in_doubt { FLAG_DOUBT } else { 0 };
    let found = if header.found { FLAG_FOUND } else { 0 };
    // Enough for an ordinary alert without growing.
    let mut bytes = Vec::with_capacity(2 * 1024);
    bytes.push(FORMAT);
    bytes.extend_from_slice(&[0; 4]);
    bytes.push(due | open | doubt | found | (header.severity as u8) << SEVERITY_SHIFT);
    bytes.push(header.urgency as u8);
    bytes.extend_from_slice(&header.version.to_be_bytes());
    bytes.extend_from_slice(&header.due_ms.unwrap_or(0).to_be_bytes());
    bytes
}

/// Without its checksum.
fn written<T: Serialize>(header: Header, value: &T) -> Vec<u8> {
    let mut bytes = bytes_of(header);
    serde_json::to_writer(&mut bytes, value).expect("our types have text keys and no fallible serializer");
    bytes
}

/// The format of a value whose checksum is right.
pub(super) fn checked(bytes: &[u8]) -> Result<u8, DecodeError> {
    let short = || DecodeError::Short(bytes.len());
    let format = *bytes.first().ok_or_else(short)?;
    if !matches!(format, FORMAT | FORMAT_REST) {
        return Err(DecodeError::Format(format));
    }
    let checksum = u32::from_be_bytes(array(bytes, 1).ok_or_else(short)?);
    if checksum != checksum_of(format, bytes.get(5..).ok_or_else(short)?) {
        return Err(DecodeError::Checksum);
    }
    Ok(format)
}

/// Writes the checksum of a value into it.
pub(super) fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let format = bytes.first().copied().unwrap_or_default();
    let checksum = checksum_of(format, bytes.get(5..).unwrap_or_default()).to_be_bytes();
    for (byte, checksum) in bytes.iter_mut().skip(1).zip(checksum) {
        *byte = checksum;
    }
    bytes
}

fn version_of(value: &[u8]) -> Version {
    array(value, 7).map_or(0, u64::from_be_bytes)
}

fn decode_json<T: DeserializeOwned>(bytes: &[u8], start: usize) -> Result<T, DecodeError> {
    let json = bytes.get(start..).ok_or(DecodeError::Short(bytes.len()))?;
    // Where it fails, not what is there: a body must not reach a log.
    serde_json::from_slice(json).map_err(|error| {
        DecodeError::Json(format!("{:?} error at column {}", error.classify(), error.column()))
    })
}

fn checksum_of(format: u8, rest: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[format]);
    hasher.update(rest);
    hasher.finalize()
}

pub(super) fn array<const N: usize>(bytes: &[u8], start: usize) -> Option<[u8; N]> {
    bytes.get(start..start.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{alert::Entry, store::conformance::samples};

    fn at_ms(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn read(whole: &[u8]) -> Result<Stored, DecodeError> {
        decode_alert(decode_header(whole)?, whole, None, &[] as &[&[u8]])
    }

    /// The values of a document: what it begins as, the rest, what that goes on in.
    #[derive(Clone, Debug, Default)]
    struct Values {
        beginning: Vec<u8>,
        rest: Option<Vec<u8>>,
        further: Vec<Vec<u8>>,
    }

    impl Values {
        fn write(&mut self, whole: &[u8]) {
            let kept = (!self.beginning.is_empty()).then_some(self.beginning.as_slice());
            let kept = kept.map(|kept| (decode_header(kept).unwrap().version, kept));
            let Layout { beginning, rest, further } = lay_out(whole, kept);
            match beginning {
                First::Kept => {}
                First::Whole => self.beginning = whole.to_vec(),
                First::Cut(value) => self.beginning = value,
            }
            (self.rest, self.further) = (rest, further);
            let all = self.further.iter().chain(&self.rest).chain([&self.beginning]);
            assert!(all.into_iter().all(|value| value.len() <= VALUE_BYTES_MAX));
        }

        fn read(&self) -> Result<Stored, DecodeError> {
            let newest = self.rest.as_ref().unwrap_or(&self.beginning);
            let header = decode_header(newest)?;
            if let Some(begins) = header.begins {
                assert_eq!(decode_header(&self.beginning)?.version, begins.version);
            }
            decode_alert(header, newest, Some(&self.beginning), &self.further)
        }
    }

    proptest! {
        #[test]
        fn a_document_reads_back_as_it_was(
            title in ".{1,80}",
            body in "(?s).{0,400}",
            labels in proptest::collection::btree_map(".{0,12}", ".{0,24}", 0..6),
            version in 1_u64..,
            due in proptest::option::of(0_i64..4_000_000_000_000),
        ) {
            let mut alert = samples::alert("db down", 1, at_ms(1_700_000_000_000));
            (alert.title, alert.body, alert.labels) = (title, body, labels);
            let bytes = encode_alert(&alert, version, due.map(at_ms), false).unwrap();
            let header = decode_header(&bytes).unwrap();
            prop_assert_eq!(header.due_ms.map(due_at), due.map(at_ms));
            prop_assert_eq!(header.open, alert.is_open());
            prop_assert_eq!(read(&bytes).unwrap(), Stored { alert, version });
        }

        #[test]
        fn a_flipped_bit_is_noticed(bit in 8_usize..8 * 400) {
            let alert = samples::alert("db down", 1, at_ms(1_700_000_000_000));
            let mut bytes = encode_alert(&alert, 3, Some(at_ms(5)), false).unwrap();
            let bit = bit % (8 * bytes.len() - 8) + 8;
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(read(&bytes), Err(DecodeError::Checksum));
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(read(&bytes).is_err());
        }

        #[test]
        fn whatever_changes_the_values_hold_the_last_document(
            changes in proptest::collection::vec((0_usize..5, 0_usize..80_000), 1..12),
        ) {
            let mut alert = samples::alert("db down", 1, at_ms(1_700_000_000_000));
            let mut values = Values::default();
            for ((what, much), version) in changes.into_iter().zip(1..) {
                match what {
                    0 => alert.title = "x".repeat(much % 200),
                    1 => alert.body = "y".repeat(much),
                    2 => alert.attempts += 1,
                    3 => alert.rows.push(Row {
                        at: at_ms(5),
                        entry: Entry::Comment { by: "jin".to_owned(), text: "z".repeat(much / 4) },
                    }),
                    _ => alert.rows.clear(),
                }
                values.write(&encode_alert(&alert, version, Some(at_ms(5)), false).unwrap());
                prop_assert_eq!(values.read(), Ok(Stored { alert: alert.clone(), version }));
                if values.further.pop().is_some() {
                    prop_assert_eq!(values.read(), Err(DecodeError::Missing));
                    values.write(&encode_alert(&alert, version, Some(at_ms(5)), false).unwrap());
                }
            }
        }
    }

    #[test]
    fn a_value_of_a_newer_format_is_refused_by_name() {
        let mut bytes = encode_plain(&"rows").unwrap();
        bytes[0] = 9;
        let error = decode_plain::<String>(&bytes).unwrap_err();
        assert_eq!(error, DecodeError::Format(9));
        assert!(error.to_string().contains("newer version"), "{error}");
    }

    #[test]
    fn a_document_above_the_limit_is_refused_and_one_at_the_limit_is_not() {
        let envelope = encode_plain(&"").unwrap().len();
        let fits = "x".repeat(VALUE_BYTES_MAX - envelope);
        assert_eq!(encode_plain(&fits).unwrap().len(), VALUE_BYTES_MAX);
        let error = encode_plain(&format!("{fits}x")).unwrap_err();
        assert!(matches!(error, StoreError::TooLarge { bytes, .. } if bytes == VALUE_BYTES_MAX + 1));
    }

    #[test]
    fn a_plan_writes_what_it_changed_and_not_what_the_sender_said() {
        let mut alert = samples::alert("db down", 1, at_ms(0));
        alert.body = "no answer ".repeat(500);
        let mut values = Values::default();
        values.write(&encode_alert(&alert, 1, Some(at_ms(5)), false).unwrap());
        assert!(values.rest.is_none());
        alert.attempts = 2;
        values.write(&encode_alert(&alert, 2, None, false).unwrap());
        assert!(values.rest.as_ref().unwrap().len() < 600, "{:?}", values.rest);
        alert.title = "db is down".to_owned();
        values.write(&encode_alert(&alert, 3, None, false).unwrap());
        assert!(values.rest.is_none(), "it begins otherwise");
    }

    #[test]
    fn a_long_document_is_several_values_each_within_the_limit() {
        let mut alert = samples::alert("db down", 1, at_ms(0));
        let alert_body = alert.body.len();
        let bare = encode_alert(&alert, 7, Some(at_ms(5)), false).unwrap().len();
        // At the edges, where a value ends.
        let edges = [0, VALUE_BYTES_MAX - REST_HEADER_BYTES, 3 * (VALUE_BYTES_MAX - HEADER_BYTES)];
        for more in edges.into_iter().flat_map(|edge| [edge, edge + 1]) {
            // Its body is longer by as much as the document is to be.
            alert.body = "x".repeat(VALUE_BYTES_MAX - bare + alert_body + more);
            let mut values = Values::default();
            values.write(&encode_alert(&alert, 7, Some(at_ms(5)), false).unwrap());
            assert_eq!(values.rest.is_some(), 0 < more, "{more}");
            assert!(values.further.iter().all(|value| decode_header(value).unwrap().version == 7));
            assert_eq!(values.read().unwrap().alert, alert, "{more}");
        }
        alert.body = "x".repeat(DOCUMENT_BYTES_MAX);
        let error = encode_alert(&alert, 7, None, false).unwrap_err();
        assert!(matches!(error, StoreError::TooLarge { limit: DOCUMENT_BYTES_MAX, .. }), "{error}");
    }

    #[test]
    fn rows_are_as_many_values_as_they_need() {
        let row = |text: String| Row { at: at_ms(0), entry: Entry::Comment { by: "jin".to_owned(), text } };
        let rows: Vec<_> = (0..100).map(|number| row(number.to_string().repeat(900))).collect();
        assert_eq!(encode_rows(7, &[]).unwrap(), []);
        assert_eq!(encode_rows(7, &rows[..3]).unwrap().len(), 1);
        let values = encode_rows(7, &rows).unwrap();
        let mut read = Vec::new();
        for (first, value) in &values {
            assert_eq!(*first as usize, 7 + read.len(), "each has the number of its first row");
            assert!(value.len() <= VALUE_BYTES_MAX);
            read.extend(decode_plain::<Vec<Row>>(value).unwrap());
        }
        assert_eq!(read, rows);
        let error = encode_rows(0, &[row("x".repeat(VALUE_BYTES_MAX))]).unwrap_err();
        assert!(matches!(error, StoreError::TooLarge { limit: VALUE_BYTES_MAX, .. }), "{error}");
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        assert_eq!(due_ms(Timestamp::new(1, 500_000).unwrap()), 1_001);
        assert_eq!(due_ms(Timestamp::new(1, 0).unwrap()), 1_000);
        assert_eq!(due_ms(Timestamp::MIN), 0);
    }
}
