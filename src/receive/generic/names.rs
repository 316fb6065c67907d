//! What senders call things, in found-by form (see [`Fields`](super::super::fields::Fields)).
//! Among several, the first that has a value counts; what the configuration points to comes first.

use crate::config::MapField;

/// Under which name a field is found that `[integration.map]` points to. No name in a body is like it: found-by
/// names have no spaces.
pub(super) const fn mapped(field: MapField) -> &'static str {
    match field {
        MapField::Title => "map title",
        MapField::Body => "map body",
        MapField::Severity => "map severity",
        MapField::Status => "map status",
        MapField::DedupKey => "map dedup_key",
        MapField::Host => "map host",
        MapField::Service => "map service",
        MapField::Url => "map url",
        MapField::StartsAt => "map starts_at",
    }
}

pub(super) const KEY: &[&str] = &[
    mapped(MapField::DedupKey),
    "dedupkey",
    "deduplicationkey",
    "fingerprint",
    "alertuid",
    "alertid",
    "incidentkey",
    "incidentid",
    "problemid",
    "serviceproblemid",
    "lastserviceproblemid",
    "hostproblemid",
    "lasthostproblemid",
    "groupkey",
    "sensorid",
    "monitorid",
    "eventid",
    "uniqueid",
    "uid",
    "uuid",
    "key",
    "id",
];
/// Of these, what an operator chose as the key. The others number the problems of a Nagios core, which
/// has another number, or none, by the time the problem is over.
pub(super) const CHOSEN_KEY: &[&str] = &[
    mapped(MapField::DedupKey),
    "dedupkey",
    "deduplicationkey",
    "fingerprint",
    "alertuid",
    "incidentkey",
    "key",
];
/// Nagios's own names of such numbers.
pub(super) const PROBLEM_ID: &[&str] =
    &["serviceproblemid", "lastserviceproblemid", "hostproblemid", "lasthostproblemid"];
/// What they are called where the fields were chosen for another program.
pub(super) const OTHER_ID: &[&str] = &["problemid", "eventid", "id"];
pub(super) const TITLE: &[&str] = &[
    mapped(MapField::Title),
    "title",
    "summary",
    "annotationssummary",
    "subject",
    "headline",
    "alertname",
    "labelsalertname",
    "eventname",
    "shortmessage",
    "rulename",
    "checkname",
    "monitorname",
    "alerttitle",
    "payloadsummary",
    "name",
];
pub(super) const MESSAGE: &[&str] = &[
    mapped(MapField::Body),
    "message",
    "body",
    "text",
    "description",
    "annotationsdescription",
    "annotationsmessage",
    "msg",
    "content",
    "details",
    "detail",
    "alertmessage",
    "output",
    "serviceoutput",
    "hostoutput",
    "checkresultoutput",
    "longoutput",
    "longserviceoutput",
    "reason",
    "heartbeatmsg",
];
/// Where an acknowledgement, a downtime or flapping stands, beside a state that does not change with it.
pub(super) const CONSOLE_ACTION: &[&str] =
    &["notificationtype", "notification", "eventaction", "action", "event", "eventtype", "type"];
/// What was done comes before how things stand.
pub(super) const STATE: &[&str] = &[
    mapped(MapField::Status),
    "notificationtype",
    "notification",
    "eventaction",
    "action",
    "status",
    "state",
    "currentstate",
    "alertstatus",
    "alertstate",
    "eventstatus",
    "servicestate",
    "checkresultstate",
    "hoststate",
    "event",
    "eventtype",
    "type",
];
/// Yes or no, where no word says how it stands.
pub(super) const ONLINE: &[&str] = &["online", "isonline", "up", "isup", "alive", "isalive", "reachable"];
pub(super) const SEVERITY: &[&str] = &[
    mapped(MapField::Severity),
    "severity",
    "labelsseverity",
    "level",
    "sev",
    "alertseverity",
    "payloadseverity",
    "priority",
    "labelspriority",
];
/// States that also give a severity (Nagios), where no other was sent.
pub(super) const GRADING_STATE: &[&str] =
    &["servicestate", "checkresultstate", "hoststate", "status", "state", "currentstate"];
/// Only Nagios and programs like it have these.
pub(super) const CHECK_STATE: &[&str] = &["servicestate", "checkresultstate", "hoststate"];
pub(super) const SOURCE: &[&str] = &["source", "site", "project", "projectname"];
pub(super) const HOST: &[&str] = &[
    mapped(MapField::Host),
    "hostname",
    "host",
    "node",
    "server",
    "servername",
    "device",
    "oname",
    "instance",
    "labelsinstance",
    "payloadsource",
];
/// PRTG's name of what its `host` is the address of.
pub(super) const DEVICE: &[&str] = &["device", "devicename"];
/// Only PRTG has these.
pub(super) const SENSOR: &[&str] = &["sensor", "sensorid"];
pub(super) const SERVICE: &[&str] = &[
    mapped(MapField::Service),
    "servicename",
    "service",
    "servicedesc",
    "servicedescription",
    "sensor",
    "component",
    "payloadcomponent",
    "check",
    "metric",
    "metricname",
    "alarm",
    "alarmname",
    "resource",
];
pub(super) const STARTS_AT: &[&str] =
    &[mapped(MapField::StartsAt), "startsat", "startedat", "starttime", "since", "firedat", "triggeredat"];
pub(super) const ENDED_AT: &[&str] =
    &["endsat", "endedat", "resolvedat", "recoveredat", "closedat", "endtime"];
pub(super) const SENT_AT: &[&str] = &[
    "timestamp",
    "payloadtimestamp",
    "time",
    "datetime",
    "eventtime",
    "occurredat",
    "createdat",
    "ts",
    "timet",
    "shortdatetime",
    "date",
    "eventdate",
];
/// A date and the time of that day.
pub(super) const SENT_ON_AND_AT: [(&str, &str); 2] = [("date", "time"), ("eventdate", "eventtime")];
pub(super) const URL: &[&str] = &[
    mapped(MapField::Url),
    "url",
    "sourceurl",
    "link",
    "linktoupstreamdetails",
    "generatorurl",
    "alerturl",
    "detailsurl",
    "dashboardurl",
    "panelurl",
    "href",
    "linksensor",
    "eventurl",
    "clienturl",
];
pub(super) const LABELS: &[&str] = &["labels", "tags", "customdetails", "payloadcustomdetails"];
pub(super) const BY: &[&str] = &["notificationauthor", "acknowledgedby", "author", "user", "username", "by"];
pub(super) const COMMENT: &[&str] = &["notificationcomment", "comment", "note"];
