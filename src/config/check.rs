//! Collects what is wrong and where, so that one start names every mistake in the file.

use std::{
    fmt,
    ops::{Range, RangeInclusive},
    path::{Path, PathBuf},
};

use jiff::SignedDuration;
use url::Url;

use super::{
    files,
    raw::{Leaf, Part},
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
        self.section("", 0..0)
    }

    /// The checks of one table; `label` is how its errors call it.
    pub(super) fn section(&mut self, label: impl Into<String>, span: Range<usize>) -> Section<'_, 'a> {
        Section { check: self, label: label.into(), span }
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
            let mut section = self.section(label, part.span());
            let Some(value) = read(&mut section, &part.get_ref().0) else { continue };
            if labels.contains(&section.label) {
                let kind = label.trim_matches(['[', ']']).trim_start_matches("sms.");
                section.problem(part.span(), "name", format!("an earlier {kind} has this name too"));
            }
            labels.push(section.label);
            values.push(value);
        }
        values
    }

    /// Something at a byte of the file.
    pub(super) fn problem(&mut self, at: usize, what: String) {
        let problem = self.locate(at, what);
        self.problems.push(problem);
    }

    /// The line of a byte of the file, counted from 1.
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or(self.text).matches('\n').count() + 1
    }

    fn warning(&mut self, at: usize, what: String) {
        let warning = self.locate(at, what);
        self.warnings.push(warning);
    }

    fn locate(&self, at: usize, what: String) -> Problem {
        let before = self.text.get(..at).unwrap_or(self.text);
        let last_line = before.rsplit('\n').next().unwrap_or_default();
        Problem {
            file: self.file.display().to_string(),
            line: self.line_of(at),
            column: last_line.chars().count() + 1,
            what,
        }
    }
}

/// Where a table that may be absent begins, and what it says.
pub(super) fn open<T: Default>(part: Option<Part<T>>) -> (Range<usize>, T) {
    part.map_or_else(|| (0..0, T::default()), |part| (part.span(), part.into_inner().0))
}

/// The checks of one table. A method that reads a key reports what is wrong with it and answers `None`,
/// so that the caller goes on to the next key.
pub(super) struct Section<'c, 'a> {
    pub check: &'c mut Check<'a>,
    pub label: String,
    span: Range<usize>,
}

impl Section<'_, '_> {
    pub(super) fn problem(&mut self, span: Range<usize>, key: &str, what: impl AsRef<str>) {
        let what = self.say(key, what.as_ref());
        self.check.problem(span.start, what);
    }

    /// `key` at `span` works but deserves a look.
    pub(super) fn warning(&mut self, span: Range<usize>, key: &str, what: impl AsRef<str>) {
        let what = self.say(key, what.as_ref());
        self.check.warning(span.start, what);
    }

    /// Where the table's header is.
    pub(super) fn header(&self) -> Range<usize> {
        self.span.clone()
    }

    fn say(&self, key: &str, what: &str) -> String {
        match (self.label.as_str(), key) {
            ("", key) => format!("{key}: {what}"),
            (label, "") => format!("{label}: {what}"),
            (label, key) => format!("{label} {key}: {what}"),
        }
    }

    /// The string at `key` as `read` understands it; `None` if absent or wrong.
    pub(super) fn read<T>(
        &mut self,
        key: &str,
        field: Option<&Leaf>,
        read: impl FnOnce(&str) -> Result<T, Wanted>,
    ) -> Option<T> {
        let field = field?;
        let read = match field.get_ref().as_str() {
            Some(text) => read(text),
            None => Err(wrong_type("a string", field.get_ref())),
        };
        read.map_err(|wanted| self.problem(field.span(), key, wanted)).ok()
    }

    /// As [`Section::read`], for a key that must be there.
    pub(super) fn must_read<T>(
        &mut self,
        key: &str,
        field: Option<&Leaf>,
        wanted: &str,
        read: impl FnOnce(&str) -> Result<T, Wanted>,
    ) -> Option<T> {
        if field.is_none() {
            self.missing(key, wanted);
        }
        self.read(key, field, read)
    }

    /// Warns of an address where `what` can be read on the way.
    pub(super) fn warn_if_plain(&mut self, key: &str, field: &Leaf, url: &Url, what: &str) {
        if units::is_plain_to_elsewhere(url) {
            let warning = format!("http:// to another machine: {what} travel unprotected");
            self.warning(field.span(), key, warning);
        }
    }

