//! Notices become texts, by templates that the operator can replace.
//!
//! A text about an alert must come out whatever happens: templates are compiled and tried on a
//! notice of every kind at start, and one that fails later is replaced by a plain sentence.

use std::{
    io,
    ops::Range,
    path::{Path, PathBuf},
};

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, escape_formatter, value::Serde};

use self::source::Sources;
use super::text::{fold, shorten};
use crate::alert::Language;

mod digest;
mod notice;
mod sample;
mod source;

pub use digest::DigestContext;
pub use notice::{Notice, NoticeState};

/// Longest title of a push, in UTF-16 code units: two lines on a lock screen, and then some.
pub(crate) const PUSH_TITLE_CHARS_MAX: usize = 120;
/// Longest body of a push, in UTF-16 code units: FCM takes 4,096 bytes in all, a Hangul syllable is
/// three, and the other fields need more than a thousand.
pub(crate) const PUSH_BODY_CHARS_MAX: usize = 500;

/// Most steps of one rendering: a hundred times what a long text takes, and an end to a loop.
const STEPS_MAX: u64 = 50_000;

/// What a phone shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushText {
    /// One line.
    pub title: String,
    /// A few lines.
    pub body: String,
}

/// What a text message says, before a gateway's limits are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsText {
    /// One line.
    pub words: String,
    /// Where there is more; may be empty.
    pub link: String,
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
    #[error("`{path}` replaces no template: {advice}", path = path.display())]
    Stranger {
        /// The file.
        path: PathBuf,
        /// What its author may have meant.
        advice: String,
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
    #[error("template `{file}` gives no text for `{state}`")]
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

/// A text to be made.
#[derive(Clone, Copy)]
enum Part {
    PushTitle,
    PushBody,
    Sms,
}

/// What it is made of.
#[derive(Clone, Copy)]
enum Told<'a> {
    Notice(&'a Notice<'a>),
    Digest(&'a DigestContext<'a>),
}

impl Renderer {
    /// Compiles the templates, those in the folder `overrides` instead of the built-in ones of the
    /// same relative name, and tries them on a notice of every kind and on digests.
    pub fn new(overrides: Option<&Path>) -> Result<Self, TemplateError> {
        let sources = source::sources(overrides)?;
        let mut templates = environment();
        for (name, source) in &sources {
            let added = templates.add_template_owned(*name, source.text.clone());
            added.map_err(|error| invalid(&error, name, &sources))?;
        }
        let renderer = Self { templates };
        for notice in sample::samples() {
            renderer.rehearse(Told::Notice(&notice), &sources)?;
        }
        for digest in sample::digests() {
            renderer.rehearse(Told::Digest(&digest), &sources)?;
        }
        Ok(renderer)
    }

    /// Every text about `told`, in every language.
    fn rehearse(&self, told: Told<'_>, sources: &Sources) -> Result<(), TemplateError> {
        for (language, part) in every_text() {
            let name = told.template(part, language);
            let text =
                self.try_render(told, part, language).map_err(|error| invalid(&error, name, sources))?;
            if text.trim().is_empty() {
                return Err(TemplateError::Empty { file: source::file(sources, name), state: told.state() });
            }
        }
        Ok(())
    }

    /// What a phone shows.
    pub fn push(&self, notice: &Notice<'_>, language: Language) -> PushText {
        self.push_of(Told::Notice(notice), language)
    }

    /// What a phone shows of a digest.
    pub fn digest_push(&self, digest: &DigestContext<'_>, language: Language) -> PushText {
        self.push_of(Told::Digest(digest), language)
    }

    /// What a text message says; a gateway's [`fit`](super::SmsTransport::fit) makes it fit.
    pub fn sms(&self, notice: &Notice<'_>, language: Language) -> SmsText {
        self.sms_of(Told::Notice(notice), notice.url, language)
    }

    /// A typical text message about an alert whose page is `url`, to show what texts come to.
    pub fn example_sms(&self, url: &str, language: Language) -> SmsText {
        self.sms(&Notice { url, ..sample::typical() }, language)
    }

    /// What a text message says of a digest.
    pub fn digest_sms(&self, digest: &DigestContext<'_>, language: Language) -> SmsText {
        self.sms_of(Told::Digest(digest), digest.url, language)
    }

    fn push_of(&self, told: Told<'_>, language: Language) -> PushText {
        let title = fold(&self.render(told, Part::PushTitle, language));
        let body = tidy(&self.render(told, Part::PushBody, language));
        PushText { title: shorten(&title, PUSH_TITLE_CHARS_MAX), body: shorten(&body, PUSH_BODY_CHARS_MAX) }
    }

    fn sms_of(&self, told: Told<'_>, url: &str, language: Language) -> SmsText {
        SmsText { words: fold(&self.render(told, Part::Sms, language)), link: url.to_owned() }
    }

