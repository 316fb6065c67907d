//! Why a request got no answer: it was surely not processed, or perhaps it was.

use std::{error::Error, fmt::Write};

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// Without the URL, which may hold a password.
    error: reqwest::Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// There is no such request: the configuration is at fault.
    NotBuilt,
    NoConnection,
    /// The server itself said that it did not process the request (RFC 9113 §8.7).
    StreamRefused,
    TimedOut,
    ConnectionBroke,
}

impl Failure {
    pub(crate) fn surely_not_sent(&self) -> bool {
        match self.kind {
            FailureKind::NotBuilt | FailureKind::NoConnection | FailureKind::StreamRefused => true,
            FailureKind::TimedOut | FailureKind::ConnectionBroke => false,
        }
    }

    pub(crate) fn chain(&self) -> String {
        let mut text = self.error.to_string();
        for cause in causes(&self.error) {
            write!(text, ": {cause}").expect("writing to a string never fails");
        }
        text
    }

    pub(crate) fn root_cause(&self) -> String {
        causes(&self.error).last().map_or_else(|| "no reason given".to_owned(), ToString::to_string)
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        let kind = if error.is_connect() {
            FailureKind::NoConnection
        } else if error.is_builder() {
            FailureKind::NotBuilt
        } else if causes(&error).any(is_refused_stream) {
            FailureKind::StreamRefused
        } else if error.is_timeout() {
            FailureKind::TimedOut
        } else {
            FailureKind::ConnectionBroke
        };
        Self { kind, error: error.without_url() }
    }
}

fn causes<'e>(error: &'e reqwest::Error) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

fn is_refused_stream(cause: &(dyn Error + 'static)) -> bool {
    cause.downcast_ref::<h2::Error>().is_some_and(|error| {
        error.is_remote()
            && (error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM)
                || error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR))
    })
}

#[cfg(test)]
mod tests {
    use super::Failure;
    use crate::{config::Network, deliver::wire::client_builder};

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
            let failure = Failure::from(error);
            assert_eq!(failure.surely_not_sent(), refuses, "{failure:?}");
        }
    }
}
