//! One message that counts alerts which a budget held back from one contact.
//!
//! A digest is an alert of its own, so it has a due time, attempts, retries, a fallback and a dead
//! letter like any other. While it collects, each alert that is held back lays down a [`FoldRow`]
//! under the digest's id, with the same write that says so in its own document. When its time has
//! come the rows are counted, once, and nothing is added to it any more.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AlertId, ContactName, Severity, Tier, is_default};

/// Most alerts that a digest names; the others are counted.
pub const DIGEST_NAMES_MAX: usize = 10;

/// Most alerts that one digest counts; the next one opens another.
pub const DIGEST_ALERTS_MAX: usize = 10_000;

/// Most people that a digest names as not reached.
const DIGEST_UNREACHED_MAX: usize = 10;

pub(super) const TITLE_CHARS_MAX: usize = 80;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    pub contact: ContactName,
    pub tier: Tier,
    /// When it counts, and goes out.
    pub due_at: Timestamp,
    /// What it counts; `None` while it collects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoldWord {
    /// Somebody else could not be reached about it.
    Unreachable,
    /// It fires, or still does.
    Fired,
    /// It is over.
    Resolved,
}

/// Who could not be reached about what a digest counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreached {
    /// At most [`DIGEST_UNREACHED_MAX`].
    pub names: BTreeSet<ContactName>,
    /// How many more, at least.
    #[serde(default, skip_serializing_if = "is_default")]
    pub more: u32,
}

impl Unreached {
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// These and the others, some of whom may be the same.
    #[must_use]
    pub fn and(self, others: &Self) -> Self {
        let mut names = self.names;
        names.extend(others.names.iter().cloned());
        let surplus = names.len().saturating_sub(DIGEST_UNREACHED_MAX);
        let names = names.into_iter().take(DIGEST_UNREACHED_MAX).collect();
        Self { names, more: self.more.max(others.more).max(u32::try_from(surplus).unwrap_or(u32::MAX)) }
    }
}

/// "jin, min +2"
impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.names.iter().map(ContactName::as_str).collect();
        f.write_str(&names.join(", "))?;
        if 0 < self.more { write!(f, " +{}", self.more) } else { Ok(()) }
    }
}

/// What an alert remembers of the digest that counts it for one contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    pub digest: AlertId,
    pub word: FoldWord,
    /// As how severe it was held back; the least where it only says whom it did not reach.
    pub severity: Severity,
    /// When the alert was first held back for it.
    pub at: Timestamp,
    /// A text was held back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub text: bool,
    /// This contact has not heard of it otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missed: bool,
    /// Who else could not be reached about it.
    #[serde(default, skip_serializing_if = "Unreached::is_empty")]
    pub unreached: Unreached,
}

impl Folded {
    /// It counts more than the end of what its contact knew.
    pub fn tells_of_it(&self) -> bool {
        self.word == FoldWord::Fired || (self.word == FoldWord::Resolved && self.missed)
    }

    /// More is held back of the same alert: the digest still counts it once.
    #[must_use]
    pub fn after(self, earlier: Option<&Self>) -> Self {
        let Some(earlier) = earlier.filter(|earlier| earlier.digest == self.digest) else { return self };
        Self {
            word: self.word.max(earlier.word),
            severity: self.severity.max(earlier.severity),
            at: earlier.at.min(self.at),
            text: self.text || earlier.text,
            missed: self.missed || earlier.missed,
            unreached: self.unreached.and(&earlier.unreached),
            digest: self.digest,
        }
    }
}

/// One alert in one digest: an index row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldRow {
    pub alert_id: AlertId,
    pub word: FoldWord,
    /// As it was then.
    pub severity: Severity,
    pub title: String,
    pub at: Timestamp,
    /// A text was held back, so the digest goes out as a text, too, without waiting for its push.
    pub text: bool,
    /// Its contact has not heard of it otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missed: bool,
    /// Who else could not be reached about it.
    #[serde(default, skip_serializing_if = "Unreached::is_empty")]
    pub unreached: Unreached,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub alert_id: AlertId,
    pub severity: Severity,
    pub title: String,
}

