//! Kannel's answers to a text: a status and one line (gw/smsbox.c, `smsbox_req_sendsms`).

use crate::{
    alert::RejectCause,
    deliver::{
        sms::answer::{by_status, plain_detail},
        wire::{Answer, Reading},
    },
};

/// `private` holds what must not be quoted.
pub(super) fn classify(answer: &Answer, private: &[String]) -> Reading {
    let body = if answer.is_whole() { answer.body.as_slice() } else { &[] };
    let line = String::from_utf8_lossy(body);
    let line = line.trim();
    let detail = plain_detail(answer, private);
    match answer.status {
        // No network is connected now. Kannel sends it when one is, and then reports that it was taken.
        202 if line.starts_with("3:") => Reading::unknown(detail),
        202 => Reading::accepted(None),
        403 if line.starts_with("Not routable") => Reading::rejected(RejectCause::Refused, detail),
        // The receiver is missing, malformed, or on a list of Kannel's.
        400 if line.contains("eceiver") || line.starts_with("Number(s)") => {
            Reading::rejected(RejectCause::Recipient, detail)
        }
        400 => Reading::rejected(RejectCause::Message, detail),
        // Not Kannel's own words: something before it does not take this request.
        408 | 425 => Reading::rejected(RejectCause::Refused, detail),
        _ => by_status(answer, detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(status: u16, line: &str) -> &'static str {
        classify(&Answer::of(status, line), &[]).class()
    }

    #[test]
    fn every_answer_has_its_class() {
        for (status, line, expected) in [
            (202, "0: Accepted for delivery", "accepted"),
            (202, "3: Queued for later delivery", "unknown"),
            (202, "Sent.", "accepted"),
            (403, "Not routable. Do not try again.", "refused"),
            (403, "Authorization failed for sendsms", "fault"),
            (404, "Unknown request.", "fault"),
            (401, "", "fault"),
            (302, "", "fault"),
            (503, "Temporal failure, try again later.", "unavailable"),
            (429, "", "throttled"),
            (400, "Empty receiver number not allowed, rejected", "recipient"),
            (400, "Number(s) has/have been denied by white- and/or black-lists.", "recipient"),
            (400, "Charset or body misformed, rejected", "message"),
            (414, "", "refused"),
            (500, "", "unknown"),
            (502, "<html>bad gateway</html>", "unknown"),
            (200, "welcome", "unknown"),
        ] {
            assert_eq!(class(status, line), expected, "{status} {line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_is_too_strange(status in 100_u16..1000, line in "\\PC{0,200}") {
            class(status, &line);
        }
    }
}
