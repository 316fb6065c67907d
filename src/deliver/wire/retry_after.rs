//! How long a provider asks us to wait (RFC 9110 §10.2.3).

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

/// Reads seconds or an HTTP date. A date is compared with the answer's own `Date`, so that neither clock has to be
/// right; one that has passed means zero. A value that cannot be read, such as a negative one, is ignored.
pub(super) fn parse(
    value: &str,
    answered_at: Option<Timestamp>,
    now: Timestamp,
    max: SignedDuration,
) -> Option<SignedDuration> {
    let value = value.trim();
    let wish = if value.bytes().all(|b| b.is_ascii_digit()) && !value.is_empty() {
        // More digits than a number holds is a long wish, not an unreadable one.
        SignedDuration::from_secs(value.parse::<u32>().unwrap_or(u32::MAX).into())
    } else {
        http_date(value)?.duration_since(answered_at.unwrap_or(now))
    };
    Some(wish.clamp(SignedDuration::ZERO, max))
}

/// The one form that RFC 9110 §5.6.7 lets a sender make: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(value: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(value.trim()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(784_111_777, 0);
    const MAX: SignedDuration = SignedDuration::from_hours(1);

    #[test]
    fn seconds_and_dates_are_read_and_anything_else_is_no_wish() {
        let seconds = SignedDuration::from_secs;
        for (value, wish) in [
            ("30", Some(seconds(30))),
            (" 30 ", Some(seconds(30))),
            ("0", Some(seconds(0))),
            ("86400", Some(MAX)),
            ("99999999999999999999", Some(MAX)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(seconds(30))),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(seconds(0))),
            ("Tue, 06 Nov 2035 08:49:07 GMT", Some(MAX)),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse(value, None, NOW, MAX), wish, "{value}");
        }
    }

    #[test]
    fn a_retry_after_is_read_as_seconds_or_date_and_bounded() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
        let day = SignedDuration::from_hours(24);
        for (after, seconds) in [
            ("30", Some(30)),
            (" 0 ", Some(0)),
            ("-5", None),
            ("99999999", Some(86_400)),
            ("Sun, 22 Nov 2026 10:01:30 GMT", Some(90)),
            ("Sun, 22 Nov 2026 09:00:00 GMT", Some(0)),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse(after, None, now, day).map(|pause| pause.as_secs()), seconds, "{after}");
        }
    }

    #[test]
    fn a_date_counts_from_the_date_of_the_answer_not_from_our_clock() {
        let answered_at = http_date("Sun, 06 Nov 1994 08:00:00 GMT");
        let wish = parse("Sun, 06 Nov 1994 08:00:20 GMT", answered_at, NOW, MAX);
        assert_eq!(wish, Some(SignedDuration::from_secs(20)));
    }

    proptest! {
        #[test]
        fn a_wish_is_never_negative_nor_longer_than_the_limit(value in "\\PC{0,40}") {
            if let Some(wish) = parse(&value, None, NOW, MAX) {
                prop_assert!(SignedDuration::ZERO <= wish && wish <= MAX);
            }
        }
    }
}
