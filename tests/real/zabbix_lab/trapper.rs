//! Zabbix's own protocol: `ZBXD`, version 1, a little-endian length, JSON. One request per connection.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// The longest a media type's script may run, and some seconds.
const TIMEOUT: Duration = Duration::from_secs(65);
const MAGIC: &[u8; 5] = b"ZBXD\x01";
const HEADER_BYTES: usize = 13;

/// Asks and waits for the answer; panics where Zabbix does not speak to us.
pub(super) fn ask(address: SocketAddr, request: &Value) -> Value {
    let mut stream = TcpStream::connect(address)
        .unwrap_or_else(|e| panic!("the lab's zabbix_server is gone, run tests/zabbix/up: {address}: {e}"));
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.write_all(&frame(&request.to_string())).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(MAGIC), "not Zabbix's protocol: {answer:?}");
    serde_json::from_slice(&answer[HEADER_BYTES..]).unwrap()
}

fn frame(json: &str) -> Vec<u8> {
    let length = u32::try_from(json.len()).unwrap();
    [MAGIC.as_slice(), &length.to_le_bytes(), &[0; 4], json.as_bytes()].concat()
}
