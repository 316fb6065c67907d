//! What a night consists of.

use std::fmt;

use proptest::{prelude::*, sample::select};

use super::{
    providers::{Answer, SLOW_SECONDS_MAX},
    senders::{Dating, Habits},
    *,
};

pub(super) const GATEWAYS: usize = 3;
pub(super) const SENDERS_MAX: usize = 3;

/// Most happenings of a night.
const HAPPENINGS_MAX: usize = 24;

/// As `bongsu.toml` says it.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// By number, in the order in which they are tried.
    pub(super) gateways: Vec<usize>,
    pub(super) reports: bool,
    pub(super) asks: bool,
    pub(super) people: Vec<usize>,
    pub(super) always_at: Option<Severity>,
    pub(super) fallback_at: Option<Severity>,
    /// Texts of one contact in ten minutes.
    pub(super) budget: Option<u32>,
    pub(super) texts_resolved: bool,
}

/// Which row of the store cannot be read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row {
    /// One of the alerts, counted from the newest.
    Alert(u8),
    /// What the newest digest counts.
    Folds,
    /// Which devices are gone.
    Devices,
    /// What was spent.
    Charges,
}

#[derive(Clone, Debug)]
pub(super) enum Happening {
    Begins(usize, Severity),
    Ends(usize),
    /// Begins and is over at once; the end arrives first.
    EndsFirst(usize),
    /// Begins, which is lost, is taken there, and is over, which is lost where this says so.
    IsTakenUnheard(usize, bool),
    /// From here on it comes and goes, as severe, this many seconds each, until it ends.
    Flaps(usize, Severity, u8),
    /// Begins while pushes hang; somebody takes it and gives it back before any has an answer, and from then on they are
    /// refused.
    IsTakenInHaste(usize, Severity),
    /// Every sender's problem begins, as severe, while FCM says nothing that could be read.
    AllBegin(Severity),
    Turns(usize, Severity),
    IsTakenThere(usize),
    IsGivenBackThere(usize),
    /// The sender's clock is set by so many minutes.
    SetsClock(usize, i16),
    Acknowledges(u8),
    GivesBack(u8),
    Resolves(u8),
    /// We are down for so many minutes, and start with our clock set by so many, and perhaps with another configuration.
    Outage(u16, i16, Option<Config>),
    /// We die at the write of this number from here on, and are down for so many minutes.
    Dies(u8, Death, u8),
    Push(Answer),
    Gateway(usize, Answer),
    /// Of the texts that were taken, counted from the newest.
    Report(u8, Fate),
    /// This row cannot be read, for so many minutes or for good.
    Damage(Row, Option<u8>),
}

/// How it goes on after the last happening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    /// Everything works again.
    Works,
    /// Nothing ever works again.
    Refuses,
    /// Nothing works for more than a day.
    Defers,
}

#[derive(Clone)]
pub(super) struct Night {
    pub(super) config: Config,
    pub(super) senders: Vec<Habits>,
    /// Each with the pause before it.
    pub(super) happenings: Vec<(SignedDuration, Happening)>,
    pub(super) end: End,
    /// In the middle of it the first sender calls its problem as severe.
    pub(super) turns: Severity,
    /// Whoever has an alert gives it back at the end.
    pub(super) gives_all_back: bool,
    /// What is left to chance follows from it.
    pub(super) chance: u64,
}

/// A line for each thing.
impl fmt::Debug for Night {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n  {:?}", self.config)?;
        for (number, habits) in self.senders.iter().enumerate() {
            writeln!(f, "  sender {number}: {habits:?}")?;
        }
        for (pause, happening) in &self.happenings {
            writeln!(f, "  {pause:#} later: {happening:?}")?;
        }
        write!(
            f,
            "  then {:?}, and sender 0 says {}{}; chance {}",
            self.end,
            self.turns,
            if self.gives_all_back { ", and all is given back" } else { "" },
            self.chance
        )
    }
}

