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
use serde::Serialize;

use self::source::Sources;
use super::text::{one_line, shorten};
use crate::alert::Language;

mod digest;
mod notice;
mod outage;
mod sample;
mod source;

pub(super) use digest::DigestNotice;
pub(super) use notice::Notice;
pub use outage::Outage;
pub(super) use outage::OutageNotice;

/// Longest title of a push, in UTF-16 code units: two lines on a lock screen, and then some.
pub(crate) const PUSH_TITLE_CHARS_MAX: usize = 120;
/// Longest body of a push, in UTF-16 code units: FCM takes 4,096 bytes in all, a Hangul syllable is three, and the
/// other fields need more than a thousand.
pub(crate) const PUSH_BODY_CHARS_MAX: usize = 500;

/// Most steps of one rendering: a hundred times what a long text takes, and an end to a loop.
const STEPS_MAX: u64 = 50_000;

/// What a phone shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushText {
    /// One line.
    pub title: String,
    pub body: String,
}

/// What a text message says, before a gateway's limits are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsText {
    /// One line.
    pub words: String,
    /// May be empty.
    pub link: String,
}

/// Why the templates cannot be used. Raised at start only. `file` may be the name of a built-in template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("could not read `{path}`", path = path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A file that replaces nothing; the advice is what its author may have meant.
    #[error("`{path}` replaces no template: {advice}", path = path.display())]
    Stranger { path: PathBuf, advice: String },
    /// It does not compile, or fails for some notice.
    #[error("template `{file}`, line {line}: {reason}")]
    Invalid { file: String, line: usize, reason: String },
    #[error("template `{file}` gives no text for `{state}`")]
    Empty { file: String, state: &'static str },
}

/// What templates put into words.
pub trait Templated {
    /// What the names of its templates begin with.
    const PREFIX: &'static str;

    /// The word that templates compare with.
    fn state(&self) -> &'static str;

    fn url(&self) -> &str;

    /// What is said where a template fails.
    fn plain(&self) -> String;

    /// The names that templates use.
    fn context(&self) -> impl Serialize;
}

#[derive(Debug)]
pub struct Renderer {
    templates: Environment<'static>,
}

const PUSH_TITLE: &str = "push_title";
const PUSH_BODY: &str = "push_body";
const SMS: &str = "sms";

impl Renderer {
    /// Compiles the templates, those in the folder `overrides` instead of the built-in ones of the same relative
    /// name, and tries them on a notice of every kind, on digests and on an outage.
    pub fn new(overrides: Option<&Path>) -> Result<Self, TemplateError> {
        let sources = source::sources(overrides)?;
        let mut templates = environment();
        for (name, source) in &sources {
            let added = templates.add_template_owned(*name, source.text.clone());
            added.map_err(|error| invalid(&error, name, &sources))?;
        }
        let renderer = Self { templates };
        for sample in sample::samples() {
            renderer.rehearse(&sample.notice(), &sources)?;
        }
        for counted in sample::counts() {
            renderer.rehearse(&sample::digest(&counted), &sources)?;
        }
        renderer.rehearse(&sample::outage(&sample::everything()), &sources)?;
        Ok(renderer)
    }

    /// Every text about `told`, in every language.
    fn rehearse<T: Templated>(&self, told: &T, sources: &Sources) -> Result<(), TemplateError> {
        for language in [Language::En, Language::Ko] {
            for part in [PUSH_TITLE, PUSH_BODY, SMS] {
                let name = name_of::<T>(part, language);
                let text = self.try_render(told, &name).map_err(|error| invalid(&error, &name, sources))?;
                if text.trim().is_empty() {
                    let file = source::file(sources, &name);
                    return Err(TemplateError::Empty { file, state: told.state() });
                }
            }
        }
        Ok(())
    }

    pub fn push(&self, told: &impl Templated, language: Language) -> PushText {
        let title = one_line(&self.render(told, PUSH_TITLE, language));
        let body = tidy(&self.render(told, PUSH_BODY, language));
        PushText { title: shorten(&title, PUSH_TITLE_CHARS_MAX), body: shorten(&body, PUSH_BODY_CHARS_MAX) }
    }

    /// A gateway's [`fit`](super::SmsTransport::fit) makes it fit.
    pub fn sms(&self, told: &impl Templated, language: Language) -> SmsText {
        SmsText { words: one_line(&self.render(told, SMS, language)), link: told.url().to_owned() }
    }

    /// A typical text message about an alert whose page is `url`, to show what texts come to.
    pub fn example_sms(&self, url: &str, language: Language) -> SmsText {
        self.sms(&Notice { url, ..sample::typical().notice() }, language)
    }

    fn render<T: Templated>(&self, told: &T, part: &str, language: Language) -> String {
        let template = name_of::<T>(part, language);
        match self.try_render(told, &template) {
            Ok(text) if !text.trim().is_empty() => return text,
            Ok(_) => tracing::error!(template, "a template gave no text"),
            // Only the kind: an error's detail may quote the alert.
            Err(error) => {
                tracing::error!(template, line = error.line(), kind = %error.kind(), "a template failed");
            }
        }
        told.plain()
    }

    fn try_render(&self, told: &impl Templated, template: &str) -> Result<String, minijinja::Error> {
        self.templates.get_template(template)?.render(Serde(told.context()))
    }
}

fn name_of<T: Templated>(part: &str, language: Language) -> String {
    format!("notification/{}/{}{part}.txt", language.as_str(), T::PREFIX)
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

/// Lines without control characters and without white space at their ends, at most one empty line in a row, none at
/// the ends.
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
