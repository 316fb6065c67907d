//! Parameters of media types that have several names, in found-by form (see [`Fields`](super::super::fields::Fields)).
//! Among several, the first that has a value counts.

/// How the problem stands, in the words `PROBLEM` and `RESOLVED` or `OK`.
pub(super) const STATE: &[&str] = &["eventstatus", "triggerstatus", "status", "state", "triggervalue"];
pub(super) const UPDATE_ACTION: &[&str] = &["eventupdateaction"];
pub(super) const UPDATE_MESSAGE: &[&str] = &["eventupdatemessage"];
pub(super) const BY: &[&str] = &["userfullname", "userusername", "useralias"];
pub(super) const HOST: &[&str] = &["hostname", "host", "hosthost"];
pub(super) const TITLE: &[&str] = &["eventname", "name", "alertsubject", "subject", "triggername"];
pub(super) const MESSAGE: &[&str] = &["alertmessage", "message"];
/// The message of the action, else the operational data.
pub(super) const BODY: &[&str] = &["alertmessage", "message", "lldrulestateerror", "eventopdata"];
pub(super) const SEVERITY: &[&str] = &["eventnseverity", "nseverity", "severity", "eventseverity"];
pub(super) const TRIGGER_SEVERITY: &[&str] = &["triggernseverity", "triggerseverity"];
/// A business service's new severity, in an update.
pub(super) const UPDATE_SEVERITY: &[&str] = &["eventupdatenseverity", "eventupdateseverity"];
pub(super) const TAGS: &[&str] = &["eventtagsjson", "eventtags", "tags"];
pub(super) const URL: &[&str] = &["eventurl", "link"];
pub(super) const TRIGGER_NAME: &[&str] = &["triggername"];
pub(super) const ITEM_NAME: &[&str] = &["itemname"];
pub(super) const LLD_RULE_NAME: &[&str] = &["lldrulename"];

/// Single tags as parameters, `{EVENT.TAGS.team}` as `event_tags_team`.
pub(super) const TAG_PREFIX: &str = "event_tags_";

/// Of no use as labels, by the families of Zabbix's macros: read elsewhere, of the message rather than of the
/// problem, or different in every message. `url` is the webhook's own parameter: the address of our door, maybe
/// with a key.
const NO_LABELS: [(&str, &[&str]); 10] = [
    ("", &["v", "url", "link", "zabbixurl", "id", "hostid", "status", "date", "time", "timestamp"]),
    ("event", &["id", "value", "status", "date", "time", "timestamp", "age", "duration", "url"]),
    ("eventack", &["status", "history"]),
    (
        "eventupdate",
        &["status", "history", "actionjson", "severity", "nseverity", "date", "time", "timestamp"],
    ),
    ("eventrecovery", &["id", "name", "value", "status", "tags", "tagsjson", "date", "time", "timestamp"]),
    ("discoverydevice", &["status", "uptime"]),
    ("discoveryservice", &["status", "uptime"]),
    ("item", &["state", "stateerror"]),
    ("lldrule", &["state", "stateerror"]),
    ("trigger", &["state", "stateerror", "status", "value"]),
];

pub(super) fn is_no_label(name: &str) -> bool {
    let is_of = |(family, rest): &(&str, &[&str])| {
        name.strip_prefix(family).is_some_and(|member| rest.contains(&member))
    };
    let read = [UPDATE_ACTION, UPDATE_MESSAGE, BY, TITLE, MESSAGE, SEVERITY, TRIGGER_SEVERITY, TAGS];
    NO_LABELS.iter().any(is_of)
        || read.iter().any(|names| names.contains(&name))
        || matches!(name, "recoverytimestamp" | "eschistory")
}
