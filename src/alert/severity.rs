//! Zabbix's six severities, and the words other senders use for them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

/// In Zabbix's order and names.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Severity {
    #[default]
    NotClassified,
    Information,
    Warning,
    /// A problem that can wait for working hours.
    Average,
    /// A problem that cannot.
    High,
    /// The service is down: goes by push and SMS at once.
    Disaster,
}

/// A word that no severity is known for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown severity `{0}`: expected not_classified, information, warning, average, high, disaster or a common synonym"
)]
pub struct UnknownSeverity(pub String);

impl Severity {
    pub const ALL: [Self; 6] =
        [Self::NotClassified, Self::Information, Self::Warning, Self::Average, Self::High, Self::Disaster];

    /// Zabbix's number, 0 to 5.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// How many are graver.
    pub fn graver_ones(self) -> usize {
        Self::Disaster as usize - self as usize
    }

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Reads our names, Zabbix's numbers and the common words of other senders, in any case.
impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(word: &str) -> Result<Self, UnknownSeverity> {
        let folded: String = word
            .trim()
            .chars()
            .map(|c| if matches!(c, ' ' | '-') { '_' } else { c.to_ascii_lowercase() })
            .collect();
        Ok(match folded.as_str() {
            "5" | "disaster" | "emergency" | "emerg" | "fatal" | "page" | "p0" => Self::Disaster,
            "4" | "high" | "critical" | "crit" | "error" | "err" | "p1" | "p2" | "down" => Self::High,
            "3" | "average" | "major" | "p3" => Self::Average,
            "2" | "warning" | "warn" | "minor" | "p4" | "unknown" => Self::Warning,
            "1" | "information" | "info" | "informational" | "notice" | "p5" => Self::Information,
            "0" | "not_classified" | "none" => Self::NotClassified,
            _ => return Err(UnknownSeverity(word.chars().take(64).collect())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_number_reads_back() {
        for (number, severity) in (0_u8..).zip(Severity::ALL) {
            assert_eq!(severity.as_str().parse(), Ok(severity));
            assert_eq!(number.to_string().parse(), Ok(severity));
            assert_eq!(Severity::from_number(number), Some(severity));
        }
        assert_eq!(Severity::from_number(6), None);
    }

    #[test]
    fn words_of_other_senders_are_known_in_any_case() {
        for (word, severity) in [
            ("CRITICAL", Severity::High),
            ("Not classified", Severity::NotClassified),
            ("Emergency", Severity::Disaster),
            ("P3", Severity::Average),
            (" warn ", Severity::Warning),
            ("notice", Severity::Information),
        ] {
            assert_eq!(word.parse(), Ok(severity), "{word}");
        }
        assert_eq!("매우 심각".parse::<Severity>(), Err(UnknownSeverity("매우 심각".into())));
    }
}
