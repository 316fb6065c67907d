//! `openapi.yaml` and the server say the same: every documented answer can be had and looks as it is
//! described, nothing is answered that is not documented, and there is no route beside it.

#![expect(clippy::indexing_slicing, reason = "a part that is not there fails the test, as it should")]

mod broken;
mod document;

use std::{collections::BTreeSet, net::SocketAddr, sync::LazyLock};

use bongsu::alert::{
    Address, AlertId, AttemptOutcome, AttemptRow, ContactName, DeferCause, DeviceId, Entry, Fate,
    GatewayName, RejectCause, Row, Severity, Topic,
};
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use self::document::{Contract, Operation, examples};
use crate::harness::{GENERIC_KEY, Harness, OPERATOR, Setting, T0, VIEWER, ZABBIX_KEY, problem};

const EVENTS: &str = "/v1/events/{integration}";
const ARRAY: &str = "/v1/events/{integration}/api/v2/alerts";
const ALERTS: &str = "/v1/alerts";
const ALERT: &str = "/v1/alerts/{id}";
const ACKNOWLEDGE: &str = "/v1/alerts/{id}/acknowledge";
const UNACKNOWLEDGE: &str = "/v1/alerts/{id}/unacknowledge";
const RESOLVE: &str = "/v1/alerts/{id}/resolve";
const NOTES: &str = "/v1/alerts/{id}/notes";
const ATTEMPTS: &str = "/v1/attempts";
const DEAD_LETTERS: &str = "/v1/dead-letters";
const SEEN: &str = "/v1/dead-letters/{id}/seen";
const RETRY: &str = "/v1/dead-letters/{id}/retry";
const HEARTBEATS: &str = "/v1/heartbeats";
const HEARTBEAT: &str = "/v1/heartbeats/{name}";
const PAGE: &str = "/alerts/{id}";
const REPORTS: &str = "/v1/sms/reports/{gateway}";

/// Well formed, and nobody's.
const NO_ALERT: &str = "01934f9c-0a00-7abc-8def-0123456789ab";

/// A limit that a test can exceed cheaply.
const BODY_LIMIT: usize = 64 * 1024;

/// Largest report of a gateway, in bytes.
const REPORT_LIMIT: usize = 16 * 1024;

/// Largest note, in bytes.
const NOTE_LIMIT: usize = 16 * 1024;

/// Every word of the program for why an attempt failed.
static CAUSES: LazyLock<Vec<AttemptOutcome>> = LazyLock::new(|| {
    use {DeferCause as D, RejectCause as R};
    let deferred =
        [D::Unavailable, D::Unreachable, D::Throttled, D::Credential, D::ProjectFault, D::PlatformFault];
    let rejected = [R::DeviceGone, R::DeviceMismatch, R::Message, R::Recipient, R::Refused];
    let deferred = deferred.into_iter().map(AttemptOutcome::Deferred);
    deferred.chain(rejected.map(AttemptOutcome::Rejected)).collect()
});

/// One request, and the status that it must get.
#[derive(Clone, Debug)]
struct Ask {
    operation: Operation,
    status: u16,
    /// For the braces of the path.
    name: String,
    query: &'static str,
    key: &'static str,
    header: Option<(&'static str, &'static str)>,
    body: String,
    /// The body ends in the middle.
    breaks_off: bool,
}

fn ask(method: &str, path: &str, status: u16) -> Ask {
    Ask {
        operation: Operation { method: method.to_owned(), path: path.to_owned() },
        status,
        name: NO_ALERT.to_owned(),
        query: "",
        key: "",
        header: None,
        body: String::new(),
        breaks_off: false,
    }
}

fn get(path: &str, status: u16) -> Ask {
    ask("GET", path, status)
}

fn post(path: &str, status: u16) -> Ask {
    ask("POST", path, status)
}