/// What a digest counts. Every alert is counted once: as firing by its severity, as resolved, or as
/// one that somebody else could not be reached about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub by_severity: BTreeMap<Severity, u32>,
    pub resolved: u32,
    /// How many of them were over before this contact heard of them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missed: u32,
    /// Only those of which there was nothing else to tell.
    pub unreachable: u32,
    /// About those of them, or of the others.
    #[serde(default, skip_serializing_if = "Unreached::is_empty")]
    pub unreached: Unreached,
    /// The most severe that fire, the oldest first among equals; at most [`DIGEST_NAMES_MAX`].
    pub worst: Vec<Named>,
    /// When the first was held back, and the last.
    pub since: Timestamp,
    pub until: Timestamp,
    pub text: bool,
}

impl Counted {
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a FoldRow>) -> Self {
        let mut counted = Self::default();
        let mut named: Vec<&FoldRow> = Vec::new();
        for row in rows {
            let first = counted.total() == 0;
            match row.word {
                FoldWord::Fired => *counted.by_severity.entry(row.severity).or_default() += 1,
                FoldWord::Resolved => counted.resolved += 1,
                FoldWord::Unreachable => counted.unreachable += 1,
            }
            counted.since = if first { row.at } else { counted.since.min(row.at) };
            counted.until = if first { row.at } else { counted.until.max(row.at) };
            counted.missed += u32::from(row.missed && row.word == FoldWord::Resolved);
            counted.text |= row.text;
            counted.unreached = counted.unreached.and(&row.unreached);
            if row.word != FoldWord::Resolved {
                named.push(row);
            }
        }
        named.sort_by_key(|row| (std::cmp::Reverse(row.severity), row.at, row.alert_id));
        let name = |row: &FoldRow| Named {
            alert_id: row.alert_id,
            severity: row.severity,
            title: row.title.clone(),
        };
        counted.worst = named.into_iter().take(DIGEST_NAMES_MAX).map(name).collect();
        counted
    }

    pub fn firing(&self) -> u32 {
        self.by_severity.values().sum()
    }

    /// True if it tells of anything but the ends of what its contact knows.
    pub fn has_problems(&self) -> bool {
        0 < self.firing() + self.unreachable + self.missed || !self.unreached.is_empty()
    }

    pub fn total(&self) -> u32 {
        self.firing() + self.resolved + self.unreachable
    }

    /// The highest of those that fire or that somebody could not be reached about.
    pub fn severity(&self) -> Severity {
        self.worst.first().map(|named| named.severity).unwrap_or_default()
    }

    /// "37 more: 35 high, 2 average", for lists and logs.
    pub fn words(&self) -> String {
        let fires = self.by_severity.iter().rev();
        let mut parts: Vec<String> = fires
            .map(|(severity, count)| format!("{count} {}", severity.as_str().replace('_', " ")))
            .collect();
        if 0 < self.resolved {
            parts.push(format!("{} resolved", self.resolved));
        }
        if !self.unreached.is_empty() {
            let about = if 0 < self.unreachable {
                format!("{} about which ", self.unreachable)
            } else {
                String::new()
            };
            parts.push(format!("{about}{} could not be reached", self.unreached));
        }
        format!("{} more: {}", self.total(), parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unreached(name: &str, more: u32) -> Unreached {
        Unreached { names: [name.parse().expect("a name")].into(), more }
    }

    fn row() -> impl Strategy<Value = FoldRow> {
        let word = prop_oneof![Just(FoldWord::Fired), Just(FoldWord::Resolved), Just(FoldWord::Unreachable)];
        (any::<[u8; 16]>(), word, 0_u8..6, 0_i64..5_000, any::<bool>()).prop_map(
            |(id, word, severity, seconds, text)| FoldRow {
                alert_id: AlertId::from_bytes(id),
                word,
                severity: Severity::from_number(severity).expect("0 to 5"),
                title: "disk full".to_owned(),
                at: Timestamp::from_second(1_800_000_000 + seconds).expect("in range"),
                text,
                missed: false,
                unreached: if word == FoldWord::Unreachable {
                    unreached("min", 0)
                } else {
                    Unreached::default()
                },
            },
        )
    }

    proptest! {
        #[test]
        fn a_digest_sums_to_its_rows_in_any_order(mut rows in proptest::collection::vec(row(), 0..80), turn in 0_usize..80) {
            let counted = Counted::of(&rows);
            let count = |word| u32::try_from(rows.iter().filter(|row| row.word == word).count()).expect("few");
            prop_assert_eq!(counted.total() as usize, rows.len());
            prop_assert_eq!(counted.firing(), count(FoldWord::Fired));
            prop_assert_eq!(counted.resolved, count(FoldWord::Resolved));
            prop_assert_eq!(counted.unreachable, count(FoldWord::Unreachable));
            let graver = rows.iter().filter(|row| row.word != FoldWord::Resolved).map(|row| row.severity).max();
            prop_assert_eq!(counted.worst.first().map(|named| named.severity), graver);
            prop_assert!(counted.worst.len() <= DIGEST_NAMES_MAX);
            prop_assert_eq!(counted.text, rows.iter().any(|row| row.text));
            let middle = turn % rows.len().max(1);
            rows.rotate_left(middle);
            prop_assert_eq!(Counted::of(&rows), counted);
        }
    }

    #[test]
    fn more_about_the_same_alert_changes_its_row_and_adds_none() {
        let at = |seconds| Timestamp::from_second(seconds).expect("in range");
        let folded = |digest, word, seconds, text| Folded {
            digest: AlertId::from_bytes([digest; 16]),
            word,
            severity: Severity::High,
            at: at(seconds),
            text,
            missed: false,
            unreached: Unreached::default(),
        };
        let first = folded(1, FoldWord::Fired, 10, true);
        let over = folded(1, FoldWord::Resolved, 20, false).after(Some(&first));
        assert_eq!(over, folded(1, FoldWord::Resolved, 10, true));
        let elsewhere = folded(2, FoldWord::Resolved, 20, false);
        assert_eq!(elsewhere.clone().after(Some(&first)), elsewhere, "another digest knows nothing of it");
    }

    #[test]
    fn the_words_name_the_gravest_first() {
        let counted = Counted {
            by_severity: [(Severity::Average, 2), (Severity::High, 35)].into(),
            ..Counted::default()
        };
        assert_eq!(counted.words(), "37 more: 35 high, 2 average");
    }

    #[test]
    fn everybody_who_could_not_be_reached_is_told_whatever_else_is_told_of_the_alert() {
        let folded = |word, unreached| Folded {
            digest: AlertId::from_bytes([1; 16]),
            word,
            severity: Severity::High,
            at: Timestamp::UNIX_EPOCH,
            text: true,
            missed: false,
            unreached,
        };
        let fired = folded(FoldWord::Fired, Unreached::default());
        let jin = folded(FoldWord::Unreachable, unreached("jin", 2)).after(Some(&fired));
        let both = folded(FoldWord::Unreachable, unreached("min", 0)).after(Some(&jin));
        let over = folded(FoldWord::Resolved, Unreached::default()).after(Some(&both));
        for (folded, words) in [
            (&both, "1 more: 1 high, jin, min +2 could not be reached"),
            (&over, "1 more: 1 resolved, jin, min +2 could not be reached"),
            (
                &folded(FoldWord::Unreachable, unreached("jin", 0)),
                "1 more: 1 about which jin could not be reached",
            ),
        ] {
            let row = FoldRow {
                alert_id: AlertId::from_bytes([7; 16]),
                word: folded.word,
                severity: Severity::High,
                title: "disk full".to_owned(),
                at: folded.at,
                text: folded.text,
                missed: folded.missed,
                unreached: folded.unreached.clone(),
            };
            let counted = Counted::of([&row]);
            assert_eq!(counted.words(), words);
            assert!(counted.has_problems());
        }
    }
}
