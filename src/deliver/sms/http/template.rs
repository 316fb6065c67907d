//! Texts with placeholders such as `{{to}}`, each value escaped for the place it lands in.

use crate::{
    config::BodyType,
    deliver::{Text, sms::number},
};

/// Of a name in an error.
const NAME_CHARS_MAX: usize = 32;

#[derive(Debug)]
pub(super) struct Template {
    pieces: Vec<Piece>,
    escape: Escape,
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    Value { name: &'static str, value: Value },
}

type Value = fn(&Text, &str) -> String;

const PLACEHOLDERS: [(&str, Value); 7] = [
    ("to", |text, _| text.to.expose().to_owned()),
    ("to_national", |text, _| number::to_national(&text.to)),
    ("to_digits", |text, _| number::to_digits(&text.to)),
    (FROM, |_, from| from.to_owned()),
    ("text", |text, _| text.fitted.text.clone()),
    ("alert_id", |text, _| text.alert_id.to_string()),
    ("severity", |text, _| text.severity.as_str().to_owned()),
];
const FROM: &str = "from";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// In JSON inside a string: the quotes are the operator's.
    Body(BodyType),
    /// Any part of it.
    Url,
    /// One line, no control characters.
    Header,
}

impl Template {
    /// The error says what is wrong with `source`.
    pub(super) fn parse(source: &str, escape: Escape) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), source);
        while let Some((literal, from)) = rest.split_once("{{") {
            let (name, after) = from.split_once("}}").ok_or("has a `{{` without its `}}`")?;
            pieces.push(Piece::Literal(literal.to_owned()));
            pieces.push(placeholder(name.trim())?);
            rest = after;
        }
        pieces.push(Piece::Literal(rest.to_owned()));
        Ok(Self { pieces, escape })
    }

    pub(super) fn needs_from(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Value { name: FROM, .. }))
    }

    pub(super) fn fill(&self, text: &Text, from: &str) -> String {
        let fill = |piece: &Piece| match piece {
            Piece::Literal(literal) => literal.clone(),
            Piece::Value { value, .. } => self.escape.apply(&value(text, from)),
        };
        self.pieces.iter().map(fill).collect()
    }
}

fn placeholder(wanted: &str) -> Result<Piece, String> {
    let known = PLACEHOLDERS.into_iter().find(|(name, _)| *name == wanted);
    known.map(|(name, value)| Piece::Value { name, value }).ok_or_else(|| {
        let wanted: String = wanted.chars().take(NAME_CHARS_MAX).collect();
        format!(
            "has an unknown placeholder `{{{{{wanted}}}}}`: expected to, to_national, to_digits, from, \
             text, alert_id or severity"
        )
    })
}

impl Escape {
    fn apply(self, value: &str) -> String {
        match self {
            Self::Body(BodyType::Json) => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
            }
            Self::Body(BodyType::Form) => form_encoded(value),
            // In a path `+` is a plus, so a space must be `%20`; a real plus is `%2B` by now.
            Self::Body(BodyType::Url) | Self::Url => form_encoded(value).replace('+', "%20"),
            Self::Header => value.chars().filter(|c| !c.is_control()).collect(),
            Self::Body(BodyType::Raw) => value.to_owned(),
        }
    }
}

fn form_encoded(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::deliver::sms::{Encoding, Fitted, testing::text_to};

    const JSON: Escape = Escape::Body(BodyType::Json);
    const FORM: Escape = Escape::Body(BodyType::Form);
    const RAW: Escape = Escape::Body(BodyType::Raw);

    fn filled(source: &str, escape: Escape, value: &str) -> String {
        let fitted = Fitted::verbatim(value, Encoding::Ucs2);
        let text = Text { fitted, ..text_to("+821012345678") };
        Template::parse(source, escape).expect("a good template").fill(&text, "0212345678")
    }

    #[test]
    fn every_placeholder_has_its_value() {
        let source = "{{to}} {{ to_national }} {{to_digits}} {{from}} {{severity}} {{alert_id}}}}";
        assert_eq!(
            filled(source, RAW, ""),
            "+821012345678 01012345678 821012345678 0212345678 disaster 019b0000-0000-7000-8000-000000000001}}"
        );
    }

    #[test]
    fn values_are_escaped_for_their_place() {
        for (escape, value, escaped) in [
            (JSON, "a \"b\" \\ \n 화재", r#"a \"b\" \\ \n 화재"#),
            (FORM, "a b+c&d=화", "a+b%2Bc%26d%3D%ED%99%94"),
            (Escape::Url, "a b+c/d?#%", "a%20b%2Bc%2Fd%3F%23%25"),
            (Escape::Header, "a\r\nX-Evil: b", "aX-Evil: b"),
            (RAW, "a \"b\" & c", "a \"b\" & c"),
        ] {
            assert_eq!(filled("{{text}}", escape, value), escaped, "{escape:?}");
        }
    }

    #[test]
    fn a_placeholder_in_a_value_is_not_filled_again() {
        assert_eq!(filled("{{text}}", RAW, "{{to}}"), "{{to}}");
    }

    #[test]
    fn a_bad_placeholder_is_named() {
        let problem = Template::parse("x {{phone}}", RAW).expect_err("unknown");
        assert!(problem.contains("`{{phone}}`"), "{problem}");
        let problem = Template::parse("x {{to", RAW).expect_err("not closed");
        assert!(problem.contains("without its `}}`"), "{problem}");
    }

    proptest! {
        #[test]
        fn whatever_the_text_a_reader_of_the_body_gets_it_back(value in "\\PC*|[\\x00-\\x7f]*") {
            let json: serde_json::Value = serde_json::from_str(&filled("{\"t\":\"{{text}}\"}", JSON, &value))?;
            prop_assert_eq!(json["t"].as_str(), Some(value.as_str()));
            for escape in [FORM, Escape::Url] {
                let form = filled("a=1&t={{text}}&b=2", escape, &value);
                let fields: Vec<(String, String)> = serde_urlencoded::from_str(&form)?;
                prop_assert_eq!(&fields[1], &("t".to_owned(), value.clone()));
                prop_assert_eq!(fields.len(), 3);
            }
        }
    }
}