impl Ask {
    fn to(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    fn key(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    fn header(self, name: &'static str, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    fn body(self, body: impl Into<String>) -> Self {
        Self { body: body.into(), ..self }
    }

    fn breaking_off(self) -> Self {
        Self { breaks_off: true, ..self }
    }

    fn path(&self) -> String {
        let path = &self.operation.path;
        let filled = match (path.find('{'), path.find('}')) {
            (Some(from), Some(to)) => format!("{}{}{}", &path[..from], self.name, &path[to + 1..]),
            _ => path.clone(),
        };
        format!("{filled}{}", self.query)
    }

    async fn send(&self, to: SocketAddr) -> Answer {
        if self.breaks_off {
            return self.send_broken(to).await;
        }
        let method = self.operation.method.parse().expect("a method");
        let mut request = client().request(method, format!("http://{to}{}", self.path()));
        if !self.key.is_empty() {
            request = request.bearer_auth(self.key);
        }
        if let Some((name, value)) = self.header {
            request = request.header(name, value);
        }
        let answer = request.body(self.body.clone()).send().await.expect("it answers");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, text: answer.text().await.expect("an answer is text") }
    }

    /// By hand: no client sends half a body.
    async fn send_broken(&self, to: SocketAddr) -> Answer {
        let mut stream = TcpStream::connect(to).await.expect("it listens");
        let Ask { operation, key, .. } = self;
        let head = format!(
            "{} {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ntransfer-encoding: chunked\r\n\r\nnot a length\r\n",
            operation.method,
            self.path()
        );
        stream.write_all(head.as_bytes()).await.expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("it answers and closes");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| {
            (name.parse().expect("a header's name"), value.parse().expect("a header's value"))
        });
        Answer {
            status: status.parse().expect("a number"),
            headers: headers.collect(),
            text: body.to_owned(),
        }
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn media_type(&self) -> &str {
        let full = self.header("content-type").expect("an answer says what it is");
        full.split(';').next().unwrap_or(full)
    }

    /// As a schema sees it.
    fn value(&self) -> Value {
        if self.media_type().ends_with("json") {
            serde_json::from_str(&self.text).expect("JSON is JSON")
        } else {
            Value::String(self.text.clone())
        }
    }
}

/// Whatever is answered has the status asked for, and everything about it is documented.
fn check(contract: &Contract, ask: &Ask, answer: &Answer) {
    let shown = ask.clone().body(ask.body.chars().take(200).collect::<String>());
    assert_eq!(answer.status, ask.status, "{shown:?}: {}", answer.text);
    let response = contract.response(&ask.operation, answer.status);
    let schema = &response["content"][answer.media_type()]["schema"];
    assert!(schema.is_object(), "{shown:?}: {} is not documented", answer.media_type());
    let faults = contract.faults(schema, &answer.value());
    assert!(faults.is_empty(), "{shown:?}: {faults:#?}\n{}", answer.text);
    for name in response["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
        let of_csv = name == "X-Next-Cursor" && answer.media_type() != "text/csv";
        assert!(of_csv || answer.header(name).is_some(), "{shown:?}: no {name}");
    }
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{shown:?}");
}

/// A server with some history: an alert of every state and with every road.
async fn scene() -> (Harness, SocketAddr, Ids) {
    let more = format!("[server]\nbody_limit = \"{BODY_LIMIT} B\"\n[[heartbeat]]\nname = \"alive\"");
    let gateways = vec!["sms-one", "twilio", "kannel"];
    let Setting { contacts, .. } = Setting::default();
    let contacts = format!("{contacts}[[contact]]\nname = \"ara\"\ndevices = [\"lost-phone\"]\n");
    let h = Harness::with(Setting { contacts, gateways, more, ..Setting::default() }).await;
    h.sandbox.fcm().answer_for_token("lost-phone", bongsu::sandbox::Answer::unregistered());
    // The first text goes by all gateways, and by the last of them for good.
    let (busy, taken) =
        (bongsu::sandbox::Answer::json(429, &serde_json::json!({})), bongsu::sandbox::Answer::Ok);
    h.sandbox.sms().script([busy.clone(), busy, taken]);
    h.sandbox
        .fcm()
        .script([bongsu::sandbox::Answer::unavailable(None), bongsu::sandbox::Answer::invalid_argument()]);
    let open = h.zabbix(problem("disk full").severity(5)).await;
    h.settled().await;
    h.pass(60).await;
    h.zabbix(problem("disk full").severity(4)).await;
    let over = h.zabbix(problem("load").id("460")).await;
    h.settled().await;
    h.act(&over["alert_id"], "acknowledge").await;
    h.act(&over["alert_id"], "unacknowledge").await;
    h.pass(3_600).await;
    h.act(&over["alert_id"], "resolve").await;
    h.settled().await;
    let id = |result: &Value| result["alert_id"].as_str().expect("an id").to_owned();
    let address = h.url("").trim_start_matches("http://").parse().expect("an address");
    let ids = Ids { open: id(&open), over: id(&over) };
    (h, address, ids)
}

struct Ids {
    open: String,
    over: String,
}

/// What gateways may meet.
fn of_gateways(h: &Harness) -> Vec<Ask> {
    let texts = h.sandbox.sms().texts();
    let url = |provider| {
        let text = texts.iter().find(|text| text.provider == provider);
        text.expect("a text by this gateway").report_url.replace("%d", "1").replace("%A", "")
    };
    let named = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
    let sms = h.sandbox.sms();
    let (_, token) = sms.twilio_credentials();
    let address = url("twilio");
    let signature = broken::signature(token, &address, ("MessageStatus", "delivered")).leak();
    let twilio = |status| {
        post(REPORTS, status).header("x-twilio-signature", signature).body("MessageStatus=delivered")
    };
    vec![
        get(REPORTS, 200).to(&named(&url("kannel"))),
        get(REPORTS, 403).to("kannel"),
        get(REPORTS, 404).to("twilio"),
        twilio(200).to(&named(&address)),
        twilio(403).to("twilio"),
        twilio(404).to("kannel"),
        post(REPORTS, 408).to("twilio").breaking_off(),
        post(REPORTS, 413).to("twilio").body("x".repeat(REPORT_LIMIT + 1)),
    ]
}

/// What senders and probes may meet.
fn of_senders() -> Vec<Ask> {
    let too_large = "x".repeat(BODY_LIMIT + 1);
    vec![
        post(EVENTS, 202).to("zabbix").key(ZABBIX_KEY).body(problem("cellar").id("7").to_string()),
        post(EVENTS, 202).to("zabbix").key(ZABBIX_KEY).body("unreadable"),
        post(EVENTS, 202).to("scripts").key(GENERIC_KEY).body(r#"{"title":"x","status":"resolved"}"#),
        post(EVENTS, 401).to("zabbix").key(GENERIC_KEY).body(problem("x").to_string()),
        post(EVENTS, 404).to("zabix").key(ZABBIX_KEY).body(problem("x").to_string()),
        post(EVENTS, 404).to("%FF").key(ZABBIX_KEY).body(problem("x").to_string()),
        post(EVENTS, 408).to("zabbix").key(ZABBIX_KEY).breaking_off(),
        post(EVENTS, 413).to("zabbix").key(ZABBIX_KEY).body(too_large.as_str()),
        post(ARRAY, 202).to("scripts").key(GENERIC_KEY).body(r#"[{"labels":{"alertname":"A"}}]"#),
        post(ARRAY, 202).to("scripts").key(GENERIC_KEY).body("{}"),
        post(ARRAY, 401).to("scripts").key(ZABBIX_KEY).body("[]"),
        post(ARRAY, 404).to("nobody").key(GENERIC_KEY).body("[]"),
        post(ARRAY, 408).to("scripts").key(GENERIC_KEY).breaking_off(),
        post(ARRAY, 413).to("scripts").key(GENERIC_KEY).body(too_large.as_str()),
        post(ALERTS, 202).key(OPERATOR).body("water in the cellar"),
        post(ALERTS, 202).key(GENERIC_KEY).header("idempotency-key", "a").body("water in the cellar"),
        post(ALERTS, 400).key(OPERATOR).body(r#"{"titel":"x"}"#),
        post(ALERTS, 400).key(OPERATOR).body(r#"{"title":"x","to":["nobody"]}"#),
        post(ALERTS, 400).key(OPERATOR).header("idempotency-key", "").body("x"),
        post(ALERTS, 400).key(OPERATOR).header("idempotency-key", "물").body("x"),
        post(ALERTS, 401).key(ZABBIX_KEY).body("x"),
        post(ALERTS, 403).key(VIEWER).body("x"),
        post(ALERTS, 408).key(OPERATOR).breaking_off(),
        post(ALERTS, 413).key(OPERATOR).body(too_large),
        get(HEARTBEAT, 200).to("alive").key(ZABBIX_KEY),
        get(HEARTBEAT, 401).to("alive").key(OPERATOR),
        get(HEARTBEAT, 404).to("%FF").key(ZABBIX_KEY),
        post(HEARTBEAT, 200).to("alive").key(GENERIC_KEY).body("up"),
        post(HEARTBEAT, 401).to("dead"),
        post(HEARTBEAT, 404).to("dead").key(GENERIC_KEY),
        get("/assets/console.css", 200),
        get("/healthz", 200),
        get("/readyz", 200),
        get("/metrics", 200),
        get("/openapi.yaml", 200),
    ]
}

/// What readers may meet.
fn of_readers(ids: &Ids) -> Vec<Ask> {
    let mut asks = Vec::new();
    for path in [ALERTS, ATTEMPTS] {
        asks.extend([
            get(path, 200).key(VIEWER),
            get(path, 200).key(OPERATOR).query("?limit=1&state=triggered,resolved&severity=%3E%3D%20average"),
            get(path, 200).key(VIEWER).query("?q=disk&since=2020-01-01T00:00:00Z&integration=zabbix"),
            get(path, 400).key(VIEWER).query("?colour=red"),
            get(path, 400).key(VIEWER).query("?format=xml"),
            get(path, 401).key(GENERIC_KEY),
        ]);
    }
    asks.extend([get(DEAD_LETTERS, 200).key(VIEWER), get(DEAD_LETTERS, 401).key(GENERIC_KEY)]);
    asks.extend([get(HEARTBEATS, 200).key(VIEWER), get(HEARTBEATS, 401).key(GENERIC_KEY)]);
    asks.push(get(ALERTS, 400).key(VIEWER).query("?format=csv"));
    asks.push(get(ATTEMPTS, 200).key(VIEWER).query("?format=csv"));
    for path in [ALERT, PAGE] {
        asks.extend([
            get(path, 200).to(&ids.open).key(VIEWER),
            get(path, 200).to(&ids.over).key(VIEWER),
            get(path, 401).to(&ids.open),
            get(path, 404).key(VIEWER),
            get(path, 404).key(VIEWER).to("nothing"),
        ]);
    }
    asks.push(get(PAGE, 404).key(VIEWER).to("%FF"));
    asks
}

/// What operators may meet; in this order.
fn of_operators(ids: &Ids) -> Vec<Ask> {
    let mut asks = vec![
        post(NOTES, 200).to(&ids.over).key(OPERATOR).body("called the provider"),
        post(NOTES, 200).to(&ids.open).key(OPERATOR).body(r#"{"text":"called the provider"}"#),
        post(NOTES, 400).to(&ids.open).key(OPERATOR).body(" "),
        post(NOTES, 400).to(&ids.open).key(OPERATOR).body(r#"{"txt":"x"}"#),
        post(NOTES, 408).to(&ids.open).key(OPERATOR).breaking_off(),
        post(NOTES, 413).to(&ids.open).key(OPERATOR).body("x".repeat(NOTE_LIMIT + 1)),
        post(ACKNOWLEDGE, 409).to(&ids.over).key(OPERATOR),
        post(UNACKNOWLEDGE, 409).to(&ids.over).key(OPERATOR),
        post(ACKNOWLEDGE, 200).to(&ids.open).key(OPERATOR),
        post(RETRY, 409).to(&format!("{}:ara", ids.open)).key(OPERATOR),
    ];
    for path in [ACKNOWLEDGE, UNACKNOWLEDGE, RESOLVE, NOTES] {
        asks.extend([
            post(path, 200).to(&ids.open).key(OPERATOR).body("x"),
            post(path, 401).to(&ids.open).key(ZABBIX_KEY).body("x"),
            post(path, 403).to(&ids.open).key(VIEWER).body("x"),
            post(path, 404).key(OPERATOR).body("x"),
        ]);
    }
    let letter = format!("{}:ara", ids.over);
    for path in [SEEN, RETRY] {
        asks.extend([
            post(path, 200).to(&letter).key(OPERATOR),
            post(path, 401).to(&letter).key(ZABBIX_KEY),
            post(path, 403).to(&letter).key(VIEWER),
            post(path, 404).to("nothing").key(OPERATOR),
        ]);
    }
    asks
}

/// What everybody meets while the store cannot be used.
fn of_a_broken_store() -> Vec<Ask> {
    let mut asks = vec![
        post(EVENTS, 503).to("zabbix").key(ZABBIX_KEY).body(problem("disk full").to_string()),
        post(EVENTS, 503).to("zabbix").key(ZABBIX_KEY).body("unreadable"),
        post(ARRAY, 503).to("scripts").key(GENERIC_KEY).body(r#"[{"labels":{"alertname":"A"}}]"#),
        post(ALERTS, 503).key(OPERATOR).body("x"),
        get(HEARTBEAT, 503).to("alive").key(ZABBIX_KEY),
        post(HEARTBEAT, 503).to("alive").key(ZABBIX_KEY),
        get("/healthz", 503),
        get("/readyz", 503),
    ];
    asks.extend([SEEN, RETRY].map(|path| post(path, 503).to(&broken::dead_letter()).key(OPERATOR)));
    let (kannel, twilio) = (broken::report("kannel"), broken::report("twilio"));
    asks.push(get(REPORTS, 503).to(&(kannel + "&state=1")));
    let address = format!("{}/v1/sms/reports/{twilio}", broken::PUBLIC_URL);
    let signature = broken::signature(broken::TOKEN, &address, ("MessageStatus", "delivered")).leak();
    let signed = post(REPORTS, 503).header("x-twilio-signature", signature).to(&twilio);
    asks.push(signed.body("MessageStatus=delivered"));
    asks.extend([ALERTS, ALERT, ATTEMPTS, PAGE].map(|path| get(path, 503).key(VIEWER)));
    asks.extend(
        [ACKNOWLEDGE, UNACKNOWLEDGE, RESOLVE, NOTES].map(|path| post(path, 503).key(OPERATOR).body("x")),
    );
    asks
}

#[tokio::test]
async fn every_documented_answer_can_be_had_and_is_as_documented() {
    let contract = Contract::read();
    let (h, address, ids) = scene().await;
    let broken = broken::serve().await;
    let asks = [of_senders(), of_readers(&ids), of_operators(&ids), of_gateways(&h)].concat();
    let asks = asks.into_iter().map(|ask| (address, ask));
    let mut asked = BTreeSet::new();
    let mut codes = BTreeSet::new();
    for (address, ask) in asks.chain(of_a_broken_store().into_iter().map(|ask| (broken, ask))) {
        let answer = ask.send(address).await;
        check(&contract, &ask, &answer);
        if answer.media_type() == "application/problem+json" {
            let problem = answer.value();
            assert_eq!(problem["status"], answer.status, "{problem}");
            codes.insert(problem["code"].as_str().expect("a code").to_owned());
        }
        asked.insert((ask.operation, ask.status));
    }
    let statuses = |operation: Operation| {
        let statuses = contract.statuses(&operation);
        statuses.into_iter().map(move |status| (operation.clone(), status))
    };
    let documented: BTreeSet<_> = contract.operations().into_iter().flat_map(statuses).collect();
    let untried: Vec<_> = documented.difference(&asked).collect();
    assert!(untried.is_empty(), "documented, and no request here gets it: {untried:#?}");
    // These two belong to no operation: see the next test.
    codes.extend(["not_found".to_owned(), "method_not_allowed".to_owned()]);
    assert_eq!(codes, contract.codes(), "codes seen, and codes documented");
}

#[tokio::test]
async fn what_is_not_documented_is_not_there() {
    let contract = Contract::read();
    let (_h, address, _) = scene().await;
    let operations = contract.operations();
    for path in operations.iter().map(|operation| &operation.path).collect::<BTreeSet<_>>() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let ask = ask(method, path, 405).key(OPERATOR);
            if !operations.contains(&ask.operation) {
                let answer = ask.send(address).await;
                let faults = contract.faults(contract.schema("Problem"), &answer.value());
                assert!(faults.is_empty(), "{ask:?}: {faults:?}");
                assert_eq!((answer.status, &answer.value()["code"]), (405, &"method_not_allowed".into()));
                assert!(answer.header("allow").is_some(), "{ask:?}");
            }
        }
    }
    for path in ["/", "/v1", "/v1/alerts/", "/v1/nothing", "/metrics/x"] {
        let answer = get(path, 404).key(OPERATOR).send(address).await;
        let faults = contract.faults(contract.schema("Problem"), &answer.value());
        assert!(faults.is_empty(), "{path}: {faults:?}");
        assert_eq!((answer.status, &answer.value()["code"]), (404, &"not_found".into()), "{path}");
    }
}

#[test]
fn no_route_is_undocumented() {
    let sources = [
        include_str!("../../src/intake/mod.rs"),
        include_str!("../../src/api/mod.rs"),
        include_str!("../../src/console/mod.rs"),
    ];
    let mut routes = BTreeSet::new();
    for route in sources.iter().flat_map(|source| source.split(".route(\"").skip(1)) {
        let (path, rest) = route.split_once('"').expect("a path");
        let handlers = rest.split([';', '\n']).next().unwrap_or(rest);
        for method in ["get", "post", "put", "delete", "patch"] {
            if handlers.contains(&format!("{method}(")) {
                routes.insert(Operation { method: method.to_uppercase(), path: path.to_owned() });
            }
        }
    }
    assert_eq!(routes, Contract::read().operations(), "left: in the source; right: in openapi.yaml");
}

#[test]
fn every_journal_row_and_cause_is_documented() {
    let contract = Contract::read();
    let schema = contract.schema("JournalRow");
    let jin: ContactName = "jin".parse().expect("a name");
    let (text, by, reason) = ("x".to_owned(), "dana".to_owned(), "refused".to_owned());
    let gateway = GatewayName::from("sms-one");
    let attempt = |outcome: AttemptOutcome| AttemptRow {
        attempt: 1,
        contact: jin.clone(),
        address: Address::Device(DeviceId(0x0123_4567_89ab_cdef)),
        subject: Topic::Opened,
        outcome,
        detail: "503".to_owned(),
        segments: 3,
        started_at: T0,
        took_ms: 7,
    };
    let causes = contract.schema("Cause")["enum"].as_array().expect("causes").clone();
    let rows = [
        Entry::Opened,
        Entry::FiresAgain { by: by.clone(), over_at: T0 },
        Entry::Noted { text: text.clone() },
        Entry::Severity { from: Severity::High, to: Severity::Disaster },
        Entry::Comment { by: by.clone(), text },
        Entry::Acknowledged { by: by.clone() },
        Entry::Unacknowledged { by: by.clone() },
        Entry::Resolved { by: by.clone(), note: None },
        Entry::Resolved { by, note: Some("cleaned".to_owned()) },
        Entry::Repeated { number: 1, last: true },
        Entry::Retried { contact: jin.clone(), by: reason.clone() },
        Entry::Fallback { contact: jin.clone(), reason: reason.clone() },
        Entry::Reported {
            contact: jin.clone(),
            destination: gateway.clone(),
            subject: Topic::Opened,
            attempt: 3,
            fate: Fate::Unclear { reason: reason.clone() },
        },
        Entry::DeadLetter {
            contact: jin.clone(),
            address: Address::Gateway(gateway),
            subject: Topic::Opened,
            reason: reason.clone(),
        },
        Entry::Unreachable { contact: jin.clone(), reason: reason.clone(), nobody_left: true },
        Entry::Folded { contact: jin.clone(), digest: Some(AlertId::from_bytes([7; 16])), reason },
        Entry::Counted { alerts: 37, text: "37 more: 35 high, 2 average".to_owned() },
        Entry::Flapping { rounds: 4, quiet: false },
    ];
    let attempts = CAUSES.iter().map(|outcome| Entry::Attempt(attempt(*outcome)));
    let mut kinds = BTreeSet::new();
    for entry in rows.into_iter().chain(attempts) {
        let row = serde_json::to_value(Row { at: T0, entry }).expect("a row is JSON");
        let faults = contract.faults(schema, &row);
        assert!(faults.is_empty(), "{row}: {faults:#?}");
        kinds.insert(row["entry"].as_str().expect("a kind").to_owned());
    }
    let variants = schema["oneOf"].as_array().expect("variants").len();
    assert_eq!(kinds.len(), variants, "kinds of rows here, and in openapi.yaml");
    assert_eq!(causes.len(), CAUSES.len(), "causes here, and in openapi.yaml");
}

#[tokio::test]
async fn keys_open_what_the_contract_says_and_nothing_else() {
    let contract = Contract::read();
    let (_h, address, ids) = scene().await;
    for operation in contract.operations() {
        let schemes = contract.operation(&operation)["security"].as_array().expect("it says who may");
        let schemes: BTreeSet<&str> = schemes
            .iter()
            .filter_map(|scheme| scheme.as_object()?.keys().next())
            .map(String::as_str)
            .collect();
        let is_events = operation.path.starts_with(EVENTS);
        let name = if is_events { "scripts" } else { ids.open.as_str() };
        let ask = Ask { operation: operation.clone(), ..get("/", 0) }.to(name).body("x");
        let status = ask.send(address).await.status;
        assert_eq!(status == 401, !schemes.is_empty(), "{operation:?} without a key: {status}");
        for (prefix, key) in [("integration", GENERIC_KEY), ("operator", OPERATOR)] {
            for (scheme, ask) in [
                ("Bearer", ask.clone().key(key)),
                ("Basic", ask.clone().header("authorization", basic(key))),
                ("Query", ask.clone().query(query(key))),
            ] {
                let may = schemes.is_empty() || schemes.contains(format!("{prefix}{scheme}").as_str());
                let status = ask.send(address).await.status;
                assert_eq!(status != 401, may, "{operation:?} with {prefix}{scheme}: {status}");
                assert!(!may || status < 500, "{operation:?} with {prefix}{scheme}: {status}");
            }
        }
    }
}

/// `anybody` and the key, in Base64.
fn basic(key: &str) -> &'static str {
    match key {
        GENERIC_KEY => "Basic YW55Ym9keTpnZW5lcmljLWtleS0wMTIzNDU2Nzg5",
        _ => "Basic YW55Ym9keTpvcGVyYXRvci10b2tlbi0wMTIzNDU2Nzg5",
    }
}

fn query(key: &str) -> &'static str {
    match key {
        GENERIC_KEY => "?key=generic-key-0123456789",
        _ => "?key=operator-token-0123456789",
    }
}

#[tokio::test]
async fn every_example_holds() {
    let contract = Contract::read();
    let (_h, address, ids) = scene().await;
    let mut posted = 0;
    for operation in contract.operations() {
        for status in contract.statuses(&operation) {
            let response = contract.response(&operation, status);
            for media in response["content"].as_object().into_iter().flat_map(|content| content.values()) {
                for (_, example) in examples(media) {
                    let faults = contract.faults(&media["schema"], &example);
                    assert!(faults.is_empty(), "{operation:?} {status}: {faults:#?}");
                }
            }
        }
        let content = &contract.operation(&operation)["requestBody"]["content"];
        for (media_type, media) in content.as_object().into_iter().flatten() {
            for (name, example) in examples(media) {
                let is_zabbix = name.starts_with("zabbix");
                let (to, key) = match operation.path.as_str() {
                    EVENTS if is_zabbix => ("zabbix", ZABBIX_KEY),
                    EVENTS | ARRAY => ("scripts", GENERIC_KEY),
                    _ => (ids.open.as_str(), OPERATOR),
                };
                let body = body_of(media_type, &example);
                let asked = Ask { operation: operation.clone(), ..post("/", 0) }.to(to).key(key).body(body);
                let answer = asked.send(address).await;
                assert!(matches!(answer.status, 200 | 202), "{operation:?} {name}: {}", answer.text);
                assert!(!answer.text.contains("unreadable"), "{operation:?} {name}: {}", answer.text);
                let broken = contract.broken(&media["schema"], &example);
                assert!(broken.is_empty(), "{operation:?} {name}: {broken:#?}");
                posted += 1;
            }
        }
    }
    assert!(10 <= posted, "only {posted} examples of requests");
}

fn body_of(media_type: &str, example: &Value) -> String {
    match media_type {
        "application/json" => example.to_string(),
        "application/x-www-form-urlencoded" => serde_urlencoded::to_string(example).expect("flat"),
        _ => example.as_str().expect("text").to_owned(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own client")]
fn client() -> reqwest::Client {
    reqwest::Client::builder().build().expect("a client")
}
