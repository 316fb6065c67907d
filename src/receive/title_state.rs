//! The state that senders write into titles: `[RESOLVED] disk`, `Recovery: disk`, `disk is CRITICAL`.

use super::words::{End, end, one_state};

const BRACKETS: [(char, char); 3] = [('[', ']'), ('(', ')'), ('【', '】')];

/// A title taken apart.
#[derive(Default)]
struct Parts<'a> {
    /// What stands in brackets in front and is no state.
    others: Vec<&'a str>,
    /// Some state in front is an end.
    is_end: bool,
    rest: &'a str,
}

/// For example `[RESOLVED] disk`, `[web01] [OK] disk`, `복구: disk`.
pub(super) fn begins_with_end(title: &str) -> bool {
    parts(title).is_some_and(|parts| parts.is_end)
}

/// The title without the states in front, so that a recovery finds its problem: `[OK] disk`,
/// `[FIRING:1] disk` and `Problem: disk` are all `disk`.
pub(super) fn without_leading(title: &str) -> String {
    parts(title)
        .map_or_else(|| title.to_owned(), |parts| [&parts.others[..], &[parts.rest]].concat().join(" "))
}

/// Also without the states within: `http is CRITICAL!` and `http is OK!` are both `http is`. Only what begins
/// with a capital, and does not stand first, is a state: in `backup failed` and `Open files` it is what is wrong.
pub(super) fn without_any(title: &str) -> String {
    let title = without_leading(title);
    let words = title.split_whitespace().enumerate();
    let kept = words.filter(|(number, word)| !is_state_within(word, *number == 0)).map(|(_, word)| word);
    kept.collect::<Vec<_>>().join(" ")
}

fn is_state_within(word: &str, is_first: bool) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let is_shouted = 1 < word.len() && word.chars().all(|c| c.is_ascii_uppercase());
    let is_marked = is_shouted || !is_first && word.starts_with(|c: char| c.is_ascii_uppercase());
    is_marked && one_state(&word.to_lowercase()).is_some()
}

/// `None` if no state stands in front of something: in brackets and alone there, or before a colon.
fn parts(title: &str) -> Option<Parts<'_>> {
    let opens = |c| BRACKETS.iter().any(|(open, _)| *open == c);
    let mut parts = Parts::default();
    let mut has_state = false;
    let mut rest = title.trim();
    loop {
        // Pictures in front change with the state.
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric() && !opens(c));
        let Some((open, close)) = BRACKETS.iter().find(|(open, _)| rest.starts_with(*open)) else { break };
        let (inside, after) = rest.get(open.len_utf8()..)?.split_once(*close)?;
        match only_state(inside) {
            Some(word) => {
                has_state = true;
                parts.is_end |= matches!(end(&word), Some(End::Believed | End::BelievedInBrackets));
            }
            None => parts.others.push(rest.get(..rest.len() - after.len())?),
        }
        rest = after;
    }
    if let Some((words, after)) = rest.split_once(':')
        && let Some(word) = only_state(before_duration(words))
    {
        has_state = true;
        parts.is_end |= end(&word) == Some(End::Believed);
        rest = after.trim_start();
    }
    parts.rest = rest.trim_end();
    (has_state && !parts.rest.is_empty()).then_some(parts)
}

/// Zabbix writes `Resolved in 5m 2s: NAME`.
fn before_duration(words: &str) -> &str {
    match words.split_once(" in ") {
        Some((word, duration)) if duration.starts_with(|c: char| c.is_ascii_digit()) => word,
        Some(_) | None => words,
    }
}

/// The state, if there are only states and counts: `FIRING:2`, `OK -> CRITICAL`, `🔴 Down`.
fn only_state(words: &str) -> Option<String> {
    let folded = words.to_lowercase();
    let mut states = Vec::new();
    for part in folded.split([':', ',', '(', ')', '>']) {
        let part = part.trim_matches(|c: char| !c.is_alphanumeric());
        let is_count = part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_count {
            one_state(part)?;
            states.push(part);
        }
    }
    let is_change = folded.contains("->");
    let state: Option<&&str> = if is_change { states.last() } else { states.first() };
    state.map(|state| (*state).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_read_from_the_front_of_a_title_only() {
        for end in [
            "[RESOLVED] Disk full",
            "[Resolved:2] Disk full",
            "✅ [OK] Disk full",
            "[web01] [✅ Up] Disk full",
            "[RESOLVED][Critical][web01] Disk full",
            "[Critical] Resolved: Disk full",
            "[CRITICAL -> OK] Disk full",
            "Resolved: Disk full",
            "Resolved in 5m 2s: Disk full",
            "RECOVERY: Disk full",
            "OK: Disk full",
            "[복구] 디스크 가득",
            "【해제】디스크 가득",
            "(정상) 디스크 가득",
            "해결: 디스크 가득",
        ] {
            assert!(begins_with_end(end), "{end}");
        }
        for other in [
            "Disk full",
            "[FIRING:1, RESOLVED:2] Disk full",
            "[OK, web01] Disk full",
            "[OK",
            "[RESOLVED]",
            "RESOLVED",
            "Closed: port 443",
            "Up: 3 days",
            "OK Disk full",
            "Not resolved: Disk full",
            "Ticket: resolved",
            "[0] Disk full",
            "0: Disk full",
            "정상 아님: 디스크",
            "",
        ] {
            assert!(!begins_with_end(other), "{other}");
        }
    }

    #[test]
    fn the_title_of_a_problem_and_of_its_end_are_one_without_the_state() {
        for (title, leading, any) in [
            ("[PROBLEM] http on web01 is CRITICAL!", "http on web01 is CRITICAL!", "http on web01 is"),
            ("[RECOVERY] http on web01 is OK!", "http on web01 is OK!", "http on web01 is"),
            ("Service PROBLEM notification", "Service PROBLEM notification", "Service notification"),
            ("Host web01 is Down", "Host web01 is Down", "Host web01 is"),
            ("🔴 [FIRING:1] disk", "disk", "disk"),
            ("[web01] [Down] disk", "[web01] disk", "[web01] disk"),
            ("[RESOLVED][Critical][web01] disk", "[web01] disk", "[web01] disk"),
            ("[Critical][web01]disk", "[web01] disk", "[web01] disk"),
            ("[web01] [sda] disk", "[web01] [sda] disk", "[web01] [sda] disk"),
            ("[web01", "[web01", "[web01"),
            ("[Critical, web01] disk", "[Critical, web01] disk", "[Critical, web01] disk"),
            ("Problem: disk", "disk", "disk"),
            ("backup failed", "backup failed", "backup failed"),
            ("Open files", "Open files", "Open files"),
            ("Error: disk", "disk", "disk"),
            ("code 0 or 1", "code 0 or 1", "code 0 or 1"),
            ("DOWN", "DOWN", ""),
        ] {
            assert_eq!(without_leading(title), leading, "{title}");
            assert_eq!(without_any(title), any, "{title}");
        }
    }
}
