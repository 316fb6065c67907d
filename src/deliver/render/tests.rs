use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::*;
use crate::{
    alert::{Acknowledgement, Alert, AlertId, DedupKey, Event, Resolution, ResolvedBy, Severity, Subject},
    deliver::sms::TEXT_CHARS_MAX,
};

const URL: &str = "https://a.example.org/alerts/019b0000-0000-7000-8000-000000000001";
const SHORT_URL: &str = "https://a.example.org/a/7";

fn renderer() -> Renderer {
    Renderer::new(None).expect("the built-in templates work")
}

fn seoul() -> TimeZone {
    TimeZone::get("Asia/Seoul").expect("a known zone")
}

fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

fn alert() -> Alert {
    let starts_at = at("2026-11-22T03:10:00+09:00");
    let event = Event {
        severity: Some(Severity::Disaster),
        body: "센서 2번".to_owned(),
        ..Event::firing(DedupKey::new("problem:1"), "서버실 온도 45℃ 초과")
    };
    Alert::opened(AlertId::from_bytes([7; 16]), "zabbix", &event, starts_at)
}

fn resolved(mut alert: Alert) -> Alert {
    let at = at("2026-11-22T03:12:00+09:00");
    alert.resolved = Some(Resolution { by: ResolvedBy::Sender, at, note: None, ended_at: None });
    alert
}

fn unreachable() -> Subject {
    Subject::Unreachable { contact: "jin".parse().expect("a name"), reason: "no device enrolled".to_owned() }
}

fn sms(alert: &Alert, subject: &Subject, url: &str, language: Language) -> String {
    let (zone, now) = (seoul(), at("2026-11-22T03:15:00+09:00"));
    renderer().sms(&Notice::new(alert, subject, url, &zone, now), language, TEXT_CHARS_MAX)
}

fn push(alert: &Alert, subject: &Subject, language: Language) -> PushText {
    let (zone, now) = (seoul(), at("2026-11-22T03:15:00+09:00"));
    renderer().push(&Notice::new(alert, subject, URL, &zone, now), language)
}

#[test]
fn every_sample_renders_the_same_twice_and_within_its_limits() {
    let renderer = renderer();
    for notice in sample::samples() {
        for language in [Language::En, Language::Ko] {
            let push = renderer.push(&notice, language);
            assert_eq!(renderer.push(&notice, language), push);
            assert!(!push.title.is_empty() && length(&push.title) <= PUSH_TITLE_CHARS_MAX, "{push:?}");
            assert!(!push.body.is_empty() && length(&push.body) <= PUSH_BODY_CHARS_MAX, "{push:?}");
            let named = matches!(notice.state, NoticeState::Digest(_)) || push.title.contains("Disk full");
            assert!(!push.title.contains('\n') && named, "{push:?}");
            for budget in [TEXT_CHARS_MAX, 160, 40] {
                let text = renderer.sms(&notice, language, budget);
                assert_eq!(renderer.sms(&notice, language, budget), text);
                assert!(!text.is_empty() && length(&text) <= budget, "{text}");
                assert!(!text.contains(char::is_control) && !text.contains("none"), "{text}");
            }
        }
    }
}

#[test]
fn a_text_says_what_happened_how_grave_it_is_and_what_it_is_about() {
    let (open, over) = (alert(), resolved(alert()));
    let test = Alert { test: true, ..alert() };
    for (alert, subject, ko, en) in [
        (&open, Subject::Opened, "[재난] 서버실 온도 45℃ 초과", "[Disaster] 서버실 온도 45℃ 초과"),
        (
            &open,
            Subject::Repeat { number: 2 },
            "[재난] 아직 미확인(2): 서버실 온도 45℃ 초과",
            "[Disaster] still not acknowledged (2): 서버실 온도 45℃ 초과",
        ),
        (
            &open,
            Subject::Raised,
            "[재난] 격상: 서버실 온도 45℃ 초과",
            "[Disaster] raised: 서버실 온도 45℃ 초과",
        ),
        (
            &over,
            Subject::Resolved,
            "[해결 03:12] 서버실 온도 45℃ 초과",
            "[Resolved 03:12] 서버실 온도 45℃ 초과",
        ),
        (
            &over,
            Subject::Missed,
            "[해결] 03:10 발생, 03:12 해결: 서버실 온도 45℃ 초과",
            "[Resolved] fired 03:10, resolved 03:12: 서버실 온도 45℃ 초과",
        ),
        (
            &open,
            unreachable(),
            "[재난] jin 연락 불가(no device enrol…): 서버실 온도 45℃ 초과",
            "[Disaster] could not reach jin: no device enrol…: 서버실 온도 45℃ 초과",
        ),
        (&test, Subject::Opened, "[시험] 서버실 온도 45℃ 초과", "[Test] 서버실 온도 45℃ 초과"),
    ] {
        assert_eq!(sms(alert, &subject, "", Language::Ko), ko);
        assert_eq!(sms(alert, &subject, "", Language::En), en);
    }
}

