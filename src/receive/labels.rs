//! Labels: bounded, and the same whatever order the sender wrote them in.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    json::{Items, Pairs, scalar},
    text::one_line,
};

pub(super) const LABELS_MAX: usize = 64;
const LABEL_NAME_BYTES_MAX: usize = 128;
/// A Zabbix tag value has at most 255 characters.
const LABEL_BYTES_MAX: usize = 1024;
/// Names and values of one event together.
pub(super) const LABELS_BYTES_MAX: usize = 4 * 1024;
const TAGS_MAX: usize = 256;

/// The label that counts those that did not fit.
const LEFT_OUT: &str = "labels_left_out";

#[derive(Debug, Default)]
pub(super) struct Labels {
    kept: BTreeMap<String, String>,
    bytes: usize,
    left_out: usize,
}

impl Labels {
    /// Adds a label while there is room. A name that is there already stays as it is: the more important come first.
    pub(super) fn insert(&mut self, name: &str, value: &str) {
        let name = one_line(name, LABEL_NAME_BYTES_MAX);
        if name.is_empty() || self.kept.contains_key(&name) {
            return;
        }
        let value = one_line(value, LABEL_BYTES_MAX);
        let bytes = self.bytes + name.len() + value.len();
        if LABELS_MAX <= self.kept.len() + 1 || LABELS_BYTES_MAX < bytes {
            self.left_out += 1;
            return;
        }
        self.bytes = bytes;
        self.kept.insert(name, value);
    }

    pub(super) fn extend<N: AsRef<str>, V: AsRef<str>>(&mut self, labels: impl IntoIterator<Item = (N, V)>) {
        for (name, value) in labels {
            self.insert(name.as_ref(), value.as_ref());
        }
    }

    /// Adds a label for each tag; a tag with several values has them sorted, joined by `, `.
    pub(super) fn insert_tags(&mut self, tags: &Tags) {
        for (name, values) in tags {
            let values: Vec<&str> =
                values.iter().map(String::as_str).filter(|value| !value.is_empty()).collect();
            self.insert(name, &values.join(", "));
        }
    }

    pub(super) fn finish(mut self) -> BTreeMap<String, String> {
        if 0 < self.left_out {
            self.kept.insert(LEFT_OUT.to_owned(), self.left_out.to_string());
        }
        self.kept
    }
}

pub(super) type Tags = BTreeMap<String, BTreeSet<String>>;

/// Reads tags from JSON: `[{"tag": "team", "value": "web"}]` (also `name`, `key`),
/// `["team:web", "loud"]` or `{"team": "web"}`. `None` if it is nothing of the kind.
pub(super) fn tags_from_json(text: &str) -> Option<Tags> {
    let pairs: Vec<(String, String)> = match text.trim().as_bytes().first()? {
        b'{' => {
            let members = Pairs::read(text)?.0.into_iter();
            members
                .map(|(name, value)| (name.into_owned(), scalar(value.get()).unwrap_or_default()))
                .collect()
        }
        b'[' => {
            let items: Items<'_, TAGS_MAX> = serde_json::from_str(text).ok()?;
            items.kept.into_iter().filter_map(|item| tag(item.get())).collect()
        }
        _ => return None,
    };
    Some(gathered(pairs))
}

/// Reads tags from `scope:availability, loud`; a comma in a value cannot be told from the next tag.
pub(super) fn tags_from_text(text: &str) -> Tags {
    gathered(text.split(',').filter(|tag| !tag.trim().is_empty()).take(TAGS_MAX).map(split))
}

fn gathered(pairs: impl IntoIterator<Item = (String, String)>) -> Tags {
    let mut tags = Tags::new();
    for (name, value) in pairs {
        tags.entry(name.trim().to_owned()).or_default().insert(value.trim().to_owned());
    }
    tags
}

/// `team:web`, `team=web` or `loud`.
fn split(tag: &str) -> (String, String) {
    let (name, value) = tag.split_once([':', '=']).unwrap_or((tag, ""));
    (name.to_owned(), value.to_owned())
}

fn tag(raw: &str) -> Option<(String, String)> {
    if !raw.starts_with('{') {
        return scalar(raw).map(|tag| split(&tag));
    }
    let pairs = Pairs::read(raw)?.0;
    let name = pairs.iter().find(|(name, _)| matches!(name.as_ref(), "tag" | "name" | "key"));
    let value = pairs.iter().find(|(name, _)| name == "value");
    Some((scalar(name?.1.get())?, value.and_then(|(_, value)| scalar(value.get())).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(json: &str) -> BTreeMap<String, String> {
        let mut labels = Labels::default();
        labels.insert_tags(&tags_from_json(json).expect("tags"));
        labels.finish()
    }

    #[test]
    fn tags_are_the_same_in_every_order_and_form() {
        let expected: BTreeMap<_, _> =
            [("dup", "a, b"), ("empty", ""), ("팀", "web")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        for json in [
            r#"[{"tag":"dup","value":"a"},{"tag":"dup","value":"b"},{"tag":"empty","value":""},{"tag":"팀","value":"web"}]"#,
            r#"[{"tag":"팀","value":"web"},{"value":"b","tag":"dup"},{"tag":"empty"},{"tag":"dup","value":"a"}]"#,
            r#"["dup:b", "dup:a", "팀:web", "empty"]"#,
            r#"{"dup": "a, b", "팀": "web", "empty": null}"#,
        ] {
            assert_eq!(labels(json), expected, "{json}");
        }
        assert_eq!(tags_from_json("scope:lab"), None);
        assert_eq!(tags_from_json("[{"), None);
        assert_eq!(
            tags_from_text("dup:b, dup:a, 팀:web,empty"),
            tags_from_json(r#"["dup:a","dup:b","팀:web","empty"]"#).expect("tags")
        );
    }

    #[test]
    fn labels_have_a_limit_and_say_what_did_not_fit() {
        let mut many = Labels::default();
        for number in 0..LABELS_MAX + 9 {
            many.insert(&format!("n{number}"), "x");
        }
        let many = many.finish();
        assert_eq!((many.len(), many.get(LEFT_OUT).map(String::as_str)), (LABELS_MAX, Some("10")));

        let mut long = Labels::default();
        for number in 0..9 {
            long.insert(&format!("n{number}"), &"봉".repeat(2_000));
        }
        let bytes: usize = long.finish().iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(bytes <= LABELS_BYTES_MAX + LEFT_OUT.len() + 2, "{bytes}");
    }
}
