//! What our media type posts, as builders.

use std::fmt;

use serde_json::{Map, Value, json};

/// A body as our media type sends it: flat, everything a string.
#[derive(Clone)]
pub(crate) struct Zabbix(Map<String, Value>);

impl fmt::Display for Zabbix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Value::Object(self.0.clone()))
    }
}

impl Zabbix {
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), json!(value));
        self
    }

    pub(crate) fn id(self, event_id: &str) -> Self {
        self.set("event_id", event_id)
    }

    /// Zabbix's number, 0 to 5.
    pub(crate) fn severity(self, number: u8) -> Self {
        self.set("event_nseverity", &number.to_string())
    }
}

/// A trigger's problem of severity high, event 459.
pub(crate) fn problem(name: &str) -> Zabbix {
    let body = json!({
        "event_id": "459", "event_source": "0", "event_value": "1", "event_update_status": "0",
        "event_nseverity": "4", "event_name": name, "host_name": "web01", "event_tags_json": "[]",
        "event_update_action": "{EVENT.UPDATE.ACTION}", "event_recovery_id": "{EVENT.RECOVERY.ID}",
        "trigger_id": "18807", "alert_message": "line one\r\nline two",
    });
    Zabbix(body.as_object().expect("an object").clone())
}

/// The recovery of [`problem`].
pub(crate) fn recovery(name: &str) -> Zabbix {
    problem(name).set("event_value", "0").set("event_recovery_id", "460")
}

/// Somebody did something to [`problem`] in Zabbix.
pub(crate) fn update(name: &str, action: &str) -> Zabbix {
    problem(name)
        .set("event_update_status", "1")
        .set("event_update_action", action)
        .set("user_fullname", "Min Kim")
}