#[test]
fn severities_have_their_words() {
    for (severity, ko, en) in [
        (Severity::NotClassified, "미분류", "Not classified"),
        (Severity::Information, "정보", "Information"),
        (Severity::Warning, "경고", "Warning"),
        (Severity::Average, "보통", "Average"),
        (Severity::High, "높음", "High"),
        (Severity::Disaster, "재난", "Disaster"),
    ] {
        let alert = Alert { severity, ..alert() };
        assert!(sms(&alert, &Subject::Opened, "", Language::Ko).starts_with(&format!("[{ko}] ")));
        assert!(push(&alert, &Subject::Opened, Language::En).title.starts_with(&format!("[{en}] ")));
    }
}

#[test]
fn the_link_comes_last_and_the_title_makes_room_for_it() {
    let short = alert();
    assert_eq!(
        sms(&short, &Subject::Opened, SHORT_URL, Language::Ko),
        "[재난] 서버실 온도 45℃ 초과 https://a.example.org/a/7"
    );
    let long = Alert {
        title: "데이터베이스 서버 디스크 사용량이 한계를 넘어 쓰기가 멈췄습니다 지금 확인하세요".to_owned(),
        ..alert()
    };
    assert_eq!(
        sms(&long, &Subject::Opened, SHORT_URL, Language::Ko),
        "[재난] 데이터베이스 서버 디스크 사용량이 한계를 넘어 쓰기가 멈췄습니다 지금… https://a.example.org/a/7"
    );
}

#[test]
fn a_link_that_would_leave_too_little_of_the_title_is_left_out() {
    let long = Alert {
        title: "Disk space on /var/lib/postgresql is critically low (free 0.4 %)".to_owned(),
        ..alert()
    };
    assert_eq!(
        sms(&long, &Subject::Opened, URL, Language::En),
        "[Disaster] Disk space on /var/lib/postgresql is critically low (free…"
    );
    // "[Disaster] " and 20 characters leave 38 of 70, less the space before it: 38 fits, 39 does not.
    for (link_chars, linked) in [(38, true), (39, false)] {
        let url = format!("https://{}", "x".repeat(link_chars - 8));
        let text = sms(&long, &Subject::Opened, &url, Language::En);
        assert_eq!(text.ends_with(&url), linked, "{text}");
        assert!(length(&text) <= TEXT_CHARS_MAX);
    }
}

#[test]
fn a_push_tells_times_in_the_configured_zone_and_who_has_it() {
    let mut alert = resolved(alert());
    alert.acknowledged = Some(Acknowledgement { by: "min".to_owned(), at: alert.starts_at });
    assert_eq!(
        push(&alert, &Subject::Missed, Language::En),
        PushText {
            title: "[Resolved] 서버실 온도 45℃ 초과".to_owned(),
            body: "센서 2번\nzabbix · fired 03:10, resolved 03:12\nAcknowledged by min".to_owned(),
        }
    );
    assert_eq!(
        push(&alert, &unreachable(), Language::Ko),
        PushText {
            title: "[재난] jin 연락 불가: 서버실 온도 45℃ 초과".to_owned(),
            body: "jin 연락 불가: no device enrolled\n\n센서 2번\nzabbix · 03:10 발생\n확인: min".to_owned(),
        }
    );
}

#[test]
fn a_time_that_is_not_of_today_has_its_date() {
    let (alert, renderer) = (alert(), renderer());
    let body = |now: &str, zone: &TimeZone| {
        renderer.push(&Notice::new(&alert, &Subject::Opened, URL, zone, at(now)), Language::En).body
    };
    for (now, zone, says) in [
        ("2026-11-22T23:59:00+09:00", seoul(), "since 03:10"),
        ("2026-11-23T00:00:00+09:00", seoul(), "since 11-22 03:10"),
        ("2027-01-01T00:00:00+09:00", seoul(), "since 2026-11-22 03:10"),
        ("2026-11-22T03:15:00+09:00", TimeZone::UTC, "since 18:10"),
    ] {
        let body = body(now, &zone);
        assert!(body.ends_with(says), "{body}");
    }
}

