//! What is wrong with a `[[sms.gateway]]`.

use std::{error::Error, fmt};

use crate::{alert::GatewayName, deliver::wire::ClientError};

/// Names the gateway, never its secrets.
#[derive(Debug)]
pub struct SmsSetupError {
    pub(super) gateway: GatewayName,
    pub(super) problem: SetupProblem,
}

impl fmt::Display for SmsSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sms gateway `{}`: {}", self.gateway, self.problem)
    }
}

impl Error for SmsSetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problem.source()
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum SetupProblem {
    #[error("could not set up its client")]
    Client(#[from] ClientError),
    #[error("could not set up TLS")]
    Tls(#[source] reqwest::Error),
    #[error("`timeout` must be longer than nothing")]
    Timeout,
    #[error("`from` is missing")]
    NoFrom,
    #[error("`{field}` {problem}")]
    Field { field: String, problem: String },
}

impl SetupProblem {
    pub(super) fn field(name: &str, problem: &str) -> Self {
        Self::Field { field: name.to_owned(), problem: problem.to_owned() }
    }
}
