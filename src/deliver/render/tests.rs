use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::*;
use crate::{
    alert::{
        Acknowledgement, Alert, AlertId, Counted, DedupKey, Event, Kind, Named, Part, Resolution, ResolvedBy,
        Severity, Subject, Successor, Unreached,
    },
    deliver::{
        sms::{Encoding, TextRules, fit},
        text::length,
    },
};

const URL: &str = "https://a.example.org/alerts/019b0000-0000-7000-8000-000000000001";

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
    let (contact, reason) = ("jin".parse().expect("a name"), "no device enrolled".to_owned());
    Subject::Unreachable { contact, reason, also: Vec::new(), more: 0 }
}

fn notice<'a>(
    alert: &'a Alert,
    subject: &'a Subject,
    url: &'a str,
    time_zone: &'a TimeZone,
    now: Timestamp,
) -> Notice<'a> {
    Notice { alert, subject, severity: alert.severity, url, time_zone, now }
}

fn sms(alert: &Alert, subject: &Subject, language: Language) -> String {
    let (zone, now) = (seoul(), at("2026-11-22T03:15:00+09:00"));
    renderer().sms(&notice(alert, subject, URL, &zone, now), language).words
}

fn push(alert: &Alert, subject: &Subject, language: Language) -> PushText {
    let (zone, now) = (seoul(), at("2026-11-22T03:15:00+09:00"));
    renderer().push(&notice(alert, subject, URL, &zone, now), language)
}

#[test]
fn every_sample_renders_the_same_twice_and_within_its_limits() {
    let renderer = renderer();
    for sample in sample::samples() {
        let notice = sample.notice();
        for language in [Language::En, Language::Ko] {
            let push = renderer.push(&notice, language);
            assert_eq!(renderer.push(&notice, language), push);
            assert!(!push.title.is_empty() && length(&push.title) <= PUSH_TITLE_CHARS_MAX, "{push:?}");
            assert!(!push.body.is_empty() && length(&push.body) <= PUSH_BODY_CHARS_MAX, "{push:?}");
            assert!(!push.title.contains('\n') && push.title.contains("Disk full"), "{push:?}");
            let SmsText { words, link } = renderer.sms(&notice, language);
            assert!(words.contains("Disk full on db1") && link == notice.url, "{words}");
            assert!(!words.contains(char::is_control) && !words.contains("none"), "{words}");
        }
    }
    for counted in sample::counts() {
        let digest = sample::digest(&counted);
        for language in [Language::En, Language::Ko] {
            let push = renderer.push(&digest, language);
            assert!(length(&push.title) <= PUSH_TITLE_CHARS_MAX && !push.body.is_empty(), "{push:?}");
            let SmsText { words, link } = renderer.sms(&digest, language);
            assert!(words.contains(&counted.total().to_string()) && link == digest.url, "{words}");
            assert!(!words.contains(char::is_control) && !words.contains("none"), "{words}");
        }
    }
}

#[test]
fn a_text_says_what_happened_how_grave_it_is_and_what_it_is_about() {
    let (open, over) = (alert(), resolved(alert()));
    let mut again = over.clone();
    again.openings.superseded = Some(Successor::IsQuiet);
    let test = Alert { kind: Kind::Test, ..alert() };
    for (alert, subject, ko, en) in [
        (&open, Subject::Opened, "[재난] 서버실 온도 45℃ 초과", "[Disaster] 서버실 온도 45℃ 초과"),
        (
            &open,
            Subject::Repeat { number: 2, last: false },
            "[재난] 아직 미확인(2): 서버실 온도 45℃ 초과",
            "[Disaster] still not acknowledged (2): 서버실 온도 45℃ 초과",
        ),
        (
            &open,
            Subject::Raised { to: Severity::Disaster },
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
            "[해결] 03:10 재난 발생, 03:12 해결: 서버실 온도 45℃ 초과",
            "[Resolved] fired 03:10 as disaster, resolved 03:12: 서버실 온도 45℃ 초과",
        ),
        (
            &again,
            Subject::Resolved,
            "[해결 03:12, 이후 다시 발생] 서버실 온도 45℃ 초과",
            "[Resolved 03:12, fired again since] 서버실 온도 45℃ 초과",
        ),
        (
            &again,
            Subject::Missed,
            "[해결] 03:10 재난 발생, 03:12 해결, 이후 다시 발생: 서버실 온도 45℃ 초과",
            "[Resolved] fired 03:10 as disaster, resolved 03:12, fired again since: 서버실 온도 45℃ 초과",
        ),
        (
            &open,
            unreachable(),
            "[재난] jin 연락 불가(no device enrol…): 서버실 온도 45℃ 초과",
            "[Disaster] could not reach jin: no device enrol…: 서버실 온도 45℃ 초과",
        ),
        (
            &over,
            unreachable(),
            "[해결] jin 연락 불가(no device enrol…): 서버실 온도 45℃ 초과",
            "[Resolved] could not reach jin: no device enrol…: 서버실 온도 45℃ 초과",
        ),
        (&test, Subject::Opened, "[시험] 서버실 온도 45℃ 초과", "[Test] 서버실 온도 45℃ 초과"),
    ] {
        assert_eq!(sms(alert, &subject, Language::Ko), ko);
        assert_eq!(sms(alert, &subject, Language::En), en);
    }
}

