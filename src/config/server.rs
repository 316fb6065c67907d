//! `[server]`, and the address that links point at.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
};

use super::{
    check::{Check, open},
    raw::{Leaf, Part, RawServer},
    units,
};

const BODY_LIMIT: RangeInclusive<u64> = 64 * 1024..=64 * 1024 * 1024;
const BODY_LIMIT_DEFAULT: usize = 8 * 1024 * 1024;
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

#[derive(Clone, Debug)]
pub struct Server {
    /// Default 127.0.0.1:8080.
    pub listen: SocketAddr,
    /// Largest request body, in bytes; default 8 MiB.
    pub body_limit: usize,
}

pub(super) fn server(check: &mut Check<'_>, part: Option<Part<RawServer>>) -> Server {
    let (span, raw) = open(part);
    let mut section = check.section("[server]", span);
    section.not_built("tls", raw.tls.as_ref());
    let listen = section.read("listen", raw.listen.as_ref(), units::listen);
    let body_limit =
        section.read("body_limit", raw.body_limit.as_ref(), |text| units::size(text, &BODY_LIMIT));
    Server { listen: listen.unwrap_or(LISTEN_DEFAULT), body_limit: body_limit.unwrap_or(BODY_LIMIT_DEFAULT) }
}

/// Where links point; without the key, at the address we listen on.
pub(super) fn public_url(check: &mut Check<'_>, field: Option<&Leaf>, listen: SocketAddr) -> String {
    let mut top = check.top();
    let Some(field) = field else {
        let host = if listen.ip().is_unspecified() { "127.0.0.1".to_owned() } else { host(listen) };
        let url = format!("http://{host}:{}", listen.port());
        top.warning(0..0, "public_url", format!("missing: links in notifications point at {url}"));
        return url;
    };
    top.address("public_url", Some(field), "links and passwords").unwrap_or_default()
}

fn host(listen: SocketAddr) -> String {
    match listen {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}
