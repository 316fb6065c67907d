//! Events that no trigger makes, from a real Zabbix to the phone: network discovery, autoregistration,
//! internal events, business services. All at once, because each takes its time.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};

use crate::{
    bongsu_process::{Bongsu, Phones, RUNG_WITHIN},
    zabbix_lab::{Message, MessageState, Sources, ZabbixLab},
};

/// Discovery looks every 2 s, Zabbix looks for new messages every 3 s; this is for a busy machine.
const SOON: Duration = Duration::from_secs(40);

#[tokio::test]
async fn what_no_trigger_tells_is_told_as_what_it_is() {
    let phones = Phones::start().await;
    let bongsu = Bongsu::start(&phones).await;
    let mut door = Door::open();
    let port = format!("TCP {}", door.address.port());
    let sources =
        Sources::build(ZabbixLab::connect().await, &bongsu.setup(&["zabbix"]), door.address.port()).await;
    let agent = format!("new-01-{}", sources.name);
    sources.set("load", "1").await;
    sources.set("fire[5]", "0").await;

    // Everything goes wrong.
    sources.ask_for_checks(&agent).await;
    sources.set("load", "많음").await;
    sources.set("disks", "not JSON").await;
    sources.set("fire[3]", "1").await;
    let found = bongsu.alert_titled(&format!("{port} discovered"), SOON, is("triggered")).await;
    door.close();
    let stranger = bongsu.alert_titled("registered itself", SOON, is("triggered")).await;
    let item = bongsu.alert_titled("item \"CPU 부하\" is not supported", SOON, is("triggered")).await;
    let trigger = bongsu.alert_titled("trigger \"부하가 높음\"", SOON, is("triggered")).await;
    let rule = bongsu.alert_titled("discovery rule \"디스크 찾기\"", SOON, is("triggered")).await;
    let service = bongsu.alert_titled("Service 결제", SOON, is("triggered")).await;
    let down = bongsu.alert_titled(&format!("{port} is down"), SOON, is("triggered")).await;
    for (alert, severity, told_once, source) in [
        (&found, "information", true, "1"),
        (&stranger, "information", true, "2"),
        (&item, "warning", false, "3"),
        (&trigger, "warning", false, "3"),
        (&rule, "warning", false, "3"),
        (&service, "average", false, "4"),
        (&down, "warning", false, "1"),
    ] {
        reads_well(alert, severity, told_once, source);
        phones.told(alert, &["triggered"]).await;
    }
    assert!(item["body"].as_str().unwrap().contains("많음"), "the reason: {item}");
    assert!(service["body"].as_str().unwrap().contains("fire 3"), "the root cause: {service}");
    assert_eq!(service["labels"]["팀"], "pay");

    // It gets worse; the agent asks again, and is no news.
    sources.set("fire[5]", "1").await;
    sources.ask_for_checks(&agent).await;
    bongsu.alert_titled("Service 결제", SOON, |alert| alert["severity"] == "disaster").await;
    let texted = async || (phones.texts(&service).len() == 1).then_some(());
    crate::until("the text of the raise", RUNG_WITHIN, texted).await;
    bongsu.alert_titled("registered itself", SOON, |alert| alert["count"] == 2).await;

    // Everything is right again.
    let _door = Door::open_at(door.address);
    sources.set("load", "2").await;
    sources.set("disks", "[]").await;
    sources.set("fire[5]", "0").await;
    sources.set("fire[3]", "0").await;
    for (part, told) in [
        ("item \"CPU 부하\"", &["triggered", "resolved"][..]),
        ("trigger \"부하가 높음\"", &["triggered", "resolved"]),
        ("discovery rule \"디스크 찾기\"", &["triggered", "resolved"]),
        ("Service 결제", &["triggered", "triggered", "resolved"]),
        (&format!("{port} is down"), &["triggered", "resolved"]),
    ] {
        let alert = bongsu.alert_titled(part, SOON, is("resolved")).await;
        phones.told(&alert, told).await;
    }

    // The port was discovered again, which is no news either.
    bongsu.alert_titled(&format!("{port} discovered"), SOON, |alert| alert["count"] == 2).await;
    for alert in [&found, &stranger] {
        phones.told(alert, &["triggered"]).await;
    }
    let alerts = bongsu.alerts().await;
    let titles: Vec<_> = alerts.iter().map(|alert| &alert["title"]).collect();
    assert_eq!(alerts.len(), 7, "{titles:?}");
    all_sent(&sources.messages().await);
    sources.remove().await;
}

fn reads_well(alert: &Value, severity: &str, told_once: bool, source: &str) {
    assert_eq!((&alert["severity"], &alert["told_once"]), (&json!(severity), &json!(told_once)), "{alert}");
    assert_eq!(
        (&alert["labels"]["event_source"], &alert["test"]),
        (&json!(source), &json!(false)),
        "{alert}"
    );
    assert!(!alert["body"].as_str().unwrap().is_empty(), "{alert}");
    let text = alert.to_string();
    assert!(!text.contains("*UNKNOWN*") && !text.contains("{EVENT.") && !text.contains("{HOST."), "{alert}");
}

fn all_sent(messages: &[Message]) {
    assert!(12 <= messages.len(), "{messages:?}");
    let not_at_once = |message: &&Message| message.state == MessageState::Failed || 0 < message.retries;
    assert_eq!(messages.iter().filter(not_at_once).collect::<Vec<_>>(), Vec::<&Message>::new());
}

fn is(state: &'static str) -> impl Fn(&Value) -> bool {
    move |alert| alert["state"] == state
}

/// A TCP port that answers or does not.
struct Door {
    address: SocketAddr,
    /// Bound but not listening: while the door is closed, nobody else gets its port.
    _port: TcpSocket,
    listener: Option<TcpListener>,
}

impl Door {
    fn open() -> Self {
        Self::open_at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    fn open_at(address: SocketAddr) -> Self {
        let bound = |address| {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            socket.bind(address).unwrap();
            socket
        };
        let port = bound(address);
        let address = port.local_addr().unwrap();
        let listener = bound(address).listen(1024).unwrap();
        Self { address, _port: port, listener: Some(listener) }
    }

    fn close(&mut self) {
        self.listener = None;
    }
}
