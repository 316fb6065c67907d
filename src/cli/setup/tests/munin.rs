//! The contact lines, read and filled in as Munin does (`Munin::Master::Config`, `LimitsOld`).

use std::collections::BTreeMap;

use super::*;

/// Key and value of each line: `#` begins a comment unless `\` is before it, `\` at the end continues a line.
fn lines(text: &str) -> BTreeMap<String, String> {
    let mut read = BTreeMap::new();
    for line in text.lines() {
        let end = line.match_indices('#').map(|(at, _)| at).find(|at| !line[..*at].ends_with('\\'));
        let line = line[..end.unwrap_or(line.len())].trim();
        assert!(!line.ends_with('\\'), "continued: {line}");
        let Some((key, value)) = line.split_once(char::is_whitespace) else { continue };
        assert!(read.insert(key.to_owned(), value.trim_start().to_owned()).is_none(), "{key} twice");
    }
    read
}

fn contact(inputs: &Inputs) -> BTreeMap<String, String> {
    lines(&file(Sheet::Munin, inputs))
}

/// What no node can know.
const MARK: &str = "0123456789abcdef";

#[test]
fn no_text_of_a_node_and_no_key_is_in_the_command() {
    for key in HOSTILE_KEYS {
        // Nothing of the key is printed: another key prints the same.
        let text = |key| file(Sheet::Munin, &Inputs { munin_mark: MARK.to_owned(), ..inputs(Some(key)) });
        assert_eq!(text(key), text(KEY));
    }
    let contact = contact(&inputs(Some(KEY)));
    assert_eq!(contact["contact.bongsu.command"], "/usr/bin/curl -K /etc/munin/bongsu.curl >/dev/null");
    assert!(contact.iter().all(|(key, value)| key == "contact.bongsu.text" || !value.contains("${")));
}

#[test]
fn the_text_is_one_line_of_our_first_version() {
    const TEXT: &str = r"munin1-0123456789abcdef\t${var:worst}\t${var:group}\t${var:host}\t${var:plugin}\t${var:graph_title}${loop:cfields \tC|${var:label}|${var:value}|${var:crange}|${var:extinfo}}${loop:wfields \tW|${var:label}|${var:value}|${var:wrange}|${var:extinfo}}${loop:ufields \tU|${var:label}|${var:value}||${var:extinfo}}${loop:fofields \tO|${var:label}|${var:value}||}";
    let marked = Inputs { munin_mark: MARK.to_owned(), ..inputs(Some(KEY)) };
    assert_eq!(contact(&marked)["contact.bongsu.text"], TEXT);
    let (one, other) = (contact(&inputs(Some(KEY))), contact(&inputs(Some(KEY))));
    assert_ne!(one["contact.bongsu.text"], other["contact.bongsu.text"], "no node can know the mark");
}

#[test]
fn every_run_says_in_one_request_how_everything_stands() {
    let contact = contact(&inputs(Some(KEY)));
    // Without `max_messages`: one curl takes all of them, so none can overtake another.
    assert_eq!(contact["contact.bongsu.always_send"], "critical warning unknown ok");
    // `contacts` would silence everybody else who is told by this Munin.
    assert!(contact.keys().all(|key| key.starts_with("contact.bongsu.")), "{contact:?}");
    assert_eq!(contact.len(), 3);
}

#[test]
fn the_key_file_can_be_elsewhere() {
    let inputs = Inputs { munin_key_file: "/tmp/x-1/munin_key.curl".into(), ..inputs(Some(KEY)) };
    assert_eq!(
        contact(&inputs)["contact.bongsu.command"],
        "/usr/bin/curl -K /tmp/x-1/munin_key.curl >/dev/null"
    );
    for sheet in [Sheet::Munin, Sheet::MuninKey] {
        let (file, steps) = written(sheet, &inputs);
        assert!(steps.contains("-m 0640 /dev/null /tmp/x-1/munin_key.curl"), "{steps}");
        assert!(!file.contains(MUNIN_KEY_FILE) && !steps.contains(MUNIN_KEY_FILE), "{steps}");
    }
}
