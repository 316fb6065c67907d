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
