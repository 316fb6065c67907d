//! Source text as words: as much of a lexer as the guards of the tree need.

/// Words, `::` and single characters of punctuation, without comments and literals. A string that is a path
/// (`#[serde(with = "crate::a::b")]`) counts as the words in it.
pub(super) fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, after) = rest.split_at(length_of_token(rest, first));
        rest = after;
        if let Some(inside) = inside_of_string(token) {
            if inside.contains("::") && inside.chars().all(|c| is_in_word(c) || c == ':') {
                words.extend(self::words(inside));
            }
        } else if !first.is_whitespace()
            && first != '\''
            && !token.starts_with("//")
            && !token.starts_with("/*")
        {
            words.push(token);
        }
    }
    words
}

fn length_of_token(rest: &str, first: char) -> usize {
    let up_to = |end: &str, from: usize| {
        rest.get(from..).and_then(|rest| rest.find(end)).map_or(rest.len(), |at| from + at + end.len())
    };
    if rest.starts_with("//") {
        up_to("\n", 0)
    } else if rest.starts_with("/*") {
        up_to("*/", 2)
    } else if let Some(length) = length_of_string(rest) {
        length
    } else if first == '\'' {
        match (rest.chars().nth(1), rest.chars().nth(2)) {
            (Some('\\'), Some(escaped)) => up_to("'", 2 + escaped.len_utf8()),
            (Some(c), Some('\'')) => 2 + c.len_utf8(),
            // A lifetime.
            _ => 1 + rest.chars().skip(1).take_while(|c| is_in_word(*c)).count(),
        }
    } else if is_in_word(first) {
        rest.find(|c| !is_in_word(c)).unwrap_or(rest.len())
    } else if rest.starts_with("::") {
        2
    } else {
        first.len_utf8()
    }
}

fn length_of_string(rest: &str) -> Option<usize> {
    let prefix = rest.find('"')?;
    let (before, after) = (rest.get(..prefix)?, rest.get(prefix + 1..)?);
    let kind = before.trim_end_matches('#');
    let hashes = before.len() - kind.len();
    if ["r", "br", "cr"].contains(&kind) {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(prefix + 1 + after.find(&end)? + end.len());
    }
    if hashes > 0 || !["", "b", "c"].contains(&kind) {
        return None;
    }
    let mut escaped = false;
    let end = after.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some(prefix + 1 + end + 1)
}

fn inside_of_string(token: &str) -> Option<&str> {
    token.split_once('"')?.1.trim_end_matches('#').strip_suffix('"')
}

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Without what is compiled for tests only.
pub(super) fn without_tests<'a>(mut words: &[&'a str]) -> Vec<&'a str> {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    while let Some((first, rest)) = words.split_first() {
        if words.starts_with(&TEST) {
            words = words.get(TEST.len()..).and_then(after_item).unwrap_or_default();
        } else {
            kept.push(*first);
            words = rest;
        }
    }
    kept
}

/// What follows an item, a field or a statement.
fn after_item<'w, 'a>(words: &'w [&'a str]) -> Option<&'w [&'a str]> {
    let named = match words {
        ["pub", "(", rest @ ..] => rest.get(2..)?,
        ["pub", rest @ ..] => rest,
        _ => words,
    };
    let is_field = named.get(1) == Some(&":");
    let mut depth = Depth { angles: is_field, ..Depth::default() };
    let end = words.iter().position(|word| {
        depth.after(word) == 0 && (["}", ";"].contains(word) || (is_field && *word == ","))
    })?;
    words.get(end + 1..)
}

/// The words between the bracket that `words` begin with and its partner, and what follows.
pub(super) fn in_brackets<'w, 'a>(words: &'w [&'a str]) -> Option<(&'w [&'a str], &'w [&'a str])> {
    let mut depth = Depth { angles: words.first() == Some(&"<"), ..Depth::default() };
    let end = words.iter().position(|word| depth.after(word) == 0)?;
    Some((words.get(1..end)?, words.get(end + 1..)?))
}

/// The parts between these separators, as far as they stand in no brackets.
pub(super) fn split<'w, 'a>(words: &'w [&'a str], separator: &str) -> Vec<&'w [&'a str]> {
    let mut depth = Depth { angles: true, ..Depth::default() };
    words.split(|word| depth.after(word) == 0 && *word == separator).collect()
}

/// How many brackets are open.
#[derive(Default)]
struct Depth {
    /// `<` opens one; in code it may as well compare.
    angles: bool,
    open: usize,
    before_is_arrow: bool,
}

impl Depth {
    fn after(&mut self, word: &str) -> usize {
        match word {
            "(" | "[" | "{" => self.open += 1,
            ")" | "]" | "}" => self.open = self.open.saturating_sub(1),
            "<" if self.angles => self.open += 1,
            ">" if self.angles && !self.before_is_arrow => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        self.before_is_arrow = ["-", "="].contains(&word);
        self.open
    }
}
