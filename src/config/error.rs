//! Why a configuration cannot be used, in words for the person who wrote it.

use std::fmt::Write;

use super::{
    check::Problem,
    files::FileError,
    raw::{LISTS, NOT_BUILT},
};

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file itself could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// What is wrong in it: one problem a line, in the order of the file.
    #[error("{}", lines(.0))]
    Problems(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// What is wrong with the file's form. Only the parser's message is used, because its `Display` prints
/// the source line, and a line may hold a secret.
pub(super) fn explain(mut error: toml::de::Error, text: &str) -> String {
    let message = error.message().to_owned();
    // Without its input the error shows the path of the table instead of the source line.
    error.set_input(None);
    let shown = error.to_string();
    let table = shown.rsplit_once("in `").and_then(|(_, path)| path.split('`').next()).unwrap_or_default();
    if let Some((key, known)) = unknown_key(&message) {
        let mut what = format!("unknown key `{key}`");
        if !table.is_empty() {
            let _ = write!(what, " in {}", bracketed(table));
        }
        return format!("{what}, expected one of {}", known.join(", "));
    }
    let what = match message.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected ")) {
        // What was found is left out but for its type.
        Some((found, wanted)) => {
            let found = found.split_whitespace().next().unwrap_or("value").replace("sequence", "list");
            format!("expected {}, found a {found}", wanted.replace("sequence", "list"))
        }
        None => message,
    };
    match (table, error.span().and_then(|span| key_at(text, span.start))) {
        ("", Some(key)) => format!("{key}: {what}"),
        ("", None) => what,
        (table, _) => format!("{}: {what}", bracketed(table)),
    }
}

/// The key of the line around byte `at`, unless that line is part of something longer.
fn key_at(text: &str, at: usize) -> Option<&str> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    let (key, _) = text.get(start..)?.lines().next()?.split_once('=')?;
    let is_key =
        |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    Some(key.trim()).filter(|key| is_key(key))
}

/// The table's header as the file has it.
fn bracketed(table: &str) -> String {
    if LISTS.contains(&table) { format!("[[{table}]]") } else { format!("[{table}]") }
}

/// Takes serde's sentence about an unknown field apart: the field, and those that work.
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let (key, known) = message.strip_prefix("unknown field `")?.split_once("`, expected ")?;
    let known = known.split('`').skip(1).step_by(2).filter(|known| !NOT_BUILT.contains(known)).collect();
    Some((key, known))
}
