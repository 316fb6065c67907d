//! `bongsu send`: a manual alert through the running server.

use std::{error::Error, iter};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Failure, SendArguments};
use crate::{
    config::{Environment, Network, Role},
    deliver::wire::client_builder,
};

/// The server answers within milliseconds; a wrong address should not take minutes to show.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

pub(super) fn run(arguments: &SendArguments, environment: Environment<'_>) -> Result<(), Failure> {
    let (url, token) = server(arguments, environment)?;
    let mut body =
        json!({ "title": arguments.title, "severity": arguments.severity, "body": arguments.body });
    if let (false, Some(body)) = (arguments.to.is_empty(), body.as_object_mut()) {
        body.insert("to".into(), json!(arguments.to));
    }
    super::block_on(async {
        let client = client_builder(&Network::default())?.timeout(TIMEOUT).build()?;
        let request = client.post(format!("{url}/v1/alerts")).bearer_auth(token).body(body.to_string());
        let answer =
            request.send().await.map_err(|error| format!("could not reach {url}: {}", root(&error)))?;
        let status = answer.status();
        let text = answer.text().await?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        if !status.is_success() {
            let detail = answer.get("detail").and_then(Value::as_str).unwrap_or(&text);
            return Err(format!("{url} answered {status}: {detail}").into());
        }
        let result = answer.pointer("/results/0").cloned().unwrap_or_default();
        let field = |name: &str| result.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
        super::say(&format!("{}: {}", field("admission"), field("url")));
        Ok(())
    })
}

fn server(arguments: &SendArguments, environment: Environment<'_>) -> Result<(String, String), Failure> {
    if let Some(url) = &arguments.url {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let wrong = "--url (or BONGSU_URL): expected http:// or https:// and a host";
            return Err(format!("{wrong}, found {url}").into());
        }
        let token = arguments.token.clone();
        let token = token.ok_or("--url also needs an operator's token: set BONGSU_TOKEN")?;
        return Ok((url.trim_end_matches('/').to_owned(), token));
    }
    let path = arguments.config.as_ref().ok_or(
        "which server? On its machine give --config FILE, elsewhere set BONGSU_URL and BONGSU_TOKEN",
    )?;
    let config = super::read(path, environment)?;
    let operator = config.operators.iter().find(|operator| operator.role == Role::Operator);
    let operator = operator
        .ok_or_else(|| format!("{}: there is no [[operator]] with the role `operator`", path.display()))?;
    // The command runs on the same machine.
    let url = format!("http://{}", super::reachable(config.server.listen));
    Ok((url, operator.token.expose_secret().to_owned()))
}

fn root(error: &reqwest::Error) -> String {
    let causes = iter::successors(Some(error as &dyn Error), |&cause| cause.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}
