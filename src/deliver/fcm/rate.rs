//! So many pushes per device in so long, so that Google never has to throttle one.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use governor::{Quota, RateLimiter, middleware::NoOpMiddleware, state::keyed::DefaultKeyedStateStore};
use jiff::SignedDuration;

use crate::{alert::DeviceId, clock::Clock, config::Rate};

/// Between two sweeps that forget devices whose allowance is full again: keeps memory bounded by
/// the devices pushed to of late.
const CHECKS_PER_SWEEP: u32 = 4_096;

type Limiter = RateLimiter<DeviceId, DefaultKeyedStateStore<DeviceId>, OurClock, NoOpMiddleware<Duration>>;

/// Every configured rate, for every device. Each is a token bucket: `240/1m` holds 240 and gains
/// four a second.
#[derive(Debug)]
pub(crate) struct DeviceRates {
    /// The fastest refilled first: a push that a slower bucket refuses has then only cost what
    /// comes back soonest, so refused pushes never eat a whole hour's allowance.
    limiters: Vec<Limiter>,
    clock: OurClock,
    checks: AtomicU32,
}

impl DeviceRates {
    /// No rates = no limit.
    pub(crate) fn new(rates: &[Rate], clock: Arc<dyn Clock>) -> Self {
        let clock = OurClock(clock);
        let mut quotas: Vec<Quota> = rates.iter().map(quota).collect();
        quotas.sort_by_key(Quota::replenish_interval);
        let limiters = quotas
            .into_iter()
            .map(|quota| RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone()))
            .collect();
        Self { limiters, clock, checks: AtomicU32::new(0) }
    }

    /// Takes one push from every bucket of this device, or says how long until there is one.
    pub(crate) fn take(&self, device: DeviceId) -> Result<(), SignedDuration> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_PER_SWEEP == CHECKS_PER_SWEEP - 1 {
            self.limiters.iter().for_each(RateLimiter::retain_recent);
        }
        for limiter in &self.limiters {
            limiter.check_key(&device).map_err(|refusal| {
                let wait = refusal.wait_time_from(governor::clock::Clock::now(&self.clock));
                SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)
            })?;
        }
        Ok(())
    }
}

fn quota(rate: &Rate) -> Quota {
    let per = Duration::try_from(rate.per).unwrap_or(Duration::ZERO);
    let interval = (per / rate.count.get()).max(Duration::from_nanos(1));
    Quota::with_period(interval).unwrap_or_else(|| Quota::per_second(NonZeroU32::MAX)).allow_burst(rate.count)
}

/// Our clock, as governor wants it: the time since 1970.
#[derive(Clone, Debug)]
struct OurClock(Arc<dyn Clock>);

impl governor::clock::Clock for OurClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.now().as_millisecond()).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::clock::ManualClock;

    fn rate(count: u32, seconds: i64) -> Rate {
        let count = NonZeroU32::new(count).expect("not zero");
        Rate { count, per: SignedDuration::from_secs(seconds) }
    }

    fn taken(rates: &DeviceRates, device: u64, tries: usize) -> usize {
        (0..tries).filter(|_| rates.take(DeviceId(device)).is_ok()).count()
    }

    #[test]
    fn a_device_past_its_rate_is_told_how_long_to_wait_and_others_are_not_held_back() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let rates = DeviceRates::new(&[rate(240, 60)], clock.clone());
        assert_eq!(taken(&rates, 1, 1_000), 240);
        assert_eq!(rates.take(DeviceId(1)), Err(SignedDuration::from_millis(250)));
        assert_eq!(rates.take(DeviceId(2)), Ok(()));
        clock.advance(SignedDuration::from_millis(250));
        assert_eq!(taken(&rates, 1, 10), 1);
    }

    #[test]
    fn every_rate_must_pass_and_refused_pushes_do_not_eat_the_slower_one() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let rates = DeviceRates::new(&[rate(100, 3_600), rate(10, 60)], clock.clone());
        let mut sent = 0;
        for _ in 0..60 {
            sent += taken(&rates, 1, 50);
            clock.advance(SignedDuration::from_secs(6));
        }
        assert!((69..=70).contains(&sent), "10 at once, then one every 6 s: {sent}");
        for _ in 0..60 {
            sent += taken(&rates, 1, 50);
            clock.advance(SignedDuration::from_secs(6));
        }
        assert!(sent <= 120, "the hour's 100 and what came back since: {sent}");
    }

    #[test]
    fn no_rates_is_no_limit() {
        let rates = DeviceRates::new(&[], ManualClock::at(Timestamp::UNIX_EPOCH));
        assert_eq!(taken(&rates, 1, 100_000), 100_000);
    }

    #[test]
    fn devices_not_pushed_to_of_late_are_forgotten() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let rates = DeviceRates::new(&[rate(2, 1)], clock.clone());
        for device in 0..20_000 {
            rates.take(DeviceId(device)).expect("its first");
            clock.advance(SignedDuration::from_millis(10));
        }
        assert!(rates.limiters[0].len() < 5_000, "{}", rates.limiters[0].len());
    }
}
