//! Calls of heartbeats: `GET|POST /v1/heartbeats/{name}`, and alerts that always fire: while such a one comes its
//! sender lives, and only its absence is news.

use axum::{Json, extract::State, http::request::Parts};

use crate::{
    alert::{Admission, Event, EventStatus, Reason},
    config::IntegrationKind,
    queue::Admitted,
    store::StoreError,
    watch::{HeartbeatStatus, Heartbeats},
    web::{Context, Name, Problem},
};

const ALERTNAME: &str = "alertname";

/// Rules that always fire, by the names that monitoring packages ship them under.
const ALWAYS_FIRING: [&str; 2] = ["Watchdog", "DeadMansSwitch"];

/// Takes the key of any integration but no operator's token: a browser is no monitor. The body is not read.
pub(super) async fn call(
    State(context): State<Context>,
    Name(name): Name,
    parts: Parts,
) -> Result<Json<HeartbeatStatus>, Problem> {
    if context.keys.integration_with_key(&parts, |_| true).is_none() {
        context.metrics.refused("wrong_key");
        if context.heartbeats.knows(&name) {
            context.senders.wrong_key_for_heartbeat(&name).await?;
        }
        return Err(Problem::unauthorized("the key of an [[integration]] is needed, whichever"));
    }
    let Some(status) = context.heartbeats.call(&name).await? else {
        context.metrics.refused("unknown_heartbeat");
        return Err(Problem::unknown("heartbeat", "unknown_heartbeat", &name));
    };
    Ok(Json(status))
}

/// Events without those that speak of a heartbeat, and what became of these.
pub(super) struct Sifted {
    pub(super) events: Vec<Event>,
    /// One for each event that came: `None` for those that are left.
    heard: Vec<Option<Admitted>>,
}

/// Takes out the events whose `alertname` is a heartbeat of the configuration: a firing one is a call
/// of it, none is an alert. When this returns `Ok`, the calls are kept as those by HTTP are.
pub(super) async fn sift(
    heartbeats: &Heartbeats,
    kind: IntegrationKind,
    events: Vec<Event>,
) -> Result<Sifted, StoreError> {
    let mut sifted = Sifted { events: Vec::with_capacity(events.len()), heard: Vec::new() };
    for event in events {
        let name = event.labels.get(ALERTNAME).filter(|_| kind.has_alertnames());
        if let Some(name) = name.filter(|name| heartbeats.knows(name)) {
            heartbeats.hear(name, &event).await?;
            sifted.heard.push(Some(heard(event)));
            continue;
        }
        let is = |name: &String| ALWAYS_FIRING.iter().any(|always| always.eq_ignore_ascii_case(name));
        let always_fires = name.is_some_and(is);
        sifted.events.push(if always_fires { with_hint(event) } else { event });
        sifted.heard.push(None);
    }
    Ok(sifted)
}

impl Sifted {
    pub(super) fn has_no_calls(&self) -> bool {
        self.heard.iter().all(Option::is_none)
    }

    /// One result per event, in the order in which they came.
    pub(super) fn with(self, admitted: Vec<Admitted>) -> Vec<Admitted> {
        let mut admitted = admitted.into_iter();
        self.heard.into_iter().filter_map(|heard| heard.or_else(|| admitted.next())).collect()
    }
}

fn heard(event: Event) -> Admitted {
    Admitted {
        alert_id: None,
        dedup_key: event.dedup_key,
        admission: Admission::Ignored,
        reason: Some(Reason::Heartbeat),
    }
}

