//! Puts the program together: opens the store, starts dispatch and the server, and stops them in order.

use std::{future::IntoFuture as _, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{
    Router,
    http::{StatusCode, header},
    middleware::map_response,
    response::Response,
    serve::{ListenerExt as _, Serve},
};
use jiff::SignedDuration;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinError, JoinHandle},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};

mod janitor;
mod lived;
#[cfg(test)]
mod tests;

use self::{
    janitor::{CHARGES_KEEP, Janitor},
    lived::Lived,
};
use crate::{
    alert::Part,
    api, chance,
    clock::Clock,
    config::{Config, Gateway, StoreEngine},
    console,
    deliver::{
        Channels, Composer, PushTransport, Renderer, TemplateError,
        fcm::{FcmSetupError, FcmTransport},
        sms::{self, SmsSetupError},
    },
    dispatch::{Aside, Dispatcher, OutboxParts, Parts, Pulse},
    intake,
    plan::{BUILT_IN_REPEATS, Backoff, GatewayRule, Rules},
    roster::Roster,
    signing::SigningKey,
    store::{MemoryStore, OpenError, SledStore, Store, StoreError, Wanted},
    watch::{Balances, BypassParts, Lookout, Supervisor, watch_drift},
    web::{self, Context, Problem, Shared},
};

const CONNECTIONS_GRACE: Duration = Duration::from_secs(5);

/// A text's answer is waited for a little longer than the gateway's own timeout.
const SMS_SETTLE_MARGIN: SignedDuration = SignedDuration::from_secs(2);

