//! Why a configuration cannot be used, in words for the person who wrote it.

use std::fmt::Write;

use super::{
    check::Problem,
    files::FileError,
    gateway,
    raw::{ABOVE_TABLES, LISTS, NOT_BUILT},
    units,
};

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

/// What is wrong with the file's form, and at which byte. Only the parser's message is used, because its `Display` prints
/// the source line, and a line may hold a secret.
pub(super) fn explain(mut error: toml::de::Error, text: &str) -> (usize, String) {
    let at = error.span().map_or(0, |span| span.start);
    let message = error.message().to_owned();
    // Without its input the error shows the path of the table instead of the source line.
    error.set_input(None);
    let shown = error.to_string();
    let table = shown.rsplit_once("in `").and_then(|(_, path)| path.split('`').next()).unwrap_or_default();
    if let Some((key, known)) = unknown_key(&message) {
        return (at, explain_unknown(key, known, table, provider_at(text, at).as_deref()));
    }
    if let Some(mistake) = single_brackets(&message, table, text, at) {
        return mistake;
    }
    let what = match message.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected ")) {
        // What was found is left out but for its type.
        Some((found, wanted)) => {
            let found = found.split_whitespace().next().unwrap_or("value").replace("sequence", "list");
            format!("expected {}, found a {found}", wanted.replace("sequence", "list"))
        }
        None => message,
    };
    let what = match (table, error.span().and_then(|span| key_at(text, span.start))) {
        ("", Some(key)) => format!("{key}: {what}"),
        ("", None) => what,
        (table, _) => format!("{}: {what}", bracketed(table)),
    };
    (at, what)
}

/// An unknown key; `provider` is that of the gateway it stands in.
fn explain_unknown(key: &str, mut known: Vec<&str>, table: &str, provider: Option<&str>) -> String {
    let mut what = format!("unknown key `{key}`");
    if !table.is_empty() {
        let _ = write!(what, " in {}", bracketed(table));
    }
    if let Some(provider) = provider.filter(|_| table == "sms.gateway") {
        known.retain(|known| gateway::takes(provider, known));
    }
    let _ = write!(what, ", expected one of {}", known.join(", "));
    if !table.is_empty() && ABOVE_TABLES.contains(&key) {
        what.push_str("; it belongs above the first table");
    } else {
        what.push_str(&units::did_you_mean(key, &known));
    }
    what
}

/// The provider of the gateway whose table byte `at` of the file is in.
fn provider_at(text: &str, at: usize) -> Option<String> {
    const HEADER: &str = "[[sms.gateway]]";
    let (_, above) = text.get(..at)?.rsplit_once(HEADER)?;
    let rest = text.get(at - above.len()..)?;
    let table: toml::Table = toml::from_str(rest.split("\n[").next()?).ok()?;
    Some(table.get("provider")?.as_str()?.to_owned())
}

/// `[contact]` where there may be several: a wrong type if it is there once, else a key that is there twice.
fn single_brackets(message: &str, table: &str, text: &str, at: usize) -> Option<(usize, String)> {
    let table = if message.contains("duplicate key") {
        header(line_at(text, at)?)?
    } else if message.starts_with("invalid type: map, expected a sequence") {
        table
    } else {
        return None;
    };
    let table = LISTS.into_iter().find(|list| *list == table)?;
    let mut starts = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim_start().starts_with("[[") && header(line) == Some(table) {
            return Some((starts, format!("[{table}]: write [[{table}]], with two brackets")));
        }
        starts += line.len();
    }
    None
}

/// The table that a line opens.
fn header(line: &str) -> Option<&str> {
    let inner = line.trim_start().trim_start_matches('[');
    (inner.len() < line.trim_start().len()).then(|| inner.split(']').next().unwrap_or_default().trim())
}

fn line_at(text: &str, at: usize) -> Option<&str> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    text.get(start..)?.lines().next()
}

/// The key of the line around byte `at`, unless that line is part of something longer.
fn key_at(text: &str, at: usize) -> Option<&str> {
    let (key, _) = line_at(text, at)?.split_once('=')?;
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