#[test]
fn several_who_could_not_be_reached_are_named_and_counted() {
    let name = |name: &str| name.parse().expect("a name");
    let subject = |also: &[&str], more| Subject::Unreachable {
        contact: name("jin"),
        reason: "no answer".to_owned(),
        also: also.iter().map(|also| name(also)).collect(),
        more,
    };
    let body = |subject| push(&alert(), &subject, Language::En).body;
    assert!(body(subject(&[], 0)).starts_with("could not reach jin: no answer\n"));
    assert!(body(subject(&["min"], 0)).starts_with("could not reach jin, min: no answer\n"));
    assert!(body(subject(&["min", "dana"], 7)).starts_with("could not reach jin, min, dana +7: no answer\n"));
}

#[test]
fn severities_have_their_words() {
    for (severity, ko, en) in [
        (Severity::NotClassified, "미분류", "Not classified"),
        (Severity::Information, "정보", "Information"),
        (Severity::Warning, "경고", "Warning"),
        (Severity::Average, "장애", "Average"),
        (Severity::High, "중대", "High"),
        (Severity::Disaster, "재난", "Disaster"),
    ] {
        let alert = Alert { severity, ..alert() };
        assert!(sms(&alert, &Subject::Opened, Language::Ko).starts_with(&format!("[{ko}] ")));
        assert!(push(&alert, &Subject::Opened, Language::En).title.starts_with(&format!("[{en}] ")));
    }
}

#[test]
fn a_typical_text_is_one_segment_without_its_link_and_keeps_it_within_three() {
    let (ko, en) = (alert(), Alert { title: "Disk space is low (95 % used) on db1".to_owned(), ..alert() });
    let subjects = || {
        let subjects = [
            Subject::Opened,
            Subject::Repeat { number: 2, last: false },
            Subject::Raised { to: Severity::Disaster },
            Subject::Resolved,
        ];
        subjects.into_iter().chain([Subject::Missed, unreachable()])
    };
    let (zone, now) = (seoul(), at("2026-11-22T03:15:00+09:00"));
    for (alert, language, rules) in [
        (&ko, Language::Ko, TextRules::fixed(Encoding::EucKr, 3)),
        (&ko, Language::Ko, TextRules::automatic(3)),
        (&en, Language::En, TextRules::fixed(Encoding::EucKr, 3)),
        (&en, Language::En, TextRules::automatic(3)),
    ] {
        for subject in subjects() {
            let alert = if matches!(subject, Subject::Resolved | Subject::Missed) {
                resolved(alert.clone())
            } else {
                alert.clone()
            };
            let says = renderer().sms(&notice(&alert, &subject, URL, &zone, now), language);
            let alone = fit(&says.words, "", rules);
            assert_eq!(alone.segments, 1, "{}", alone.text);
            assert!(alone.text.ends_with(&alert.title) || subject == unreachable(), "{}", alone.text);
            let linked = fit(&says.words, &says.link, rules);
            assert!(linked.text.ends_with(&format!("{} {URL}", alert.title)), "{}", linked.text);
            assert!(linked.segments <= 3);
        }
    }
}

#[test]
fn what_has_fallen_again_is_not_called_raised() {
    let raised = Subject::Raised { to: Severity::High };
    for (severity, title) in [
        (Severity::High, "[High] Raised: Disk full on db1"),
        (Severity::Average, "[Average] Disk full on db1"),
    ] {
        let alert = Alert { severity, title: "Disk full on db1".to_owned(), ..alert() };
        assert_eq!(push(&alert, &raised, Language::En).title, title);
    }
}

