//! The whole way of a text: `bongsu serve`, a real Kannel, and the fake SMSC behind it, which writes down what
//! would go over the air and whose reports come back to Bongsu.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use axum::{Router, extract::RawQuery, http::StatusCode, routing::get};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::task::TaskTracker;

use crate::bongsu_process::{Bongsu, Phones};

/// From an accepted alert to the handset takes milliseconds; this is for a busy machine.
const SOON: Duration = Duration::from_secs(30);
/// Of a number: the digits that a test chooses.
const OWN_DIGITS: u32 = 100_000_000;

/// What `tests/kannel/up` wrote into `lab.json`.
#[derive(Deserialize)]
struct KannelLab {
    sendsms: String,
    username: String,
    password: String,
    /// Where the fake SMSC writes down what it gets.
    delivered: PathBuf,
    /// Where a network listens that this test plays.
    refusing: SocketAddr,
}

impl KannelLab {
    fn open() -> Self {
        let lab = std::env::var_os("BONGSU_KANNEL_LAB");
        let lab = lab.expect("BONGSU_KANNEL_LAB is not set: export \"$(tests/kannel/up)\"");
        let coordinates = std::fs::read_to_string(PathBuf::from(lab).join("lab.json")).unwrap();
        serde_json::from_str(&coordinates).unwrap()
    }

    /// A Bongsu with these numbers as `[[contact]]`s, Kannel, and a second company after it.
    async fn bongsu(&self, phones: &Phones, contacts: &str) -> Bongsu {
        let Self { sendsms, username, password, .. } = self;
        let kannel = format!(
            "[[sms.gateway]]\nname = \"kannel\"\nprovider = \"kannel\"\nfrom = \"0212345678\"\nurl = \"{sendsms}\"\n\
             username = \"{username}\"\npassword = \"{password}\"\n"
        );
        Bongsu::start_with_texts(phones, &kannel, contacts).await
    }

    /// What the handset of this number shows: each text, its parts, of these letters, put together.
    fn shown_by(&self, number: &str, read: fn(&[u8]) -> String) -> Vec<String> {
        let log = std::fs::read_to_string(&self.delivered).unwrap();
        let receiver = format!("0212345678 {} ", number.trim_start_matches('+'));
        let (mut texts, mut parts) = (Vec::new(), Vec::new());
        for line in log.lines() {
            let Some((_, message)) = line.split_once(": <") else { continue };
            let Some(content) = message.strip_prefix(&receiver) else { continue };
            // The last line may be half written.
            let Some(content) = content.strip_suffix('>') else { break };
            match content.split_once(' ').unwrap() {
                // Letters that ASCII has not are UTF-8 here: this SMSC is spared the 7-bit alphabet.
                ("text", text) => texts.push(text.to_owned()),
                ("ucs-2", units) => texts.push(read(&percent_decoded(units))),
                ("udh", part) => {
                    let (header, data) = part.split_once(" data ").unwrap();
                    // 05 00 03: of several parts; then their common mark, how many, and which.
                    let [5, 0, 3, _, count, number] = percent_decoded(header)[..] else { panic!("{header}") };
                    assert_eq!(usize::from(number), parts.len() + 1, "parts come in order");
                    // Each by itself: a character or an escape pair that is cut shows.
                    parts.push(read(&percent_decoded(data)));
                    if number == count {
                        texts.push(std::mem::take(&mut parts).concat());
                    }
                }
                (other, _) => panic!("unexpected {other}: {line}"),
            }
        }
        texts
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    // As in a form: `+` is a space. Its letters are bytes here, not UTF-8.
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    decoded
}

fn utf16(bytes: &[u8]) -> String {
    assert_eq!(bytes.len() % 2, 0, "no unit is cut");
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).expect("no character is cut")
}

/// The 7-bit alphabet, as far as this SMSC is concerned.
fn seven_bit(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("no character is cut")
}

/// A Korean number that nobody else uses: this range goes to the SMSC that delivers.
fn number(range: &str) -> String {
    let random = u32::from_be_bytes(bongsu::chance::bytes());
    format!("+82{range}{:08}", random % OWN_DIGITS)
}

fn contact(name: &str, number: &str, language: &str) -> String {
    format!("[[contact]]\nname = \"{name}\"\nphone = \"{number}\"\nlanguage = \"{language}\"\n")
}

