//! Drives the Zabbix that `tests/zabbix/up` started: its API, its trapper port, and what it believes afterwards.

mod scene;
mod sources;
mod trapper;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use scene::{Scene, SceneSpec};
pub(crate) use sources::Sources;

/// A page that the API does not finish in this time is a fault of the lab.
const API_TIMEOUT: Duration = Duration::from_mins(1);

/// What `tests/zabbix/up` wrote into `lab.json`.
#[derive(Deserialize)]
struct Coordinates {
    api: String,
    trapper: SocketAddr,
    user: String,
    password: String,
}

/// A session of the lab's administrator, and the only one: others wait for its end.
pub(crate) struct ZabbixLab {
    client: reqwest::Client,
    api: String,
    trapper: SocketAddr,
    session: String,
    /// Dropping it releases it.
    _turn: std::fs::File,
}

/// One message as Zabbix sees it (a row of *Reports → Action log*).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) state: MessageState,
    /// Attempts that failed so far.
    pub(crate) retries: u32,
    /// Why the last attempt failed; empty once sent.
    pub(crate) error: String,
    /// The media's *Send to*.
    pub(crate) send_to: String,
}

/// What Zabbix believes about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageState {
    /// Waits for its first or its next attempt.
    Waiting,
    /// The script returned.
    Sent,
    /// Given up.
    Failed,
}

