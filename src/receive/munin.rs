//! Munin's contact commands: what `munin-limits` writes to a curl's standard input.
//!
//! * **Ours**, from `bongsu setup munin`: one record a plugin, in which tabs separate what Munin cannot quote
//!   ([`record`]).
//! * **Munin's default text**, and the two other texts of its manual ([`prose`]).
//!
//! One body holds every plugin that changed in a run, and each message the whole state of its plugin; so
//! a plugin is one alert, and its worst field gives the severity. A nested graph's plugin name is not
//! unique on its host, so the title belongs to the key. Recoveries can be lost, since Munin never looks whether
//! curl succeeded: with `always_send … ok` every run says again what is well, which is ignored here.

mod prose;
mod record;

#[cfg(test)]
mod tests;

use super::{
    EVENTS_PER_REQUEST_MAX, Post, Reading,
    labels::Labels,
    lists, text,
    title::with_host,
    words::{Grade, RESOLVED},
};
use crate::alert::{DedupKey, Event, EventStatus};

/// `None` if there is no message.
pub(super) fn read(post: &Post<'_>) -> Option<Reading> {
    let messages: Vec<Message<'_>> = match record::read(post.text) {
        Some(records) => records.take(EVENTS_PER_REQUEST_MAX + 1).collect(),
        None => prose::read(post.text).take(EVENTS_PER_REQUEST_MAX + 1).collect(),
    };
    let mut events: Vec<Event> =
        messages.iter().take(EVENTS_PER_REQUEST_MAX).map(|message| message.event(post)).collect();
    if events.len() < messages.len() {
        let what = format!("more than {EVENTS_PER_REQUEST_MAX} messages came in one request");
        events.push(lists::left_out(post, &what));
    }
    (!events.is_empty()).then_some(Reading::Events(events))
}

/// How a field stands, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Critical,
    Warning,
    Unknown,
    Ok,
}

impl Level {
    const ALL: [Self; 4] = [Self::Critical, Self::Warning, Self::Unknown, Self::Ok];

    fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "CRITICAL",
            Self::Warning => "WARNING",
            Self::Unknown => "UNKNOWN",
            Self::Ok => "OK",
        }
    }

    /// Reads `CRITICAL`, `criticals`, `Critical`.
    fn parse(word: &str) -> Option<Self> {
        let word = word.trim();
        let word = word.strip_suffix(['s', 'S']).unwrap_or(word);
        Self::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(word))
    }
}

#[derive(Debug)]
struct Field {
    level: Level,
    /// `/home = 98.41 (outside :98) more`
    text: String,
}

/// What one message says of one plugin. What it does not say is empty.
#[derive(Debug)]
struct Message<'a> {
    group: &'a str,
    host: &'a str,
    /// Only in our own text.
    plugin: &'a str,
    category: Option<&'a str>,
    title: String,
    worst: Level,
    fields: Vec<Field>,
}

impl Message<'_> {
    fn event(&self, post: &Post<'_>) -> Event {
        let is_over = self.worst == Level::Ok;
        let grade = if is_over { Grade::default() } else { post.grade(&[self.worst.as_str()]) };
        let names = [("host", self.host), ("group", self.group), ("plugin", self.plugin)];
        let mut labels = Labels::default();
        labels.extend(names.iter().filter(|(_, name)| !name.is_empty()).copied());
        labels.insert("graph_title", &self.title);
        labels.extend(self.category.map(|category| ("graph_category", category)));
        let shown = self.fields.iter().filter(|field| is_over || field.level != Level::Ok);
        let line = |field: &Field| format!("{}: {}", field.level.as_str(), field.text);
        let lines: Vec<String> = shown.map(line).collect();
        let key = DedupKey::derived("munin", &[self.group, self.host, self.plugin, &self.title]);
        Event {
            status: if is_over { RESOLVED } else { EventStatus::Firing },
            body: text::body(&lines.join("\n")),
            labels: labels.finish(),
            ..grade.event(key, with_host(&self.title, &[self.host]))
        }
    }
}

fn worst(fields: &[Field]) -> Option<Level> {
    fields.iter().map(|field| field.level).min()
}

/// The pieces of a text that begin at these places, each up to the next one.
fn pieces(text: &str, starts: Vec<usize>) -> impl Iterator<Item = &str> {
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts.into_iter().zip(ends).filter_map(|(start, end)| text.get(start..end))
}
