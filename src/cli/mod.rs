//! The command line. Each subcommand is a file; this one has the words of `--help`.

mod accounts;
mod check;
mod demo;
mod send;
mod serve;
pub mod setup;

use std::{
    error::Error,
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use setup::Sheet;

use crate::{
    alert::Severity,
    config::{self, Config, ConfigError, Environment},
};

/// Bongsu takes alerts from monitors, pushes them to your phones through your own Firebase
/// project, and texts when a push fails.
#[derive(Debug, Parser)]
#[command(name = "bongsu", version, max_term_width = 100, arg_required_else_help = true, after_help = FIRST_STEPS)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const CONFIG_FILE: &str = "bongsu.toml";

/// Lines of the log that wait to be taken; the next is lost.
const LOG_LINES_WAITING_MAX: usize = 8_192;

const FIRST_STEPS: &str = "\
First steps:
  bongsu demo                             see it work; needs no account and no file
  bongsu check                            once bongsu.toml is written (docs/configuration.md)
  bongsu serve                            run it
  bongsu setup zabbix > bongsu.yaml       let Zabbix post to it; others: bongsu setup --help";

const ABOUT_LOGS: &str = "\
Logs go to standard error. RUST_LOG=debug says more, BONGSU_LOG=json writes a JSON object a line.";

const ABOUT_SETUP: &str = "\
What goes into the monitor is printed to standard output, the steps to follow to standard error:
  bongsu setup grafana > bongsu.yaml
It holds the key: keep it from other users.";

/// In the order in which a newcomer meets them.
#[derive(Debug, Subcommand)]
enum Command {
    /// Try it: pretend phones and a line to paste; no account, no configuration
    Demo {
        /// Where Bongsu listens; the page with the phones is on the next port
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080", value_parser = socket_address)]
        listen: SocketAddr,
    },
    /// Say what is wrong with a configuration, and where; changes nothing
    Check {
        #[command(flatten)]
        config: ConfigArguments,
        /// Also ask Google (an access token, and a push rehearsed: nothing rings) and the SMS companies
        /// (account, registered sender, balance: nothing is sent)
        #[arg(long)]
        online: bool,
    },
    /// Run it: take alerts and tell people, until SIGTERM or Ctrl-C
    #[command(after_help = ABOUT_LOGS)]
    Serve(ConfigArguments),
    /// Tell people something by hand, through the running server
    Send(SendArguments),
    /// Print what a monitor needs to post to this server, with address and key filled in
    #[command(subcommand, after_help = ABOUT_SETUP)]
    Setup(SetupCommand),
}

#[derive(Debug, Args)]
struct ConfigArguments {
    /// The configuration file
    #[arg(
        long,
        value_name = "FILE",
        default_value = CONFIG_FILE,
        env = "BONGSU_CONFIG",
        hide_env_values = true
    )]
    config: PathBuf,
}

