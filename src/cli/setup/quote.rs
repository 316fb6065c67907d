//! Text made safe for the place where it is printed.

use std::fmt::Write as _;

use crate::config::travels_in_a_header;

/// Most characters of a Grafana UID, which may hold `A-Z a-z 0-9 _ -`.
const GRAFANA_UID_CHARS_MAX: usize = 40;

/// The text, if a header can carry it and we recognise it there.
pub(super) fn header_value(text: &str) -> Option<&str> {
    (!text.is_empty() && travels_in_a_header(text)).then_some(text)
}

/// Whether a path means itself to Munin (`#`, `\`, `${`), to a shell and to people.
pub(super) fn is_plain_path(path: &str) -> bool {
    path.starts_with('/')
        && path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-'))
}

/// A double-quoted YAML scalar: nothing in `text` can end it or be read as anything but text.
pub(super) fn yaml(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_printable(c) => quoted.push(c),
            c if u32::from(c) <= 0xFFFF => {
                write!(quoted, "\\u{:04X}", u32::from(c)).expect("a String takes every write");
            }
            c => write!(quoted, "\\U{:08X}", u32::from(c)).expect("a String takes every write"),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether YAML 1.2 (§ 5.1, c-printable) lets a character stand for itself; line breaks do not.
fn is_printable(c: char) -> bool {
    !matches!(c,
        '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Grafana puts variables of its environment into provisioning files: `$` begins one, `$$` is a `$`
/// (since 9.1.7, grafana/grafana#55666).
pub(super) fn grafana(text: &str) -> String {
    text.replace('$', "$$")
}

/// A UID for Grafana: the name, or where it cannot be one, its checksum.
pub(super) fn grafana_uid(name: &str) -> String {
    let uid = format!("bongsu-{name}");
    let fits = uid.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if fits && uid.len() <= GRAFANA_UID_CHARS_MAX {
        uid
    } else {
        format!("bongsu-{:08x}", crc32fast::hash(name.as_bytes()))
    }
}

/// A double-quoted value of a curl configuration file (`curl -K`).
pub(super) fn curl(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

pub(super) fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// ` --NAME VALUE`, as one types it: quoted only where a shell would change it.
pub fn option(name: &str, value: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-:@%+,".contains(&b);
    let value =
        if value.bytes().all(is_plain) && !value.is_empty() { value.to_owned() } else { shell(value) };
    format!(" --{name} {value}")
}

pub(super) fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
