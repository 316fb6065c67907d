//! Addresses that a person will open on a phone.

use url::Url;

const LINK_BYTES_MAX: usize = 2048;

/// An absolute http or https address, without credentials; anything else (`javascript:`, a path) is no link.
pub(super) fn parse(text: &str) -> Option<Url> {
    if LINK_BYTES_MAX < text.len() {
        return None;
    }
    let mut url = Url::parse(text.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url)
}

/// The first of these that is a link.
pub(super) fn first<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Option<String> {
    texts.into_iter().find_map(|text| parse(text.as_ref())).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_http_addresses_are_links() {
        assert_eq!(
            parse(" https://z.example/a?b=1 ").map(String::from),
            Some("https://z.example/a?b=1".into())
        );
        assert_eq!(parse("http://user:pw@z.example/").map(String::from), Some("http://z.example/".into()));
        for bad in
            ["javascript:alert(1)", "/zabbix", "?orgId=1", "ftp://x/", "data:text/html,x", "http://", ""]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
