//! Room for requests: what is slow holds back neither what is graver nor a question.

use super::*;

/// FCM that takes a while, for each push another one.
struct Slow {
    clock: Arc<ManualClock>,
    /// From so many tenths of a second to so many.
    tenths: std::ops::Range<i64>,
    pushes: Mutex<i64>,
}

#[async_trait]
impl PushTransport for Slow {
    async fn send(&self, _: Push) -> Outcome {
        let number = {
            let mut pushes = self.pushes.lock().expect("no panic");
            *pushes += 1;
            *pushes
        };
        let tenths = self.tenths.start + number % (self.tenths.end - self.tenths.start);
        self.clock.sleep(SignedDuration::from_millis(100 * tenths)).await;
        Outcome::Accepted { provider_id: None }
    }
}

fn many_devices(count: u64) -> Person {
    let device =
        |number: u64| Device { id: DeviceId(number), target: PushTarget::Token(format!("token {number}")) };
    Person { devices: (0..count).map(device).collect(), ..person_jin() }
}

#[tokio::test]
async fn a_slow_fcm_does_not_hold_back_the_text_of_a_disaster_behind_many_alerts() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    *company.clock.lock().expect("no panic") = Some(clock.clone());
    let fcm = Arc::new(Slow { clock: clock.clone(), tenths: 20..140, pushes: Mutex::default() });
    let rules = Rules { push: true, text_budget: Vec::new(), ..rules() };
    let (people, ground) = (vec![many_devices(100)], (store.clone() as Arc<dyn Store>, clock.clone()));
    let mut dispatcher = dispatcher_to(people, Some(fcm), company.clone(), ground, rules).await;
    let mut disaster = None;
    for tenth in 0..90 {
        if tenth == 0 || tenth == 50 {
            for batch in 0..8 {
                open_alerts(&store, &clock, (tenth + batch) * ALERTS).await;
            }
        }
        if tenth == 55 {
            let queue = Queue::new(store.clone(), clock.clone());
            let poster = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(24) };
            let event =
                Event { severity: Some(Severity::Disaster), ..Event::firing(DedupKey::new("x"), "no power") };
            let admitted = queue.admit(poster, &[event]).await.expect("it is admitted");
            disaster = admitted[0].alert_id.map(|id| (id, clock.now()));
        }
        work(&mut dispatcher).await.expect("the store works");
        clock.advance(SignedDuration::from_millis(100));
    }
    let (id, opened_at) = disaster.expect("it is opened");
    let texts = company.texts.lock().expect("no panic").clone();
    let (texted_at, _) = texts.iter().find(|(_, about)| *about == id).expect("a text about it");
    let waited = texted_at.duration_since(opened_at);
    assert!(waited <= SignedDuration::from_secs(2), "it waited {waited:#}");
}

/// FCM as it stands in the way of a disaster.
#[derive(Clone, Copy, Debug)]
enum Weather {
    Healthy,
    Slow,
    Hangs,
}

/// How long after its opening the disaster is texted, and its first push begins, that comes a second after 2,800 averages
/// for that many devices.
async fn a_disaster_behind_averages(devices: u64, weather: Weather) -> (SignedDuration, SignedDuration) {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    *company.clock.lock().expect("no panic") = Some(clock.clone());
    let begun = Arc::new(Mutex::default());
    let fcm = Arc::new(Crowded { clock: clock.clone(), weather, begun: begun.clone() });
    let rate = |count, seconds| Rate {
        count: NonZeroU32::new(count).expect("not zero"),
        per: SignedDuration::from_secs(seconds),
    };
    let rules = Rules {
        push: true,
        text_budget: vec![rate(20, 600), rate(40, 3_600)],
        disaster_budget: vec![rate(20, 600)],
        per_device: vec![rate(240, 60), rate(5_000, 3_600)],
        ..rules()
    };
    let (people, ground) = (vec![many_devices(devices)], (store.clone() as Arc<dyn Store>, clock.clone()));
    let mut dispatcher = dispatcher_to(people, Some(fcm), company.clone(), ground, rules).await;
    let queue = Queue::new(store.clone(), clock.clone());
    let poster = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(24) };
    let of = |severity, key: String| Event {
        severity: Some(severity),
        ..Event::firing(DedupKey::new(key), "disk full")
    };
    let averages: Vec<Event> = (0..2_800).map(|number| of(Severity::Average, number.to_string())).collect();
    queue.admit(poster, &averages).await.expect("they are admitted");
    let mut disaster = None;
    for tenth in 0..30 {
        if tenth == 10 {
            let admitted = queue.admit(poster, &[of(Severity::Disaster, "x".to_owned())]).await;
            disaster = admitted.expect("it is admitted")[0].alert_id.map(|id| (id, clock.now()));
        }
        // As many steps as a machine makes in that time.
        for _ in 0..40 {
            dispatcher.step(DUE_PER_STEP_MAX).await.expect("the store works");
            tokio::task::yield_now().await;
        }
        clock.advance(SignedDuration::from_millis(100));
        if let Some((id, opened_at)) = disaster {
            let texts = company.texts.lock().expect("no panic").clone();
            let texted = texts.iter().find(|(_, about)| *about == id).map(|(at, _)| *at);
            let pushed: Option<Timestamp> = begun.lock().expect("no panic").get(&id).copied();
            if let (Some(texted), Some(pushed)) = (texted, pushed) {
                return (texted.duration_since(opened_at), pushed.duration_since(opened_at));
            }
        }
    }
    panic!("{devices} devices, {weather:?}: nobody was told of the disaster within two seconds");
}