    fn render(&self, told: Told<'_>, part: Part, language: Language) -> String {
        let template = told.template(part, language);
        match self.try_render(told, part, language) {
            Ok(text) if !text.trim().is_empty() => return text,
            Ok(_) => tracing::error!(template, "a template gave no text"),
            // Only the kind: an error's detail may quote the alert.
            Err(error) => {
                tracing::error!(template, line = error.line(), kind = %error.kind(), "a template failed");
            }
        }
        told.plain()
    }

    fn try_render(&self, told: Told<'_>, part: Part, language: Language) -> Result<String, minijinja::Error> {
        let template = self.templates.get_template(told.template(part, language))?;
        match told {
            Told::Notice(notice) => {
                // A long body costs nothing that would be cut off anyway.
                let body = shorten(notice.body, PUSH_BODY_CHARS_MAX);
                let notice = Notice { body: &body, ..notice.clone() };
                template.render(Serde(notice.context()))
            }
            Told::Digest(digest) => template.render(Serde(digest.context())),
        }
    }
}

impl Told<'_> {
    fn template(self, part: Part, language: Language) -> &'static str {
        match (self, language, part) {
            (Self::Notice(_), Language::En, Part::PushTitle) => "notification/en/push_title.txt",
            (Self::Notice(_), Language::En, Part::PushBody) => "notification/en/push_body.txt",
            (Self::Notice(_), Language::En, Part::Sms) => "notification/en/sms.txt",
            (Self::Notice(_), Language::Ko, Part::PushTitle) => "notification/ko/push_title.txt",
            (Self::Notice(_), Language::Ko, Part::PushBody) => "notification/ko/push_body.txt",
            (Self::Notice(_), Language::Ko, Part::Sms) => "notification/ko/sms.txt",
            (Self::Digest(_), Language::En, Part::PushTitle) => "notification/en/digest_push_title.txt",
            (Self::Digest(_), Language::En, Part::PushBody) => "notification/en/digest_push_body.txt",
            (Self::Digest(_), Language::En, Part::Sms) => "notification/en/digest_sms.txt",
            (Self::Digest(_), Language::Ko, Part::PushTitle) => "notification/ko/digest_push_title.txt",
            (Self::Digest(_), Language::Ko, Part::PushBody) => "notification/ko/digest_push_body.txt",
            (Self::Digest(_), Language::Ko, Part::Sms) => "notification/ko/digest_sms.txt",
        }
    }

    /// The word that an error names it by.
    fn state(self) -> &'static str {
        match self {
            Self::Notice(notice) => notice.state.as_str(),
            Self::Digest(_) => "digest",
        }
    }

    /// What is said where a template fails.
    fn plain(self) -> String {
        match self {
            Self::Notice(notice) => format!("[{}] {}", notice.severity, notice.title),
            Self::Digest(digest) => digest.plain(),
        }
    }
}

fn every_text() -> impl Iterator<Item = (Language, Part)> {
    let parts = [Part::PushTitle, Part::PushBody, Part::Sms];
    [Language::En, Language::Ko].into_iter().flat_map(move |language| parts.map(|part| (language, part)))
}

fn environment() -> Environment<'static> {
    let mut templates = Environment::new();
    templates.set_fuel(Some(STEPS_MAX));
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
fn invalid(error: &minijinja::Error, name: &str, sources: &Sources) -> TemplateError {
    let mut innermost = error;
    while let Some(inner) = std::error::Error::source(innermost).and_then(|inner| inner.downcast_ref()) {
        innermost = inner;
    }
    let name = innermost.name().unwrap_or(name);
    let kind = innermost.kind();
    let reason = if kind == ErrorKind::UndefinedError {
        let text = sources.get(name).map_or("", |source| &source.text);
        undefined(innermost.range().and_then(|range| expression(text, range)))
    } else if kind == ErrorKind::OutOfFuel {
        "the template does not end, or its loops are too long".to_owned()
    } else {
        innermost.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}"))
    };
    TemplateError::Invalid { file: source::file(sources, name), line: innermost.line().unwrap_or(1), reason }
}

/// What is undefined at `range` of a template: what stands there, or what goes into a filter that does.
fn expression(text: &str, range: Range<usize>) -> Option<&str> {
    let here = text.get(range.clone())?.trim();
    match text.get(..range.start)?.trim_end().strip_suffix('|') {
        Some(value) => value.trim_end().rsplit(|c: char| !c.is_alphanumeric() && !"_.".contains(c)).next(),
        None => Some(here),
    }
}

/// `expression` is what is undefined, where that can be told.
fn undefined(expression: Option<&str>) -> String {
    let one = expression.filter(|text| !text.is_empty() && !text.contains(['\n', '{', '%']));
    let what = one.map_or_else(String::new, |text| format!(" `{text}`"));
    let ask = one.unwrap_or("…");
    format!("undefined value{what}: misspelt, or not there every time; ask with {{% if {ask} %}}")
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
