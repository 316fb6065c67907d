//! The title of an alert: the one line that a phone always shows.

use super::{TITLE_BYTES_MAX, text::one_line};

const HOST_BYTES_MAX: usize = 128;

/// `HOST: NAME`, or `NAME` alone if it contains one of the host's names: a title says what is wrong, and where.
pub(super) fn with_host(name: &str, hosts: &[&str]) -> String {
    let name = one_line(name, TITLE_BYTES_MAX);
    match hosts.first() {
        Some(host) if !hosts.iter().any(|host| contains_word(&name, host.trim())) => {
            one_line(&format!("{}: {name}", one_line(host, HOST_BYTES_MAX)), TITLE_BYTES_MAX)
        }
        Some(_) | None => name,
    }
}

/// In any case; `web1` is not in `web10`, but `웹서버` is in `웹서버에서`.
fn contains_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), one_line(word, HOST_BYTES_MAX).to_lowercase());
    if word.is_empty() {
        return true;
    }
    text.match_indices(&word).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|after| after.chars().next());
        ![before, after].iter().flatten().any(char::is_ascii_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_names_the_host_once() {
        for (name, hosts, title) in [
            ("disk full", &["web01"][..], "web01: disk full"),
            ("disk full on WEB01", &["web01"], "disk full on WEB01"),
            ("disk full on web010", &["web01"], "web01: disk full on web010"),
            ("web01.example: disk full", &["웹 서버", "web01"], "web01.example: disk full"),
            ("웹서버에서 디스크 가득", &["웹서버"], "웹서버에서 디스크 가득"),
            ("disk\r\nfull", &[], "disk full"),
            ("disk full", &[" "], "disk full"),
        ] {
            assert_eq!(with_host(name, hosts), title, "{name}");
        }
    }
}