    /// An address that paths are appended to, without trailing slash; `None` if absent or wrong.
    pub(super) fn address(&mut self, key: &str, field: Option<&Leaf>, what: &str) -> Option<String> {
        let url = self.read(key, field, units::base_url)?;
        self.warn_if_plain(key, field?, &url, what);
        Some(url.as_str().trim_end_matches('/').to_owned())
    }

    /// The name of this table, by which its errors call it from now on.
    pub(super) fn name<T: fmt::Display>(
        &mut self,
        field: Option<&Leaf>,
        wanted: &str,
        read: impl FnOnce(&str) -> Result<T, Wanted>,
    ) -> Option<T> {
        let name = self.must_read("name", field, wanted, read)?;
        self.label = format!("{} `{name}`", self.label);
        Some(name)
    }

    pub(super) fn duration(
        &mut self,
        key: &str,
        field: Option<&Leaf>,
        range: &RangeInclusive<SignedDuration>,
    ) -> Option<SignedDuration> {
        self.read(key, field, |text| units::duration(text, range))
    }

    pub(super) fn missing(&mut self, key: &str, wanted: &str) {
        self.problem(self.span.clone(), key, format!("missing, expected {wanted}"));
    }

    pub(super) fn flag(&mut self, key: &str, field: Option<&Leaf>) -> Option<bool> {
        let field = field?;
        let flag = field.get_ref().as_bool();
        if flag.is_none() {
            self.problem(field.span(), key, wrong_type("true or false", field.get_ref()));
        }
        flag
    }

    /// A whole number within `range`.
    pub(super) fn number(
        &mut self,
        key: &str,
        field: Option<&Leaf>,
        range: &RangeInclusive<i64>,
    ) -> Option<i64> {
        let field = field?;
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let problem = match field.get_ref().as_integer() {
            Some(number) if range.contains(&number) => return Some(number),
            Some(number) => format!("expected {wanted}, found {number}"),
            None => wrong_type(&wanted, field.get_ref()),
        };
        self.problem(field.span(), key, problem);
        None
    }

    /// The strings of the array at `key` as `read` understands them, without those that are wrong; `None` if absent.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        field: Option<&Leaf>,
        read: impl Fn(&str) -> Result<T, Wanted>,
    ) -> Option<Vec<T>> {
        let field = field?;
        let Some(items) = field.get_ref().as_array() else {
            self.problem(field.span(), key, wrong_type("an array of strings", field.get_ref()));
            return None;
        };
        let mut list = Vec::with_capacity(items.len());
        for (item, number) in items.iter().zip(1_usize..) {
            match item.as_str().map_or_else(|| Err(wrong_type("a string", item)), &read) {
                Ok(item) => list.push(item),
                Err(wanted) => self.problem(field.span(), key, format!("entry {number}: {wanted}")),
            }
        }
        Some(list)
    }

    /// Limits that all hold; `default` if absent.
    pub(super) fn rates(&mut self, key: &str, field: Option<&Leaf>, default: &[&str]) -> Vec<Rate> {
        let default = || default.iter().filter_map(|rate| units::rate(rate).ok()).collect();
        self.list(key, field, units::rate).unwrap_or_else(default)
    }

    /// The text of the file that `key` names, at most `bytes_max` bytes of it.
    pub(super) fn file(&mut self, key: &str, field: Option<&Leaf>, bytes_max: u64) -> Option<String> {
        let path = self.read(key, field, |path| Ok(path.to_owned()))?;
        let path = self.check.resolve(&path);
        let at = field.map_or_else(|| self.span.clone(), Leaf::span);
        files::read(&path, bytes_max).map_err(|error| self.problem(at, key, error.to_string())).ok()
    }

    /// A key or a value that a later version will understand.
    pub(super) fn not_built(&mut self, key: &str, field: Option<&Leaf>) {
        if let Some(field) = field {
            self.problem(field.span(), key, NOT_BUILT_YET);
        }
    }

    /// As [`Section::not_built`], for a key whose value `idle` describes what already happens.
    pub(super) fn not_built_unless(&mut self, key: &str, field: Option<&Leaf>, idle: &toml::Value) {
        if let Some(field) = field.filter(|field| field.get_ref() != idle) {
            self.problem(field.span(), key, format!("anything but {idle} {NOT_BUILT_YET}"));
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
