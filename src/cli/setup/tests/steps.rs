//! What a newcomer reads.

use super::*;

/// Columns of a terminal that the steps may need.
const COLUMNS_MAX: usize = 100;

fn columns(line: &str) -> usize {
    // Hangul takes two.
    line.chars().map(|c| if ('\u{1100}'..='\u{D7FF}').contains(&c) { 2 } else { 1 }).sum()
}

#[test]
fn the_steps_fit_a_terminal_and_never_repeat_the_key() {
    for sheet in Sheet::ALL {
        for base_url in ["https://alerts.example.org", "http://127.0.0.1:8080", "http://10.0.0.5:8080"] {
            let inputs = Inputs { base_url: base_url.into(), ..inputs(Some(KEY)) };
            let (_, steps) = written(sheet, &inputs);
            for line in steps.lines() {
                assert!(columns(line) <= COLUMNS_MAX, "{sheet:?}, {} columns: {line}", columns(line));
                assert_eq!(line, line.trim_end(), "{sheet:?}");
            }
            assert!(!steps.contains(KEY) && !steps.contains("PUT THE KEY"), "{sheet:?}:\n{steps}");
            assert!(!steps.contains("{{") && !steps.contains("{%"), "{sheet:?}:\n{steps}");
            assert!(!steps.contains("\n\n\n"), "{sheet:?}:\n{steps}");
        }
    }
}

#[test]
fn the_steps_name_the_menus_and_what_is_forgotten_most() {
    for (sheet, phrases) in [
        (Sheet::Zabbix, &["Recovery operations", "Update operations", "READ permission", "5 (Disaster)"][..]),
        (
            Sheet::Grafana,
            &[
                "provisioning/alerting",
                "Contact points",
                "Notification policies",
                "replaces all",
                "Group interval",
            ],
        ),
        (
            Sheet::Alertmanager,
            &["amtool check-config", "last entry", "`routes:`", "--direct", "[[heartbeat]]"],
        ),
        (Sheet::Prometheus, &["promtool", "-notifier.url=", "alertmanager_url:", "[[heartbeat]]"]),
        (
            Sheet::Munin,
            &[
                "munin-conf.d",
                "`contacts",
                "-m 0640",
                "bongsu setup munin --key",
                "first line that starts with [",
            ],
        ),
        (Sheet::MuninKey, &["-m 0640", "bongsu setup munin --key"]),
        (
            Sheet::Whatap,
            &["경고 알림 > 이벤트 수신 설정", "3rd 파티 플러그인", "Webhook JSON", "사용자 헤더", "해결되면"],
        ),
        (Sheet::WhatapPlain, &["경고 알림 > 이벤트 수신 설정", "키가 주소에"]),
        (Sheet::UptimeKuma, &["Settings > Notifications", "Default enabled", "Resend Notification", "Test"]),
        (Sheet::Generic, &["umask 077", "status=resolved", "dedup_key", "crontab"]),
    ] {
        let (_, steps) = written(sheet, &inputs(Some(KEY)));
        for phrase in phrases {
            assert!(steps.contains(phrase), "{sheet:?} does not say {phrase}:\n{steps}");
        }
    }
}

#[test]
fn every_sender_says_how_its_gravest_word_becomes_a_disaster() {
    for sheet in Sheet::ALL {
        let word = match sheet {
            // Zabbix has a disaster of its own; the file with the key is followed by the contact lines.
            Sheet::Zabbix | Sheet::MuninKey => continue,
            Sheet::UptimeKuma => "down",
            Sheet::Grafana
            | Sheet::Alertmanager
            | Sheet::Prometheus
            | Sheet::Munin
            | Sheet::Whatap
            | Sheet::WhatapPlain
            | Sheet::Generic => "critical",
        };
        let (_, steps) = written(sheet, &inputs(Some(KEY)));
        assert!(steps.contains(&format!("severity = {{ {word} = \"disaster\" }}")), "{sheet:?}:\n{steps}");
        assert!(steps.contains("[[integration]] name = \"mon\""), "{sheet:?}:\n{steps}");
    }
}

#[test]
fn an_address_that_will_not_do_is_pointed_out() {
    for sheet in Sheet::ALL {
        let steps =
            |base_url: &str| written(sheet, &Inputs { base_url: base_url.into(), ..inputs(Some(KEY)) }).1;
        assert!(!steps("https://alerts.example.org").contains("public_url"), "{sheet:?}");
        for loopback in ["http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost:8080"] {
            let steps = steps(loopback);
            assert!(steps.contains("public_url") && steps.contains("--url"), "{sheet:?}:\n{steps}");
        }
        let plain = steps("http://10.0.0.5:8080");
        assert!(plain.contains("unencrypted") || plain.contains("암호화되지 않은"), "{sheet:?}:\n{plain}");
    }
}

#[test]
fn commands_in_the_steps_find_the_same_integration_again() {
    let options = option("config", "/etc/bongsu/my file.toml") + &option("integration", "a.b");
    assert_eq!(options, " --config '/etc/bongsu/my file.toml' --integration a.b");
    for sheet in Sheet::ALL {
        let (_, steps) = written(sheet, &Inputs { options: options.clone(), ..inputs(Some(KEY)) });
        for (at, command) in steps.match_indices("bongsu setup ") {
            let rest = &steps[at + command.len()..];
            let (_, rest) = rest.split_once(' ').expect("a sender and its options");
            assert!(rest.starts_with(options.trim_start()), "{sheet:?}:\n{steps}");
        }
    }
    let inputs = Inputs { munin_key_file: "/srv/munin.curl".into(), ..inputs(Some(KEY)) };
    for sheet in [Sheet::Munin, Sheet::MuninKey] {
        assert!(written(sheet, &inputs).1.contains("bongsu setup munin --key-file /srv/munin.curl --key"));
    }
}

#[test]
fn every_sender_has_a_page_with_its_command_and_the_readme_leads_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| {
        std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let readme = read("README.md");
    for (sheet, page, command) in [
        (Sheet::Zabbix, "zabbix", "zabbix"),
        (Sheet::Grafana, "grafana", "grafana"),
        (Sheet::Alertmanager, "alertmanager", "alertmanager"),
        (Sheet::Prometheus, "alertmanager", "alertmanager --direct"),
        (Sheet::Munin, "munin", "munin"),
        (Sheet::MuninKey, "munin", "munin --key"),
        (Sheet::Whatap, "whatap", "whatap"),
        (Sheet::WhatapPlain, "whatap", "whatap --plain"),
        (Sheet::UptimeKuma, "uptime-kuma", "uptime-kuma"),
        (Sheet::Generic, "generic", "generic"),
    ] {
        let path = format!("docs/senders/{page}.md");
        let text = read(&path);
        assert!(readme.contains(&format!("]({path})")), "README.md does not lead to {path}");
        assert!(text.contains(&format!("bongsu setup {command}")), "{path} does not say {command}");
        let kind = format!("kind = \"{}\"", sheet.kind_word());
        assert!(text.contains(&kind), "{path} does not say {kind}");
    }
}