#[test]
fn a_typical_title_is_shown_whole_by_phones() {
    // Phones show some 40 Latin letters of a title on a locked screen; a Hangul syllable is as wide as two.
    let wide = |text: &str| text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
    let over = resolved(alert());
    for (title, language) in [("Disk full on db1", Language::En), ("디스크 가득 참", Language::Ko)] {
        for (alert, subject) in [
            (alert(), Subject::Opened),
            (alert(), Subject::Raised { to: Severity::Disaster }),
            (over.clone(), Subject::Resolved),
            (over.clone(), Subject::Missed),
            (Alert { kind: Kind::Test, ..alert() }, Subject::Opened),
        ] {
            let shown = push(&Alert { title: title.to_owned(), ..alert }, &subject, language).title;
            assert!(wide(&shown) <= 40, "{shown}");
        }
        // These two have more to say; what an alert is about may then wrap.
        for subject in [Subject::Repeat { number: 2, last: false }, unreachable()] {
            let shown = push(&Alert { title: title.to_owned(), ..alert() }, &subject, language).title;
            assert!(wide(&shown) <= 60, "{shown}");
        }
    }
}

fn counted(by_severity: &[(Severity, u32)], resolved: u32, unreached: &[&str]) -> Counted {
    let named = |(severity, _): &(Severity, u32)| Named {
        alert_id: AlertId::from_bytes([7; 16]),
        severity: *severity,
        title: format!("{severity}\r\n{{{{ x }}}}"),
    };
    let [sample, ..] = sample::counts();
    Counted {
        by_severity: by_severity.iter().copied().collect(),
        resolved,
        unreachable: u32::try_from(unreached.len()).expect("few"),
        unreached: Unreached {
            names: unreached.iter().map(|name| name.parse().expect("a name")).collect(),
            more: 0,
        },
        worst: by_severity.iter().map(named).collect(),
        ..sample
    }
}

#[test]
fn a_digest_counts_the_gravest_first_and_names_them() {
    let renderer = renderer();
    for (counted, ko, en) in [
        (
            counted(&[(Severity::Average, 2), (Severity::High, 35), (Severity::Warning, 0)], 0, &[]),
            "[중대] 37건 더: 중대 35건, 장애 2건: average {{ x }}; high {{ x }}; warning {{ x }}",
            "[High] 37 more: 35 high, 2 average: average {{ x }}; high {{ x }}; warning {{ x }}",
        ),
        (
            counted(&[(Severity::Disaster, 1)], 3, &["jin"]),
            "[재난] 5건 더: 재난 1건, 해결 3건, jin 연락 불가 1건: disaster {{ x }}",
            "[Disaster] 5 more: 1 disaster, 3 resolved, 1 about which jin could not be reached: disaster {{ x }}",
        ),
        (
            Counted { unreachable: 0, ..counted(&[(Severity::High, 1)], 0, &["jin", "min"]) },
            "[중대] 1건 더: 중대 1건, jin, min 연락 불가: high {{ x }}",
            "[High] 1 more: 1 high, jin, min could not be reached: high {{ x }}",
        ),
        (counted(&[], 2, &[]), "2건 더: 해결 2건", "2 more: 2 resolved"),
    ] {
        let digest = sample::digest(&counted);
        for (language, words) in [(Language::Ko, ko), (Language::En, en)] {
            let says = renderer.sms(&digest, language);
            assert_eq!(says, SmsText { words: words.to_owned(), link: digest.url.to_owned() });
            assert!(words.starts_with(&renderer.push(&digest, language).title), "{words}");
        }
    }
    let counted = counted(&[(Severity::High, 35), (Severity::Average, 2)], 0, &[]);
    let zone = seoul();
    let digest = DigestNotice { time_zone: &zone, ..sample::digest(&counted) };
    assert_eq!(
        renderer.push(&digest, Language::En),
        PushText {
            title: "[High] 37 more: 35 high, 2 average".to_owned(),
            body: "high {{ x }}\naverage {{ x }}\nand 35 more\n03:10 to 03:12".to_owned(),
        }
    );
    assert_eq!(
        renderer.push(&digest, Language::Ko).body,
        "high {{ x }}\naverage {{ x }}\n외 35건\n03:10~03:12"
    );
}

#[test]
fn a_push_tells_times_in_the_configured_zone_and_who_has_it() {
    let mut alert = resolved(alert());
    alert.conversation.acknowledged = Some(Acknowledgement {
        by: "min".to_owned(),
        at: alert.starts_at,
        since: alert.starts_at,
        severity: alert.severity,
        by_sender: false,
    });
    assert_eq!(
        push(&alert, &Subject::Missed, Language::En),
        PushText {
            title: "[Resolved] 서버실 온도 45℃ 초과".to_owned(),
            body: "센서 2번\nzabbix · fired 03:10 as disaster, resolved 03:12\nAcknowledged by min"
                .to_owned(),
        }
    );
    assert_eq!(
        push(&alert, &unreachable(), Language::Ko),
        PushText {
            title: "[해결] jin 연락 불가: 서버실 온도 45℃ 초과".to_owned(),
            body: "jin 연락 불가: no device enrolled\n\n센서 2번\nzabbix · 03:10 발생, 03:12 해결\n확인: min"
                .to_owned(),
        }
    );
}

