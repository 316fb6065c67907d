//! The page of Zabbix's frontend that shows what an event is about.

use url::Url;

use super::{names::URL, source::Source};
use crate::receive::{fields::Fields, link};

/// The address that was sent, else a page below `zabbix_url` that 6.0 and 7.x both have.
pub(super) fn address(fields: &Fields<'_>, source: Source, event_id: Option<&str>) -> Option<String> {
    link::first(fields.texts(URL)).or_else(|| page(fields, source, event_id).map(String::from))
}

fn page(fields: &Fields<'_>, source: Source, event_id: Option<&str>) -> Option<Url> {
    let frontend = link::parse(fields.text("zabbixurl")?)?;
    let word = |name| fields.word(name);
    Some(match source {
        Source::Trigger => {
            below(frontend, "tr_events.php", &[("triggerid", word("triggerid")?), ("eventid", event_id?)])
        }
        Source::Discovery => below(frontend, "zabbix.php", &[("action", "discovery.view")]),
        Source::Autoregistration => below(frontend, "zabbix.php", &[("action", "host.view")]),
        Source::Internal if word("lldrulename").is_some() => {
            let host = [("context", "host"), ("filter_set", "1"), ("filter_hostids[]", word("hostid")?)];
            below(frontend, "host_discovery.php", &host)
        }
        Source::Internal => {
            let mut query = vec![("action", "latest.view"), ("hostids[]", word("hostid")?)];
            query.extend(word("itemname").map(|name| ("name", name)));
            query.push(("filter_set", "1"));
            below(frontend, "zabbix.php", &query)
        }
        Source::Service => {
            let mut query = vec![("action", "service.list")];
            query.extend(word("serviceid").map(|id| ("serviceid", id)));
            below(frontend, "zabbix.php", &query)
        }
    })
}

fn below(mut frontend: Url, page: &str, query: &[(&str, &str)]) -> Url {
    let folder =
        frontend.path().trim_end_matches("index.php").trim_end_matches("zabbix.php").trim_end_matches('/');
    frontend.set_path(&format!("{folder}/{page}"));
    frontend.set_fragment(None);
    frontend.set_query(None);
    frontend.query_pairs_mut().extend_pairs(query);
    frontend
}
