//! One test's own media type, users, action and host: what an earlier one left behind does not matter.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

use serde_json::{Value, json};

use super::{ZabbixLab, text};

/// Zabbix reads its configuration once a second; this is for a busy machine.
pub(super) const KNOWN_WITHIN: Duration = Duration::from_secs(30);
/// From value to problem takes milliseconds.
const PROBLEM_WITHIN: Duration = Duration::from_secs(15);

/// What a scene is made of.
pub(crate) struct SceneSpec<'a> {
    /// Distinguishes it from the scenes of other tests: `[a-z_]+`.
    pub(crate) name: &'a str,
    /// The output of `bongsu setup zabbix`.
    pub(crate) media_type: String,
    /// Parameters of the media type to set after the import.
    pub(crate) parameters: &'a [(&'a str, &'a str)],
    /// Fields of the media type to set after the import, such as `attempt_interval`.
    pub(crate) fields: Value,
    /// How many users have the media; one is as it should be.
    pub(crate) users: usize,
}

/// A host with a trapper item and a trigger for each severity, and an action that tells Bongsu.
pub(crate) struct Scene {
    pub(crate) lab: ZabbixLab,
    pub(crate) media_type_id: String,
    host: String,
    host_id: String,
    group_id: String,
    user_ids: Vec<String>,
    user_group_id: String,
    action_id: String,
}

impl Scene {
    /// Builds it and waits until `zabbix_server` knows it.
    pub(crate) async fn build(lab: ZabbixLab, spec: SceneSpec<'_>) -> Self {
        let host = format!("bongsu_{}_{}", spec.name, unique());
        let yaml = spec.media_type.replacen("name: Bongsu\n", &format!("name: {host}\n"), 1);
        let media_type_id = lab.import_media_type(&yaml, &host).await;
        adapt(&lab, &media_type_id, spec.parameters, spec.fields).await;

        let group_id = created(&lab, "hostgroup.create", "groupids", json!({"name": host})).await;
        let (user_group_id, user_ids) =
            user_of_its_own(&lab, &host, &group_id, &media_type_id, spec.users).await;
        let action = action(&host, &group_id, &user_ids, &media_type_id);
        let action_id = created(&lab, "action.create", "actionids", action).await;
        let host_id = created(&lab, "host.create", "hostids", host_body(&host, &group_id)).await;

        let scene = Self { lab, media_type_id, host, host_id, group_id, user_ids, user_group_id, action_id };
        scene.add_items().await;
        scene
    }

    /// Makes the trigger of that severity fire, and returns the problem's event id.
    pub(crate) async fn problem(&self, severity: u8) -> String {
        self.set(severity, "1").await;
        self.open_problem(&format!("fire {severity} ")).await
    }

    /// Makes the trigger fire whose operational data is this text.
    pub(crate) async fn problem_with_text(&self, value: &str) -> String {
        assert!(self.lab.send_value(&self.host, "text", value).await);
        self.open_problem("text").await
    }

    /// Makes the trigger of that severity recover.
    pub(crate) async fn recover(&self, severity: u8) {
        self.set(severity, "0").await;
    }

    /// Removes all of it. A test that panicked leaves its scene for people to look at.
    pub(crate) async fn remove(self) {
        for (method, ids) in [
            ("action.delete", json!([self.action_id])),
            ("host.delete", json!([self.host_id])),
            ("hostgroup.delete", json!([self.group_id])),
            ("user.delete", json!(self.user_ids)),
            ("usergroup.delete", json!([self.user_group_id])),
            ("mediatype.delete", json!([self.media_type_id])),
        ] {
            self.lab.call(method, ids).await;
        }
    }

    async fn set(&self, severity: u8, value: &str) {
        let key = format!("fire[{severity}]");
        assert!(self.lab.send_value(&self.host, &key, value).await, "{key} of {}", self.host);
    }

    /// The newest open problem whose name begins so.
    async fn open_problem(&self, name: &str) -> String {
        let params = json!({"output": ["eventid", "name"], "hostids": self.host_id, "search": {"name": name},
            "startSearch": true, "sortfield": ["eventid"], "sortorder": "DESC"});
        crate::until(&format!("a problem of {}", self.host), PROBLEM_WITHIN, async || {
            let found = self.lab.call("problem.get", params.clone()).await;
            found[0]["eventid"].as_str().map(str::to_owned)
        })
        .await
    }

    async fn add_items(&self) {
        let item = |key: &str, value_type: u8| json!({"hostid": self.host_id, "name": key, "key_": key, "type": 2, "value_type": value_type, "delay": 0});
        let mut items: Vec<_> = (0..=5).map(|severity| item(&format!("fire[{severity}]"), 3)).collect();
        items.push(item("text", 4));
        self.lab.call("item.create", json!(items)).await;
        self.lab.call("trigger.create", self.triggers()).await;
        self.lab.wait_until_known(&self.host, &self.host_id, KNOWN_WITHIN).await;
    }

