//! Kannel's answers to a text: a status and one line (gw/smsbox.c, `smsbox_req_sendsms`).

use super::{exchange::Answer, gateway::Reading, quote::quote};
use crate::alert::{DeferCause, Outcome, RejectCause};

/// Reads an answer; `private` holds what must not be quoted.
pub(crate) fn classify(answer: &Answer, private: &[String]) -> Reading {
    let line =
        if answer.whole { String::from_utf8_lossy(&answer.body).trim().to_owned() } else { String::new() };
    let words = if line.starts_with('<') { String::new() } else { quote(&line, private) };
    let detail = format!("answered {} {words}", answer.status).trim_end().to_owned();
    let rejected = |cause| Reading::Done(Outcome::Rejected { cause, detail: detail.clone() });
    match answer.status {
        // No network is connected now. Kannel sends it when one is, and then reports that it was taken.
        202 if line.starts_with("3:") => Reading::Done(Outcome::Unknown { detail }),
        202 => Reading::Done(Outcome::Accepted { provider_id: None }),
        403 if line.starts_with("Not routable") => rejected(RejectCause::Refused),
        // A user, a password or an address of ours that Kannel does not know.
        300..=399 | 401..=405 => Reading::Fault(detail),
        // The receiver is missing, malformed, or on a list of Kannel's.
        400 if line.contains("eceiver") || line.starts_with("Number(s)") => rejected(RejectCause::Recipient),
        400 => rejected(RejectCause::Message),
        429 => Reading::deferred(DeferCause::Throttled, answer, detail),
        503 => Reading::deferred(DeferCause::Unavailable, answer, detail),
        406..=499 => rejected(RejectCause::Refused),
        // Something before Kannel lost its answer, or it is not Kannel.
        _ => Reading::Done(Outcome::Unknown { detail }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(status: u16, line: &str) -> String {
        let answer =
            Answer { status, behind: None, retry_after: None, body: line.as_bytes().to_vec(), whole: true };
        match classify(&answer, &[]) {
            Reading::Done(outcome) => outcome.cause().unwrap_or(outcome.as_str()).to_owned(),
            Reading::Fault(_) => "fault".to_owned(),
        }
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