struct Crowded {
    clock: Arc<ManualClock>,
    weather: Weather,
    /// When the first push about each alert began.
    begun: Arc<Mutex<BTreeMap<AlertId, Timestamp>>>,
}

#[async_trait]
impl PushTransport for Crowded {
    async fn send(&self, push: Push) -> Outcome {
        let now = self.clock.now();
        self.begun.lock().expect("no panic").entry(push.message.alert_id).or_insert(now);
        let millis = match self.weather {
            Weather::Healthy => 300,
            Weather::Slow => 3_000,
            Weather::Hangs => 15_000,
        };
        self.clock.sleep(SignedDuration::from_millis(millis)).await;
        match self.weather {
            Weather::Hangs => Outcome::Unknown { detail: "no answer in time".to_owned() },
            Weather::Healthy | Weather::Slow => Outcome::Accepted { provider_id: None },
        }
    }
}

#[tokio::test]
async fn a_disaster_is_told_at_once_however_many_averages_are_under_way() {
    for devices in [20, 500] {
        for weather in [Weather::Healthy, Weather::Slow, Weather::Hangs] {
            let (texted, pushed) = a_disaster_behind_averages(devices, weather).await;
            let limit = SignedDuration::from_secs(1);
            assert!(texted <= limit && pushed <= limit, "{devices} {weather:?}: {texted:#} {pushed:#}");
        }
    }
}

#[tokio::test]
async fn what_finds_no_room_begins_as_soon_as_there_is_some() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let fcm = Arc::new(Slow { clock: clock.clone(), tenths: 29..30, pushes: Mutex::default() });
    let rules = Rules { push: true, text_budget: Vec::new(), ..rules() };
    let (people, ground) = (vec![many_devices(1_500)], (store.clone() as Arc<dyn Store>, clock.clone()));
    let mut dispatcher = dispatcher_to(people, Some(fcm.clone()), company, ground, rules).await;
    let queue = Queue::new(store.clone(), clock.clone());
    let poster = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(24) };
    let disasters: Vec<Event> = (0..3)
        .map(|number: i32| Event {
            severity: Some(Severity::Disaster),
            ..Event::firing(DedupKey::new(number.to_string()), "no power")
        })
        .collect();
    queue.admit(poster, &disasters).await.expect("they are admitted");
    let mut begun = Vec::new();
    for _ in 0..100 {
        work(&mut dispatcher).await.expect("the store works");
        begun.push(*fcm.pushes.lock().expect("no panic"));
        clock.advance(SignedDuration::from_millis(100));
    }
    assert_eq!((begun[5], begun[28], begun[99]), (2_048, 2_048, 4_500));
    assert!((2 * 2_048 - 128..=2 * 2_048).contains(&begun[40]), "{begun:?}");
    assert!(every_alert(&store).await.iter().all(|alert| alert.attempts == 1_501), "none was put off");
}

