//! A clock that ran ahead and was set right: what it dated decides nothing.

use super::*;

const AHEAD: SignedDuration = SignedDuration::from_hours(9);

/// The same store, after a start with a clock that is right.
fn set_right(queue: Queue) -> (Queue, Arc<ManualClock>) {
    let clock = ManualClock::at(T0 - AHEAD);
    (Queue { clock: clock.clone(), seen: SeenCounts::default(), ..queue }, clock)
}

fn said(seconds: i64, event: Event) -> Event {
    Event { said_at: Some(T0 + SignedDuration::from_secs(seconds)), ..event }
}

#[tokio::test]
async fn an_end_of_the_future_does_not_make_everything_late_until_then() {
    let (queue, _) = queue();
    admissions(&queue, &[said(0, firing("1")), said(30, resolved("1"))]).await;
    let (queue, clock) = set_right(queue);
    assert_eq!(answer(&queue, said(20, firing("1"))).await, "noted doubtful");
    clock.advance(SignedDuration::from_secs(61));
    assert_eq!(answer(&queue, said(25, firing("1"))).await, "opened");
}

#[tokio::test]
async fn an_early_end_of_the_future_is_not_kept_until_then() {
    let (queue, _) = queue();
    answer(&queue, said(0, resolved("1"))).await;
    let (queue, clock) = set_right(queue);
    answer(&queue, update("1", comment("looking"))).await;
    clock.advance(SignedDuration::from_secs(61));
    assert_eq!(answer(&queue, said(-5, firing("1"))).await, "opened");
}

#[tokio::test]
async fn what_was_heard_of_in_the_future_closes_as_long_after_now() {
    let (queue, _) = queue();
    let minutely = Event { expires_after: Some(SignedDuration::from_mins(9)), ..firing("1") };
    admissions(&queue, std::slice::from_ref(&minutely)).await;
    let (queue, clock) = set_right(queue);
    admissions(&queue, &[Event { severity: Some(Severity::Disaster), ..minutely }]).await;
    let alert = latest(&queue, "1").await;
    assert_eq!(alert.last_seen_at, clock.now());
    assert_eq!(alert.close_at, clock.now() + SignedDuration::from_mins(9));
}
