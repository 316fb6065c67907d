//! `multipart/form-data` (RFC 7578), known by its content: the first line is the boundary.

/// RFC 2046 allows 70 after the two dashes.
const BOUNDARY_BYTES_MAX: usize = 72;

/// The JSON object that a body is, or that its part `data` is: a form with a file in it, or Uptime Kuma's.
pub(super) fn json_object(text: &str) -> Option<&str> {
    let text = text.trim();
    let object = if text.starts_with('{') { text } else { field(text, "data")?.trim() };
    object.starts_with('{').then_some(object)
}

pub(super) fn field<'a>(text: &'a str, wanted: &str) -> Option<&'a str> {
    fields(text).find(|(name, _)| *name == wanted).map(|(_, content)| content)
}

/// Names and contents of the parts that have a name.
pub(super) fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    parts(text).into_iter().flatten().filter_map(|part| {
        let (head, content) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n"))?;
        Some((name_of(head)?, content))
    })
}

pub(super) fn is_multipart(text: &str) -> bool {
    parts(text).is_some()
}

/// What lies between boundaries.
fn parts(text: &str) -> Option<impl Iterator<Item = &str>> {
    let (boundary, rest) = text.trim_start().split_once('\n')?;
    let boundary = boundary.trim_end();
    let is_boundary = boundary.starts_with("--") && (3..=BOUNDARY_BYTES_MAX).contains(&boundary.len());
    if !is_boundary || !rest.contains(boundary) || !rest.to_ascii_lowercase().contains("content-disposition")
    {
        return None;
    }
    Some(rest.split(boundary).map(|part| {
        let part = part.strip_suffix("\r\n").or_else(|| part.strip_suffix('\n')).unwrap_or(part);
        part.trim_start_matches(['\r', '\n'])
    }))
}

fn name_of(head: &str) -> Option<&str> {
    const DISPOSITION: &str = "content-disposition:";
    let is_it = |line: &&str| {
        line.get(..DISPOSITION.len()).is_some_and(|start| start.eq_ignore_ascii_case(DISPOSITION))
    };
    head.lines().find(is_it)?.split(';').find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case("name").then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &str = "------X\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nx\r\n------X\r\ncontent-disposition: form-data; name=\"data\"; filename=\"a.json\"\r\nContent-Type: application/json\r\n\r\n{\"msg\":\r\n\r\n\"--\"}\r\n------X--\r\n";

    #[test]
    fn a_part_is_found_by_its_name() {
        assert_eq!(field(BODY, "data"), Some("{\"msg\":\r\n\r\n\"--\"}"));
        assert_eq!(field(BODY, "kind"), Some("x"));
        assert_eq!(field(BODY, "other"), None);
        assert_eq!(field(&BODY.replace("\r\n", "\n"), "kind"), Some("x"));
        assert!(is_multipart(BODY) && !is_multipart("--- disk full\non web01"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[-a\\r\\n:;=\" ]{0,80}", name in "[a-z]{0,3}") {
            let _ = field(&text, &name);
            let _ = field(&format!("--b\r\n{text}\r\nContent-Disposition: form-data; name={name}\r\n\r\n--b--"), &name);
        }
    }
}