/// What a person does to a problem in Zabbix; each is one *Update problem*.
#[derive(Clone, Copy, Debug)]
pub(crate) enum UpdateProblem<'a> {
    Unacknowledge,
    Comment(&'a str),
    AcknowledgeWithComment(&'a str),
    Severity(u8),
    Close(&'a str),
}

impl ZabbixLab {
    /// Waits for its turn and logs in. Panics, saying what to do, where no lab is up.
    pub(crate) async fn connect() -> Self {
        let lab_file = lab_file();
        let coordinates = coordinates(&lab_file);
        let mut lab = Self {
            client: client(),
            api: coordinates.api,
            trapper: coordinates.trapper,
            session: String::new(),
            _turn: turn(lab_file).await,
        };
        let login = json!({"username": coordinates.user, "password": coordinates.password});
        lab.session = text(&lab.call("user.login", login).await);
        lab
    }

    /// One API call; panics with Zabbix's words when it fails.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Value {
        let mut request = json!({"jsonrpc": "2.0", "method": method, "params": params, "id": 1});
        if !self.session.is_empty() {
            request["auth"] = json!(self.session);
        }
        let post = self.client.post(&self.api).header("Content-Type", "application/json-rpc");
        let answer = post.body(request.to_string()).send().await;
        let answer =
            answer.unwrap_or_else(|e| panic!("{method}: the lab's API is gone, run tests/zabbix/up: {e}"));
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }

    /// What *Media types → Import* does; the imported type is enabled. Returns its id.
    pub(crate) async fn import_media_type(&self, yaml: &str, name: &str) -> String {
        let rules = json!({"mediaTypes": {"createMissing": true, "updateExisting": true}});
        self.call("configuration.import", json!({"format": "yaml", "source": yaml, "rules": rules})).await;
        let found =
            self.call("mediatype.get", json!({"output": ["mediatypeid"], "filter": {"name": name}})).await;
        text(&found[0]["mediatypeid"])
    }

    /// Sends one value to a trapper item; false where Zabbix does not know the item (yet).
    pub(crate) async fn send_value(&self, host: &str, key: &str, value: &str) -> bool {
        let data = json!([{"host": host, "key": key, "value": value}]);
        let answer = self.trapper(json!({"request": "sender data", "data": data})).await;
        text(&answer["info"]).contains("failed: 0")
    }

    /// Presses *Test* in the list of media types: `Ok` is what the script returned, `Err` what it threw.
    pub(crate) async fn press_test(&self, media_type_id: &str) -> Result<String, String> {
        let found =
            self.call("mediatype.get", json!({"output": "extend", "mediatypeids": media_type_id})).await;
        let parameters: serde_json::Map<_, _> = found[0]["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|parameter| (text(&parameter["name"]), parameter["value"].clone()))
            .collect();
        let data = json!({"mediatypeid": media_type_id, "parameters": parameters});
        let answer = self.trapper(json!({"request": "alert.send", "sid": self.session, "data": data})).await;
        match answer["response"].as_str() {
            Some("success") => Ok(text(&answer["data"])),
            _ => Err(text(&answer["info"])),
        }
    }

    /// Does something to a problem, as a person in the console would.
    pub(crate) async fn update_problem(&self, event_id: &str, update: UpdateProblem<'_>) {
        let mut params = match update {
            UpdateProblem::Unacknowledge => json!({"action": 16}),
            UpdateProblem::Comment(message) => json!({"action": 4, "message": message}),
            UpdateProblem::AcknowledgeWithComment(message) => json!({"action": 2 + 4, "message": message}),
            UpdateProblem::Severity(severity) => json!({"action": 8, "severity": severity}),
            UpdateProblem::Close(message) => json!({"action": 1 + 4, "message": message}),
        };
        params["eventids"] = json!([event_id]);
        self.call("event.acknowledge", params).await;
    }

    /// What Zabbix believes about every message of a problem, its updates and its recovery, oldest first.
    pub(crate) async fn messages(&self, event_id: &str) -> Vec<Message> {
        // A recovery's message belongs to the recovery's event and points back with `p_eventid`.
        let found = self.call("event.get", json!({"output": ["r_eventid"], "eventids": event_id})).await;
        let events = [event_id.to_owned(), text(&found[0]["r_eventid"])];
        let params = json!({"output": "extend", "eventids": events, "sortfield": ["alertid"]});
        let found = self.call("alert.get", params).await;
        found.as_array().unwrap().iter().map(Message::read).collect()
    }

    /// Waits until `n` messages of a problem are sent, and returns all of them.
    pub(crate) async fn messages_sent(&self, event_id: &str, n: usize, within: Duration) -> Vec<Message> {
        super::until(&format!("{n} messages of event {event_id} sent"), within, async || {
            let messages = self.messages(event_id).await;
            let sent = messages.iter().filter(|message| message.state == MessageState::Sent).count();
            (sent == n).then_some(messages)
        })
        .await
    }

    /// The tags of a problem, those included that our script returned.
    pub(crate) async fn tags(&self, event_id: &str) -> Vec<(String, String)> {
        let found = self.event(event_id).await;
        let tags = found["tags"].as_array().unwrap();
        tags.iter().map(|tag| (text(&tag["tag"]), text(&tag["value"]))).collect()
    }

    /// The entries that media types add to a problem's menu: (name, URL).
    pub(crate) async fn menu(&self, event_id: &str) -> Vec<(String, String)> {
        let found = self.event(event_id).await;
        let urls = found["urls"].as_array().unwrap();
        urls.iter().map(|entry| (text(&entry["name"]), text(&entry["url"]))).collect()
    }

    async fn event(&self, event_id: &str) -> Value {
        let params = json!({"output": ["eventid", "urls"], "selectTags": "extend", "eventids": event_id});
        self.call("event.get", params).await[0].clone()
    }

    /// Waits until `zabbix_server` has read all that was made before this call.
    ///
    /// It reads actions, hosts, items and triggers one after the other. An item that was made after everything
    /// else is known from some reading on; a second one proves that a whole reading followed.
    async fn wait_until_known(&self, host: &str, host_id: &str, within: Duration) {
        for key in ["ready", "ready_again"] {
            let item =
                json!({"hostid": host_id, "name": key, "key_": key, "type": 2, "value_type": 3, "delay": 0});
            self.call("item.create", json!([item])).await;
            super::until(&format!("{host} is known"), within, async || {
                self.send_value(host, key, "1").await.then_some(())
            })
            .await;
        }
    }

    async fn trapper(&self, request: Value) -> Value {
        let address = self.trapper;
        tokio::task::spawn_blocking(move || trapper::ask(address, &request)).await.unwrap()
    }
}

impl Message {
    fn read(row: &Value) -> Self {
        let state = match row["status"].as_str() {
            Some("1") => MessageState::Sent,
            Some("2") => MessageState::Failed,
            _ => MessageState::Waiting,
        };
        let retries = text(&row["retries"]).parse().unwrap();
        Self { state, retries, error: text(&row["error"]), send_to: text(&row["sendto"]) }
    }
}

/// The text of a JSON string; Zabbix's API writes numbers as strings, too.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}

#[expect(clippy::disallowed_methods, reason = "the harness is told by the environment where the lab is")]
fn lab_file() -> PathBuf {
    let directory = std::env::var("BONGSU_ZABBIX_LAB")
        .expect("these tests need a real Zabbix: export \"$(tests/zabbix/up)\" and run them again");
    PathBuf::from(directory).join("lab.json")
}

/// One test at a time: Zabbix has few alerters, and a test whose Bongsu hangs holds them; it also numbers
/// new rows itself, and two API calls that create at once collide (`DBEXECUTE_ERROR`). Tests may run as
/// threads or as processes, so the lock is a file's.
async fn turn(lab_file: PathBuf) -> std::fs::File {
    let locked = tokio::task::spawn_blocking(move || {
        let file = std::fs::File::open(lab_file).unwrap();
        file.lock().map(|()| file)
    });
    locked.await.unwrap().unwrap()
}

fn coordinates(lab_file: &Path) -> Coordinates {
    let json = std::fs::read_to_string(lab_file)
        .unwrap_or_else(|e| panic!("the lab is not up, run tests/zabbix/up: {}: {e}", lab_file.display()));
    serde_json::from_str(&json).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the harness talks to Zabbix, not to a provider")]
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(API_TIMEOUT).build().unwrap()
}
