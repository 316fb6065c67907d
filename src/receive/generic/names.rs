//! What senders call things: lists of words, in found-by form (see [`Fields`](super::super::fields::Fields)).
//! Among several, the first that has a value counts; what the configuration points to comes first, as `map_title` and
//! the like. No name in a body is like those: found-by names have no `_`.

use crate::config::MapField;

/// Under which name a field is found that `[integration.map]` points to.
pub(super) fn mapped(field: MapField) -> String {
    let name = MapField::ALL.iter().find(|(_, known)| *known == field).map_or("", |(name, _)| name);
    format!("map_{name}")
}

pub(super) const KEY: &str = "map_dedup_key dedupkey deduplicationkey fingerprint alertuid alertid
    incidentkey incidentid problemid serviceproblemid lastserviceproblemid hostproblemid lasthostproblemid
    groupkey sensorid monitorid eventid uniqueid uid uuid key id";
/// Of these, what an operator chose as the key. The others number the problems of a Nagios core, which
/// has another number, or none, by the time the problem is over.
pub(super) const CHOSEN_KEY: &str = "map_dedup_key dedupkey deduplicationkey fingerprint alertuid
    incidentkey key";
/// Nagios's own names of such numbers.
pub(super) const PROBLEM_ID: &str = "serviceproblemid lastserviceproblemid hostproblemid lasthostproblemid";
/// What they are called where the fields were chosen for another program.
pub(super) const OTHER_ID: [&str; 3] = ["problemid", "eventid", "id"];
pub(super) const TITLE: &str = "map_title title summary annotationssummary subject headline alertname
    labelsalertname eventname shortmessage rulename checkname monitorname alerttitle payloadsummary name";
pub(super) const MESSAGE: &str = "map_body message body text description annotationsdescription
    annotationsmessage msg content details detail alertmessage output serviceoutput hostoutput
    checkresultoutput longoutput longserviceoutput reason heartbeatmsg";
/// Where an acknowledgement, a downtime or flapping stands, beside a state that does not change with it.
pub(super) const CONSOLE_ACTION: &str = "notificationtype notification eventaction action event eventtype
    type";
pub(super) const MAPPED_STATE: &str = "map_status";
/// What was done comes before how things stand.
pub(super) const STATE: &str = "map_status notificationtype notification eventaction action status state
    currentstate alertstatus alertstate eventstatus servicestate checkresultstate hoststate event eventtype
    type";
/// Yes or no, where no word says how it stands.
pub(super) const ONLINE: &str = "online isonline up isup alive isalive reachable";
pub(super) const SEVERITY: &str = "map_severity severity labelsseverity level sev alertseverity
    payloadseverity priority labelspriority";
/// States that also give a severity (Nagios), where no other was sent.
pub(super) const GRADING_STATE: &str = "servicestate checkresultstate hoststate status state currentstate";
/// Only Nagios and programs like it have these.
pub(super) const CHECK_STATE: &str = "servicestate checkresultstate hoststate";
pub(super) const SOURCE: &str = "source site project projectname";
pub(super) const HOST: &str = "map_host hostname host node server servername device oname instance
    labelsinstance payloadsource";
/// PRTG's name of what its `host` is the address of.
pub(super) const DEVICE: &str = "device devicename";
/// Only PRTG has these.
pub(super) const SENSOR: &str = "sensor sensorid";
pub(super) const SERVICE: &str = "map_service servicename service servicedesc servicedescription sensor
    component payloadcomponent check metric metricname alarm alarmname resource";
pub(super) const STARTS_AT: &str = "map_starts_at startsat startedat starttime since firedat triggeredat";
pub(super) const ENDED_AT: &str = "endsat endedat resolvedat recoveredat closedat endtime";
pub(super) const SENT_AT: &str = "timestamp payloadtimestamp time datetime eventtime occurredat createdat ts
    timet shortdatetime date eventdate";
/// A date and the time of that day.
pub(super) const SENT_ON_AND_AT: [(&str, &str); 2] = [("date", "time"), ("eventdate", "eventtime")];
pub(super) const URL: &str = "map_url url sourceurl link linktoupstreamdetails generatorurl alerturl
    detailsurl dashboardurl panelurl href linksensor eventurl clienturl";
pub(super) const LABELS: &str = "labels tags customdetails payloadcustomdetails";
pub(super) const BY: &str = "notificationauthor acknowledgedby author user username by";
pub(super) const COMMENT: &str = "notificationcomment comment note";
