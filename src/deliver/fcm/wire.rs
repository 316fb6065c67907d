//! What the HTTP client's errors and answers tell.

use std::{error::Error, fmt::Write};

use reqwest::Response;

/// Most that is read of an answer.
pub(super) const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The beginning of an answer's body.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// False if the connection broke or the time ran out before the end.
    pub(super) is_whole: bool,
}

/// Reads at most [`ANSWER_BYTES_MAX`] bytes; what is longer is cut and counts as whole, as nothing
/// that we understand is so long.
pub(super) async fn read_bounded(mut response: Response) -> Body {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = ANSWER_BYTES_MAX - bytes.len();
                bytes.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                if ANSWER_BYTES_MAX <= bytes.len() {
                    return Body { bytes, is_whole: true };
                }
            }
            Ok(None) => return Body { bytes, is_whole: true },
            Err(_) => return Body { bytes, is_whole: false },
        }
    }
}

/// True if the server surely did not process the request: there was no connection, or the server
/// said so itself when it refused the stream (RFC 9113 §8.7).
pub(super) fn was_not_sent(error: &reqwest::Error) -> bool {
    error.is_connect() || error.is_builder() || was_refused(error)
}

fn was_refused(error: &(dyn Error + 'static)) -> bool {
    let refused = |error: &h2::Error| {
        error.is_remote()
            && (error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM)
                || error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR))
    };
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.downcast_ref::<h2::Error>().is_some_and(refused) {
            return true;
        }
        next = cause.source();
    }
    false
}

/// The error and its causes in one line, without the URL.
pub(super) fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").expect("writing to a string never fails");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::{config::Network, deliver::http::client_builder};

    /// A server that refuses every HTTP/2 stream, or takes it and hangs up.
    async fn serve(refuses: bool) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let serve = async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
                while let Some(Ok((_, mut answer))) = connection.accept().await {
                    if !refuses {
                        break;
                    }
                    answer.send_reset(h2::Reason::REFUSED_STREAM);
                }
            }
        };
        #[expect(clippy::disallowed_methods, reason = "the server dies with the test's runtime")]
        tokio::spawn(serve);
        url
    }

    #[tokio::test]
    async fn a_refused_stream_was_surely_not_processed_and_a_lost_connection_perhaps() {
        let client = client_builder(&Network::default()).expect("a builder").http2_prior_knowledge();
        let client = client.build().expect("a client");
        for refuses in [true, false] {
            let error = client.post(serve(refuses).await).body("x").send().await.expect_err("no answer");
            assert_eq!(super::was_not_sent(&error), refuses, "{error:?}");
        }
    }
}
