//! Munin's default text, and the two other texts of its manual.
//!
//! ```text
//! GROUP :: HOST :: TITLE
//! ⇥CRITICALs: LABEL is 32046.00 (outside range [:6]).
//!
//! [GROUP;HOST] -> TITLE -> warnings: LABEL=29.00,LABEL=26.00 / criticals:
//!
//! <munin group="…" host="…" graph_category="…" graph_title="…" > <critical label="…" value="…" w="…" c="…" extra="" /> </munin>
//! ```

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

use super::{Field, Level, Message, pieces, worst};
use crate::receive::text::{self, one_line};

/// For one section or field.
const FIELD_BYTES_MAX: usize = 2048;

static SUBJECT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\[([^;\]]*);([^\]]*)\] -> (.*?) -> (.*)$").expect("well formed"));
static OPENING_TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<munin\s").expect("well formed"));
static ATTRIBUTE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"([a-z_]+)="([^"]*)""#).expect("well formed"));

/// Every message that can be read.
pub(super) fn read(text: &str) -> impl Iterator<Item = Message<'_>> {
    let is_tagged = text.trim_start().starts_with("<munin");
    let starts: Vec<usize> = if is_tagged {
        OPENING_TAG.find_iter(text).map(|found| found.start()).collect()
    } else {
        first_lines(text).collect()
    };
    pieces(text, starts).filter_map(if is_tagged { tagged } else { titled })
}

fn first_lines(text: &str) -> impl Iterator<Item = usize> {
    let mut next = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let at = next;
        next += line.len();
        line.lines().next().is_some_and(begins_message).then_some(at)
    })
}

fn begins_message(line: &str) -> bool {
    !line.starts_with([' ', '\t']) && (line.split(" :: ").count() >= 3 || SUBJECT.is_match(line))
}

fn titled(message: &str) -> Option<Message<'_>> {
    let mut lines = message.lines();
    let first = lines.next()?.trim_end();
    if let Some(found) = SUBJECT.captures(first) {
        return subject(&found);
    }
    let mut names = first.splitn(3, " :: ");
    let (group, host, title) = (names.next()?, names.next()?, names.next()?);
    let fields: Vec<Field> = lines.filter_map(section).collect();
    // Another text of three parts is no message of Munin's.
    let worst = worst(&fields)?;
    Some(Message { group, host, plugin: "", category: None, title: text::title(title), worst, fields })
}

/// `CRITICALs: what`; nothing behind the colon is no section.
fn section(text: &str) -> Option<Field> {
    let (word, fields) = text.trim().split_once(':')?;
    let text = one_line(fields, FIELD_BYTES_MAX);
    let level = Level::parse(word)?;
    (!text.is_empty()).then_some(Field { level, text })
}

fn subject<'a>(found: &Captures<'a>) -> Option<Message<'a>> {
    let part = |number| found.get(number).map(|part| part.as_str());
    let sections = || part(4).into_iter().flat_map(|sections| sections.split(" / "));
    let fields: Vec<Field> = sections().filter_map(section).collect();
    // Both lists are there, and both are empty: it is well again.
    let is_list = |text: &str| text.split_once(':').is_some_and(|(word, _)| Level::parse(word).is_some());
    let worst = worst(&fields).or_else(|| sections().any(is_list).then_some(Level::Ok))?;
    let title = text::title(part(3)?);
    Some(Message { group: part(1)?, host: part(2)?, plugin: "", category: None, title, worst, fields })
}

fn tagged(message: &str) -> Option<Message<'_>> {
    let mut tags = message.split('<').filter(|tag| !tag.is_empty());
    let head = tags.next()?;
    let fields: Vec<Field> = tags.filter_map(field).collect();
    Some(Message {
        group: attribute(head, "group").unwrap_or_default(),
        host: attribute(head, "host")?,
        plugin: attribute(head, "plugin").unwrap_or_default(),
        category: attribute(head, "graph_category"),
        title: text::title(attribute(head, "graph_title").or_else(|| attribute(head, "plugin"))?),
        worst: worst(&fields).unwrap_or(Level::Ok),
        fields,
    })
}

/// `critical label="…" value="…" w="…" c="…" extra=""`
fn field(tag: &str) -> Option<Field> {
    let level = Level::parse(tag.split([' ', '/', '>']).next()?)?;
    let value = |wanted| attribute(tag, wanted).unwrap_or_default();
    let range = if level == Level::Warning { value("w") } else { value("c") };
    let range = if range.is_empty() { String::new() } else { format!("(outside {range})") };
    let text = format!("{} = {} {range} {}", value("label"), value("value"), value("extra"));
    Some(Field { level, text: one_line(&text, FIELD_BYTES_MAX) })
}

fn attribute<'a>(tag: &'a str, wanted: &str) -> Option<&'a str> {
    let mut attributes = ATTRIBUTE.captures_iter(tag);
    let found = attributes.find(|found| found.get(1).is_some_and(|name| name.as_str() == wanted))?;
    found.get(2).map(|value| value.as_str())
}
