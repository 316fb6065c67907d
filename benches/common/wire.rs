//! HTTP/1.1 over one connection that is kept, with as little work as possible: the load generator
//! shares the processors with the program under test.

use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{fake::MARK, server::KEY};

/// Numbers every event of this process.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Where events go, and how they look.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// Who takes them.
    pub(crate) address: SocketAddr,
    /// A request, given a number of its own and the time it is meant to leave at, in microseconds.
    pub(crate) request: fn(u64, u64) -> Vec<u8>,
    /// What the answer begins with when the event was accepted.
    pub(crate) accepted: &'static str,
}

impl Target {
    /// A Bongsu.
    pub(crate) fn bongsu(address: SocketAddr) -> Self {
        Self { address, request: zabbix_problem, accepted: "HTTP/1.1 202" }
    }
}

/// A kept connection.
pub(crate) struct Connection {
    target: Target,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(target: Target) -> Self {
        let stream = TcpStream::connect(target.address).await.expect("it listens");
        stream.set_nodelay(true).expect("a TCP stream");
        Self { target, stream, buffer: Vec::with_capacity(4096) }
    }

    /// Sends one event and waits until it is accepted.
    pub(crate) async fn post(&mut self, t0_micros: u64) {
        let request = (self.target.request)(NEXT.fetch_add(1, Relaxed), t0_micros);
        self.stream.write_all(&request).await.expect("it listens");
        let answer = self.answer().await.expect("an answer");
        assert!(answer.starts_with(self.target.accepted), "not accepted: {answer}");
    }

    async fn answer(&mut self) -> io::Result<String> {
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if message_length(&self.buffer).is_some_and(|length| length <= self.buffer.len()) {
                return Ok(String::from_utf8_lossy(&self.buffer).into_owned());
            }
        }
    }
}

/// Length of the message that begins here, head and body, once its head is complete.
pub(crate) fn message_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = str::from_utf8(bytes.get(..end)?).ok()?;
    let is_length = |name: &str| name.eq_ignore_ascii_case("content-length");
    let length = head.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| is_length(name));
    Some(end + length.map_or(0, |(_, length)| length.trim().parse().expect("a length")))
}

/// A POST of a JSON body.
pub(crate) fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A problem as our Zabbix media type posts it.
fn zabbix_problem(number: u64, t0_micros: u64) -> Vec<u8> {
    let body = format!(
        r#"{{"event_id":"{number}","event_source":"0","event_value":"1","event_update_status":"0","event_nseverity":"4","event_name":"{MARK}{t0_micros} Free space is low on /var/lib/postgresql","host_name":"db-{host:02}.example.org","host_ip":"10.20.30.40","event_tags_json":"[{{\"tag\":\"component\",\"value\":\"storage\"}},{{\"tag\":\"team\",\"value\":\"web\"}}]","event_date":"2026.11.03","event_time":"04:05:06","event_opdata":"Space used: 91.2 of 99.9 GB","trigger_id":"18807","zabbix_url":"https://zabbix.example.org","alert_message":"Space used is more than 90 % for five minutes."}}"#,
        host = number % 40,
    );
    post("/v1/events/zabbix", &format!("Authorization: Bearer {KEY}\r\n"), &body)
}
