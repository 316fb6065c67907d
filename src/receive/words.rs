//! The words that senders use for severities and states.

use std::collections::BTreeMap;

use super::text;
use crate::alert::{DedupKey, Event, EventStatus, Severity, Update};

/// How much is kept of an unknown word.
const WORD_CHARS_MAX: usize = 64;

/// What a sender's words for a severity mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grade {
    /// `None` if there was no word.
    pub(super) severity: Option<Severity>,
    /// The first word, if none of them is known.
    pub(super) unknown: Option<String>,
}

impl Grade {
    pub(super) fn event(self, key: DedupKey, title: impl Into<String>) -> Event {
        Event { severity: self.severity, unknown_severity: self.unknown, ..Event::firing(key, title) }
    }
}

/// The first word that the integration's own table knows, else the first common one, else not classified. The table is
/// asked for the word as it came and for our name of it: `high = "disaster"` also holds for a sender that writes `4`.
pub(super) fn grade(words: &[&str], table: &BTreeMap<String, Severity>) -> Grade {
    let in_table = |word: &&str| {
        let common = word.parse::<Severity>().ok();
        table.get(word.trim().to_lowercase().as_str()).or_else(|| table.get(common?.as_str())).copied()
    };
    let common = || words.iter().find_map(|word| word.parse::<Severity>().ok());
    let known = words.iter().find_map(in_table).or_else(common);
    match (known, words.first()) {
        (Some(severity), _) => Grade { severity: Some(severity), unknown: None },
        (None, Some(word)) => Grade {
            severity: Some(Severity::NotClassified),
            unknown: Some(word.chars().filter(|c| !c.is_control()).take(WORD_CHARS_MAX).collect()),
        },
        (None, None) => Grade::default(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Firing,
    Resolved,
    Acknowledged,
    Unacknowledged,
    /// It holds, but somebody silenced it at the sender: worth a note, not a notification.
    Suppressed,
}

impl State {
    /// The status of an event; an update has the comment and the name in `update`.
    pub(super) fn status(self, update: Update) -> EventStatus {
        let acknowledged = match self {
            Self::Firing => return EventStatus::Firing,
            Self::Resolved => return RESOLVED,
            Self::Acknowledged => Some(true),
            Self::Unacknowledged => Some(false),
            Self::Suppressed => None,
        };
        EventStatus::Update(Update { acknowledged, ..update })
    }
}

/// Over, by a plain recovery.
pub(super) const RESOLVED: EventStatus = EventStatus::Resolved { note: None, escalation_cancelled: false };

/// The status of an event that is only worth a note.
pub(super) fn noted(comment: &str) -> EventStatus {
    EventStatus::Update(Update { comment: Some(text::note(comment)), ..Update::default() })
}

/// Reads a state word in any case. Of a change (`OK -> CRITICAL`) the end counts, of a qualified
/// state (`Down (Acknowledged)`) the qualification.
pub(super) fn state(words: &str) -> Option<State> {
    let folded = words.get(..words.floor_char_boundary(WORD_CHARS_MAX))?.to_lowercase();
    let last = folded.rsplit("->").next().unwrap_or(&folded);
    let mut known = last.split(['(', ')', ':', ',']).filter_map(|part| one_state(part.trim()));
    let first = known.next()?;
    Some(match known.next() {
        Some(qualified @ (State::Acknowledged | State::Suppressed)) => qualified,
        Some(State::Firing | State::Resolved | State::Unacknowledged) | None => first,
    })
}

/// `word` is in lower case.
pub(super) fn one_state(word: &str) -> Option<State> {
    Some(match word {
        "firing" | "fire" | "problem" | "alerting" | "alert" | "alarm" | "down" | "critical" | "crit"
        | "error" | "warning" | "warn" | "unknown" | "unreachable" | "unusual" | "failed" | "failure"
        | "fail" | "open" | "opened" | "new" | "create" | "trigger" | "triggered" | "on" | "active"
        | "offline" | "no_data" | "nodata" | "1" | "발생" | "장애" | "장애 발생" | "이상" | "주의"
        | "경고" | "위험" | "심각" | "긴급" => State::Firing,
        "acknowledged" | "acknowledge" | "acknowledgement" | "acknowledgment" | "ack" => State::Acknowledged,
        "unacknowledged" | "unacknowledge" | "unack" => State::Unacknowledged,
        "suppressed" | "downtime" | "downtimestart" | "downtimeend" | "downtimecancelled"
        | "downtimeremoved" | "maintenance" | "silenced" | "muted" | "disabled" | "paused"
        | "flappingstart" | "flappingstop" | "flappingend" | "flappingdisabled" => State::Suppressed,
        word => return end(word).map(|_| State::Resolved),
    })
}

/// How far a word for an end is believed where a title begins with it and no field says how it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Believed,
    /// `Closed: port 443` may be the problem.
    BelievedInBrackets,
    NotBelieved,
}

/// `word` is in lower case.
pub(super) fn end(word: &str) -> Option<End> {
    Some(match word {
        "resolved" | "recovered" | "recovery" | "ok" | "해결" | "해결됨" | "해결 완료" | "복구"
        | "복구됨" | "복구 완료" | "정상" | "정상화" | "해소" | "해소됨" | "해제" => {
            End::Believed
        }
        "up" | "clear" | "cleared" | "closed" => End::BelievedInBrackets,
        "resolve" | "close" | "normal" | "off" | "inactive" | "online" | "healthy" | "success" | "0"
        | "해제됨" => End::NotBelieved,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integrations_table_stands_over_the_common_words() {
        let table =
            BTreeMap::from([("심각".to_owned(), Severity::Disaster), ("high".to_owned(), Severity::Average)]);
        for (words, severity, unknown) in [
            (&["3", "심각"][..], Some(Severity::Disaster), None),
            (&["4"], Some(Severity::Average), None),
            (&["HIGH"], Some(Severity::Average), None),
            (&["5", "Disaster"], Some(Severity::Disaster), None),
            (&["bizarre", "warning"], Some(Severity::Warning), None),
            (&["매우 심각"], Some(Severity::NotClassified), Some("매우 심각")),
            (&["7"], Some(Severity::NotClassified), Some("7")),
            (&[], None, None),
        ] {
            let expected = Grade { severity, unknown: unknown.map(str::to_owned) };
            assert_eq!(grade(words, &table), expected, "{words:?}");
        }
    }

    #[test]
    fn state_words_are_read_in_any_case_and_with_their_qualification() {
        for (words, expected) in [
            ("FIRING", Some(State::Firing)),
            ("PROBLEM", Some(State::Firing)),
            ("1", Some(State::Firing)),
            ("Ok", Some(State::Resolved)),
            ("RECOVERY", Some(State::Resolved)),
            ("DOWN -> UP", Some(State::Resolved)),
            ("OK -> CRIT", Some(State::Firing)),
            ("Down (Acknowledged)", Some(State::Acknowledged)),
            ("ack", Some(State::Acknowledged)),
            ("unacknowledged", Some(State::Unacknowledged)),
            ("DOWNTIMESTART", Some(State::Suppressed)),
            ("Down ended (now: Up)", Some(State::Resolved)),
            ("blue", None),
            ("", None),
        ] {
            assert_eq!(state(words), expected, "{words}");
        }
    }
}