fn severity() -> impl Strategy<Value = Severity> {
    select(vec![Severity::Average, Severity::Warning, Severity::High, Severity::High, Severity::Disaster])
}

/// As often as not a disaster.
fn grave() -> impl Strategy<Value = Severity> {
    prop_oneof![Just(Severity::Disaster), severity()]
}

fn threshold() -> impl Strategy<Value = Option<Severity>> {
    select(vec![Some(Severity::Disaster), None, Some(Severity::High), Some(Severity::NotClassified)])
}

fn minutes(range: std::ops::Range<i64>) -> impl Strategy<Value = SignedDuration> {
    range.prop_map(SignedDuration::from_mins)
}

pub(super) fn config() -> impl Strategy<Value = Config> {
    let all = Just((0..GATEWAYS).collect::<Vec<_>>()).prop_shuffle();
    let gateways = (all, prop_oneof![1 => Just(0), 3 => 1..=GATEWAYS])
        .prop_map(|(all, left)| all.into_iter().take(left).collect::<Vec<_>>());
    let people = select(vec![vec![0, 1, 2], vec![0], vec![1], vec![0, 1], vec![2, 1], vec![0, 1, 2, 3]]);
    let budget = prop_oneof![2 => Just(None), 1 => (1_u32..4).prop_map(Some)];
    let fallback_at = prop_oneof![3 => Just(Some(Severity::NotClassified)), 1 => threshold()];
    (people, gateways, any::<[bool; 3]>(), threshold(), fallback_at, budget).prop_map(
        |(people, gateways, [reports, asks, texts_resolved], always_at, fallback_at, budget)| Config {
            gateways,
            reports,
            asks,
            people,
            always_at,
            fallback_at,
            budget,
            texts_resolved,
        },
    )
}

fn habits() -> impl Strategy<Value = Habits> {
    let dating = select(vec![
        Dating::Start,
        Dating::Start,
        Dating::Message,
        Dating::Nothing,
        Dating::StartAndMessage,
        Dating::SameStart,
    ]);
    let every = prop_oneof![1 => Just(None), 2 => minutes(1..20).prop_map(Some)];
    let some_seconds = |range: std::ops::Range<i64>| prop_oneof![3 => Just(None), 1 => range.prop_map(|seconds| Some(SignedDuration::from_secs(seconds)))];
    let loses = prop_oneof![2 => Just(0), 1 => any::<u8>()];
    let ahead = prop_oneof![2 => Just(SignedDuration::ZERO), 1 => minutes(-600..600)];
    let is_rarely = || prop_oneof![3 => Just(false), 1 => Just(true)];
    (
        (dating, every, any::<bool>(), is_rarely(), is_rarely(), is_rarely(), any::<bool>()),
        (some_seconds(0..45), some_seconds(1..200), loses, ahead),
    )
        .prop_map(
            |((dating, every, expires, key_never_returns, never_says_end, wavers, insists), rest)| {
                let (twin, replica, loses, ahead) = rest;
                Habits {
                    dating,
                    every,
                    expires: expires && every.is_some(),
                    key_never_returns,
                    never_says_end,
                    wavers,
                    insists,
                    twin,
                    replica,
                    loses,
                    ahead,
                }
            },
        )
}

