//! The command line. Each subcommand is a file; this one has the words of `--help`.

mod check;
mod demo;
mod send;
mod serve;
pub mod setup;

use std::{
    error::Error,
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{
    alert::Severity,
    config::{self, Config, Environment, IntegrationKind},
};

/// Bongsu takes alerts from monitors, pushes them to your phones through your own Firebase
/// project, and texts when a push fails.
#[derive(Debug, Parser)]
#[command(name = "bongsu", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the dispatcher
    Serve(ConfigArguments),
    /// Try it without any account: embedded store, pretend phones, a curl line to paste
    Demo(DemoArguments),
    /// Say what is wrong with a configuration, and where
    Check(CheckArguments),
    /// Send a manual alert through the running server
    Send(SendArguments),
    /// Print what a sender needs, with URL and key filled in
    #[command(subcommand)]
    Setup(SetupCommand),
}

#[derive(Debug, Args)]
struct ConfigArguments {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "bongsu.toml", env = "BONGSU_CONFIG")]
    config: PathBuf,
}

#[derive(Debug, Args)]
struct DemoArguments {
    /// Where Bongsu listens; the page with the phones is on the next port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

#[derive(Debug, Args)]
struct CheckArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Also ask Google: fetch an access token and rehearse a push (nothing rings)
    #[arg(long)]
    online: bool,
}

#[derive(Debug, Args)]
struct SendArguments {
    /// What the alert says, in one line
    title: String,
    /// `not_classified`, `information`, `warning`, `average`, `high` or `disaster`
    #[arg(long, default_value = "high")]
    severity: Severity,
    /// Details
    #[arg(long, default_value = "")]
    body: String,
    /// Only this contact; may be given several times
    #[arg(long, value_name = "CONTACT")]
    to: Vec<String>,
    /// Finds the server's address and an operator's token
    #[arg(long, value_name = "FILE", env = "BONGSU_CONFIG")]
    config: Option<PathBuf>,
    /// The server, instead of a configuration file
    #[arg(long, value_name = "URL", env = "BONGSU_URL")]
    url: Option<String>,
    /// An operator's token, with --url; better given by the environment
    #[arg(long, value_name = "TOKEN", env = "BONGSU_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

#[derive(Debug, Subcommand)]
enum SetupCommand {
    /// A media type to import into Zabbix 6.0 to 7.4
    Zabbix(SetupArguments),
}

#[derive(Debug, Args)]
struct SetupArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Which integration, where the configuration has several of this kind
    #[arg(long, value_name = "NAME")]
    integration: Option<String>,
}

/// Runs a subcommand; errors go to standard error, one cause a line.
pub fn run(arguments: Arguments, environment: Environment<'_>) -> ExitCode {
    let result = match arguments.command {
        Command::Serve(arguments) => {
            start_logging(environment, "info").and_then(|()| serve::run(&load(&arguments, environment)?))
        }
        Command::Demo(arguments) => {
            start_logging(environment, "warn").and_then(|()| demo::run(arguments.listen))
        }
        Command::Check(arguments) => check::run(&arguments.config.config, arguments.online, environment),
        Command::Send(arguments) => send::run(&arguments, environment),
        Command::Setup(SetupCommand::Zabbix(arguments)) => load(&arguments.config, environment)
            .and_then(|config| setup_zabbix(&config, arguments.integration.as_deref())),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

/// What a subcommand ends with: the caller only prints it.
type Failure = Box<dyn Error + Send + Sync>;

fn load(arguments: &ConfigArguments, environment: Environment<'_>) -> Result<Config, Failure> {
    let config = config::load(&arguments.config, environment)?;
    for warning in &config.warnings {
        say_on_stderr(&format!("warning: {warning}"));
    }
    Ok(config)
}

fn report(error: &dyn Error) {
    say_on_stderr(&format!("error: {error}"));
    let mut source = error.source();
    while let Some(cause) = source {
        say_on_stderr(&format!("  because: {cause}"));
        source = cause.source();
    }
}

fn say(line: &str) {
    // A closed pipe (`bongsu … | head`) is no error of ours.
    let _ = writeln!(io::stdout(), "{line}");
}

fn say_on_stderr(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Logs go to standard error: `RUST_LOG` chooses what (default `level`), `BONGSU_LOG=json` how.
fn start_logging(environment: Environment<'_>, level: &str) -> Result<(), Failure> {
    let directives = environment("RUST_LOG").unwrap_or_else(|| level.to_owned());
    let filter = EnvFilter::try_new(&directives).map_err(|error| format!("RUST_LOG: {error}"))?;
    let registry = tracing_subscriber::registry().with(filter);
    if environment("BONGSU_LOG").as_deref() == Some("json") {
        registry.with(fmt::layer().json().with_writer(io::stderr)).try_init()?;
    } else {
        registry.with(fmt::layer().with_target(false).with_writer(io::stderr)).try_init()?;
    }
    Ok(())
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Which of the configuration's Zabbix integrations is meant; the only one, unless `name` says.
fn setup_zabbix(config: &Config, name: Option<&str>) -> Result<(), Failure> {
    let of_kind: Vec<_> =
        config.integrations.iter().filter(|one| one.kind == IntegrationKind::Zabbix).collect();
    let names = || of_kind.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    let integration = match (name, of_kind.as_slice()) {
        (_, []) => return Err("the configuration has no [[integration]] with kind = \"zabbix\"".into()),
        (None, [only]) => only,
        (None, _) => return Err(format!("which one? give --integration NAME: {}", names()).into()),
        (Some(name), all) => all
            .iter()
            .find(|one| one.name == name)
            .ok_or_else(|| format!("there is no Zabbix integration `{name}`, but: {}", names()))?,
    };
    let inputs = setup::ZabbixSetup {
        integration_name: integration.name.clone(),
        public_url: config.public_url.clone(),
        key: Some(integration.key.clone()),
    };
    Ok(setup::zabbix(&mut io::stdout(), &mut io::stderr(), &inputs)?)
}