#[tokio::test]
async fn a_fast_fcm_is_waited_for_and_no_push_is_put_off() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let fcm = Arc::new(Slow { clock: clock.clone(), tenths: 1..6, pushes: Mutex::default() });
    let rules = Rules { push: true, text_budget: Vec::new(), ..rules() };
    let (people, ground) = (vec![many_devices(100)], (store.clone() as Arc<dyn Store>, clock.clone()));
    let mut dispatcher = dispatcher_to(people, Some(fcm), company, ground, rules).await;
    for batch in 0..20 {
        open_alerts(&store, &clock, batch * ALERTS).await;
    }
    for _ in 0..60 {
        work(&mut dispatcher).await.expect("the store works");
        clock.advance(SignedDuration::from_millis(100));
    }
    for alert in every_alert(&store).await {
        assert_eq!((alert.attempts, alert.progress.is_heard_of()), (100, true), "{}", alert.id);
    }
}

/// A company that answers nothing, and can be asked.
#[derive(Default)]
struct Silent {
    sent: Mutex<Vec<AlertId>>,
    asked: Mutex<Vec<AlertId>>,
}

#[async_trait]
impl SmsTransport for Silent {
    fn name(&self) -> &GatewayName {
        static NAME: LazyLock<GatewayName> = LazyLock::new(|| GatewayName::from("company"));
        &NAME
    }

    fn fit(&self, _: &PhoneNumber, text: &SmsText) -> Fitted {
        fit(&text.words, "", TextRules::automatic(1))
    }

    async fn send(&self, text: Text) -> Outcome {
        let is_first = {
            let mut sent = self.sent.lock().expect("no panic");
            sent.push(text.alert_id);
            sent.len() == 1
        };
        if !is_first {
            std::future::pending::<()>().await;
        }
        Outcome::Unknown { detail: "no answer in time".to_owned() }
    }

    async fn ask(&self, text: Text, _: Timestamp) -> Fate {
        self.asked.lock().expect("no panic").push(text.alert_id);
        Fate::Taken
    }

    async fn look(&self, _: Look) -> Option<Result<Finding, String>> {
        None
    }
}

#[tokio::test]
async fn a_gateway_is_asked_about_a_text_though_new_texts_have_no_room() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Silent::default()), Arc::new(MemoryStore::new()));
    let gateway = GatewayRule { asks: true, ..rules().gateways[0].clone() };
    let rules = Rules { gateways: vec![gateway], text_budget: Vec::new(), ..rules() };
    let ground = (store.clone() as Arc<dyn Store>, clock.clone());
    let mut dispatcher = dispatcher_to(vec![person_jin()], None, company.clone(), ground, rules).await;
    open_alerts(&store, &clock, 0).await;
    work(&mut dispatcher).await.expect("the store works");
    let lost = company.sent.lock().expect("no panic")[0];
    clock.advance(SignedDuration::from_secs(45));
    for batch in 1..40 {
        open_alerts(&store, &clock, batch * ALERTS).await;
    }
    work(&mut dispatcher).await.expect("the store works");
    assert!(company.sent.lock().expect("no panic").len() < 40 * ALERTS, "there is no room for all");
    clock.advance(SignedDuration::from_secs(6));
    work(&mut dispatcher).await.expect("the store works");
    assert!(company.asked.lock().expect("no panic").contains(&lost));
    clock.advance(SignedDuration::from_secs(60));
    work(&mut dispatcher).await.expect("the store works");
    let sent = company.sent.lock().expect("no panic").iter().filter(|id| **id == lost).count();
    assert_eq!(sent, 1, "it is there");
}

#[tokio::test]
async fn a_gateway_is_asked_though_nobody_heard_that_the_question_was_written() {
    let clock = ManualClock::at(T0);
    let (company, inner) = (Arc::new(Silent::default()), Arc::new(MemoryStore::new()));
    let store = Mortal::of(&inner, usize::MAX, Death::Before);
    let gateway = GatewayRule { asks: true, ..rules().gateways[0].clone() };
    let rules = Rules { gateways: vec![gateway], ..rules() };
    let ground = (store.clone() as Arc<dyn Store>, clock.clone());
    let mut dispatcher = dispatcher_to(vec![person_jin()], None, company.clone(), ground, rules).await;
    let lost = open_disaster(&inner, &clock, "one").await;
    work(&mut dispatcher).await.expect("the store works");
    assert_eq!(*company.sent.lock().expect("no panic"), [lost]);
    store.guard.unheard.lock().expect("no panic").insert(lost);
    let mut seconds = 0;
    while work(&mut dispatcher).await.is_ok() {
        clock.advance(SignedDuration::from_secs(1));
        seconds += 1;
        assert!(seconds < 60, "it is to be asked about");
    }
    store.guard.unheard.lock().expect("no panic").clear();
    assert!(company.asked.lock().expect("no panic").is_empty());
    for _ in 0..60 {
        work(&mut dispatcher).await.expect("the store works");
        clock.advance(SignedDuration::from_secs(1));
    }
    assert!(company.asked.lock().expect("no panic").contains(&lost));
    assert_eq!(*company.sent.lock().expect("no panic"), [lost], "it is there");
}