#[derive(Debug, Args)]
struct SendArguments {
    /// What the alert says, in one line
    title: String,
    /// One of `not_classified`, `information`, `warning`, `average`, `high`, `disaster`;
    /// `disaster` is texted as well as pushed
    #[arg(long, default_value = "high")]
    severity: Severity,
    /// Details, below the title
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    body: String,
    /// Tell only this contact; may be given several times
    #[arg(long, value_name = "CONTACT")]
    to: Vec<String>,
    /// On the server's machine: address and token are taken from its configuration
    #[arg(long, value_name = "FILE", env = "BONGSU_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    /// From elsewhere: the server's address, such as `https://alerts.example.org`
    #[arg(long, value_name = "URL", env = "BONGSU_URL", hide_env_values = true)]
    url: Option<String>,
    /// An operator's token, with --url; other users of this machine see it unless it is given by the environment
    #[arg(long, value_name = "TOKEN", env = "BONGSU_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

#[derive(Debug, Subcommand)]
enum SetupCommand {
    /// Zabbix 6.0 to 7.4: a media type to import
    Zabbix(SetupArguments),
    /// Grafana 9.2 and later: a contact point to provision
    Grafana(SetupArguments),
    /// Alertmanager 0.22 and later: a receiver and its routes
    Alertmanager {
        #[command(flatten)]
        common: SetupArguments,
        /// For Prometheus, vmalert or Loki without an Alertmanager between
        #[arg(long)]
        direct: bool,
    },
    /// Munin 2.0 and later: contact lines; with --key the file with the key
    Munin {
        #[command(flatten)]
        common: SetupArguments,
        /// Print the file with the key, which the contact lines name
        #[arg(long)]
        key: bool,
        /// Where that file is going to be on Munin's machine
        #[arg(long, value_name = "PATH", default_value = setup::MUNIN_KEY_FILE)]
        key_file: String,
    },
    /// WhaTap (와탭): the fields of a Webhook JSON plug-in, with steps in Korean
    Whatap {
        #[command(flatten)]
        common: SetupArguments,
        /// For the plain Webhook plug-in, which knows no headers: the key is in the address
        #[arg(long)]
        plain: bool,
    },
    /// Uptime Kuma: the fields of a notification
    UptimeKuma(SetupArguments),
    /// Anything with curl: a configuration file of curl, and lines to paste
    Generic(SetupArguments),
}

#[derive(Debug, Args)]
struct SetupArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Which integration, where the configuration has several of this kind
    #[arg(long, value_name = "NAME")]
    integration: Option<String>,
    /// The address under which the monitor reaches this server, where it is not `public_url`
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// Runs a subcommand; errors go to standard error, one cause a line.
pub fn run(arguments: Arguments, environment: Environment<'_>) -> ExitCode {
    let result = match arguments.command {
        Command::Serve(arguments) => {
            start_logging(environment, "info").and_then(|_log| serve::run(load(&arguments, environment)?))
        }
        Command::Demo { listen } => start_logging(environment, "warn").and_then(|_log| demo::run(listen)),
        Command::Check { config, online } => check::run(&config.config, online, environment),
        Command::Send(arguments) => send::run(&arguments, environment),
        Command::Setup(command) => set_up(command, environment),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn Error + Send + Sync>;

fn load(arguments: &ConfigArguments, environment: Environment<'_>) -> Result<Config, Failure> {
    let config = read(&arguments.config, environment)?;
    for warning in &config.warnings {
        say_on_stderr(&format!("warning: {warning}"));
    }
    Ok(config)
}

/// Reads the configuration; where there is none, the error says what to do.
fn read(path: &Path, environment: Environment<'_>) -> Result<Config, Failure> {
    config::load(path, environment).map_err(|error| {
        let absent = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        if absent.is_some_and(|source| source.kind() == io::ErrorKind::NotFound) {
            let shown = path.display();
            return format!("there is no {shown}: name the file with --config FILE or BONGSU_CONFIG; `bongsu demo` needs none").into();
        }
        error.into()
    })
}

fn report(error: &(dyn Error + 'static)) {
    let mut said = error.to_string();
    // These may be many errors, one a line.
    let next = if error.is::<ConfigError>() || error.is::<check::Faults>() { "\nerror: " } else { "\n" };
    say_on_stderr(&format!("error: {}", said.replace('\n', next)));
    let mut source = error.source();
    while let Some(cause) = source {
        let because = cause.to_string();
        // Some errors quote their cause already.
        if !said.ends_with(&because) {
            say_on_stderr(&format!("  because: {because}"));
        }
        (said, source) = (because, cause.source());
    }
}

fn socket_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:9090")
}

/// An address of this machine under which a server that listens on `listen` answers: `0.0.0.0` is none.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn say(line: &str) {
    // A closed pipe (`bongsu … | head`) is no error of ours.
    let _ = writeln!(io::stdout(), "{line}");
}

fn say_on_stderr(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Logs go to standard error: `RUST_LOG` chooses what (default `level`), `BONGSU_LOG=json` how. By a thread of its own:
/// whoever takes the lines may stand on a disk that hangs. What is returned waits for the last ones when it is dropped.
fn start_logging(environment: Environment<'_>, level: &str) -> Result<WorkerGuard, Failure> {
    let directives = environment("RUST_LOG").unwrap_or_else(|| level.to_owned());
    let filter = EnvFilter::try_new(&directives).map_err(|error| format!("RUST_LOG: {error}"))?;
    let lines = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LOG_LINES_WAITING_MAX);
    let (writer, guard) = lines.finish(io::stderr());
    let registry = tracing_subscriber::registry().with(filter);
    if environment("BONGSU_LOG").as_deref() == Some("json") {
        registry.with(fmt::layer().json().with_writer(writer)).try_init()?;
    } else {
        registry.with(fmt::layer().with_target(false).with_writer(writer)).try_init()?;
    }
    Ok(guard)
}

/// Runs to the end of `main`; what hangs on a disk then is left behind.
fn block_on(main: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(main);
    runtime.shutdown_background();
    ended
}

fn set_up(command: SetupCommand, environment: Environment<'_>) -> Result<(), Failure> {
    let mut munin_key_file = setup::MUNIN_KEY_FILE.to_owned();
    let (sheet, arguments) = match command {
        SetupCommand::Zabbix(common) => (Sheet::Zabbix, common),
        SetupCommand::Grafana(common) => (Sheet::Grafana, common),
        SetupCommand::Alertmanager { common, direct: false } => (Sheet::Alertmanager, common),
        SetupCommand::Alertmanager { common, direct: true } => (Sheet::Prometheus, common),
        SetupCommand::Munin { common, key, key_file } => {
            munin_key_file = key_file;
            (if key { Sheet::MuninKey } else { Sheet::Munin }, common)
        }
        SetupCommand::Whatap { common, plain: false } => (Sheet::Whatap, common),
        SetupCommand::Whatap { common, plain: true } => (Sheet::WhatapPlain, common),
        SetupCommand::UptimeKuma(common) => (Sheet::UptimeKuma, common),
        SetupCommand::Generic(common) => (Sheet::Generic, common),
    };
    let config = load(&arguments.config, environment)?;
    let integration = setup::choose(&config, sheet, arguments.integration.as_deref())?;
    let base_url = arguments.url.as_ref().unwrap_or(&config.public_url);
    let inputs = setup::Inputs {
        options: repeated(&arguments),
        pushes: config.fcm.is_some(),
        signature: integration.hmac.clone(),
        munin_key_file,
        ..setup::Inputs::new(&integration.name, base_url, Some(integration.key.clone()))
    };
    Ok(setup::write(sheet, &mut io::stdout(), &mut io::stderr(), &inputs)?)
}

/// The options that commands in the steps need, too.
fn repeated(arguments: &SetupArguments) -> String {
    let SetupArguments { config, integration, url } = arguments;
    let config = config.config.to_str().filter(|path| *path != CONFIG_FILE);
    let options = [("config", config), ("integration", integration.as_deref()), ("url", url.as_deref())];
    options.into_iter().filter_map(|(name, value)| Some(setup::option(name, value?))).collect()
}
