//! The templates: built in, each replaceable by a file of the same relative name.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::TemplateError;

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../templates/", $name)))),*]
    };
}

const BUILT_IN: [(&str, &str); 24] = built_in![
    "notification/en/digest_counts.txt",
    "notification/en/digest_push_body.txt",
    "notification/en/digest_push_title.txt",
    "notification/en/digest_sms.txt",
    "notification/en/outage_parts.txt",
    "notification/en/outage_push_body.txt",
    "notification/en/outage_push_title.txt",
    "notification/en/outage_sms.txt",
    "notification/en/push_body.txt",
    "notification/en/push_title.txt",
    "notification/en/severity.txt",
    "notification/en/sms.txt",
    "notification/ko/digest_counts.txt",
    "notification/ko/digest_push_body.txt",
    "notification/ko/digest_push_title.txt",
    "notification/ko/digest_sms.txt",
    "notification/ko/outage_parts.txt",
    "notification/ko/outage_push_body.txt",
    "notification/ko/outage_push_title.txt",
    "notification/ko/outage_sms.txt",
    "notification/ko/push_body.txt",
    "notification/ko/push_title.txt",
    "notification/ko/severity.txt",
    "notification/ko/sms.txt",
];

/// How deep in the folder of overrides unknown files are looked for: links may go round in circles.
const FOLDERS_MAX: usize = 4;

pub(super) struct Source {
    /// What to call it in an error: the file that replaces it, else its name.
    pub(super) file: String,
    pub(super) text: String,
}

pub(super) type Sources = BTreeMap<&'static str, Source>;

pub(super) fn file(sources: &Sources, name: &str) -> String {
    sources.get(name).map_or_else(|| name.to_owned(), |source| source.file.clone())
}

#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.into_iter().map(|(name, _)| name)
}

/// Every template by name, those in `overrides` instead of ours.
pub(super) fn sources(overrides: Option<&Path>) -> Result<Sources, TemplateError> {
    if let Some(folder) = overrides {
        refuse_strangers(folder, folder, FOLDERS_MAX)?;
    }
    BUILT_IN.into_iter().map(|(name, text)| Ok((name, source(name, text, overrides)?))).collect()
}

fn source(name: &str, text: &str, overrides: Option<&Path>) -> Result<Source, TemplateError> {
    let built_in = || Source { file: name.to_owned(), text: text.to_owned() };
    let Some(path) = overrides.map(|folder| folder.join(name)) else { return Ok(built_in()) };
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Source { file: path.display().to_string(), text }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(built_in()),
        Err(source) => Err(TemplateError::Read { path, source }),
    }
}

/// A text file under a name that is not ours replaces nothing: its author mistyped it, or put it elsewhere.
fn refuse_strangers(overrides: &Path, folder: &Path, levels: usize) -> Result<(), TemplateError> {
    for path in list(folder)? {
        if path.is_dir() {
            if 0 < levels {
                refuse_strangers(overrides, &path, levels - 1)?;
            }
            continue;
        }
        let is_text = path.extension().is_some_and(|extension| extension == "txt");
        let known = BUILT_IN.iter().any(|(name, _)| overrides.join(name) == path);
        if is_text && !known {
            let advice = advice(path.strip_prefix(overrides).unwrap_or(&path));
            return Err(TemplateError::Stranger { path, advice });
        }
    }
    Ok(())
}

/// The templates that end as `relative` does: in the same language if it says one, else in each.
fn advice(relative: &Path) -> String {
    let ends_as = |levels: usize| -> Vec<&str> {
        let mut tail: Vec<_> = relative.components().rev().take(levels).collect();
        tail.reverse();
        let tail: PathBuf = tail.into_iter().collect();
        BUILT_IN.iter().map(|(name, _)| *name).filter(|name| Path::new(name).ends_with(&tail)).collect()
    };
    let near = [2, 1].map(ends_as).into_iter().find(|near| !near.is_empty());
    match near {
        Some(near) => format!("did you mean {}?", near.join(" or ")),
        None => "there is none of that name".to_owned(),
    }
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, TemplateError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
    };
    read().map_err(|source| TemplateError::Read { path: folder.to_owned(), source })
}
