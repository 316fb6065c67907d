//! The bare reqwest loop: what this HTTP client can send on this machine when nothing else is asked
//! of it. No queue, no plan, no text: one body, posted again and again over HTTP/2.

use std::{fs, path::Path, time::Duration};

use reqwest::{Certificate, Client};
use tokio::task::JoinSet;

use crate::{
    clock::{now, unix_micros},
    fake::{Fake, MARK},
};

/// Connections, and requests at a time on each.
const CONNECTIONS: usize = 4;
const STREAMS: usize = 64;

/// Size of a message; ours for an alert of the load.
const BODY_BYTES: usize = 1_900;

/// Messages per second that the fake takes in so long.
pub(crate) fn run(fake: &mut Fake, folder: &Path, length: Duration) -> f64 {
    let pem = fs::read(folder.join("ca.pem")).expect("the fake has written it");
    let url = format!("https://{}/v1/projects/bongsu-sandbox/messages:send", fake.address);
    let body = format!("{MARK}{}{:>BODY_BYTES$}", unix_micros(), "}");
    fake.begin();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let began = now();
    runtime.block_on(async {
        let mut sending = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let client = client(&pem);
            for _ in 0..STREAMS {
                let (client, url, body) = (client.clone(), url.clone(), body.clone());
                sending.spawn(async move {
                    while began.elapsed() < length {
                        let request = client.post(&url).bearer_auth("x").body(body.clone());
                        let answer = request.send().await.expect("the fake answers");
                        assert_eq!(answer.status(), 200);
                        answer.bytes().await.expect("the fake answers");
                    }
                });
            }
        }
        sending.join_all().await;
    });
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    let pushes = fake.report().pushes as f64;
    pushes / began.elapsed().as_secs_f64()
}

#[expect(clippy::disallowed_methods, reason = "the bare client is the thing to measure")]
fn client(pem: &[u8]) -> Client {
    let authority = Certificate::from_pem(pem).expect("a certificate");
    let builder = Client::builder().tls_certs_only([authority]).no_proxy().http2_prior_knowledge();
    builder.tcp_nodelay(true).build().expect("a client")
}
