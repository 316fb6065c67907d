//! Waiting for pushes.

use std::{thread, time::Duration};

use crate::{
    clock::now,
    fake::{Fake, Report},
};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Longest wait without any arriving: a retry after a lost answer takes less.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until so many pushes have arrived since the report was begun.
pub(crate) fn arrived(fake: &mut Fake, pushes: u64) -> Report {
    let (mut report, mut since) = (fake.report(), now());
    while report.pushes < pushes {
        assert!(since.elapsed() < PATIENCE, "no more pushes arrive: {report}, but {pushes} are expected");
        thread::sleep(LOOK_EVERY);
        let next = fake.report();
        if report.pushes < next.pushes {
            since = now();
        }
        report = next;
    }
    report
}
