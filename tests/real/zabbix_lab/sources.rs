//! What makes events without a trigger: a discovery rule, an agent that nobody knows, an item and a
//! low-level discovery rule, a business service; and an action for each that tells Bongsu.

use serde_json::{Value, json};

use super::{
    ZabbixLab,
    scene::{KNOWN_WITHIN, created, host_body, message_to, unique, user_of_its_own},
};

/// How often the discovery rule checks its one port.
const CHECKED_EVERY: &str = "2s";

/// Severities of the two triggers below the business service; their items are `fire[SEVERITY]`.
const FIRES: [u8; 2] = [3, 5];

/// All of it, under one name.
pub(crate) struct Sources {
    pub(crate) lab: ZabbixLab,
    /// The host's name, and part of every other.
    pub(crate) name: String,
    action_ids: Vec<String>,
    /// In the order of removal.
    made: Vec<(&'static str, Value)>,
}

impl Sources {
    /// Builds it around a TCP port of the loopback interface, where the discovery rule looks, and waits
    /// until `zabbix_server` knows it.
    pub(crate) async fn build(lab: ZabbixLab, media_type: &str, port: u16) -> Self {
        let name = format!("bongsu_sources_{}", unique());
        let yaml = media_type.replacen("name: Bongsu\n", &format!("name: {name}\n"), 1);
        let media_type_id = lab.import_media_type(&yaml, &name).await;
        let group_id = created(&lab, "hostgroup.create", "groupids", json!({"name": name})).await;
        let (user_group_id, user_ids) = user_of_its_own(&lab, &name, &group_id, &media_type_id, 1).await;
        let host_id = created(&lab, "host.create", "hostids", host_body(&name, &group_id)).await;
        let mut sources = Self { lab, name, action_ids: Vec::new(), made: Vec::new() };
        let service_id = sources.add_service().await;
        let rule_id = sources.add_discovery(port).await;
        let message = message_to(&user_ids, &media_type_id);
        sources.add_actions(&message, &group_id, &rule_id, &service_id).await;
        sources.made.extend([
            ("host.delete", json!([host_id])),
            ("hostgroup.delete", json!([group_id])),
            ("user.delete", json!(user_ids)),
            ("usergroup.delete", json!([user_group_id])),
            ("mediatype.delete", json!([media_type_id])),
        ]);
        sources.add_items(&host_id).await;
        // Not earlier: what is discovered for the first time must find its action.
        sources.lab.call("drule.update", json!({"druleid": rule_id, "status": 0})).await;
        sources
    }

    /// Sends a value to an item or low-level discovery rule of the host.
    pub(crate) async fn set(&self, key: &str, value: &str) {
        assert!(self.lab.send_value(&self.name, key, value).await, "{key} of {}", self.name);
    }

    /// An active agent asks for its checks, as it does every two minutes; Zabbix knows no host of its name.
    pub(crate) async fn ask_for_checks(&self, agent: &str) {
        let request = json!({"request": "active checks", "host": agent, "host_metadata": "os=linux 서버",
            "ip": "127.0.0.9", "port": 10050});
        let answer = self.lab.trapper(request).await;
        assert_eq!(answer["response"], "failed", "the agent is a stranger: {answer}");
    }

    /// State, attempts before it and error of every message of these actions.
    pub(crate) async fn messages(&self) -> Vec<super::Message> {
        let mut messages = Vec::new();
        // `alert.get` answers for one kind of object at a time.
        for (source, object) in [(1, 2), (2, 3), (3, 0), (3, 4), (3, 5), (4, 6)] {
            let params = json!({"output": "extend", "actionids": self.action_ids, "eventsource": source,
                "eventobject": object});
            let found = self.lab.call("alert.get", params).await;
            messages.extend(found.as_array().unwrap().iter().map(super::Message::read));
        }
        messages
    }

