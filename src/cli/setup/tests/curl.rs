//! Configuration files of curl, read by the rules of its manual (`--config`).

use super::*;

/// Options and their values, in order.
fn options(text: &str) -> Vec<(String, String)> {
    let option = |line: &str| {
        let (name, value) = line.split_once(" = ").unwrap_or((line, ""));
        let value = match value.strip_prefix('"') {
            None => value.to_owned(),
            Some(rest) => {
                let mut read = String::new();
                let mut chars = rest.chars();
                loop {
                    match chars.next().expect("a closing quote") {
                        '"' => break,
                        '\\' => read.push(match chars.next().expect("an escaped character") {
                            't' => '\t',
                            'n' => '\n',
                            'r' => '\r',
                            'v' => '\u{b}',
                            other => other,
                        }),
                        c => read.push(c),
                    }
                }
                assert_eq!(chars.as_str(), "", "after the value: {line}");
                read
            }
        };
        (name.to_owned(), value)
    };
    text.lines().filter(|line| !line.starts_with('#')).map(option).collect()
}

fn values<'a>(options: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    options.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
}

#[test]
fn curl_sends_the_key_in_a_header_and_retries() {
    for sheet in [Sheet::Generic, Sheet::MuninKey] {
        let options = options(&file(sheet, &inputs(Some(KEY))));
        assert_eq!(values(&options, "url"), ["https://alerts.example.org/v1/events/mon"]);
        assert_eq!(values(&options, "header")[0], format!("Authorization: Bearer {KEY}"));
        assert_eq!(values(&options, "retry").len(), 1);
        // Munin runs every five minutes.
        assert!(values(&options, "retry-max-time")[0].parse::<u32>().unwrap() < 300);
        assert_eq!(values(&options, "fail").len(), 1, "Munin and cron see a refusal as a failure");
    }
}

#[test]
fn munin_posts_what_it_writes_to_the_standard_input() {
    let options = options(&file(Sheet::MuninKey, &inputs(Some(KEY))));
    assert_eq!(values(&options, "data-binary"), ["@-"]);
    assert_eq!(values(&options, "header")[1], "Content-Type: text/plain; charset=utf-8");
}

#[test]
fn hostile_keys_arrive_as_they_are() {
    for key in HOSTILE_KEYS {
        for sheet in [Sheet::Generic, Sheet::MuninKey] {
            let options = options(&file(sheet, &inputs(Some(key))));
            assert_eq!(values(&options, "header")[0], format!("Authorization: Bearer {key}"));
            assert_eq!(values(&options, "url").len(), 1);
        }
    }
}