    fn triggers(&self) -> Value {
        let host = &self.host;
        let mut triggers: Vec<_> = (0..=5)
            .map(|severity| {
                json!({"description": format!("fire {severity} on {{HOST.NAME}}"), "priority": severity,
                    "expression": format!("last(/{host}/fire[{severity}])>0"), "manual_close": 1,
                    "opdata": "now {ITEM.LASTVALUE1}",
                    "tags": [{"tag": "scope", "value": "test"}, {"tag": "팀", "value": "web"}]})
            })
            .collect();
        triggers
            .push(json!({"description": "text on {HOST.NAME}", "priority": 5, "opdata": "{ITEM.LASTVALUE1}",
            "expression": format!("find(/{host}/text,,\"like\",\"ERR\")=1")}));
        json!(triggers)
    }
}

/// Changes an imported media type; `parameters` replaces values and keeps the order.
async fn adapt(lab: &ZabbixLab, media_type_id: &str, parameters: &[(&str, &str)], fields: Value) {
    let found = lab.call("mediatype.get", json!({"output": "extend", "mediatypeids": media_type_id})).await;
    let mut all = found[0]["parameters"].as_array().unwrap().clone();
    for (name, value) in parameters {
        let parameter = all.iter_mut().find(|parameter| parameter["name"] == *name);
        parameter.unwrap_or_else(|| panic!("the media type has no parameter {name}"))["value"] = json!(value);
    }
    let mut changed = fields;
    changed["mediatypeid"] = json!(media_type_id);
    changed["parameters"] = json!(all);
    lab.call("mediatype.update", changed).await;
}

/// As `docs/senders/zabbix.md` has it: a user for Bongsu alone, who may read this host group, and who
/// shares a user group with the people whose comments it passes on. The ids of user group and users.
pub(super) async fn user_of_its_own(
    lab: &ZabbixLab,
    name: &str,
    group_id: &str,
    media_type_id: &str,
    users: usize,
) -> (String, Vec<String>) {
    let rights = json!([{"id": group_id, "permission": 2}]);
    let user_group = json!({"name": name, "rights": rights});
    let user_group_id = created(lab, "usergroup.create", "usrgrpids", user_group).await;
    let media = json!({"mediatypeid": media_type_id, "sendto": "bongsu", "active": 0, "severity": 63,
        "period": "1-7,00:00-24:00"});
    let groups = json!([{"usrgrpid": user_group_id}, {"usrgrpid": team(lab).await}]);
    let mut user_ids = Vec::new();
    for number in 1..=users {
        let user = json!({"username": format!("{name}_{number}"), "passwd": "Q!7w-beacon-fire", "roleid": "1",
            "medias": [media], "usrgrps": groups});
        user_ids.push(created(lab, "user.create", "userids", user).await);
    }
    (user_group_id, user_ids)
}

pub(super) fn host_body(host: &str, group_id: &str) -> Value {
    json!({"host": host, "name": format!("웹 서버 <1> \"{host}\""), "groups": [{"groupid": group_id}],
        "interfaces": [{"type": 1, "main": 1, "useip": 1, "ip": "127.0.0.1", "dns": "", "port": "10050"}]})
}

/// Problem, recovery and update operations for every trigger of the host group.
fn action(name: &str, group_id: &str, user_ids: &[String], media_type_id: &str) -> Value {
    let message = message_to(user_ids, media_type_id);
    json!({"name": name, "eventsource": 0, "esc_period": "1h",
        "filter": {"evaltype": 0, "conditions": [{"conditiontype": 0, "operator": 0, "value": group_id}]},
        "operations": [message], "recovery_operations": [message], "update_operations": [message]})
}

/// The operation *Send message*.
pub(super) fn message_to(user_ids: &[String], media_type_id: &str) -> Value {
    let users: Vec<_> = user_ids.iter().map(|id| json!({"userid": id})).collect();
    json!({"operationtype": 0, "opmessage": {"default_msg": 1, "mediatypeid": media_type_id},
        "opmessage_usr": users})
}

pub(super) async fn created(lab: &ZabbixLab, method: &str, ids: &str, body: Value) -> String {
    text(&lab.call(method, body).await[ids][0])
}

/// Keeps this scene apart from those that earlier runs left behind.
pub(super) fn unique() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// The user group that the lab's administrator is in.
async fn team(lab: &ZabbixLab) -> String {
    let params = json!({"output": ["usrgrpid"], "filter": {"name": "Zabbix administrators"}});
    text(&lab.call("usergroup.get", params).await[0]["usrgrpid"])
}
