//! The `{{placeholders}}` of an `http` gateway, tried out with sample values before the first alert needs them.

use url::Url;

/// Every placeholder and a sample as long as the placeholder itself, braces included, so that a position in the
/// filled-in text is the same position in what the operator wrote.
const PLACEHOLDERS: [(&str, &str); 7] = [
    ("{{to}}", "+12025"),
    ("{{to_national}}", "020255501230000"),
    ("{{to_digits}}", "1202555012300"),
    ("{{from}}", "Ops-Team"),
    ("{{text}}", r#"a\"b\ncd"#),
    ("{{alert_id}}", "0198a1b2c3d4"),
    ("{{severity}}", "high-or-more"),
];

/// Any of these says where a text goes.
const TO: [&str; 3] = ["{{to}}", "{{to_national}}", "{{to_digits}}"];

/// Every placeholder in `text`, or the first one that is none of ours.
pub(super) fn placeholders(text: &str) -> Result<Vec<&'static str>, String> {
    let mut known = Vec::new();
    let mut rest = text;
    while let Some((_, tail)) = rest.split_once("{{") {
        let Some((name, after)) = tail.split_once("}}") else {
            return Err("expected `}}` after `{{`".to_owned());
        };
        let found = PLACEHOLDERS.iter().find(|(placeholder, _)| inner(placeholder) == name);
        let Some((placeholder, _)) = found else {
            return Err(format!("unknown placeholder{}, expected one of {}", shown(name), all()));
        };
        known.push(*placeholder);
        rest = after;
    }
    Ok(known)
}

/// What a request must say somewhere in its URL or body.
pub(super) fn missing(found: &[&str]) -> Option<&'static str> {
    if !TO.iter().any(|to| found.contains(to)) {
        return Some("the text would go to nobody, expected {{to}}, {{to_national}} or {{to_digits}}");
    }
    (!found.contains(&"{{text}}")).then_some("the text would be empty, expected {{text}}")
}

/// Whether `body` is JSON once its placeholders are filled in; says where it is not.
pub(super) fn check_json(body: &str) -> Result<(), String> {
    match serde_json::from_str::<serde::de::IgnoredAny>(&fill(body)) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(format!("the body is not JSON once its placeholders are filled in: {error} of the body"))
        }
    }
}

/// The URL with plain text in place of its placeholders.
pub(super) fn check_url(url: &str) -> Result<Url, String> {
    let plain =
        PLACEHOLDERS.iter().fold(url.to_owned(), |url, (placeholder, _)| url.replace(placeholder, "0"));
    super::units::web_url(&plain)
}

pub(super) fn is_header_value(value: &str) -> bool {
    reqwest::header::HeaderValue::from_str(value).is_ok()
}

pub(super) fn is_header_name(name: &str) -> bool {
    reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_ok()
}

fn fill(text: &str) -> String {
    PLACEHOLDERS.iter().fold(text.to_owned(), |text, (placeholder, sample)| text.replace(placeholder, sample))
}

fn inner(placeholder: &str) -> &str {
    placeholder.trim_start_matches('{').trim_end_matches('}')
}

/// A misspelt name; anything else between braces may be part of a secret.
fn shown(name: &str) -> String {
    const CHARS_MAX: usize = 40;
    let is_name =
        name.len() <= CHARS_MAX && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_ .-".contains(&b));
    if is_name { format!(" {{{{{name}}}}}") } else { String::new() }
}

fn all() -> String {
    PLACEHOLDERS.map(|(placeholder, _)| placeholder).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_as_long_as_their_placeholders_so_that_positions_are_true() {
        for (placeholder, sample) in PLACEHOLDERS {
            assert_eq!(placeholder.len(), sample.len(), "{placeholder}");
        }
    }

    #[test]
    fn a_body_must_quote_its_values_itself() {
        assert_eq!(check_json(r#"{"to": "{{to}}", "text": "{{text}}"}"#), Ok(()));
        assert_eq!(check_json(r#"{"to": {{to_digits}}, "text": "{{text}}"}"#), Ok(()));
        for bare in ["{{to}}", "{{to_national}}", "{{text}}", "{{alert_id}}", "{{severity}}", "{{from}}"] {
            let body = format!(r#"{{"x": {bare}}}"#);
            let error = check_json(&body).expect_err(&body);
            assert!(error.contains("line 1 column "), "{error}");
        }
    }

    #[test]
    fn placeholders_are_written_without_spaces_and_closed() {
        assert_eq!(placeholders("a {{to}} b {{text}}"), Ok(vec!["{{to}}", "{{text}}"]));
        for wrong in ["{{ to }}", "{{phone}}", "{{to", "{{}}", "{{{to}}"] {
            assert!(placeholders(wrong).is_err(), "{wrong}");
        }
    }
}
