//! JSON of borrowed parts. A `serde_json::Value` copies every text, and takes five times as long to make and write.

use serde::{Serialize, Serializer};

#[derive(Clone, Copy)]
pub(super) enum Json<'a> {
    Text(&'a str),
    Flag(bool),
    Number(u8),
    Object(&'a [(&'static str, Self)]),
    /// A field that is left out.
    Absent,
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => serializer.serialize_u8(*number),
            Self::Object(fields) => {
                let there = fields.iter().filter(|(_, value)| !matches!(value, Self::Absent));
                serializer.collect_map(there.map(|(name, value)| (name, value)))
            }
            Self::Absent => serializer.serialize_none(),
        }
    }
}