/// Whoever comes while we start waits for so long, and is refused then.
const STARTS_WITHIN: SignedDuration = SignedDuration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("could not open the store")]
    Open(#[from] OpenError),
    #[error("could not set up [fcm]")]
    Fcm(#[from] FcmSetupError),
    #[error("could not set up [[sms.gateway]]")]
    Sms(#[from] SmsSetupError),
    #[error("could not load the templates")]
    Templates(#[from] TemplateError),
    #[error("could not listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("the server stopped")]
    Serve(#[source] std::io::Error),
    /// A task panicked: a defect of ours.
    #[error("a task of the program failed")]
    Task(#[from] JoinError),
    #[error("stopped before what is stored was read")]
    Unread,
    #[error("stopped before everything under way was settled; it counts as unknown at the next start")]
    Unsettled,
}

pub struct App {
    address: SocketAddr,
    context: Context,
    stop: CancellationToken,
    /// Ends dispatch and the heartbeats, once nothing more comes in.
    last_stop: CancellationToken,
    tasks: TaskTracker,
    server: JoinHandle<std::io::Result<()>>,
    /// Whether dispatch has settled everything; `None` if it was not running in the end.
    dispatch: JoinHandle<Option<bool>>,
    heartbeats: JoinHandle<Option<()>>,
    pulse: watch::Receiver<Pulse>,
}

impl App {
    pub async fn bind(
        config: Config,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Result<Self, AppError> {
        let address = config.server.listen;
        let listener =
            TcpListener::bind(address).await.map_err(|source| AppError::Listen { address, source })?;
        Self::start(config, listener, clock, stop).await
    }

    pub async fn start(
        config: Config,
        listener: TcpListener,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Result<Self, AppError> {
        let store = open(&config.store.engine)?;
        Self::start_over(store, config, listener, clock, stop).await
    }

    /// As [`App::start`], over a store that is open, whatever the configuration names.
    pub async fn start_over(
        store: Arc<dyn Store>,
        config: Config,
        listener: TcpListener,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Result<Self, AppError> {
        let configured = config.server.listen;
        let address =
            listener.local_addr().map_err(|source| AppError::Listen { address: configured, source })?;
        let (tasks, last_stop) = (TaskTracker::new(), CancellationToken::new());
        let context = Shared::new(config, clock, store, SigningKey::default());
        let outbox = outbox(&context, &tasks)?;
        let supervisor = Supervisor { vitals: context.vitals.clone(), tasks };
        context.vitals.expect_all();
        // Before anything waits for the store.
        start_lookout(&context, &outbox, &supervisor, &stop);
        let pulse = watch::Sender::new(Pulse::default());
        let parts = Parts {
            store: context.store.clone(),
            queue: context.queue.clone(),
            metrics: context.metrics.clone(),
            vitals: context.vitals.clone(),
            dead_letters: context.dead_letters.clone(),
            aside: Arc::new(Aside::default()),
            outbox: outbox.clone(),
            rules: rules(&context.config),
            pulse: pulse.clone(),
        };
        let (listener, doorkeeper) =
            doorkeeper(listener, &context).map_err(|source| AppError::Listen { address, source })?;
        let Kept { dispatcher, lived } = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(AppError::Unread),
            _ = answer_who_waits(context.clock.as_ref(), doorkeeper) => return Err(AppError::Unread),
            kept = read_what_is_kept(&context, parts.clone()) => kept,
        };
        let mut first = Some(dispatcher);
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                warn!(error = %error, "could not set TCP_NODELAY: {error}");
            }
        });
        let serve =
            axum::serve(listener, routes(&context)).with_graceful_shutdown(stop.clone().cancelled_owned());
        let server = supervisor.tasks.spawn(serve.into_future());
        let dispatch = supervisor.keep(Part::Dispatch, &last_stop, move |life| {
            let (first, parts) = (first.take(), parts.clone());
            async move {
                match first {
                    Some(dispatcher) => dispatcher.run(life).await,
                    None => Dispatcher::run_again(parts, life).await,
                }
            }
        });
        let heartbeats = context.heartbeats.clone();
        let heartbeats =
            supervisor.keep(Part::Heartbeats, &last_stop, move |life| heartbeats.clone().run(life));
        start_chores(&context, outbox, lived, &supervisor, &stop);
        let (tasks, pulse) = (supervisor.tasks, pulse.subscribe());
        Ok(Self { address, context, stop, last_stop, tasks, server, dispatch, heartbeats, pulse })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until nothing is due and every request is settled. Polls, so it is for tests and tools.
    pub async fn settled(&self) -> Result<(), StoreError> {
        let (clock, mut pulse) = (&self.context.clock, self.pulse.clone());
        loop {
            // In this order: the watch opens alerts, and dispatch says that it works before it takes one. What is due
            // is true if dispatch has rested all the while.
            let watched = self.context.heartbeats.due().is_none_or(|due| clock.now() < due);
            let looked = self.context.vitals.is_up_to_date();
            let resting = *pulse.borrow_and_update() == (Pulse { idle: true, under_way: 0 });
            let due = self.context.store.next_due(Wanted::ALL).await?;
            let quiet = resting && pulse.has_changed().is_ok_and(|stepped| !stepped);
            if watched && looked && quiet && due.is_none_or(|due| clock.now() < due) {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }

    /// Waits until it was told to stop (or the server fails), then ends in order: accept nothing more, settle what is
    /// under way, close the store.
    pub async fn finish(self) -> Result<(), AppError> {
        let Self { context, stop, last_stop, tasks, mut server, dispatch, heartbeats, .. } = self;
        let early = tokio::select! {
            () = stop.cancelled() => None,
            ended = &mut server => Some(ended.map_err(AppError::Task).and_then(|served| served.map_err(AppError::Serve))),
        };
        stop.cancel();
        if let Some(Err(error)) = &early {
            error!(error = error as &dyn std::error::Error, "the server failed, stopping");
        } else if !server.is_finished() && tokio::time::timeout(CONNECTIONS_GRACE, &mut server).await.is_err()
        {
            info!("some connections were still open and are closed now");
            server.abort();
        }
        last_stop.cancel();
        let settled = dispatch.await;
        if let Err(error) = heartbeats.await {
            error!(error = %error, "the watch failed: {error}");
        }
        tasks.close();
        context.store.close().await;
        early.unwrap_or(Ok(()))?;
        if settled? == Some(true) { Ok(()) } else { Err(AppError::Unsettled) }
    }
}

/// What knows its part of what is kept.
struct Kept {
    dispatcher: Dispatcher,
    lived: Arc<Lived>,
}

/// All that a start needs of the store, which may take a while.
async fn read_what_is_kept(context: &Context, parts: Parts) -> Kept {
    let Shared { config, clock, store, signing_key, heartbeats, dead_letters, .. } = &**context;
    signing_key.learn(store.signing_key(clock.as_ref(), chance::bytes()).await);
    let longest_keep = config.store.keep.max(CHARGES_KEEP);
    let lived = Arc::new(Lived::restore(store.clone(), clock.clone(), longest_keep).await);
    let dispatcher = Dispatcher::new(parts).await;
    heartbeats.restore(lived.until).await;
    dead_letters.restore().await;
    Kept { dispatcher, lived }
}

fn start_lookout(context: &Context, outbox: &OutboxParts, supervisor: &Supervisor, stop: &CancellationToken) {
    let Shared { config, store, queue, vitals, .. } = &**context;
    let OutboxParts { channels, roster, clock, tasks } = outbox.clone();
    let bypass = BypassParts { channels, roster, clock, tasks, try_every: config.retry.max };
    let lookout = Arc::new(Lookout::new(vitals.clone(), store.clone(), queue.clone(), bypass));
    supervisor.keep(Part::Watch, stop, move |life| lookout.clone().run(life));
}

/// What alerts are not waiting for: these tasks run until `stop`.
fn start_chores(
    context: &Context,
    outbox: OutboxParts,
    lived: Arc<Lived>,
    supervisor: &Supervisor,
    stop: &CancellationToken,
) {
    let Shared { config, clock, store, queue, metrics, .. } = &**context;
    let gateways = outbox.channels.gateways;
    let balances = Arc::new(Balances { gateways, queue: queue.clone(), metrics: metrics.clone() });
    let metrics = metrics.clone();
    supervisor.keep(Part::Balances, stop, move |life| balances.clone().watch(life));
    supervisor.keep(Part::Drift, stop, move |life| watch_drift(metrics.clone(), life));
    let janitor = Arc::new(Janitor {
        store: store.clone(),
        queue: queue.clone(),
        clock: clock.clone(),
        lived: lived.clone(),
        keep: config.store.keep,
    });
    supervisor.keep(Part::Janitor, stop, move |life| janitor.clone().run(life));
    supervisor.keep(Part::Store, stop, move |life| lived.clone().run(life));
}

pub fn routes(context: &Context) -> Router {
    let routes = intake::router(context.clone())
        .merge(api::router(context.clone()))
        .merge(console::router(context.clone()));
    web::around(context.clone(), routes)
}

async fn answer_who_waits(
    clock: &dyn Clock,
    doorkeeper: Serve<TcpListener, Router, Router>,
) -> std::io::Result<()> {
    clock.sleep(STARTS_WITHIN).await;
    doorkeeper.await
}

/// Answers while what is kept is being read, which takes as long as the disk does.
fn doorkeeper(
    listener: TcpListener,
    context: &Context,
) -> std::io::Result<(TcpListener, Serve<TcpListener, Router, Router>)> {
    let listener = listener.into_std()?;
    let other = TcpListener::from_std(listener.try_clone()?)?;
    let starting = || async {
        let detail = "Bongsu is starting, and the store does not answer yet; nothing was accepted, please send it again";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail)
    };
    // Whoever comes back on this connection would be answered here for ever.
    let close = async |response: Response| ([(header::CONNECTION, "close")], response);
    let routes = api::router_at_start(context.clone()).fallback(starting).layer(map_response(close));
    Ok((TcpListener::from_std(listener)?, axum::serve(other, routes)))
}

fn open(engine: &StoreEngine) -> Result<Arc<dyn Store>, OpenError> {
    Ok(match engine {
        StoreEngine::Memory => Arc::new(MemoryStore::new()),
        StoreEngine::Sled(path) => Arc::new(SledStore::open(Path::new(path))?),
    })
}

fn outbox(context: &Context, tasks: &TaskTracker) -> Result<OutboxParts, AppError> {
    let Shared { config, clock, signing_key, .. } = &**context;
    let push: Option<Arc<dyn PushTransport>> = match &config.fcm {
        Some(fcm) => Some(Arc::new(FcmTransport::new(fcm, clock.clone(), tasks.clone())?)),
        None => None,
    };
    let composer = Composer {
        renderer: Renderer::new(config.templates.as_deref())?,
        public_url: config.public_url.clone(),
        time_zone: config.time_zone.clone(),
        signing_key: signing_key.clone(),
    };
    let gateways = sms::gateways(&config.sms, clock.clone())?;
    Ok(OutboxParts {
        channels: Channels { composer: Arc::new(composer), push, gateways },
        roster: Arc::new(Roster::new(config.contacts.clone())),
        clock: clock.clone(),
        tasks: tasks.clone(),
    })
}

pub fn rules(config: &Config) -> Rules {
    let defaults = (SignedDuration::from_secs(20), SignedDuration::from_hours(1));
    let (accept_within, push_ttl) = config.fcm.as_ref().map_or(defaults, |fcm| (fcm.accept_within, fcm.ttl));
    let gateway = |gateway: &Gateway| GatewayRule {
        name: gateway.name.clone(),
        in_flight_max: gateway.timeout.saturating_add(SMS_SETTLE_MARGIN),
        reports: gateway.provider.reports(),
        asks: gateway.provider.can_be_asked(),
        segments_max: u16::from(gateway.max_segments),
        per_day: gateway.per_day,
    };
    Rules {
        push: config.fcm.is_some(),
        gateways: config.sms.gateways.iter().map(gateway).collect(),
        always_at: config.sms.always_at,
        fallback_at: config.sms.fallback_at,
        texts_resolved: config.sms.resolved,
        accept_within,
        push_ttl,
        backoff: Backoff::new(config.retry.initial, config.retry.max),
        repeats: BUILT_IN_REPEATS,
        text_budget: config.sms.budget.clone(),
        disaster_budget: config.sms.disaster_budget.clone(),
        per_device: config.fcm.as_ref().map(|fcm| fcm.per_device.clone()).unwrap_or_default(),
    }
}
