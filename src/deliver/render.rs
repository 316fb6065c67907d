//! Notices become texts, by templates that the operator can replace.
//!
//! A text about an alert must come out whatever happens: templates are compiled and tried on a
//! notice of every kind at start, and one that fails later is replaced by a plain sentence.

use std::{
    io,
    path::{Path, PathBuf},
};

use minijinja::{AutoEscape, Environment, UndefinedBehavior, escape_formatter, value::Serde};

use super::sms::text::{fold, length, shorten};
use crate::alert::Language;

mod notice;
mod sample;
mod source;

pub use notice::{Notice, NoticeState};

/// Longest title of a push, in UTF-16 code units: two lines on a lock screen, and then some.
pub(crate) const PUSH_TITLE_CHARS_MAX: usize = 120;
/// Longest body of a push, in UTF-16 code units: FCM takes 4,096 bytes in all, a Hangul syllable is
/// three, and the other fields need more than a thousand.
pub(crate) const PUSH_BODY_CHARS_MAX: usize = 500;
/// Fewest characters of a title that a link may leave in a text message. Below that the reader
/// would get a link and no idea what it is about, so the link goes instead.
pub(crate) const LINK_TITLE_CHARS_MIN: usize = 20;

/// What a phone shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushText {
    /// One line.
    pub title: String,
    /// A few lines.
    pub body: String,
}

/// Why the templates cannot be used. Raised at start only.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The folder or a file in it.
    #[error("could not read `{path}`", path = path.display())]
    Read {
        /// What was read.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A file that replaces nothing.
    #[error("`{path}` replaces no template: there is none of that name", path = path.display())]
    Stranger {
        /// The file.
        path: PathBuf,
    },
    /// A template that does not compile, or fails for some notice.
    #[error("template `{file}`, line {line}: {reason}")]
    Invalid {
        /// The file, or the name of a built-in template.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A template that says nothing about some notice.
    #[error("template `{file}` gives no text for an alert that is `{state}`")]
    Empty {
        /// The file, or the name of a built-in template.
        file: String,
        /// Of the notice.
        state: &'static str,
    },
}

/// Puts notices into words.
#[derive(Debug)]
pub struct Renderer {
    templates: Environment<'static>,
}

/// The texts that a notice becomes.
#[derive(Clone, Copy)]
enum Part {
    PushTitle,
    PushBody,
    Sms,
}

impl Renderer {
    /// Compiles the templates, those in the folder `overrides` instead of the built-in ones of the
    /// same relative name, and tries them on a notice of every kind.
    pub fn new(overrides: Option<&Path>) -> Result<Self, TemplateError> {
        let sources = source::sources(overrides)?;
        let file_of =
            |name: &str| sources.get(name).map_or_else(|| name.to_owned(), |source| source.file.clone());
        let mut templates = environment();
        for (name, source) in &sources {
            let added = templates.add_template_owned(*name, source.text.clone());
            added.map_err(|error| invalid(&error, name, &file_of))?;
        }
        let renderer = Self { templates };
        for notice in sample::samples() {
            for (language, part) in every_text() {
                let name = part.template(language);
                let text = renderer.try_render(part, language, &notice);
                if text.map_err(|error| invalid(&error, name, &file_of))?.trim().is_empty() {
                    return Err(TemplateError::Empty { file: file_of(name), state: notice.state.as_str() });
                }
            }
        }
        Ok(renderer)
    }

    /// What a phone shows.
    pub fn push(&self, notice: &Notice<'_>, language: Language) -> PushText {
        let title = fold(&self.render(Part::PushTitle, language, notice));
        let body = tidy(&self.render(Part::PushBody, language, notice));
        PushText { title: shorten(&title, PUSH_TITLE_CHARS_MAX), body: shorten(&body, PUSH_BODY_CHARS_MAX) }
    }

    /// A text message of at most `budget_chars` UTF-16 code units: the words, then the link. Words
    /// are cut to make room for the link as long as [`LINK_TITLE_CHARS_MIN`] characters of the title
    /// stay (or all of a shorter one); else the link is left out.
    pub fn sms(&self, notice: &Notice<'_>, language: Language, budget_chars: usize) -> String {
        let words = fold(&self.render(Part::Sms, language, notice));
        let with_link = budget_chars.checked_sub(length(notice.url) + 1).filter(|_| !notice.url.is_empty());
        let around_title = length(&words).saturating_sub(length(&fold(notice.title)));
        let enough = length(&words).min(around_title + LINK_TITLE_CHARS_MIN);
        match with_link {
            Some(room) if enough <= room => format!("{} {}", shorten(&words, room), notice.url),
            Some(_) | None => shorten(&words, budget_chars),
        }
    }

    fn render(&self, part: Part, language: Language, notice: &Notice<'_>) -> String {
        match self.try_render(part, language, notice) {
            Ok(text) if !text.trim().is_empty() => return text,
            Ok(_) => tracing::error!(template = part.template(language), "a template gave no text"),
            // Only the kind: an error's detail may quote the alert.
            Err(error) => {
                tracing::error!(template = part.template(language), line = error.line(), kind = %error.kind(), "a template failed");
            }
        }
        format!("[{}] {}", notice.severity, notice.title)
    }

    fn try_render(
        &self,
        part: Part,
        language: Language,
        notice: &Notice<'_>,
    ) -> Result<String, minijinja::Error> {
        // A long body costs nothing that would be cut off anyway.
        let body = shorten(notice.body, PUSH_BODY_CHARS_MAX);
        let notice = Notice { body: &body, ..notice.clone() };
        self.templates.get_template(part.template(language))?.render(Serde(notice.context()))
    }
}

impl Part {
    fn template(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::En, Self::PushTitle) => "notification/en/push_title.txt",
            (Language::En, Self::PushBody) => "notification/en/push_body.txt",
            (Language::En, Self::Sms) => "notification/en/sms.txt",
            (Language::Ko, Self::PushTitle) => "notification/ko/push_title.txt",
            (Language::Ko, Self::PushBody) => "notification/ko/push_body.txt",
            (Language::Ko, Self::Sms) => "notification/ko/sms.txt",
        }
    }
}

