//! Collects what is wrong and where, so that one start names every mistake in the file.

use std::{
    fmt,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use jiff::SignedDuration;
use url::Url;

use super::{
    files,
    raw::{Field, Part},
    units::{self, Rate, Wanted},
};

/// Reads an environment variable; an argument, so that no test sets one.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// One thing that is wrong with the configuration, or that deserves a second look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// Table, key and what is expected there. Never holds a secret or a person's phone number.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, what } = self;
        write!(f, "{file}:{line}:{column}: {what}")
    }
}

/// The file under check, and what was found so far.
pub(super) struct Check<'a> {
    pub file: &'a Path,
    pub text: &'a str,
    pub environment: Environment<'a>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

impl<'a> Check<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str, environment: Environment<'a>) -> Self {
        Self { file, text, environment, problems: Vec::new(), warnings: Vec::new() }
    }

    /// Where paths in the file start: its own folder, because the working directory of a service is not known.
    pub(super) fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    /// The checks of the keys above all tables.
    pub(super) fn top(&mut self) -> Section<'_, 'a> {
        self.section("", 0)
    }

    /// The checks of one table, which begins at a byte of the file; `label` is how its errors call it.
    pub(super) fn section(&mut self, label: &str, at: usize) -> Section<'_, 'a> {
        Section { check: self, label: label.to_owned(), at }
    }

    /// Every table of a list that can be read, in the order of the file; no two may have one name.
    pub(super) fn each<R, T>(
        &mut self,
        label: &str,
        raw: &[Part<R>],
        mut read: impl FnMut(&mut Section<'_, 'a>, &R) -> Option<T>,
    ) -> Vec<T> {
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        for part in raw {
            let mut section = self.section(label, part.span().start);
            let Some(value) = read(&mut section, &part.get_ref().0) else { continue };
            if labels.contains(&section.label) {
                let kind = label.trim_matches(['[', ']']).trim_start_matches("sms.");
                section.problem("name", format!("an earlier {kind} has this name too"));
            }
            labels.push(section.label);
            values.push(value);
        }
        values
    }

    /// No alert has room for more tables than `max` in the list `label`.
    pub(super) fn at_most<R>(&mut self, max: usize, label: &str, raw: &[Part<R>]) {
        if max < raw.len() {
            self.problem(0, format!("{label}: {} of them, at most {max} are possible", raw.len()));
        }
    }

    /// `at` is a byte of the file.
    pub(super) fn problem(&mut self, at: usize, what: String) {
        let problem = self.locate(at, what);
        self.problems.push(problem);
    }

    /// The line of a byte of the file, counted from 1.
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or(self.text).matches('\n').count() + 1
    }

    fn locate(&self, at: usize, what: String) -> Problem {
        let before = self.text.get(..at).unwrap_or(self.text);
        let last_line = before.rsplit('\n').next().unwrap_or_default();
        let column = last_line.chars().count() + 1;
        Problem { file: self.file.display().to_string(), line: self.line_of(at), column, what }
    }
}

/// Where a table that may be absent begins, and what it says.
pub(super) fn open<T: Default>(part: Option<Part<T>>) -> (usize, T) {
    part.map_or_else(|| (0, T::default()), |part| (part.span().start, part.into_inner().0))
}

/// The checks of one table. A method that reads a key reports what is wrong with it and answers `None`,
/// so that the caller goes on to the next key.
pub(super) struct Section<'c, 'a> {
    pub check: &'c mut Check<'a>,
    pub label: String,
    /// The first byte of its header.
    pub at: usize,
}