#[test]
fn a_time_that_is_not_of_today_has_its_date() {
    let (alert, renderer) = (alert(), renderer());
    let body = |now: &str, zone: &TimeZone| {
        renderer.push(&notice(&alert, &Subject::Opened, URL, zone, at(now)), Language::En).body
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
    assert_eq!(sms(&alert, &Subject::Opened, Language::Ko), expected);
    assert_eq!(push(&alert, &Subject::Opened, Language::Ko).title, expected);
}

#[test]
fn a_huge_alert_becomes_a_text_that_fits() {
    let alert = Alert { title: "가".repeat(10_000), body: "🔥\n".repeat(100_000), ..alert() };
    let push = push(&alert, &Subject::Opened, Language::Ko);
    assert_eq!(length(&push.title), PUSH_TITLE_CHARS_MAX);
    assert!(length(&push.body) <= PUSH_BODY_CHARS_MAX);
    for rules in [TextRules::automatic(1), TextRules::automatic(3), TextRules::fixed(Encoding::EucKr, 3)] {
        let fitted = fit(&sms(&alert, &Subject::Opened, Language::Ko), URL, rules);
        assert_eq!(fitted.segments, rules.max_segments);
    }
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
    let notice = notice(&alert, &Subject::Opened, "", &zone, alert.starts_at + SignedDuration::from_mins(1));
    assert_eq!(renderer.sms(&notice, Language::Ko).words, "!! 서버실 온도 45℃ 초과");
    assert_eq!(renderer.sms(&notice, Language::En).words, "[Disaster] 서버실 온도 45℃ 초과");
}

#[test]
fn a_bad_override_is_named_with_file_and_line() {
    for (name, text, says) in [
        ("notification/ko/sms.txt", "ok\n{{ title", "line 2: syntax error"),
        ("notification/ko/sms.txt", "{{ title }}\n\n{{ titel }}", "line 3: undefined value `titel`"),
        ("notification/en/sms.txt", "{{ title }}{{ labels.rack }}", "; ask with {% if labels.rack %}"),
        ("notification/en/sms.txt", "{{ title ~ labels.rack | upper }}", "undefined value `labels.rack`"),
        ("notification/en/severity.txt", "\n{{ severity | louder }}", "line 2: unknown filter"),
        ("notification/en/push_body.txt", "{% if state == 'test' %}x{% endif %}", "gives no text"),
        (
            "notification/ko/digest_sms.txt",
            "{{ count }}{% for each in by_severity %}\n{{ each.name }}{% endfor %}",
            "line 2: undefined value `each.name`",
        ),
        (
            "notification/en/digest_push_title.txt",
            "{% if severity %}x{% endif %}",
            "gives no text for `digest`",
        ),
        (
            "notification/en/sms.txt",
            "{% for a in range(9999) %}{% for b in range(9999) %}\n{{ title }}{% endfor %}{% endfor %}",
            ": the template does not end, or its loops are too long",
        ),
        ("notification/en/smss.txt", "x", "replaces no template"),
        (
            "notification/fr/sms.txt",
            "x",
            "replaces no template: did you mean notification/en/sms.txt or notification/ko/sms.txt?",
        ),
        ("tpl/ko/sms.txt", "x", "replaces no template: did you mean notification/ko/sms.txt?"),
        ("ko.txt", "x", "replaces no template: there is none of that name"),
    ] {
        let (folder, renderer) = overriding(name, text);
        let error = renderer.expect_err("refused").to_string();
        let file = folder.path().join(name).display().to_string();
        assert!(error.contains(says) && error.contains(&file), "{error}");
    }
    for name in ["README.md", "notification/ko/.DS_Store", "notification/ko/sms.txt~"] {
        let (_folder, renderer) = overriding(name, "not ours");
        assert!(renderer.is_ok(), "{name}");
    }
    let missing = Renderer::new(Some(Path::new("no/such/folder"))).expect_err("refused").to_string();
    assert_eq!(missing, "could not read `no/such/folder`");
}

#[test]
fn an_outage_of_bongsu_itself_says_what_stands_still_since_when_and_what_to_do() {
    let (renderer, zone) = (renderer(), seoul());
    let since = at("2026-11-22T03:10:00+09:00");
    let outage = Outage { parts: vec![Part::Dispatch, Part::Store], since };
    let told = OutageNotice { outage: &outage, time_zone: &zone, now: since };
    let push = renderer.push(&told, Language::En);
    assert_eq!(push.title, "[Disaster] Bongsu itself stands still: sending, the store");
    let body = "Alerts are not being sent: look at the server, and at your monitors themselves.\nbongsu · since 03:10";
    assert_eq!(push.body, body);
    let push = renderer.push(&told, Language::Ko);
    assert_eq!(push.title, "[재난] 봉수 자체가 멈췄습니다: 발송, 저장소");
    let body = "알림이 발송되지 않고 있습니다. 서버와 모니터링 화면을 직접 확인하세요.\nbongsu · 03:10부터";
    assert_eq!(push.body, body);
    let (en, ko) = (renderer.sms(&told, Language::En), renderer.sms(&told, Language::Ko));
    let words = "[Disaster] Bongsu itself stands still since 03:10, alerts are not being sent. Look at the server: sending, the store";
    assert_eq!(en.words, words);
    let words = "[재난] 봉수 자체가 03:10부터 멈춤. 알림이 발송되지 않으니 서버를 확인하세요: 발송, 저장소";
    assert_eq!(ko.words, words);
    assert!(
        ko.words.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>() <= 90,
        "one Korean SMS"
    );
    assert!(told.plain().contains("dispatch, store"));
}

#[test]
fn the_documented_example_is_a_template() {
    let docs = include_str!("../../../docs/templates.md");
    let example =
        docs.split("```jinja\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let (_folder, renderer) = overriding("notification/en/push_title.txt", example);
    assert!(renderer.is_ok(), "{renderer:?}");
}

#[test]
fn a_template_that_fails_for_one_alert_still_says_which() {
    let (_folder, renderer) =
        overriding("notification/en/sms.txt", "{% if title == 'odd' %}{{ x.y }}{% endif %}x {{ title }}");
    let (renderer, zone, alert) =
        (renderer.expect("good samples"), seoul(), Alert { title: "odd".to_owned(), ..alert() });
    let notice = notice(&alert, &Subject::Opened, "", &zone, alert.starts_at);
    assert_eq!(renderer.sms(&notice, Language::En).words, "[disaster] odd");
}

#[test]
fn every_template_and_everything_it_can_name_is_documented() {
    let docs = include_str!("../../../docs/templates.md");
    let notice = serde_json::to_value(sample::typical().notice().context()).expect("JSON");
    let [counted, ..] = sample::counts();
    let digest = serde_json::to_value(sample::digest(&counted).context()).expect("JSON");
    let mut names: Vec<String> =
        source::names().map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()).collect();
    let outage = serde_json::to_value(sample::outage(&sample::everything()).context()).expect("JSON");
    for context in [notice, digest, outage] {
        names.extend(context.as_object().expect("an object").keys().cloned());
    }
    for name in names {
        assert!(docs.contains(&format!("`{name}`")), "docs/templates.md does not explain `{name}`");
    }
}

#[test]
fn both_languages_have_every_template() {
    let in_language = |language: &str| {
        let folder = format!("notification/{language}/");
        source::names()
            .filter_map(move |name| name.strip_prefix(&folder).map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(in_language("en"), in_language("ko"));
    assert_eq!(in_language("en").len() * 2, source::names().count());
}

#[test]
fn an_end_that_is_taken_back_is_told_with_who_had_said_it() {
    let end = |by| Some(Resolution::by(by, at("2026-11-22T03:12:00+09:00")));
    let again = |by| Alert { taken_back: end(by), ..alert() };
    let by_sender = again(ResolvedBy::Sender);
    let told = push(&by_sender, &Subject::Opened, Language::En);
    assert_eq!(told.title, "[Disaster] Fires again: 서버실 온도 45℃ 초과");
    assert!(told.body.starts_with("Fires again; its sender had called it over at 03:12.\n"), "{}", told.body);
    assert!(sms(&by_sender, &Subject::Opened, Language::En).contains("fires again (called over 03:12): "));
    let by_jin = again(ResolvedBy::Operator("jin".to_owned()));
    let told = push(&by_jin, &Subject::Opened, Language::Ko);
    assert!(
        told.body.starts_with("다시 발생: 03:12에 jin 님이 해결로 처리했던 알림입니다.\n"),
        "{}",
        told.body
    );
    assert!(sms(&by_jin, &Subject::Opened, Language::En).contains("fires again (jin resolved it 03:12): "));
    let repeat = push(&by_jin, &Subject::Repeat { number: 1, last: false }, Language::En);
    assert!(!repeat.title.contains("again"), "{}", repeat.title);
}
