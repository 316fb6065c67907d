//! `[server]`, and the address that links point at.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
};

use super::{
    check::{Check, open},
    raw::{Field, Part, RawServer},
    units,
};

const BODY_LIMIT: RangeInclusive<u64> = 64 * 1024..=64 * 1024 * 1024;
const BODY_LIMIT_DEFAULT: usize = 8 * 1024 * 1024;
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

#[derive(Clone, Debug)]
pub struct Server {
    pub listen: SocketAddr,
    /// Largest request body, in bytes.
    pub body_limit: usize,
}

pub(super) fn server(check: &mut Check<'_>, part: Option<Part<RawServer>>) -> Server {
    let (at, raw) = open(part);
    let mut section = check.section("[server]", at);
    section.not_built(raw.tls());
    let listen = section.read(raw.listen(), units::listen);
    let body_limit = section.read(raw.body_limit(), |text| units::size(text, &BODY_LIMIT));
    Server { listen: listen.unwrap_or(LISTEN_DEFAULT), body_limit: body_limit.unwrap_or(BODY_LIMIT_DEFAULT) }
}

/// Where links point; without the key, at the address we listen on.
pub(super) fn public_url(check: &mut Check<'_>, field: Field<'_>, listen: SocketAddr) -> String {
    let mut top = check.top();
    if field.value.is_some() {
        return top.address(field, "links and passwords").unwrap_or_default();
    }
    let ip = if listen.ip().is_unspecified() { LISTEN_DEFAULT.ip() } else { listen.ip() };
    let url = format!("http://{}", SocketAddr::new(ip, listen.port()));
    top.warning(field, format!("missing: links in notifications point at {url}"));
    url
}
