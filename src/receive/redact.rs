//! Secrets in bodies that are kept: values behind telling names are masked.

use std::sync::LazyLock;

use regex_lite::Regex;

/// `password": "x"`, `token=x`, `Authorization: Bearer x`, `https://user:x@host`.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)((?:[a-z0-9_.-]*(?:password|passwd|secret|token|api[_-]?key|auth_pass|credential|_key|tls_?key|connection_?string|headers)[a-z0-9_.-]*|\bkey)"#,
        r#"["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s&,;}\]]+)"#
    ))
    .expect("well formed")
});

static AUTHORIZATION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)(authorization["']?\s*[:=]\s*["']?)([^"'\r\n,}]+)"#).expect("well formed")
});

static USERINFO: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)(\b[a-z][a-z0-9+.-]*://)[^/\s@]+@").expect("well formed"));

/// The text with every secret we can recognise replaced by `***`.
pub fn redact(text: &str) -> String {
    let text = AUTHORIZATION.replace_all(text, "${1}***");
    let text = NAMED.replace_all(&text, "${1}***");
    USERINFO.replace_all(&text, "${1}***@").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        for (given, kept) in [
            (r#"{"basic_auth_pass":"hunter2","title":"x"}"#, r#"{"basic_auth_pass":***,"title":"x"}"#),
            ("a=1&token=hunter2&b=2", "a=1&token=***&b=2"),
            ("https://x.example/hook?key=hunter2", "https://x.example/hook?key=***"),
            ("Authorization: Bearer hunter2\nX: y", "Authorization: ***\nX: y"),
            ("see https://jin:hunter2@host/path", "see https://***@host/path"),
            (r#"{"bongsu_key": "hun\"ter2", "n": 1}"#, r#"{"bongsu_key": ***, "n": 1}"#),
            ("disk key performance is fine", "disk key performance is fine"),
        ] {
            assert_eq!(redact(given), kept);
        }
    }
}