/// Says in the alert how to be notified of its absence instead.
fn with_hint(mut event: Event) -> Event {
    if let (EventStatus::Firing, Some(name)) = (&event.status, event.labels.get(ALERTNAME)) {
        let hint = format!(
            "This alert always fires. To be told when it stops instead, put this into bongsu.toml:\n\
             [[heartbeat]]\nname = \"{name}\""
        );
        let gap = if event.body.is_empty() { "" } else { "\n\n" };
        event.body = format!("{}{gap}{hint}", event.body);
    }
    event
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::{
        alert::DedupKey,
        clock::{Clock as _, ManualClock},
        config,
        queue::Queue,
        store::{HeartbeatRecord, MemoryStore, Store},
        watch::BeatState,
    };

    struct Scene {
        heartbeats: Heartbeats,
        store: Arc<MemoryStore>,
        clock: Arc<ManualClock>,
    }

    /// The least that starts, and these heartbeats.
    fn scene(heartbeats: &str) -> Scene {
        let text = format!(
            "[[sms.gateway]]\nname = \"sms\"\nprovider = \"solapi\"\nfrom = \"1\"\napi_key = \"k\"\n\
             api_secret = \"s\"\n[[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\n{heartbeats}"
        );
        let config = config::parse(&text, Path::new("bongsu.toml"), &|_| None).unwrap();
        let clock = ManualClock::at(Timestamp::constant(1_800_000_000, 0));
        let store = Arc::new(MemoryStore::new());
        let queue = Arc::new(Queue::new(store.clone(), clock.clone()));
        let heartbeats = Heartbeats::new(&config, store.clone(), queue, clock.clone());
        Scene { heartbeats, store, clock }
    }

    /// An event of the rule `alertname`.
    fn rule(alertname: &str, status: EventStatus) -> Event {
        let labels = [(ALERTNAME.to_owned(), alertname.to_owned())].into();
        Event { status, labels, ..Event::firing(DedupKey::new(alertname), alertname) }
    }

    fn over() -> EventStatus {
        EventStatus::Resolved { note: None, escalation_cancelled: false }
    }

    fn state(heartbeats: &Heartbeats) -> BeatState {
        heartbeats.all().next().expect("there is one").state
    }

    async fn sift_named(heartbeats: &Heartbeats, events: Vec<Event>) -> Result<Sifted, StoreError> {
        sift(heartbeats, IntegrationKind::Alertmanager, events).await
    }

    fn calls(sifted: &Sifted) -> usize {
        sifted.heard.iter().flatten().count()
    }

    #[tokio::test]
    async fn a_firing_one_is_a_call_and_an_end_is_neither_call_nor_alert() {
        let Scene { heartbeats, store, clock } = scene("[[heartbeat]]\nname = \"Watchdog\"\n");
        let ended = sift_named(&heartbeats, vec![rule("Watchdog", over())]).await.unwrap();
        assert_eq!((ended.events.len(), calls(&ended)), (0, 1));
        assert_eq!(state(&heartbeats), BeatState::Waiting);

        let events = ["DiskFull", "WATCHDOG", "DeadMansSwitch", "Watchdogs"];
        let events = events.map(|alertname| rule(alertname, EventStatus::Firing)).to_vec();
        let sifted = sift_named(&heartbeats, events.clone()).await.unwrap();
        assert_eq!(state(&heartbeats), BeatState::OnTime);
        assert_eq!(sifted.heard, [None, Some(heard(events[1].clone())), None, None]);
        assert_eq!((&sifted.events[0], &sifted.events[2]), (&events[0], &events[3]));
        assert!(sifted.events[1].body.contains("name = \"DeadMansSwitch\""), "this one is not configured");
        let kept = (&*store as &dyn Store).all::<HeartbeatRecord>().await.unwrap();
        assert_eq!(kept.len(), 1, "kept before it is answered");

        clock.advance(SignedDuration::from_mins(3));
        sift_named(&heartbeats, vec![rule("Watchdog", over())]).await.unwrap();
        assert_eq!(state(&heartbeats), BeatState::Late, "that it ended keeps nothing alive");
    }

    #[tokio::test]
    async fn whose_clock_is_behind_calls_while_its_time_moves_on() {
        for off in [-900, -300, 0, 300] {
            let Scene { heartbeats, clock, .. } = scene("[[heartbeat]]\nname = \"Watchdog\"\n");
            let mut seen = Vec::new();
            for minute in 0..15 {
                let ends = if minute < 5 { minute + 4 } else { 5 };
                let until = clock.now() + SignedDuration::from_secs(off + 60 * (ends - minute));
                let status = if until <= clock.now() { over() } else { EventStatus::Firing };
                let event = Event { holds_until: Some(until), ..rule("Watchdog", status) };
                sift_named(&heartbeats, vec![event]).await.unwrap();
                seen.push(state(&heartbeats));
                clock.advance(SignedDuration::from_mins(1));
            }
            assert!(seen[1..5].iter().all(|state| *state == BeatState::OnTime), "{off} s off: {seen:?}");
            assert!(seen[9..].iter().all(|state| *state == BeatState::Late), "{off} s off: {seen:?}");
        }
    }

    #[tokio::test]
    async fn what_names_no_rule_passes_as_it_is() {
        let Scene { heartbeats, .. } = scene("[[heartbeat]]\nname = \"Watchdog\"\n");
        let mut events = vec![Event::firing(DedupKey::new("1"), "Watchdog")];
        let sifted = sift_named(&heartbeats, events.clone()).await.unwrap();
        assert_eq!((&sifted.events, calls(&sifted)), (&events, 0));

        events.push(rule("Watchdog", EventStatus::Firing));
        let sifted = sift(&heartbeats, IntegrationKind::Zabbix, events.clone()).await.unwrap();
        assert_eq!((&sifted.events, calls(&sifted)), (&events, 0), "Zabbix has no such label");
    }

    fn admitted(key: &str) -> Admitted {
        let (dedup_key, admission) = (DedupKey::new(key), Admission::Opened);
        Admitted { alert_id: None, dedup_key, admission, reason: None }
    }

    #[test]
    fn results_come_in_the_order_of_the_events() {
        for heartbeats in [vec![], vec![0], vec![4], vec![0, 1, 3], vec![1, 2], vec![0, 1, 2, 3, 4]] {
            let keys = ["a", "b", "c", "d", "e"];
            let others: Vec<_> = (0..5).filter(|place| !heartbeats.contains(place)).collect();
            let heard = |place: usize| {
                let event = Event::firing(DedupKey::new(keys[place]), "x");
                heartbeats.contains(&place).then(|| heard(event))
            };
            let sifted = Sifted { events: vec![], heard: (0..5).map(heard).collect() };
            let results = sifted.with(others.iter().map(|place| admitted(keys[*place])).collect());
            let order: Vec<_> = results.iter().map(|result| result.dedup_key.as_str()).collect();
            assert_eq!(order, keys, "{heartbeats:?}");
            let heard = results.iter().filter(|result| result.reason == Some(Reason::Heartbeat));
            assert_eq!(heard.count(), heartbeats.len());
        }
    }

    #[test]
    fn what_always_fires_says_how_to_be_told_of_the_opposite() {
        let mut event = Event::firing(DedupKey::new("1"), "Watchdog");
        event.labels.insert(ALERTNAME.to_owned(), "watchdog".to_owned());
        let hinted = with_hint(event.clone());
        assert!(hinted.body.ends_with("bongsu.toml:\n[[heartbeat]]\nname = \"watchdog\""), "{}", hinted.body);
        event.body = "It works.".to_owned();
        assert!(with_hint(event.clone()).body.starts_with("It works.\n\nThis alert always fires."));
        event.status = EventStatus::Resolved { note: None, escalation_cancelled: false };
        assert_eq!(with_hint(event.clone()), event, "an end says nothing more");
    }
}
