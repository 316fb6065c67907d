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

/// Of no use as labels: read above, of the message rather than of the problem, or different in
/// every message. `url` is the webhook's own parameter: the address of our door, maybe with a key.
pub(super) const NO_LABEL: &[&str] = &[
    "v",
    "url",
    "eventurl",
    "link",
    "zabbixurl",
    "id",
    "status",
    "eventid",
    "eventvalue",
    "eventstatus",
    "eventdate",
    "eventtime",
    "eventtimestamp",
    "eventage",
    "eventduration",
    "eventackstatus",
    "eventackhistory",
    "eventupdatestatus",
    "eventupdatehistory",
    "eventupdateactionjson",
    "eventupdatedate",
    "eventupdatetime",
    "eventupdatetimestamp",
    "eventupdateseverity",
    "eventupdatenseverity",
    "discoverydevicestatus",
    "discoverydeviceuptime",
    "discoveryservicestatus",
    "discoveryserviceuptime",
    "eventrecoverytags",
    "eventrecoverytagsjson",
    "eventrecoveryid",
    "eventrecoveryname",
    "eventrecoverydate",
    "eventrecoverytime",
    "eventrecoverytimestamp",
    "eventrecoverystatus",
    "eventrecoveryvalue",
    "recoverytimestamp",
    "hostid",
    "itemstate",
    "itemstateerror",
    "lldrulestate",
    "lldrulestateerror",
    "triggerstate",
    "triggerstateerror",
    "triggerstatus",
    "triggervalue",
    "date",
    "time",
    "timestamp",
    "eschistory",
];