#[test]
fn whatever_the_sender_wrote_a_text_is_one_line_and_nothing_in_it_is_a_template() {
    let alert = Alert { title: "{{ url }}\r\n<b>\"x\"</b>\t& {% if %}\u{0}".to_owned(), ..alert() };
    let expected = "[재난] {{ url }} <b>\"x\"</b> & {% if %}";
    assert_eq!(sms(&alert, &Subject::Opened, "", Language::Ko), expected);
    assert_eq!(push(&alert, &Subject::Opened, Language::Ko).title, expected);
}

#[test]
fn a_huge_alert_becomes_a_text_that_fits() {
    let alert = Alert { title: "가".repeat(10_000), body: "🔥\n".repeat(100_000), ..alert() };
    let push = push(&alert, &Subject::Opened, Language::Ko);
    assert_eq!(length(&push.title), PUSH_TITLE_CHARS_MAX);
    assert!(length(&push.body) <= PUSH_BODY_CHARS_MAX);
    assert_eq!(length(&sms(&alert, &Subject::Opened, URL, Language::Ko)), TEXT_CHARS_MAX);
}

fn overriding(name: &str, text: &str) -> (tempfile::TempDir, Result<Renderer, TemplateError>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
    std::fs::write(&path, text).expect("a file");
    let renderer = Renderer::new(Some(folder.path()));
    (folder, renderer)
}

#[test]
fn a_file_replaces_the_template_of_its_name_and_no_other() {
    let (_folder, renderer) =
        overriding("notification/ko/sms.txt", "!! {{ title }} {{ labels.rack }}{{ source_url }}");
    assert!(renderer.is_err(), "a label that not every alert has");
    let (_folder, renderer) = overriding(
        "notification/ko/sms.txt",
        "!! {{ title }}{% if labels.rack %} {{ labels.rack }}{% endif %} {{ source_url }}",
    );
    let (renderer, zone, alert) = (renderer.expect("good"), seoul(), alert());
    let notice =
        Notice::new(&alert, &Subject::Opened, "", &zone, alert.starts_at + SignedDuration::from_mins(1));
    assert_eq!(renderer.sms(&notice, Language::Ko, 70), "!! 서버실 온도 45℃ 초과");
    assert_eq!(renderer.sms(&notice, Language::En, 70), "[Disaster] 서버실 온도 45℃ 초과");
}

#[test]
fn a_bad_override_is_named_with_file_and_line() {
    for (name, text, says) in [
        ("notification/ko/sms.txt", "ok\n{{ title", "line 2: syntax error"),
        ("notification/ko/sms.txt", "{{ title }}\n\n{{ titel }}", "line 3: undefined"),
        ("notification/en/severity.txt", "\n{{ severity | louder }}", "line 2: unknown filter"),
        ("notification/en/push_body.txt", "{% if state == 'test' %}x{% endif %}", "gives no text"),
        ("notification/en/smss.txt", "x", "replaces no template"),
        ("notification/fr/sms.txt", "x", "replaces no template"),
    ] {
        let (folder, renderer) = overriding(name, text);
        let error = renderer.expect_err("refused").to_string();
        let file = folder.path().join(name).display().to_string();
        assert!(error.contains(says) && error.contains(&file), "{error}");
    }
    let missing = Renderer::new(Some(Path::new("no/such/folder"))).expect_err("refused").to_string();
    assert_eq!(missing, "could not read `no/such/folder`");
}

#[test]
fn a_template_that_fails_for_one_alert_still_says_which() {
    let (_folder, renderer) =
        overriding("notification/en/sms.txt", "{% if title == 'odd' %}{{ x.y }}{% endif %}x {{ title }}");
    let (renderer, zone, alert) =
        (renderer.expect("good samples"), seoul(), Alert { title: "odd".to_owned(), ..alert() });
    let notice = Notice::new(&alert, &Subject::Opened, "", &zone, alert.starts_at);
    assert_eq!(renderer.sms(&notice, Language::En, 70), "[disaster] odd");
}
