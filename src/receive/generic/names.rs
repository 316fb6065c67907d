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
    "hostproblemid",
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
/// What was done comes before how things stand: an acknowledgement carries the state too.
pub(super) const STATE: &[&str] = &[
    mapped(MapField::Status),
    "notificationtype",
    "notification",
    "eventaction",
    "action",
    "status",
    "state",
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
pub(super) const SEVERITY: &[&str] = &[
    mapped(MapField::Severity),
    "severity",
    "labelsseverity",
    "level",
    "sev",
    "alertseverity",
    "priority",
    "labelspriority",
];
/// States that also say how grave it is (Nagios), asked only where no severity was sent.
pub(super) const GRAVE_STATE: &[&str] = &["servicestate", "checkresultstate", "hoststate", "status", "state"];
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
];
pub(super) const SERVICE: &[&str] = &[
    mapped(MapField::Service),
    "servicename",
    "service",
    "servicedesc",
    "servicedescription",
    "sensor",
    "component",
    "check",
];
pub(super) const STARTS_AT: &[&str] =
    &[mapped(MapField::StartsAt), "startsat", "startedat", "starttime", "since", "firedat", "triggeredat"];
pub(super) const SENT_AT: &[&str] = &[
    "timestamp",
    "time",
    "datetime",
    "eventtime",
    "occurredat",
    "createdat",
    "ts",
    "timet",
    "shortdatetime",
    "date",
];
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
];
pub(super) const LABELS: &[&str] = &["labels", "tags", "customdetails"];
pub(super) const BY: &[&str] = &["notificationauthor", "acknowledgedby", "author", "user", "username", "by"];
pub(super) const COMMENT: &[&str] = &["notificationcomment", "comment", "note"];
/// The end of a time span is of no use before it is over; zero until then (Alertmanager).
pub(super) const NO_LABEL: &[&str] = &["endsat"];
