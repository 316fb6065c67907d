//! SMS companies tell what became of a text, by themselves or because they are asked, and the alert follows.

use bongsu::sandbox::Answer;
use serde_json::{Value, json};

use crate::harness::{GENERIC_KEY, Harness, Setting, problem, recovery};

const CONTACTS: &str = "[[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\n\
                        [[contact]]\nname = \"min\"\ndevices = [\"mins-phone\"]\n";

/// jin has a phone and no device, min has a device; the gateways in order.
async fn start(gateways: &[&'static str]) -> Harness {
    start_with(gateways, "").await
}

/// As [`start`]; whoever was texted of an alert is texted its end.
async fn start_with_ends(gateways: &[&'static str]) -> Harness {
    start_with(gateways, "[sms]\nresolved = true\n").await
}

async fn start_with(gateways: &[&'static str], more: &str) -> Harness {
    let (contacts, gateways, more) = (CONTACTS.to_owned(), gateways.to_vec(), more.to_owned());
    Harness::with(Setting { contacts, gateways, more, ..Setting::default() }).await
}

/// What the journal says about reports, such as `twilio 1 delivered`.
async fn reported(h: &Harness, result: &Value) -> Vec<String> {
    let alert = h.alert(result).await;
    let rows = alert["journal"].as_array().expect("a journal").clone();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of_report = |row: &&Value| row["entry"] == "reported";
    let said =
        |row: &Value| format!("{} {} {}", word(&row["destination"]), row["attempt"], word(&row["fate"]));
    rows.iter().filter(of_report).map(said).collect()
}

/// Where jin's text through this gateway stands.
async fn standing(h: &Harness, result: &Value, gateway: &str) -> String {
    let alert = h.alert(result).await;
    let notifications = alert["notifications"].as_array().expect("notifications").clone();
    let found =
        notifications.iter().find(|one| one["destination"] == gateway).expect("a text by this gateway");
    found["state"].as_str().expect("a state").to_owned()
}

/// Twilio reports about a text; the status it gets.
async fn twilio_says(h: &Harness, rank: usize, status: &'static str, code: Option<u32>) -> u16 {
    let callback = h.sandbox.sms().twilio_report(rank, status, code).expect("the text asked to be reported");
    h.twilio(&callback.url, &callback.signature, &callback.body).await
}

/// Kannel calls the address of the last text with this state.
async fn kannel_says(h: &Harness, state: &str, answer: &str) -> u16 {
    let texts = h.sandbox.sms().texts();
    let url =
        texts.iter().rfind(|text| text.provider == "kannel").expect("a text by Kannel").report_url.clone();
    h.call(&url.replace("%d", state).replace("%A", answer)).await
}

/// Kannel calls the address of one of the texts, counted from 0, with this state.
async fn kannel_says_of(h: &Harness, which: usize, state: &str) {
    let url = h.sandbox.sms().texts().get(which).map(|text| text.report_url.clone()).expect("a text");
    assert_eq!(h.call(&url.replace("%d", state).replace("%A", "NACK/1042")).await, 200);
    h.settled().await;
}

fn count(metrics: &Value, line: &str) -> bool {
    metrics.as_str().expect("text").lines().any(|known| known == line)
}

#[tokio::test]
async fn a_delivered_text_is_shown_as_delivered_and_told_once() {
    let h = start(&["twilio"]).await;
    let result = h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(standing(&h, &result, "twilio").await, "accepted");
    for (status, code) in
        [("sent", None), ("delivered", None), ("delivered", None), ("undelivered", Some(30005))]
    {
        assert_eq!(twilio_says(&h, 0, status, code).await, 200, "{status}");
        h.settled().await;
    }
    assert_eq!(standing(&h, &result, "twilio").await, "delivered");
    assert_eq!(reported(&h, &result).await, ["twilio 1 delivered"]);
    assert_eq!(h.texts().len(), 1);
    let metrics = h.get("/metrics").await;
    assert!(
        count(&metrics, r#"bongsu_sms_reports_total{gateway="twilio",result="delivered"} 1"#),
        "{metrics}"
    );
    assert!(count(&metrics, r#"bongsu_sms_reports_total{gateway="twilio",result="ignored"} 3"#), "{metrics}");
}

#[tokio::test]
async fn a_text_that_does_not_arrive_goes_to_the_next_gateway_and_then_the_others_are_told() {
    let h = start(&["twilio", "kannel"]).await;
    let result = h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(twilio_says(&h, 0, "undelivered", Some(30005)).await, 200);
    h.settled().await;
    assert_eq!(standing(&h, &result, "kannel").await, "accepted");
    assert_eq!(h.pushes().len(), 1, "min was told of the problem");
    assert_eq!(kannel_says(&h, "8", "ACK/").await, 200);
    assert_eq!(kannel_says(&h, "2", "NACK/1042").await, 200);
    h.settled().await;
    assert_eq!(reported(&h, &result).await, ["twilio 1 failed", "kannel 3 failed"]);
    assert_eq!(h.pushes().len(), 2, "and of jin, who could not be reached");
    let alert = h.alert(&result).await.to_string();
    assert!(alert.contains("not delivered: the network could not deliver it: 1042"), "{alert}");
    h.pass(600).await;
    assert_eq!(h.texts().len(), 2, "each gateway once");
}

#[tokio::test]
async fn only_who_was_given_the_address_and_the_key_is_believed() {
    let h = start(&["twilio", "kannel"]).await;
    let result = h.zabbix(problem("disk full")).await;
    h.settled().await;
    let callback = h.sandbox.sms().twilio_report(0, "undelivered", Some(30005)).expect("a callback");
    let other = callback.url.replace("?text=", "?text=A");
    for (url, signature, body) in [
        (&callback.url, "", &callback.body),
        (&callback.url, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", &callback.body),
        (&callback.url, &*callback.signature, &callback.body.replace("undelivered", "delivered")),
        (&other, &*callback.signature, &callback.body),
    ] {
        assert_eq!(h.twilio(url, signature, body).await, 403);
    }
    // Twilio's address is not Kannel's, and a report without its signature is not Twilio's.
    let as_kannel = callback.url.replace("/twilio?", "/kannel?") + "&state=2&answer=";
    assert_eq!(h.call(&as_kannel).await, 403);
    assert_eq!(h.call(&(callback.url.clone() + "&state=2&answer=")).await, 404);
    for path in
        ["kannel?text=&state=1", "kannel", "kannel?state=1&text=%FF", "sms-one?text=x&state=1", "%FF?text=x"]
    {
        let status = h.call(&format!("https://alerts.example.org/v1/sms/reports/{path}")).await;
        assert_eq!(status, if path.starts_with("kannel") { 403 } else { 404 }, "{path}");
    }
    h.settled().await;
    assert_eq!(reported(&h, &result).await, [""; 0]);
    assert_eq!(h.texts().len(), 1);
    let metrics = h.get("/metrics").await;
    assert!(count(&metrics, r#"bongsu_sms_reports_total{gateway="twilio",result="refused"} 4"#), "{metrics}");
}

#[tokio::test]
async fn an_address_is_good_after_a_restart() {
    let mut h = start(&["kannel"]).await;
    let result = h.zabbix(problem("disk full")).await;
    h.settled().await;
    h.restart().await;
    assert_eq!(kannel_says(&h, "1", "").await, 200);
    h.settled().await;
    assert_eq!(reported(&h, &result).await, ["kannel 1 delivered"]);
}

#[tokio::test]
async fn an_address_is_good_after_its_gateway_was_renamed() {
    for name in ["twilio", "kannel"] {
        let mut h = start(&["twilio", "kannel"]).await;
        let result = h.zabbix(problem("disk full")).await;
        h.settled().await;
        assert_eq!(twilio_says(&h, 0, "undelivered", Some(30005)).await, 200);
        h.settled().await;
        h.restart_with(&format!("name = \"{name}\""), "name = \"seoul\"").await;
        assert_eq!(twilio_says(&h, 0, "delivered", None).await, 200, "{name}");
        assert_eq!(kannel_says(&h, "1", "").await, 200, "{name}");
        h.settled().await;
        assert_eq!(reported(&h, &result).await, ["twilio 1 failed", "kannel 3 delivered"], "{name}");
    }
}

#[tokio::test]
async fn an_address_is_good_after_another_company_got_the_name() {
    for (name, text) in [("kannel", 2), ("twilio", 2)] {
        let mut h = start(&[name, "sms-one"]).await;
        let result = h.zabbix(problem("disk full")).await;
        h.settled().await;
        h.restart_with(&format!("name = \"{name}\""), "name = \"seoul\"").await;
        h.restart_with("name = \"sms-one\"", &format!("name = \"{name}\"")).await;
        let status = match name {
            "kannel" => kannel_says(&h, "2", "NACK/1042").await,
            _ => twilio_says(&h, 0, "undelivered", Some(30005)).await,
        };
        assert_eq!(status, 200, "{name}");
        h.settled().await;
        assert_eq!(reported(&h, &result).await, [format!("{name} 1 failed")]);
        assert_eq!(h.texts().len(), text, "{name}: the next one has it");
    }
}

#[tokio::test]
async fn an_account_that_was_replaced_reports_and_signs_no_more() {
    let mut h = start(&["twilio", "kannel"]).await;
    let result = h.zabbix(problem("disk full")).await;
    h.settled().await;
    let sid = h.sandbox.sms().twilio_credentials().0.to_owned();
    let other = "AC00000000000000000000000000000000";
    h.restart_with(&format!("account_sid = \"{sid}\""), &format!("account_sid = \"{other}\"")).await;
    let token = h.sandbox.sms().twilio_credentials().1.to_owned();
    h.restart_with(&format!("auth_token = \"{token}\""), "auth_token = \"another\"").await;
    let callback = h.sandbox.sms().twilio_report(0, "undelivered", Some(30005)).expect("a callback");
    let forged = callback.body.replace(&sid, other);
    assert_eq!(h.twilio(&callback.url, &callback.signature, &forged).await, 403, "not this account's text");
    assert_eq!(h.twilio(&callback.url, &callback.signature, &callback.body).await, 200);
    h.settled().await;
    assert_eq!(reported(&h, &result).await, ["twilio 1 failed"]);
    assert_eq!(standing(&h, &result, "kannel").await, "accepted");
}

#[tokio::test]
async fn that_an_early_text_was_lost_is_no_reason_to_tell_the_end_while_it_comes_and_goes() {
    let h = start(&["kannel"]).await;
    for _ in 0..5 {
        for status in ["firing", "resolved"] {
            fan(&h, status).await;
            h.settled().await;
            h.pass(20).await;
        }
    }
    fan(&h, "firing").await;
    h.settled().await;
    let texts = h.texts();
    kannel_says_of(&h, 0, "2").await;
    assert_eq!(h.texts(), texts, "jin knows that it comes and goes");
}

#[tokio::test]
async fn an_end_whose_text_was_lost_is_not_told_again_once_it_fires_again() {
    let h = start_with_ends(&["kannel", "sms-one"]).await;
    fan(&h, "firing").await;
    h.settled().await;
    kannel_says_of(&h, 0, "1").await;
    for status in ["resolved", "firing"] {
        fan(&h, status).await;
        h.settled().await;
        h.pass(5).await;
    }
    let texts = h.texts();
    assert_eq!(texts.len(), 3, "{texts:?}");
    kannel_says_of(&h, 1, "2").await;
    assert_eq!(h.texts(), texts);
}

#[tokio::test]
async fn that_an_unanswered_text_is_there_is_no_reason_to_tell_the_end_once_it_fires_again() {
    let h = start_with_ends(&["kannel"]).await;
    h.sandbox.sms().script([Answer::Reset, Answer::Reset]);
    for status in ["firing", "resolved"] {
        fan(&h, status).await;
        h.settled().await;
    }
    for _ in 0..3 {
        h.pass(61).await;
    }
    fan(&h, "firing").await;
    h.settled().await;
    let texts = h.texts();
    assert_eq!(texts.len(), 1, "{texts:?}");
    kannel_says_of(&h, 0, "1").await;
    assert_eq!(h.texts(), texts);
}

/// A script says that its fan stands or turns again, and Bongsu has planned it.
async fn fan(h: &Harness, status: &str) -> Value {
    let body = json!({ "dedup_key": "fan", "title": "the fan stands", "severity": "high", "status": status });
    let (answered, answer) = h.post("/v1/events/scripts", GENERIC_KEY, &body.to_string()).await;
    assert_eq!(answered, 202, "{answer}");
    answer["results"][0].clone()
}

#[tokio::test]
async fn that_a_text_was_lost_is_no_reason_to_tell_the_end_once_it_fires_again() {
    let h = start(&["kannel"]).await;
    for status in ["firing", "resolved", "firing"] {
        fan(&h, status).await;
        h.settled().await;
        h.pass(30).await;
    }
    let texts = h.texts();
    assert_eq!(texts.len(), 2, "{texts:?}");
    kannel_says_of(&h, 0, "2").await;
    assert_eq!(h.texts(), texts, "the second round tells them");
}

#[tokio::test]
async fn an_end_that_waits_for_a_text_under_way_is_not_told_once_it_fires_again() {
    let h = start_with_ends(&["kannel"]).await;
    h.sandbox.sms().script([Answer::Hang]);
    let first = fan(&h, "firing").await;
    h.until(async || h.sandbox.sms().counts().seen == 1).await;
    fan(&h, "resolved").await;
    h.until(async || h.pushes().iter().any(|push| push.starts_with("resolved"))).await;
    fan(&h, "firing").await;
    h.wait_for_texts(1).await;
    h.sandbox.sms().release();
    h.until(async || h.attempts(&first).await.contains(&"sms accepted".to_owned())).await;
    h.pass(1).await;
    let texts = h.texts();
    assert!(texts.iter().all(|text| !text.contains("Resolved")), "{texts:?}");
}

#[tokio::test]
async fn a_text_whose_answer_was_lost_is_not_sent_again_if_kannel_reports_it() {
    let h = start(&["kannel"]).await;
    h.sandbox.sms().script([Answer::Reset]);
    let result = h.zabbix(problem("disk full")).await;
    h.settled().await;
    assert_eq!(standing(&h, &result, "kannel").await, "waiting");
    assert_eq!(kannel_says(&h, "8", "ACK/").await, 200);
    h.settled().await;
    h.pass(120).await;
    assert_eq!(h.sandbox.sms().counts().seen, 1);
    assert_eq!(kannel_says(&h, "1", "").await, 200);
    h.settled().await;
    assert_eq!(reported(&h, &result).await, ["kannel 1 taken", "kannel 1 delivered"]);
}

#[tokio::test]
async fn a_company_is_asked_before_a_text_is_sent_once_more() {
    for gateway in ["twilio", "solapi"] {
        let h = start(&[gateway]).await;
        h.sandbox.sms().script([Answer::Reset]);
        let result = h.zabbix(problem("disk full")).await;
        h.settled().await;
        h.pass(47).await;
        assert_eq!(reported(&h, &result).await, [""; 0], "{gateway}: not asked yet");
        h.pass(1).await;
        assert_eq!(reported(&h, &result).await, [format!("{gateway} 1 taken")]);
        h.pass(60).await;
        assert_eq!(h.sandbox.sms().counts().seen, 1, "{gateway}: it has the text");
    }
}

#[tokio::test]
async fn a_text_that_the_company_never_got_is_sent_once_more() {
    for gateway in ["twilio", "solapi"] {
        let h = start(&[gateway]).await;
        // The company cannot be reached in the middle of a request, so it never sees it.
        h.sandbox.sms().script([Answer::Status { status: 204, headers: Vec::new(), body: String::new() }]);
        let result = h.zabbix(problem("disk full")).await;
        h.settled().await;
        assert!(h.attempts(&result).await.contains(&"sms unknown".to_owned()), "{gateway}");
        h.pass(48).await;
        assert_eq!(reported(&h, &result).await, [format!("{gateway} 1 not_there")]);
        assert_eq!(h.attempts(&result).await.last().map(String::as_str), Some("sms accepted"), "{gateway}");
        h.pass(120).await;
        assert_eq!(h.texts().len(), 1, "{gateway}");
    }
}

#[tokio::test]
async fn solapi_is_asked_whether_a_text_arrived() {
    for (code, expected, texts) in [("4000", "solapi 1 delivered", 1), ("3040", "solapi 1 failed", 2)] {
        let h = start(&["solapi", "sms-one"]).await;
        let result = h.zabbix(problem("disk full")).await;
        h.settled().await;
        h.pass(60).await;
        assert_eq!(reported(&h, &result).await, [""; 0], "still at the carrier");
        h.sandbox.sms().solapi_report(0, code);
        h.pass(239).await;
        assert_eq!(reported(&h, &result).await, [""; 0]);
        h.pass(1).await;
        assert_eq!(reported(&h, &result).await, [expected]);
        assert_eq!(h.texts().len(), texts, "{code}");
    }
}

#[tokio::test]
async fn a_company_that_sends_and_says_it_did_not_sends_no_text_over_and_over() {
    let gateway = |accepted: &str| {
        "[[sms.gateway]]\nname = \"one\"\nprovider = \"http\"\nurl = \"SANDBOX/sms/send\"\n".to_owned()
            + accepted
            + "body = '{\"to\": \"{{to}}\", \"text\": \"{{text}}\"}'\n"
    };
    let broken = Answer::Status { status: 504, headers: Vec::new(), body: String::new() };
    for (accepted, answer) in [
        ("", broken.clone()),
        ("accepted = { pointer = \"/ok\", equals = \"yes\" }\n", Answer::Ok),
        ("accepted = { status = 299 }\n", Answer::Ok),
    ] {
        let contacts = "[[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\n".to_owned();
        let more = gateway(accepted);
        let h = Harness::with(Setting { contacts, gateways: Vec::new(), more, fcm: None }).await;
        h.sandbox.sms().always(answer);
        let result = h.zabbix(problem("disk full").severity(3)).await;
        h.settled().await;
        for _ in 0..48 {
            h.pass(1_800).await;
        }
        assert_eq!(h.attempts(&result).await, ["sms unknown", "sms unknown"], "{accepted}");
        assert!(
            h.alert(&result).await.to_string().contains("no gateway gave a readable answer"),
            "{accepted}"
        );
    }
}

#[tokio::test]
async fn in_a_storm_too_solapi_finds_the_text_that_did_not_arrive() {
    let unlimited = "[sms]\nbudget = []".to_owned();
    let contacts = "[[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\n".to_owned();
    let setting =
        Setting { contacts, gateways: vec!["solapi", "sms-one"], more: unlimited, ..Setting::default() };
    let h = Harness::with(setting).await;
    let first = h.zabbix(problem("disk full").id("0")).await;
    h.settled().await;
    for number in 1..60 {
        h.zabbix(problem("disk full").id(&number.to_string())).await;
    }
    h.settled().await;
    h.sandbox.sms().solapi_report(0, "3040");
    h.pass(60).await;
    assert_eq!(reported(&h, &first).await, ["solapi 1 failed"]);
    assert_eq!(h.texts().len(), 61);
}

#[tokio::test]
async fn a_text_is_found_by_its_words_though_the_day_has_changed() {
    let contacts = "[[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\n".to_owned();
    let more = "[sms]\nresolved = true".to_owned();
    let h = Harness::with(Setting { contacts, gateways: vec!["twilio"], more, ..Setting::default() }).await;
    // Twenty seconds before midnight.
    h.pass(15 * 3_600 + 59 * 60 + 40).await;
    let result = h.zabbix(problem("disk full")).await;
    h.settled().await;
    h.sandbox.sms().script([Answer::Reset]);
    h.zabbix(recovery("disk full")).await;
    h.settled().await;
    h.pass(120).await;
    assert_eq!(reported(&h, &result).await, ["twilio 2 taken"]);
    assert_eq!(h.sandbox.sms().counts().seen, 2, "Twilio has it, so it is not sent once more");
}

#[tokio::test]
async fn a_low_balance_is_shown_and_told_and_ends_when_it_is_filled() {
    let h = start(&["solapi", "kannel"]).await;
    let shows = async |line: &str| count(&h.get("/metrics").await, line);
    h.until(async || shows(r#"bongsu_sms_balance{gateway="solapi"} 10000.0"#).await).await;
    assert_eq!(h.pushes().len(), 0);
    h.sandbox.sms().set_solapi_balance(1_500);
    h.pass(3_600).await;
    h.until(async || shows(r#"bongsu_sms_balance{gateway="solapi"} 1500.0"#).await).await;
    h.until(async || h.pushes().len() == 1).await;
    assert_eq!(h.pushes(), ["triggered: [High] SMS gateway solapi: only 1500 KRW left"]);
    h.pass(3_600).await;
    h.sandbox.sms().set_solapi_balance(50_000);
    h.pass(3_600).await;
    let open = async || h.get("/v1/alerts?state=triggered").await["alerts"].as_array().map_or(1, Vec::len);
    h.until(async || open().await == 0).await;
    assert_eq!(h.pushes().len(), 1, "told once, ends without a word");
}
