//! Parameters of media types that have several names: lists of words, in found-by form (see
//! [`Fields`](super::super::fields::Fields)). Among several, the first that has a value counts.

use std::{collections::HashSet, sync::LazyLock};

/// How the problem stands, in the words `PROBLEM` and `RESOLVED` or `OK`.
pub(super) const STATE: &str = "eventstatus triggerstatus status state triggervalue";
pub(super) const UPDATE_ACTION: &str = "eventupdateaction";
pub(super) const UPDATE_MESSAGE: &str = "eventupdatemessage";
pub(super) const BY: &str = "userfullname userusername useralias";
pub(super) const HOST: &str = "hostname host hosthost";
pub(super) const TITLE: &str = "eventname name alertsubject subject triggername";
pub(super) const MESSAGE: &str = "alertmessage message";
/// The message of the action, else the operational data.
pub(super) const BODY: &str = "alertmessage message lldrulestateerror eventopdata";
pub(super) const SEVERITY: &str = "eventnseverity nseverity severity eventseverity";
pub(super) const TRIGGER_SEVERITY: &str = "triggernseverity triggerseverity";
/// A business service's new severity, in an update.
pub(super) const UPDATE_SEVERITY: &str = "eventupdatenseverity eventupdateseverity";
/// Seconds since 1970; date and time.
pub(super) const EVENT_TIME: [&str; 3] = ["eventtimestamp", "eventdate", "eventtime"];
pub(super) const UPDATE_TIME: [&str; 3] = ["eventupdatetimestamp", "eventupdatedate", "eventupdatetime"];
pub(super) const TAGS: &str = "eventtagsjson eventtags tags";
pub(super) const URL: &str = "eventurl link";

/// Single tags as parameters, `{EVENT.TAGS.team}` as `event_tags_team`.
pub(super) const TAG_PREFIX: &str = "event_tags_";

/// Of no use as labels: of the message rather than of the problem, or different in every message. `url` is the
/// webhook's own parameter: the address of Bongsu, maybe with a key.
const NO_LABELS: &str =
    "v url link zabbixurl id hostid status date time timestamp recoverytimestamp eschistory
    eventid eventvalue eventstatus eventdate eventtime eventtimestamp eventage eventduration eventurl
    eventackstatus eventackhistory
    eventupdatestatus eventupdatehistory eventupdateactionjson eventupdateseverity eventupdatenseverity
    eventupdatedate eventupdatetime eventupdatetimestamp
    eventrecoveryid eventrecoveryname eventrecoveryvalue eventrecoverystatus eventrecoverytags
    eventrecoverytagsjson eventrecoverydate eventrecoverytime eventrecoverytimestamp
    discoverydevicestatus discoverydeviceuptime discoveryservicestatus discoveryserviceuptime
    itemstate itemstateerror lldrulestate lldrulestateerror
    triggerstate triggerstateerror triggerstatus triggervalue";

/// Those, and what is read elsewhere.
pub(super) static NOT_LABELS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    [NO_LABELS, UPDATE_ACTION, UPDATE_MESSAGE, BY, TITLE, MESSAGE, SEVERITY, TRIGGER_SEVERITY, TAGS]
        .into_iter()
        .flat_map(str::split_ascii_whitespace)
        .collect()
});