/// The state of the text by this gateway.
fn state<'a>(alert: &'a Value, gateway: &str) -> &'a str {
    let notifications = alert["notifications"].as_array().unwrap();
    let text = notifications.iter().find(|one| one["destination"] == gateway);
    text.map_or("none", |text| text["state"].as_str().unwrap())
}

async fn when(bongsu: &Bongsu, id: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    crate::until(what, SOON, async || {
        let alert = bongsu.alert(id).await;
        holds(&alert).then_some(alert)
    })
    .await
}

#[tokio::test]
async fn texts_arrive_as_they_were_written_and_are_reported_as_delivered() {
    let (lab, phones) = (KannelLab::open(), Phones::start().await);
    // With "[High] " before it, which takes nine septets, the first pair would begin with the last of a part's 153.
    let at_the_border = "a".repeat(152 - 9) + "€€ on web01";
    for (language, title, read, segments) in [
        // Every letter of these is in the GSM alphabet, some only by an escape.
        ("en", "disk {full} 5€ [a|b]~ \\^ é @ £ _ ñ Ω web01", seven_bit as fn(&[u8]) -> String, 1),
        ("en", &at_the_border, seven_bit, 2),
        ("ko", "서버실 온도 45℃ 초과", utf16, 2),
        ("ko", "뷁 똠방각하 — “화재” 🔥 % + & = # ; <b> ?", utf16, 2),
        (
            "ko",
            "첫째 정전, 둘째 누수, 셋째 화재. 서버실 온도가 45℃를 넘었고 비상 발전기는 켜지지 않았습니다. 지금 확인하세요.",
            utf16,
            3,
        ),
    ] {
        let number = number("10");
        let bongsu = lab.bongsu(&phones, &contact("jin", &number, language)).await;
        let id = bongsu.raise(&json!({ "title": title, "severity": "high" })).await;
        let alert =
            when(&bongsu, &id, "the text is delivered", |alert| state(alert, "kannel") == "delivered").await;
        let link = alert["url"].as_str().unwrap();
        let severity = if language == "ko" { "중대" } else { "High" };
        // Kannel reports it when the first part is on its way; the handset writes down what comes.
        let shown = crate::until("the handset shows the text", SOON, async || {
            Some(lab.shown_by(&number, read)).filter(|texts| !texts.is_empty())
        });
        assert_eq!(shown.await, [format!("[{severity}] {title} {link}")]);
        let attempt =
            alert["journal"].as_array().unwrap().iter().find(|row| row["entry"] == "attempt").unwrap();
        assert_eq!(attempt["segments"], segments, "{attempt}");
        let reported = |row: &&Value| row["entry"] == "reported" && row["fate"] == "delivered";
        assert_eq!(alert["journal"].as_array().unwrap().iter().filter(reported).count(), 1, "{alert}");
    }
    assert_eq!(phones.all_texts(), 0, "no other company was needed");
}

#[tokio::test]
async fn a_text_that_the_network_refuses_goes_to_the_next_gateway() {
    let (lab, phones) = (KannelLab::open(), Phones::start().await);
    let mut network = refusing(lab.refusing).await;
    let bongsu = lab.bongsu(&phones, &contact("jin", &number("19"), "ko")).await;
    let id = bongsu.raise(&json!({ "title": "화재", "severity": "high" })).await;
    network.recv().await.expect("Kannel hands the text to the network");
    let alert = when(&bongsu, &id, "the next gateway", |alert| state(alert, "sms-one") == "accepted").await;
    let reports: Vec<&Value> =
        alert["journal"].as_array().unwrap().iter().filter(|row| row["entry"] == "reported").collect();
    let [report] = reports[..] else { panic!("one report: {reports:?}") };
    assert_eq!((&report["destination"], &report["fate"]), (&json!("kannel"), &json!("failed")));
    assert!(report["detail"].as_str().unwrap().starts_with("the network refused it"), "{report}");
    assert_eq!(phones.texts(&alert).len(), 1);
}

/// A network that takes nothing; says what it was asked for.
async fn refusing(address: SocketAddr) -> mpsc::UnboundedReceiver<String> {
    let (asked, asks) = mpsc::unbounded_channel();
    let refuse = get(async move |RawQuery(query): RawQuery| {
        asked.send(query.unwrap_or_default()).ok();
        (StatusCode::FORBIDDEN, "Forbidden")
    });
    let listener = TcpListener::bind(address).await.unwrap();
    let router = Router::new().route("/sendsms", refuse);
    TaskTracker::new().spawn(async move { axum::serve(listener, router).await });
    asks
}