#[tokio::test]
async fn a_disaster_is_texted_though_texts_about_less_have_no_room() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Silent::default()), Arc::new(MemoryStore::new()));
    let rules = Rules { text_budget: Vec::new(), ..rules() };
    let ground = (store.clone() as Arc<dyn Store>, clock.clone());
    let mut dispatcher = dispatcher_to(vec![person_jin()], None, company.clone(), ground, rules).await;
    for batch in 0..40 {
        open_alerts(&store, &clock, batch * ALERTS).await;
    }
    work(&mut dispatcher).await.expect("the store works");
    assert!(company.sent.lock().expect("no panic").len() < 40 * ALERTS, "there is no room for all");
    let disaster = open_disaster(&store, &clock, "x").await;
    work(&mut dispatcher).await.expect("the store works");
    assert_eq!(company.sent.lock().expect("no panic").last(), Some(&disaster));
}

#[tokio::test]
async fn what_is_graver_begins_before_the_crowd_that_waits_for_room() {
    let clock = ManualClock::at(T0);
    let (company, store) = (Arc::new(Company::default()), Arc::new(MemoryStore::new()));
    let begun = Arc::new(Mutex::default());
    // Too slow at first: whatever is due is planned, with room or without.
    let fcm = Arc::new(Slow { clock: clock.clone(), tenths: 15..16, pushes: Mutex::default() });
    let fast =
        Arc::new(Crowded { clock: clock.clone(), weather: Weather::Healthy, begun: Arc::clone(&begun) });
    let fcm =
        Arc::new(Turning { clock: clock.clone(), at: T0 + SignedDuration::from_secs(4), slow: fcm, fast });
    let rules = Rules { push: true, fallback_at: None, ..rules() };
    let (people, ground) = (vec![many_devices(500)], (store.clone() as Arc<dyn Store>, clock.clone()));
    let mut dispatcher = dispatcher_to(people, Some(fcm), company, ground, rules).await;
    let queue = Queue::new(store.clone(), clock.clone());
    let poster = Poster { integration: "zabbix", close_after: SignedDuration::from_hours(24) };
    let of = |severity, key: String| Event {
        severity: Some(severity),
        ..Event::firing(DedupKey::new(key), "disk full")
    };
    let averages: Vec<Event> = (0..100).map(|number| of(Severity::Average, number.to_string())).collect();
    queue.admit(poster, &averages).await.expect("they are admitted");
    for _ in 0..60 {
        work(&mut dispatcher).await.expect("the store works");
        clock.advance(SignedDuration::from_millis(100));
    }
    let admitted = queue.admit(poster, &[of(Severity::High, "x".to_owned())]).await.expect("it is admitted");
    let (high, opened_at) = (admitted[0].alert_id.expect("it is opened"), clock.now());
    for _ in 0..10 {
        work(&mut dispatcher).await.expect("the store works");
        clock.advance(SignedDuration::from_millis(100));
    }
    let begun = begun.lock().expect("no panic").clone();
    let averages = begun.iter().filter(|(id, at)| **id != high && opened_at < **at).count();
    assert!(0 < averages, "some still wait");
    let waited = begun.get(&high).map(|at| at.duration_since(opened_at));
    assert!(waited.is_some_and(|waited| waited < SignedDuration::from_secs(1)), "{waited:?}");
}

/// FCM that is slow until some time.
struct Turning {
    clock: Arc<ManualClock>,
    at: Timestamp,
    slow: Arc<Slow>,
    fast: Arc<Crowded>,
}

#[async_trait]
impl PushTransport for Turning {
    async fn send(&self, push: Push) -> Outcome {
        if self.clock.now() < self.at { self.slow.send(push).await } else { self.fast.send(push).await }
    }
}