    /// Removes all of it. A test that panicked leaves it for people to look at.
    pub(crate) async fn remove(self) {
        self.lab.call("action.delete", json!(self.action_ids)).await;
        for (method, ids) in self.made {
            self.lab.call(method, ids).await;
        }
    }

    async fn add_service(&mut self) -> String {
        let service = json!({"name": format!("결제 {}", self.name), "algorithm": 2, "sortorder": 0,
            "problem_tags": [{"tag": "service", "operator": 0, "value": self.name}],
            "tags": [{"tag": "팀", "value": "pay"}]});
        let id = created(&self.lab, "service.create", "serviceids", service).await;
        self.made.push(("service.delete", json!([id])));
        id
    }

    /// A rule that is not enabled yet.
    async fn add_discovery(&mut self, port: u16) -> String {
        let tcp = json!({"type": 8, "ports": port.to_string(), "uniq": 0});
        let rule = json!({"name": format!("office {}", self.name), "iprange": "127.0.0.1",
            "delay": CHECKED_EVERY, "dchecks": [tcp], "status": 1});
        let id = created(&self.lab, "drule.create", "druleids", rule).await;
        self.made.push(("drule.delete", json!([id])));
        id
    }

    /// As `docs/senders/zabbix.md` has them.
    async fn add_actions(&mut self, message: &Value, group_id: &str, rule_id: &str, service_id: &str) {
        let condition = |kind: u8, value: &str| json!({"conditiontype": kind, "operator": 0, "value": value});
        let (rule, services) = (condition(18, rule_id), condition(21, "2"));
        let status = |status: &str| condition(10, status);
        for (name, source, conditions, operations) in [
            (
                "Discovery",
                1,
                vec![rule.clone(), services.clone(), status("0"), status("1")],
                &OPERATIONS[..1],
            ),
            ("Newly discovered", 1, vec![rule, services, status("2")], &OPERATIONS[..1]),
            (
                "Autoregistration",
                2,
                vec![json!({"conditiontype": 22, "operator": 2, "value": self.name})],
                &OPERATIONS[..1],
            ),
            ("Internal", 3, vec![condition(0, group_id)], &OPERATIONS[..2]),
            ("Services", 4, vec![condition(27, service_id)], &OPERATIONS[..3]),
        ] {
            let mut action = json!({"name": format!("{name} {}", self.name), "eventsource": source,
                "filter": {"evaltype": 0, "conditions": conditions}});
            for operation in operations {
                action[operation] = json!([message]);
            }
            if 2 < source {
                action["esc_period"] = json!("1h");
            }
            self.action_ids.push(created(&self.lab, "action.create", "actionids", action).await);
        }
    }

    async fn add_items(&self, host_id: &str) {
        let item = |key: &str, name: &str| json!({"hostid": host_id, "name": name, "key_": key, "type": 2, "value_type": 3, "delay": 0});
        let mut items = vec![item("load", "CPU 부하")];
        items.extend(FIRES.map(|severity| item(&format!("fire[{severity}]"), "fire")));
        self.lab.call("item.create", json!(items)).await;
        let rule = json!({"hostid": host_id, "name": "디스크 찾기", "key_": "disks", "type": 2, "delay": 0});
        self.lab.call("discoveryrule.create", rule).await;
        let host = &self.name;
        let mut triggers = vec![json!({"description": "부하가 높음", "priority": 4,
            "expression": format!("last(/{host}/load)>5")})];
        triggers.extend(FIRES.map(|severity| {
            json!({"description": format!("fire {severity}"), "priority": severity,
                "expression": format!("last(/{host}/fire[{severity}])>0"),
                "tags": [{"tag": "service", "value": host}]})
        }));
        self.lab.call("trigger.create", json!(triggers)).await;
        self.lab.wait_until_known(host, host_id, KNOWN_WITHIN).await;
    }
}

const OPERATIONS: [&str; 3] = ["operations", "recovery_operations", "update_operations"];
