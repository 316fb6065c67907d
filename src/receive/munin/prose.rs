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

use super::{Level, Message, worst};
use crate::receive::text::one_line;

/// Longest description of one section or field, in bytes.
const FIELD_BYTES_MAX: usize = 2048;

static SUBJECT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\[([^;\]]*);([^\]]*)\] -> (.*?) -> (.*)$").expect("well formed"));

static OPENING_TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<munin\s").expect("well formed"));

static ATTRIBUTE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"([a-z_]+)="([^"]*)""#).expect("well formed"));

/// Every message that can be read.
pub(super) fn read(text: &str) -> Box<dyn Iterator<Item = Message<'_>> + '_> {
    if text.trim_start().starts_with("<munin") {
        let starts: Vec<usize> = OPENING_TAG.find_iter(text).map(|found| found.start()).collect();
        let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
        return Box::new(
            starts.into_iter().zip(ends).filter_map(|(start, end)| tagged(text.get(start..end)?)),
        );
    }
    let lines: Vec<&str> = text.lines().collect();
    let starts: Vec<usize> = (0..lines.len()).filter(|number| begins(lines.get(*number).copied())).collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([lines.len()]).collect();
    let spans: Vec<Vec<&str>> = starts
        .into_iter()
        .zip(ends)
        .filter_map(|(start, end)| lines.get(start..end).map(<[&str]>::to_vec))
        .collect();
    Box::new(spans.into_iter().filter_map(|lines| titled(&lines)))
}

fn begins(line: Option<&str>) -> bool {
    let Some(line) = line else { return false };
    !line.starts_with([' ', '\t']) && (line.split(" :: ").count() >= 3 || SUBJECT.is_match(line))
}

fn titled<'a>(lines: &[&'a str]) -> Option<Message<'a>> {
    let first = lines.first()?.trim_end();
    if let Some(found) = SUBJECT.captures(first) {
        return subject(&found);
    }
    let mut names = first.splitn(3, " :: ");
    let (group, host, title) = (names.next()?, names.next()?, names.next()?);
    let fields: Vec<(Level, String)> = lines.iter().skip(1).filter_map(|line| section(line, ':')).collect();
    // Another text of three parts is no message of Munin's.
    let worst = worst(&fields)?;
    let title = one_line(title, super::super::TITLE_BYTES_MAX);
    Some(Message { group, host, plugin: "", title, worst, fields, labels: Vec::new() })
}

/// `CRITICALs: what`; nothing behind the colon is no section.
fn section(text: &str, colon: char) -> Option<(Level, String)> {
    let (word, said) = text.trim().split_once(colon)?;
    let said = one_line(said, FIELD_BYTES_MAX);
    let level = Level::parse(word)?;
    (!said.is_empty()).then_some((level, said))
}

fn subject<'a>(found: &Captures<'a>) -> Option<Message<'a>> {
    let part = |number| found.get(number).map(|part| part.as_str());
    let sections = part(4)?;
    let fields: Vec<(Level, String)> = sections.split(" / ").filter_map(|text| section(text, ':')).collect();
    // Both lists are there, and both are empty: it is well again.
    let is_list = sections
        .split(" / ")
        .any(|text| text.split_once(':').is_some_and(|(word, _)| Level::parse(word).is_some()));
    let worst = worst(&fields).or(is_list.then_some(Level::Ok))?;
    let title = one_line(part(3)?, super::super::TITLE_BYTES_MAX);
    Some(Message { group: part(1)?, host: part(2)?, plugin: "", title, worst, fields, labels: Vec::new() })
}

fn tagged(text: &str) -> Option<Message<'_>> {
    let mut tags = text.split('<').filter(|tag| !tag.is_empty());
    let head = tags.next()?;
    let attribute = |tag: &'_ str, wanted: &str| -> Option<(usize, usize)> {
        ATTRIBUTE
            .captures_iter(tag)
            .find(|found| found.get(1).is_some_and(|name| name.as_str() == wanted))
            .and_then(|found| found.get(2))
            .map(|value| (value.start(), value.end()))
    };
    let of_head = |wanted: &str| attribute(head, wanted).and_then(|(start, end)| head.get(start..end));
    let mut fields = Vec::new();
    for tag in tags {
        let name = tag.split([' ', '/', '>']).next().unwrap_or_default();
        let Some(level) = Level::parse(name) else { continue };
        let value =
            |wanted| attribute(tag, wanted).and_then(|(start, end)| tag.get(start..end)).unwrap_or_default();
        let range = if level == Level::Warning { value("w") } else { value("c") };
        let range = if range.is_empty() { String::new() } else { format!("(outside {range})") };
        let said = format!("{} = {} {range} {}", value("label"), value("value"), value("extra"));
        fields.push((level, one_line(&said, FIELD_BYTES_MAX)));
    }
    let worst = worst(&fields).unwrap_or(Level::Ok);
    let title =
        one_line(of_head("graph_title").or_else(|| of_head("plugin"))?, super::super::TITLE_BYTES_MAX);
    let labels = of_head("graph_category").map(|category| ("graph_category", category.to_owned()));
    Some(Message {
        group: of_head("group").unwrap_or_default(),
        host: of_head("host")?,
        plugin: of_head("plugin").unwrap_or_default(),
        title,
        worst,
        fields,
        labels: labels.into_iter().collect(),
    })
}
