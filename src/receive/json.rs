//! JSON taken apart one level at a time: what is not asked for stays a slice of the body, so that
//! a body of a million brackets costs no more memory than its own size.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// How many are taken from one object.
const MEMBERS_MAX: usize = 512;

/// The text of a JSON string. A script that cut an emoji in half leaves half a surrogate pair,
/// which is no text to `serde_json`; it becomes U+FFFD instead of costing the whole event.
pub(super) fn string(raw: &str) -> String {
    serde_json::from_str::<String>(raw)
        .or_else(|_| {
            serde_json::from_str(raw).map(|Bytes(bytes)| String::from_utf8_lossy(&bytes).into_owned())
        })
        .unwrap_or_default()
}

/// A scalar as text, `None` for null, arrays and objects.
pub(super) fn scalar(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => Some(string(raw)),
        b'n' | b'[' | b'{' => None,
        _ => Some(raw.to_owned()),
    }
}

/// What a JSON pointer (RFC 6901) leads to, as it was written.
pub(super) fn at_pointer<'a>(raw: &'a str, pointer: &str) -> Option<&'a str> {
    let mut raw = raw.trim();
    for token in pointer.split('/').skip(1) {
        raw = match raw.as_bytes().first()? {
            b'{' => Pairs::read(raw)?.raw(&token.replace("~1", "/").replace("~0", "~"))?,
            b'[' => {
                let number: usize = token.parse().ok()?;
                serde_json::from_str::<Items<'_, MEMBERS_MAX>>(raw).ok()?.kept.get(number)?.get()
            }
            _ => return None,
        };
    }
    Some(raw)
}

/// A string that need not be UTF-8: `serde_json` reads it as text only if it is asked for text.
#[derive(Deserialize)]
struct Bytes<'a>(#[serde(borrow)] Cow<'a, [u8]>);

/// Names and what they say, sorted.
pub(super) type Texts = BTreeMap<String, String>;

/// The first [`MEMBERS_MAX`] members of an object, their values as they were written.
#[derive(Debug)]
pub(super) struct Pairs<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Pairs<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.get())
    }

    pub(super) fn object(&self, name: &str) -> Option<Self> {
        Self::read(self.raw(name)?)
    }

    /// The texts, numbers and flags in the object of this name.
    pub(super) fn texts(&self, name: &str) -> Texts {
        let members = self.object(name).map(|object| object.0).unwrap_or_default();
        let text = |(name, value): (Cow<'_, str>, &RawValue)| Some((name.into_owned(), scalar(value.get())?));
        members.into_iter().filter_map(text).collect()
    }

    /// The scalar of this name as text, unless there is nothing in it.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        scalar(self.raw(name)?).filter(|text| !text.trim().is_empty())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while pairs.len() < MEMBERS_MAX {
                    let Some(pair) = map.next_entry()? else { return Ok(Pairs(pairs)) };
                    pairs.push(pair);
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// The first `MAX` elements of an array, as they were written, and how many there are.
pub(super) struct Items<'a, const MAX: usize> {
    pub(super) kept: Vec<&'a RawValue>,
    pub(super) total: usize,
}

impl<'de: 'a, 'a, const MAX: usize> Deserialize<'de> for Items<'a, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<const MAX: usize>;
        impl<'de, const MAX: usize> Visitor<'de> for Elements<MAX> {
            type Value = Items<'de, MAX>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<'de, MAX>, A::Error> {
                let mut items = Items { kept: Vec::new(), total: 0 };
                while items.kept.len() < MAX {
                    let Some(item) = seq.next_element()? else { return Ok(items) };
                    items.kept.push(item);
                    items.total += 1;
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    items.total += 1;
                }
                Ok(items)
            }
        }
        deserializer.deserialize_seq(Elements)
    }
}
