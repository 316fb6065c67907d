//! The page of Zabbix's frontend that shows what an event is about.

use url::Url;

use super::{
    super::{fields::Fields, link},
    names::{HOST_ID, ITEM_NAME, LLD_RULE_NAME, SERVICE_ID, TRIGGER_ID, URL, ZABBIX_URL},
    source::Source,
};

/// The address that was sent, else a page below `zabbix_url` that 6.0 and 7.x both have.
pub(super) fn address(fields: &Fields<'_>, source: Source, event_id: Option<&str>) -> Option<String> {
    if let Some(url) = URL.iter().find_map(|name| link::parse(fields.text(&[name])?)) {
        return Some(url.into());
    }
    let frontend = link::parse(fields.text(ZABBIX_URL)?)?;
    let text = |names| fields.text(names).map(str::trim);
    let url = match source {
        Source::Trigger => {
            let query = [("triggerid", text(TRIGGER_ID)?), ("eventid", event_id?)];
            below(frontend, "tr_events.php", &query)
        }
        Source::Discovery => below(frontend, "zabbix.php", &[("action", "discovery.view")]),
        Source::Autoregistration => below(frontend, "zabbix.php", &[("action", "host.view")]),
        Source::Internal if fields.text(LLD_RULE_NAME).is_some() => {
            let host = [("context", "host"), ("filter_set", "1"), ("filter_hostids[]", text(HOST_ID)?)];
            below(frontend, "host_discovery.php", &host)
        }
        Source::Internal => {
            let mut query = vec![("action", "latest.view"), ("hostids[]", text(HOST_ID)?)];
            query.extend(text(ITEM_NAME).map(|name| ("name", name)));
            query.push(("filter_set", "1"));
            below(frontend, "zabbix.php", &query)
        }
        Source::Service => {
            let mut query = vec![("action", "service.list")];
            query.extend(text(SERVICE_ID).map(|id| ("serviceid", id)));
            below(frontend, "zabbix.php", &query)
        }
    };
    Some(url.into())
}

fn below(mut frontend: Url, page: &str, query: &[(&str, &str)]) -> Url {
    let folder =
        frontend.path().trim_end_matches("index.php").trim_end_matches("zabbix.php").trim_end_matches('/');
    let path = format!("{folder}/{page}");
    frontend.set_path(&path);
    frontend.set_fragment(None);
    frontend.set_query(None);
    frontend.query_pairs_mut().extend_pairs(query);
    frontend
}
