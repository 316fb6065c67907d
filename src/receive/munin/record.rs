//! Our own text, one record a plugin:
//!
//! ```text
//! munin1-MARK ⇥ worst ⇥ group ⇥ host ⇥ plugin ⇥ title { ⇥ C|label|value|range|more }
//! ```
//!
//! `C`, `W`, `U` and `O` are critical, warning, unknown and ok fields. Munin turns `\t` and `\n` within labels
//! into a tab and a line end, so what does not begin a record or a field continues the one before. A label may hold
//! `|`: the value is the first number behind one.
//!
//! The mark is made by `bongsu setup munin` and known to the master only. A body begins with what the master
//! was configured to write, so its first word is what begins every record: a node that puts a line end and a record
//! about another host into a label does not know that word. By hand `munin1` alone will do.

use super::{Field, Level, Message, pieces, worst};
use crate::receive::text::{self, one_line};

/// What the first word of a record begins with: our name for it, and its version.
const BEGINS: &str = "munin1";
const MARK_BYTES_MAX: usize = 64;
const FIELD_BYTES_MAX: usize = 512;
/// How many fields of one plugin are shown.
const FIELDS_MAX: usize = 256;

/// What begins every record of this text, its tab included; `None` if the text is not ours.
fn beginning(text: &str) -> Option<&str> {
    text.split('\n').find_map(|line| {
        let line = line.trim_start_matches([' ', '\t', '\u{feff}']);
        let end = line.find('\t')?;
        let word = line.get(..end)?.strip_prefix(BEGINS)?;
        let mark = word.strip_prefix('-').unwrap_or(word);
        let is_mark = mark.len() <= MARK_BYTES_MAX && mark.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_mark && (word.is_empty() || word.starts_with('-'))).then(|| line.get(..=end)).flatten()
    })
}

/// Every record that can be read, also if only a part of it is left; `None` if the text is not ours.
pub(super) fn read(text: &str) -> Option<impl Iterator<Item = Message<'_>>> {
    let begins = beginning(text)?;
    let is_start = |at: &usize| {
        text.get(..*at).is_none_or(|before| {
            before.trim_end_matches([' ', '\t']).is_empty() || before.ends_with(['\n', '\u{feff}'])
        })
    };
    let starts: Vec<usize> = text.match_indices(begins).map(|(at, _)| at).filter(is_start).collect();
    Some(pieces(text, starts).filter_map(message))
}

fn message(record: &str) -> Option<Message<'_>> {
    let mut pieces = record.trim_end().split('\t').skip(1).peekable();
    let (word, group, host, plugin) = (pieces.next()?, pieces.next()?, pieces.next()?, pieces.next()?);
    let mut title = Vec::new();
    while let Some(piece) = pieces.next_if(|piece| level(piece).is_none()) {
        title.push(piece);
    }
    let mut fields: Vec<Field> = Vec::new();
    for piece in pieces {
        if let Some(level) = level(piece) {
            if FIELDS_MAX <= fields.len() {
                break;
            }
            fields.push(Field { level, text: piece.get(2..).unwrap_or_default().to_owned() });
        } else if let Some(last) = fields.last_mut().filter(|last| last.text.len() < FIELD_BYTES_MAX) {
            last.text.push(' ');
            last.text.push_str(piece);
        }
    }
    for field in &mut fields {
        field.text = described(&field.text);
    }
    let title = text::title(&title.join(" "));
    let title = if title.is_empty() { plugin.to_owned() } else { title };
    let worst = Level::parse(word).or_else(|| worst(&fields)).unwrap_or(Level::Unknown);
    let is_named = [group, host, plugin, &title].iter().any(|name| !name.trim().is_empty());
    is_named.then_some(Message { group, host, plugin, category: None, title, worst, fields })
}

fn level(piece: &str) -> Option<Level> {
    let (letter, _) = piece.split_once('|')?;
    Level::ALL.into_iter().find(|level| level.as_str().get(..1) == Some(letter))
}

/// `label|value|range|more` for people.
fn described(field: &str) -> String {
    let value_at = field.match_indices('|').map(|(at, _)| at).find(|at| {
        let value = field.get(at + 1..).and_then(|rest| rest.split('|').next()).unwrap_or_default();
        is_value(value)
    });
    let Some(at) = value_at else { return one_line(&field.replace('|', " "), FIELD_BYTES_MAX) };
    let (label, rest) = field.split_at(at);
    let mut rest = rest.trim_start_matches('|').splitn(3, '|');
    let (value, range, more) = (rest.next(), rest.next(), rest.next());
    let range = range.filter(|range| !range.trim().is_empty()).map(|range| format!("(outside {range})"));
    let rest = [value.unwrap_or_default(), &range.unwrap_or_default(), more.unwrap_or_default()].join(" ");
    one_line(&format!("{label} = {rest}"), FIELD_BYTES_MAX)
}

/// A number, or Munin's words for none.
fn is_value(text: &str) -> bool {
    text == "unknown" || (!text.is_empty() && text.parse::<f64>().is_ok())
}
