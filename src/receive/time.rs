//! Times as senders write them.

use jiff::{Timestamp, civil::DateTime, fmt::rfc2822, tz::TimeZone};

const TIME_BYTES_MAX: usize = 64;
/// In seconds, 1973-03-03. What is earlier is no time of an alert but a zero value (Grafana sends year 1).
const EARLIEST: i64 = 100_000_000;

/// Reads seconds, milliseconds, microseconds or nanoseconds since 1970, RFC 3339, RFC 2822, or a
/// date and time without offset (`2026.11.22 15:14:02`, also with `-`, `/` or `T`) in `zone`.
///
/// A date without a time of day is no time: an alert that began at midnight would be older than its own recovery.
/// One in the future comes from a wrong clock or zone, and is kept: a sender's times are compared with each other.
pub(super) fn parse(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || TIME_BYTES_MAX < text.len() {
        return None;
    }
    let time = epoch(text)
        .or_else(|| text.parse().ok())
        .or_else(|| rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()))
        .or_else(|| civil(text, zone))?;
    (EARLIEST <= time.as_second()).then_some(time)
}

/// As [`parse`], one without offset in UTC.
pub(super) fn utc(text: &str) -> Option<Timestamp> {
    parse(text, &TimeZone::UTC)
}

/// The number of digits tells the unit; it does from 1973 to 2286.
fn epoch(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    match whole.len() {
        9 | 10 => Timestamp::from_second(number).ok(),
        12 | 13 => Timestamp::from_millisecond(number).ok(),
        15 | 16 => Timestamp::from_microsecond(number).ok(),
        18 | 19 => Timestamp::from_nanosecond(i128::from(number)).ok(),
        _ => None,
    }
}

fn civil(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked("2026.11.22".len())?;
    if !rest.contains(':') {
        return None;
    }
    let dashed: String = date.chars().map(|c| if matches!(c, '.' | '/') { '-' } else { c }).collect();
    let time: DateTime = format!("{dashed}{rest}").parse().ok()?;
    zone.to_ambiguous_timestamp(time).compatible().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_way_to_write_a_time_is_read() {
        let seoul = TimeZone::get("Asia/Seoul").expect("bundled");
        for text in [
            "1795328042",
            "1795328042000",
            "1795328042000000",
            "1795328042000000000",
            "1795328042.000",
            "2026-11-22T06:14:02Z",
            "2026-11-22T15:14:02.000000+09:00",
            "2026-11-22 06:14:02+00:00",
            "Sun, 22 Nov 2026 15:14:02 +0900",
            "2026.11.22 15:14:02",
            "2026-11-22 15:14:02.000",
            "2026/11/22 15:14:02",
            " 2026-11-22T15:14:02 ",
        ] {
            let time = parse(text, &seoul).map(|time| time.to_string());
            assert_eq!(time.as_deref(), Some("2026-11-22T06:14:02Z"), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "0",
            "7",
            "soon",
            "0001-01-01T00:00:00Z",
            "2026.13.40 15:00:00",
            "2026-11-22",
            "15:14:02",
            "99999999999999999999",
        ] {
            assert_eq!(parse(text, &TimeZone::UTC), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in any::<String>()) {
            let _ = parse(&text, &TimeZone::UTC);
        }
    }
}
