//! The media type's script alone, in Zabbix's own JavaScript engine (`zabbix_js`), against a stand-in.

use std::{io::Write as _, process::Command};

use serde_json::{Value, json};

use crate::{
    capture::{Answer, Capture, opened, unknown_alert, wrong_key},
    daemon::Port,
    zabbix_media_type::printed,
};

/// The key that every run uses.
const KEY: &str = "s3cret&key= #1";
/// Zabbix cuts the parameters of a message there, all of them together as JSON.
const ZABBIX_CHARS_MAX: usize = 65_535;

#[tokio::test]
async fn what_bongsu_took_is_delivered_and_returns_the_tags_of_its_alert() {
    let bongsu = Capture::start().await;
    let run = Script::of(&bongsu).run().await.unwrap();
    let tags = json!({"tags": {"__bongsu_alert_id": opened()["alert_id"], "__bongsu_url": opened()["url"]}});
    assert_eq!(serde_json::from_str::<Value>(&run).unwrap(), tags);

    bongsu.answer(Answer::Result(unknown_alert()));
    assert_eq!(Script::of(&bongsu).run().await.unwrap(), r#"{"tags":{}}"#);
}

#[tokio::test]
async fn what_zabbix_did_not_fill_in_stays_behind_and_only_problems_get_tags() {
    let bongsu = Capture::start().await;
    let script = |source: &str| {
        let script = Script::of(&bongsu).with("event_source", source).with("host_name", "*UNKNOWN*");
        script.with("event_name", "{HOST.NAME} as a text").with("event_tags_json", "[]")
    };
    for (source, has_tags) in [("0", true), ("1", false), ("2", false), ("3", false), ("4", true)] {
        let returned: Value = serde_json::from_str(&script(source).run().await.unwrap()).unwrap();
        assert_eq!(returned["tags"].as_object().unwrap().is_empty(), !has_tags, "{source}");
    }
    let body = bongsu.received().remove(0).body;
    let names: Vec<_> = body.as_object().unwrap().keys().collect();
    // The first two tell a test from an event; of the others each was given a value.
    assert_eq!(names, ["event_id", "event_name", "event_source", "event_tags_json", "event_value"]);
}

#[tokio::test]
async fn every_other_answer_is_a_failure_with_a_reason_for_people() {
    let bongsu = Capture::start().await;
    let long = format!(r#"{{"detail":"{}"}}"#, "x".repeat(500));
    for (answer, reason) in [
        (wrong_key(), "bongsu_url: HTTP 401: the key is not the key of integration `zabbix`"),
        (
            Answer::Status(413, r#"{"title":"Content Too Large"}"#.into()),
            "bongsu_url: HTTP 413: Content Too Large",
        ),
        (
            Answer::Status(502, "<html>Bad gateway</html>".into()),
            "bongsu_url: HTTP 502: <html>Bad gateway</html>",
        ),
        (Answer::Status(500, String::new()), "bongsu_url: HTTP 500"),
        (Answer::Status(404, long), &format!("HTTP 404: {}", "x".repeat(200))),
        (Answer::Status(200, "<html>Sign in</html>".into()), "this is not Bongsu answering"),
        (Answer::Status(200, "[]".into()), "this is not Bongsu answering"),
        (Answer::Status(202, r#"{"results":[]}"#.into()), "this is not Bongsu answering"),
        (Answer::Status(400, format!("you sent {KEY}")), "bongsu_url: HTTP 400: you sent ***"),
    ] {
        bongsu.answer(answer.clone());
        let thrown = Script::of(&bongsu).run().await.unwrap_err();
        assert!(thrown.starts_with("Bongsu did not take the message. bongsu_url: HTTP "), "{thrown}");
        assert!(thrown.contains(reason) && !thrown.contains(KEY), "{answer:?}: {thrown}");
        assert!(!thrown.contains(&"x".repeat(201)), "{thrown}");
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_because_zabbix_follows_it_without_the_event() {
    let bongsu = Capture::start().await;
    bongsu
        .answer_next([Answer::Redirect("/login".into()), Answer::Status(200, "<html>Sign in</html>".into())]);
    let thrown = Script::of(&bongsu).run().await.unwrap_err();
    assert!(thrown.contains("a redirect, a login page, a wrong address?"), "{thrown}");
}

#[tokio::test]
async fn parameters_that_cannot_work_are_named_before_anything_is_sent() {
    let bongsu = Capture::start().await;
    for (parameter, value, reason) in [
        ("bongsu_url", "", "bongsu_url: give the whole address"),
        ("bongsu_url", "alerts.example.org/v1/events/zabbix", "bongsu_url: give the whole address"),
        ("bongsu_url", "{$BONGSU.URL}", "bongsu_url: the user macro {$BONGSU.URL} is not defined"),
        ("bongsu_key", " ", "bongsu_key: give the key"),
        ("bongsu_key", "<PUT THE KEY HERE>", "bongsu_key: give the key"),
        ("bongsu_key", "{$BONGSU.KEY}", "bongsu_key: the user macro {$BONGSU.KEY} is not defined"),
        ("bongsu_url_2", "ftp://b.example.net", "bongsu_url_2: give the whole address"),
    ] {
        let thrown = Script::of(&bongsu).with(parameter, value).run().await.unwrap_err();
        assert!(thrown.contains(reason), "{parameter}={value}: {thrown}");
    }
    assert_eq!(bongsu.received().len(), 0);
}

#[tokio::test]
async fn a_failure_of_both_names_both() {
    let (first, closed) = (Capture::start().await, Port::reserve());
    first.answer(wrong_key());
    let refused = format!("http://{}/v1/events/zabbix", closed.address);
    let thrown = Script::of(&first).with("bongsu_url_2", &refused).run().await.unwrap_err();
    assert!(thrown.contains("bongsu_url: HTTP 401: the key"), "{thrown}");
    assert!(thrown.contains("; bongsu_url_2: ") && thrown.contains("connect"), "{thrown}");
}

#[tokio::test]
async fn an_end_that_neither_knows_counts_as_told_but_not_while_one_of_them_is_silent() {
    let (first, second) = (Capture::start().await, Capture::start().await);
    first.answer(Answer::Result(unknown_alert()));
    second.answer(Answer::Result(unknown_alert()));
    let script = Script::of(&first).with("bongsu_url_2", &second.url());
    assert_eq!(script.run().await.unwrap(), r#"{"tags":{}}"#);
    assert_eq!((first.received().len(), second.received().len()), (1, 1));

    second.answer(Answer::Status(503, String::new()));
    let thrown = script.run().await.unwrap_err();
    assert!(thrown.contains("bongsu_url_2: HTTP 503"), "{thrown}");
}

#[tokio::test]
async fn parameters_cut_in_the_middle_still_carry_what_came_before_the_cut() {
    let bongsu = Capture::start().await;
    let script = Script::of(&bongsu).with("event_id", "4711").with("host_name", r#"a","b"#);
    let whole = script.parameters_json();
    let end_of_name = whole.find(r#"a\",\"b"#).unwrap();
    for cut in (end_of_name..end_of_name + 20).chain([whole.len() - 3]) {
        script.run_with(&whole[..cut]).await.unwrap();
    }
    for received in bongsu.received() {
        assert_eq!(received.field("event_id"), "4711");
        let name = &received.body["host_name"];
        assert!(name.is_null() || name == r#"a","b"#, "half a name is another name: {name}");
    }
    let thrown = script.run_with(&whole[..20]).await.unwrap_err();
    assert!(thrown.contains("bongsu_url or bongsu_key was cut off"), "{thrown}");
    let thrown = script.run_with("{").await.unwrap_err();
    assert!(thrown.contains("the parameters are not JSON"), "{thrown}");
}

/// Zabbix reads them in the order of its database's rows: an edited parameter moves to the end in PostgreSQL.
#[tokio::test]
async fn in_whatever_order_the_parameters_come_a_message_that_is_cut_arrives_as_the_same_event() {
    const NAME: &str = r#"disk & "swap" full"#;
    let bongsu = Capture::start().await;
    let long = format!("웹 서버: {}", "\"\\\u{7}".repeat(20_000));
    let mut script = Script::of(&bongsu)
        .with_macro("{EVENT.ID}", "4711")
        .with_macro("{EVENT.VALUE}", "1")
        .with_macro("{EVENT.NSEVERITY}", "5")
        .with_macro("{EVENT.NAME}", NAME)
        .with_macro("{ALERT.MESSAGE}", &long);
    for rotation in [0, 1, 13, 51] {
        script.parameters.rotate_right(rotation);
        // The last characters of a cut are those of an escape, of every length.
        for cut in ZABBIX_CHARS_MAX - 10..=ZABBIX_CHARS_MAX {
            let cut: String = script.parameters_json().chars().take(cut).collect();
            script.run_with(&cut).await.unwrap();
            let received = bongsu.received().pop().unwrap();
            assert_eq!(received.headers["authorization"], format!("Bearer {KEY}"));
            for (name, value) in [("event_id", "4711"), ("event_value", "1"), ("event_nseverity", "5")] {
                assert_eq!(received.field(name), value, "{name} of {}", received.body);
            }
            assert_eq!(received.field("event_name"), NAME);
            let message = received.field("alert_message");
            assert!(message.len() > 10_000 && long.starts_with(message), "{}", &message[..100]);
            assert!(!received.body.to_string().contains("bongsu_"), "a secret left Zabbix");
        }
    }
}

/// One run of the script with the parameters of the media type, macros not expanded.
struct Script {
    source: String,
    parameters: Vec<(String, String)>,
}

impl Script {
    fn of(bongsu: &Capture) -> Self {
        let export: serde_norway::Value = serde_norway::from_str(&printed(bongsu, KEY)).unwrap();
        let media_type = &export["zabbix_export"]["media_types"][0];
        let text = |value: &serde_norway::Value| value.as_str().unwrap().to_owned();
        let parameters = media_type["parameters"].as_sequence().unwrap().iter();
        Self {
            source: text(&media_type["script"]),
            parameters: parameters.map(|p| (text(&p["name"]), text(&p["value"]))).collect(),
        }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        let parameter = self.parameters.iter_mut().find(|(known, _)| known == name);
        let parameter = parameter.unwrap_or_else(|| panic!("the media type has no parameter {name}"));
        value.clone_into(&mut parameter.1);
        self
    }

    /// Expands a macro wherever it stands.
    fn with_macro(mut self, name: &str, value: &str) -> Self {
        for (_, text) in &mut self.parameters {
            *text = text.replace(name, value);
        }
        self
    }

    /// As Zabbix hands them over.
    fn parameters_json(&self) -> String {
        let pairs: Vec<_> =
            self.parameters.iter().map(|(name, value)| format!("{}:{}", json!(name), json!(value))).collect();
        format!("{{{}}}", pairs.join(","))
    }

    async fn run(&self) -> Result<String, String> {
        self.run_with(&self.parameters_json()).await
    }

    /// `Ok` is what the script returned, `Err` what it threw.
    async fn run_with(&self, input: &str) -> Result<String, String> {
        let files = [self.source.as_str(), input].map(|text| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file
        });
        let run = move || {
            let [script, input] = &files;
            let mut command = Command::new("zabbix_js");
            command.arg("-s").arg(script.path()).arg("-i").arg(input.path()).args(["-t", "10"]);
            command.output().expect("zabbix_js comes with the packages that tests/zabbix/up installs")
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        let written = [output.stdout, output.stderr].concat();
        let written = String::from_utf8(written).unwrap().trim().to_owned();
        if output.status.success() {
            return Ok(written);
        }
        let thrown = written.split_once("cannot execute script: ");
        Err(thrown.unwrap_or_else(|| panic!("the script did not run: {written}")).1.to_owned())
    }
}