impl Section<'_, '_> {
    pub(super) fn problem<'f>(&mut self, field: impl Into<Field<'f>>, what: impl AsRef<str>) {
        let problem = self.say(field.into(), what.as_ref());
        self.check.problems.push(problem);
    }

    /// For what works but deserves a look.
    pub(super) fn warning<'f>(&mut self, field: impl Into<Field<'f>>, what: impl AsRef<str>) {
        let warning = self.say(field.into(), what.as_ref());
        self.check.warnings.push(warning);
    }

    fn say(&self, field: Field<'_>, what: &str) -> Problem {
        let what = match (self.label.as_str(), field.key) {
            ("", key) => format!("{key}: {what}"),
            (label, "") => format!("{label}: {what}"),
            (label, key) => format!("{label} {key}: {what}"),
        };
        self.check.locate(field.at.unwrap_or(self.at), what)
    }

    /// The string at a key as `read` understands it; `None` if absent or wrong.
    pub(super) fn read<T>(
        &mut self,
        field: Field<'_>,
        read: impl FnOnce(&str) -> Result<T, Wanted>,
    ) -> Option<T> {
        let value = field.value?;
        let read = value.as_str().map_or_else(|| Err(wrong_type("a string", value)), read);
        read.map_err(|wanted| self.problem(field, wanted)).ok()
    }

    /// As [`Section::read`], for a key that must be there.
    pub(super) fn must_read<T>(
        &mut self,
        field: Field<'_>,
        wanted: &str,
        read: impl FnOnce(&str) -> Result<T, Wanted>,
    ) -> Option<T> {
        if field.value.is_none() {
            self.missing(field.key, wanted);
        }
        self.read(field, read)
    }

    /// Warns of an address where `what` can be read on the way.
    pub(super) fn warn_if_plain(&mut self, field: Field<'_>, url: &Url, what: &str) {
        if units::is_plain_to_elsewhere(url) {
            self.warning(field, format!("http:// to another machine: {what} travel unprotected"));
        }
    }

    /// An address that paths are appended to, without trailing slash; `None` if absent or wrong.
    pub(super) fn address(&mut self, field: Field<'_>, what: &str) -> Option<String> {
        let url = self.read(field, units::base_url)?;
        self.warn_if_plain(field, &url, what);
        Some(url.as_str().trim_end_matches('/').to_owned())
    }

    /// The name of this table, by which its errors call it from now on.
    pub(super) fn name<T: fmt::Display>(
        &mut self,
        field: Field<'_>,
        wanted: &str,
        read: impl FnOnce(&str) -> Result<T, Wanted>,
    ) -> Option<T> {
        let name = self.must_read(field, wanted, read)?;
        self.label = format!("{} `{name}`", self.label);
        Some(name)
    }

    pub(super) fn duration(
        &mut self,
        field: Field<'_>,
        range: &RangeInclusive<SignedDuration>,
    ) -> Option<SignedDuration> {
        self.read(field, |text| units::duration(text, range))
    }

    pub(super) fn missing(&mut self, key: &str, wanted: &str) {
        self.problem(key, format!("missing, expected {wanted}"));
    }

    pub(super) fn flag(&mut self, field: Field<'_>) -> Option<bool> {
        let value = field.value?;
        if value.as_bool().is_none() {
            self.problem(field, wrong_type("true or false", value));
        }
        value.as_bool()
    }

    pub(super) fn number(&mut self, field: Field<'_>, range: &RangeInclusive<i64>) -> Option<i64> {
        let value = field.value?;
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let problem = match value.as_integer() {
            Some(number) if range.contains(&number) => return Some(number),
            Some(number) => format!("expected {wanted}, found {number}"),
            None => wrong_type(&wanted, value),
        };
        self.problem(field, problem);
        None
    }

    /// The strings of an array as `read` understands them, without those that are wrong; `None` if absent.
    pub(super) fn list<T>(
        &mut self,
        field: Field<'_>,
        read: impl Fn(&str) -> Result<T, Wanted>,
    ) -> Option<Vec<T>> {
        let value = field.value?;
        let Some(items) = value.as_array() else {
            self.problem(field, wrong_type("an array of strings", value));
            return None;
        };
        let mut list = Vec::with_capacity(items.len());
        for (item, number) in items.iter().zip(1_usize..) {
            match item.as_str().map_or_else(|| Err(wrong_type("a string", item)), &read) {
                Ok(item) => list.push(item),
                Err(wanted) => self.problem(field, format!("entry {number}: {wanted}")),
            }
        }
        Some(list)
    }

    /// Limits that all hold; `default` if absent.
    pub(super) fn rates(&mut self, field: Field<'_>, default: &[&str]) -> Vec<Rate> {
        let default = || default.iter().filter_map(|rate| units::rate(rate).ok()).collect();
        self.list(field, units::rate).unwrap_or_else(default)
    }

    /// The text of the file that a key names, at most `bytes_max` bytes of it.
    pub(super) fn file(&mut self, field: Field<'_>, bytes_max: u64) -> Option<String> {
        let path = self.read(field, |path| Ok(path.to_owned()))?;
        let text = files::read(&self.check.resolve(path), bytes_max);
        text.map_err(|error| self.problem(field, error.to_string())).ok()
    }

    /// A key or a value that a later version will understand.
    pub(super) fn not_built(&mut self, field: Field<'_>) {
        if field.value.is_some() {
            self.problem(field, NOT_BUILT_YET);
        }
    }

    /// As [`Section::not_built`], for a key whose value `idle` describes what already happens.
    pub(super) fn not_built_unless(&mut self, field: Field<'_>, idle: &toml::Value) {
        if field.value.is_some_and(|value| value != idle) {
            self.problem(field, format!("anything but {idle} {NOT_BUILT_YET}"));
        }
    }
}

/// What a key says whose feature is known and absent.
pub(super) const NOT_BUILT_YET: &str = "is not built yet in this version";

/// `expected …, found …` for a value of another type; never shows the value.
pub(super) fn wrong_type(wanted: &str, value: &toml::Value) -> Wanted {
    let found = value.type_str();
    let article = if found.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("expected {wanted}, found {article} {found}")
}