fn answer() -> impl Strategy<Value = Answer> {
    use Answer::{Accepts, Defers, Garbles, Gone, Hangs, IsAtFault, Loses, Refuses, Slow};
    prop_oneof![
        6 => Just(Accepts),
        1 => Just(Loses(0)),
        1 => (1..45_u8).prop_map(Loses),
        1 => (1..SLOW_SECONDS_MAX).prop_map(Slow),
        3 => prop_oneof![3 => Just(0), 1 => 1_u8..90].prop_map(Defers),
        2 => Just(IsAtFault),
        1 => Just(Refuses),
        1 => Just(Gone),
        1 => Just(Garbles),
        1 => Just(Hangs),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Taken),
        Just(Fate::Delivered),
        Just(Fate::Failed { reason: "30005".to_owned() }),
        Just(Fate::Unclear { reason: "silence".to_owned() }),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    let sender = || 0..SENDERS_MAX;
    let clock = prop_oneof![6 => Just(0_i16), 1 => -600_i16..600, 1 => select(vec![-4_000, 4_000])];
    let config = prop_oneof![3 => Just(None), 1 => config().prop_map(Some)];
    let long = prop_oneof![4 => 1_u16..10, 2 => 10_u16..120, 1 => 1_300_u16..2_000];
    let death = prop_oneof![Just(Death::Before), Just(Death::After)];
    let row = prop_oneof![
        3 => any::<u8>().prop_map(Row::Alert),
        1 => select(vec![Row::Folds, Row::Devices, Row::Charges]),
    ];
    prop_oneof![
        8 => (sender(), severity()).prop_map(|(sender, severity)| Begins(sender, severity)),
        6 => sender().prop_map(Ends),
        1 => sender().prop_map(EndsFirst),
        1 => (sender(), any::<bool>()).prop_map(|(who, end_is_lost)| IsTakenUnheard(who, end_is_lost)),
        2 => (sender(), grave(), 90_u8..250).prop_map(|(who, severity, seconds)| Flaps(who, severity, seconds)),
        1 => (sender(), severity()).prop_map(|(sender, severity)| IsTakenInHaste(sender, severity)),
        1 => severity().prop_map(AllBegin),
        3 => (sender(), severity()).prop_map(|(sender, severity)| Turns(sender, severity)),
        3 => sender().prop_map(IsTakenThere),
        1 => sender().prop_map(IsGivenBackThere),
        1 => (sender(), -600_i16..600).prop_map(|(sender, minutes)| SetsClock(sender, minutes)),
        3 => any::<u8>().prop_map(Acknowledges),
        3 => any::<u8>().prop_map(GivesBack),
        1 => any::<u8>().prop_map(Resolves),
        2 => (long, clock, config).prop_map(|(minutes, clock, config)| Outage(minutes, clock, config)),
        2 => (1_u8..12, death, 1_u8..30).prop_map(|(write, death, minutes)| Dies(write, death, minutes)),
        4 => answer().prop_map(Push),
        6 => (0..GATEWAYS, answer()).prop_map(|(gateway, answer)| Gateway(gateway, answer)),
        2 => (any::<u8>(), fate()).prop_map(|(text, fate)| Report(text, fate)),
        1 => (row, proptest::option::of(1_u8..60)).prop_map(|(row, minutes)| Damage(row, minutes)),
    ]
}

pub(super) fn night() -> impl Strategy<Value = Night> {
    let seconds = |range: std::ops::Range<i64>| range.prop_map(SignedDuration::from_secs);
    let pause = prop_oneof![
        3 => seconds(0..15),
        4 => seconds(0..100),
        3 => seconds(100..1_800),
        1 => seconds(1_800..10_000),
    ];
    let happenings = proptest::collection::vec((pause, happening()), 1..HAPPENINGS_MAX);
    let senders = proptest::collection::vec(habits(), 1..=SENDERS_MAX);
    let end = prop_oneof![12 => Just(End::Works), 3 => Just(End::Refuses), 1 => Just(End::Defers)];
    let chance = any::<u64>().no_shrink();
    (config(), senders, happenings, end, severity(), any::<bool>(), chance).prop_map(
        |(config, senders, happenings, end, turns, gives_all_back, chance)| {
            // A day of trying in vain is long enough for one alert of each sender.
            let flaps = happenings.iter().any(|(_, happening)| matches!(happening, Happening::Flaps(..)));
            let end = if flaps && end == End::Defers { End::Refuses } else { end };
            Night { config, senders, happenings, end, turns, gives_all_back, chance }
        },
    )
}
