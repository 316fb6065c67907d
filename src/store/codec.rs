//! How documents, journal chunks and records of devices and heartbeats become bytes.
//!
//! ```text
//! 0        format of the value, now 1
//! 1..5     CRC-32 of every other byte, big-endian
//! 5        flags: 1 = has a due time, 2 = the alert is open, 16 to 80 = its severity from 1 to 5
//! 6..14    version of the document (0 for chunks and records)
//! 14..22   due time in ms since the epoch (0 without one)
//! 22..     JSON
//! ```

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::{StoreError, Stored, VALUE_BYTES_MAX, Version};
use crate::alert::{Alert, Severity};

/// The only value format so far.
const FORMAT: u8 = 1;

const HEADER_BYTES: usize = 22;
const FLAG_DUE: u8 = 1;
const FLAG_OPEN: u8 = 2;
const SEVERITY_SHIFT: u8 = 4;

/// What a writer needs of a document without reading its JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Version of the document.
    pub(super) version: Version,
    /// Where it stands in the due index, in ms since the epoch.
    pub(super) due_ms: Option<u64>,
    /// Triggered or acknowledged.
    pub(super) open: bool,
    /// Its severity.
    pub(super) severity: Severity,
}

/// Why bytes are no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DecodeError {
    #[error("a value of {0} bytes is shorter than its header")]
    Short(usize),
    #[error(
        "value format {0} is unknown, this program reads format {FORMAT}: was it written by a newer version?"
    )]
    Format(u8),
    #[error("the checksum does not match")]
    Checksum,
    #[error("flags {0} hold no severity")]
    Severity(u8),
    #[error("the JSON does not read: {0}")]
    Json(String),
}

/// The bytes of a document.
pub(super) fn encode_alert(
    alert: &Alert,
    version: Version,
    due: Option<Timestamp>,
) -> Result<Vec<u8>, StoreError> {
    let (open, severity) = (alert.is_open(), alert.severity);
    encode(Header { version, due_ms: due.map(due_ms), open, severity }, alert)
}

/// The document in these bytes.
pub(super) fn decode_alert(bytes: &[u8]) -> Result<Stored, DecodeError> {
    let header = decode_header(bytes)?;
    Ok(Stored { alert: decode_json(bytes)?, version: header.version })
}

/// The bytes of a journal chunk or a record.
pub(super) fn encode_plain<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    let severity = Severity::NotClassified;
    encode(Header { version: 0, due_ms: None, open: false, severity }, value)
}

/// The journal chunk or record in these bytes.
pub(super) fn decode_plain<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    decode_header(bytes)?;
    decode_json(bytes)
}

/// Checks the whole value, reads its header.
pub(super) fn decode_header(bytes: &[u8]) -> Result<Header, DecodeError> {
    let short = || DecodeError::Short(bytes.len());
    let format = *bytes.first().ok_or_else(short)?;
    if format != FORMAT {
        return Err(DecodeError::Format(format));
    }
    let checksum = u32::from_be_bytes(array(bytes, 1).ok_or_else(short)?);
    if checksum != checksum_of(format, bytes.get(5..).ok_or_else(short)?) {
        return Err(DecodeError::Checksum);
    }

    let flags = *bytes.get(5).ok_or_else(short)?;
    let version = u64::from_be_bytes(array(bytes, 6).ok_or_else(short)?);
    let due_ms = u64::from_be_bytes(array(bytes, 14).ok_or_else(short)?);
    let due_ms = (flags & FLAG_DUE != 0).then_some(due_ms);
    let severity = Severity::from_number(flags >> SEVERITY_SHIFT).ok_or(DecodeError::Severity(flags))?;
    Ok(Header { version, due_ms, open: flags & FLAG_OPEN != 0, severity })
}

/// A due time as it is stored: rounded up, so that nothing is due before its time.
pub(super) fn due_ms(due: Timestamp) -> u64 {
    let floor = due.as_millisecond();
    let ceiling = if due.subsec_nanosecond() % 1_000_000 > 0 { floor.saturating_add(1) } else { floor };
    u64::try_from(ceiling).unwrap_or(0)
}

/// The instant of a stored due time.
pub(super) fn due_at(due_ms: u64) -> Timestamp {
    let millis = i64::try_from(due_ms).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

fn encode<T: Serialize>(header: Header, value: &T) -> Result<Vec<u8>, StoreError> {
    let flags = if header.due_ms.is_some() { FLAG_DUE } else { 0 }
        | if header.open { FLAG_OPEN } else { 0 }
        | (header.severity as u8) << SEVERITY_SHIFT;
    // Enough for an ordinary alert without growing.
    let mut bytes = Vec::with_capacity(2 * 1024);
    bytes.push(FORMAT);
    bytes.extend_from_slice(&[0; 4]);
    bytes.push(flags);
    bytes.extend_from_slice(&header.version.to_be_bytes());
    bytes.extend_from_slice(&header.due_ms.unwrap_or(0).to_be_bytes());
    serde_json::to_writer(&mut bytes, value).expect("our types have text keys and no fallible serializer");
    if bytes.len() > VALUE_BYTES_MAX {
        return Err(StoreError::TooLarge { bytes: bytes.len() });
    }

    let checksum = checksum_of(FORMAT, bytes.get(5..).unwrap_or_default()).to_be_bytes();
    for (byte, checksum) in bytes.iter_mut().skip(1).zip(checksum) {
        *byte = checksum;
    }
    Ok(bytes)
}

fn decode_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let json = bytes.get(HEADER_BYTES..).ok_or(DecodeError::Short(bytes.len()))?;
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

/// The `N` bytes from `start`.
pub(super) fn array<const N: usize>(bytes: &[u8], start: usize) -> Option<[u8; N]> {
    bytes.get(start..start.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::conformance::samples;

    fn at_ms(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
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
            let bytes = encode_alert(&alert, version, due.map(at_ms)).unwrap();
            let header = decode_header(&bytes).unwrap();
            prop_assert_eq!(header.due_ms.map(due_at), due.map(at_ms));
            prop_assert_eq!(header.open, alert.is_open());
            prop_assert_eq!(decode_alert(&bytes).unwrap(), Stored { alert, version });
        }

        #[test]
        fn a_flipped_bit_is_noticed(bit in 8_usize..8 * 400) {
            let alert = samples::alert("db down", 1, at_ms(1_700_000_000_000));
            let mut bytes = encode_alert(&alert, 3, Some(at_ms(5))).unwrap();
            let bit = bit % (8 * bytes.len() - 8) + 8;
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(decode_alert(&bytes), Err(DecodeError::Checksum));
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(decode_alert(&bytes).is_err());
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
        assert!(matches!(error, StoreError::TooLarge { bytes } if bytes == VALUE_BYTES_MAX + 1));
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        assert_eq!(due_ms(Timestamp::new(1, 500_000).unwrap()), 1_001);
        assert_eq!(due_ms(Timestamp::new(1, 0).unwrap()), 1_000);
        assert_eq!(due_ms(Timestamp::MIN), 0);
    }
}