fn every_text() -> impl Iterator<Item = (Language, Part)> {
    let parts = [Part::PushTitle, Part::PushBody, Part::Sms];
    [Language::En, Language::Ko].into_iter().flat_map(move |language| parts.map(|part| (language, part)))
}

fn environment() -> Environment<'static> {
    let mut templates = Environment::new();
    // Phones show plain text.
    templates.set_auto_escape_callback(|_| AutoEscape::None);
    // A mistyped name is an error at start, not a hole in a text at night; `{% if labels.x %}` is none.
    templates.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    templates.set_formatter(
        |out, state, value| {
            if value.is_none() { Ok(()) } else { escape_formatter(out, state, value) }
        },
    );
    templates.add_filter("shorten", |text: String, chars: usize| shorten(&text, chars));
    templates
}

/// Where the template is wrong: the innermost error names the included file, not the one around it.
fn invalid(error: &minijinja::Error, name: &str, file_of: &dyn Fn(&str) -> String) -> TemplateError {
    let mut innermost = error;
    while let Some(inner) = std::error::Error::source(innermost).and_then(|inner| inner.downcast_ref()) {
        innermost = inner;
    }
    let kind = innermost.kind();
    TemplateError::Invalid {
        file: file_of(innermost.name().unwrap_or(name)),
        line: innermost.line().unwrap_or(1),
        reason: innermost.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}")),
    }
}

/// Lines without control characters and without white space at their ends, at most one empty line
/// in a row, none at the ends.
fn tidy(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let line = line.replace(char::is_control, " ").trim().to_owned();
        let after_empty = lines.last().is_none_or(String::is_empty);
        if !line.is_empty() || !after_empty {
            lines.push(line);
        }
    }
    lines.join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests;
