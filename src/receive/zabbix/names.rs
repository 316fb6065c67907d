//! Parameter names of media types, in found-by form (see [`Fields`](super::super::fields::Fields)).
//! Among several, the first that has a value counts.

pub(super) const EVENT_ID: &str = "eventid";

/// The event's id in media types that write no `event_id` at all.
pub(super) const OTHER_ID: &str = "id";

/// How the problem stands, in the words `PROBLEM` and `RESOLVED` or `OK`.
pub(super) const STATE: &[&str] = &["eventstatus", "triggerstatus", "status", "state", "triggervalue"];
pub(super) const UPDATE_ACTION: &[&str] = &["eventupdateaction"];
pub(super) const UPDATE_MESSAGE: &[&str] = &["eventupdatemessage"];
pub(super) const BY: &[&str] = &["userfullname", "userusername", "useralias"];

/// What Zabbix writes for a user whom the user with our media may not see: a name of nobody.
pub(super) const NAME_WITHHELD: &str = "Inaccessible user";
pub(super) const HOST: &[&str] = &["hostname", "host", "hosthost"];
pub(super) const NAME: &[&str] = &["eventname", "name"];
pub(super) const SUBJECT: &[&str] = &["alertsubject", "subject"];
pub(super) const TRIGGER_NAME: &[&str] = &["triggername"];
pub(super) const MESSAGE: &[&str] = &["alertmessage", "message"];
pub(super) const OPDATA: &[&str] = &["eventopdata"];
pub(super) const SEVERITY: &[&str] = &["eventnseverity", "nseverity", "severity", "eventseverity"];
pub(super) const TRIGGER_SEVERITY: &[&str] = &["triggernseverity", "triggerseverity"];
pub(super) const TAGS_JSON: &[&str] = &["eventtagsjson", "eventtags", "tags"];
pub(super) const URL: &[&str] = &["eventurl", "link"];
pub(super) const ZABBIX_URL: &[&str] = &["zabbixurl"];
pub(super) const TRIGGER_ID: &[&str] = &["triggerid"];
pub(super) const EVENT_SOURCE: &[&str] = &["eventsource"];
pub(super) const EVENT_OBJECT: &[&str] = &["eventobject"];
pub(super) const ACTION: &[&str] = &["actionname"];
pub(super) const HOST_ID: &[&str] = &["hostid"];
pub(super) const HOST_IP: &[&str] = &["hostip"];

/// Autoregistration: the name that the agent gives itself.
pub(super) const REGISTERED_HOST: &[&str] = &["hosthost"];

pub(super) const DISCOVERY_IP: &[&str] = &["discoverydeviceipaddress"];
pub(super) const DISCOVERY_DNS: &[&str] = &["discoverydevicedns"];
pub(super) const DISCOVERY_STATUS: &[&str] = &["discoverydevicestatus"];
pub(super) const DISCOVERY_RULE: &[&str] = &["discoveryrulename"];
pub(super) const DISCOVERY_SERVICE: &[&str] = &["discoveryservicename"];
pub(super) const DISCOVERY_PORT: &[&str] = &["discoveryserviceport"];
pub(super) const DISCOVERY_SERVICE_STATUS: &[&str] = &["discoveryservicestatus"];

pub(super) const ITEM_NAME: &[&str] = &["itemname"];
pub(super) const LLD_RULE_NAME: &[&str] = &["lldrulename"];
pub(super) const LLD_RULE_ERROR: &[&str] = &["lldrulestateerror"];

pub(super) const SERVICE_NAME: &[&str] = &["servicename"];
pub(super) const SERVICE_ID: &[&str] = &["serviceid"];

/// A business service's new severity, in an update.
pub(super) const UPDATE_SEVERITY: &[&str] = &["eventupdatenseverity", "eventupdateseverity"];

/// Of no use as labels: read above, of the message rather than of the problem, or different in
/// every message. `url` is the webhook's own parameter: the address of our door, maybe with a key.
pub(super) const NO_LABEL: &[&str] = &[
    "v",
    "url",
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

/// Single tags as parameters, `{EVENT.TAGS.team}` as `event_tags_team`.
pub(super) const TAG_PREFIX: &str = "event_tags_";
