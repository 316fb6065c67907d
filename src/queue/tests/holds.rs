//! Senders that say no more than until when a problem holds, and whose clocks are not ours.

use super::*;

/// What Prometheus says `minute` minutes after its problem began, `off` seconds from our clock; as our clock reads it.
fn said(off: i64, minute: i64, ended: Option<i64>) -> Event {
    let until = 60 * ended.unwrap_or(minute + 4);
    since(off, as_read(60 * minute, off + until))
}

/// A problem that holds until then; in seconds after [`T0`].
fn as_read(now: i64, until: i64) -> Event {
    let event = if until <= now { resolved("1") } else { firing("1") };
    let holds_until = Some(T0 + SignedDuration::from_secs(until));
    Event { holds_until, expires_after: Some(SignedDuration::from_mins(9)), ..event }
}

fn since(start: i64, event: Event) -> Event {
    Event { starts_at: Some(T0 + SignedDuration::from_secs(start)), ..event }
}

#[tokio::test]
async fn a_problem_and_its_end_are_told_once_whatever_the_clock_of_their_sender() {
    for off in [-7_200, -600, -240, 0, 240, 600, 7_200] {
        let (queue, clock) = queue();
        for minute in 0..30 {
            let ended = (10 <= minute).then_some(10);
            admissions(&queue, &[said(off, minute, ended)]).await;
            let alert = latest(&queue, "1").await;
            if (2..10).contains(&minute) {
                assert_eq!(alert.state, AlertState::Triggered, "{off} s off, minute {minute}");
            } else if 12 <= minute {
                assert_eq!(
                    alert.resolved.as_ref().map(|end| &end.by),
                    Some(&ResolvedBy::Sender),
                    "{off} s off"
                );
                assert_eq!((alert.round, alert.doubt), (only_alert(&queue).await.round, None), "{off} s off");
            }
            clock.advance(SignedDuration::from_mins(1));
        }
    }
}

#[tokio::test]
async fn a_clock_set_back_during_a_problem_leaves_it_open() {
    for off in [-7_200, -600, 600, 7_200] {
        let (queue, clock) = queue();
        for minute in 0..40 {
            admissions(&queue, &[said(if minute < 10 { 0 } else { off }, minute, None)]).await;
            clock.advance(SignedDuration::from_mins(1));
        }
        assert!(latest(&queue, "1").await.is_open(), "{off} s off");
    }
}

#[tokio::test]
async fn what_begins_after_an_end_and_a_clock_set_right_is_told() {
    let (queue, clock) = queue();
    for minute in 0..20 {
        let ended = (5..10).contains(&minute).then_some(5);
        admissions(&queue, &[said(if minute < 10 { 3_600 } else { 0 }, minute, ended)]).await;
        clock.advance(SignedDuration::from_mins(1));
    }
    assert!(latest(&queue, "1").await.is_open());
}

#[tokio::test]
async fn what_is_said_again_every_few_seconds_by_a_clock_that_is_behind_is_told() {
    for (every, has_twin) in [(5, false), (5, true), (15, false), (15, true)] {
        for (off, was_over) in [(-4 * every - 5, false), (-4 * every - 5, true), (-600, false), (-600, true)]
        {
            let (queue, clock) = queue();
            if was_over {
                admissions(&queue, &[since(0, as_read(0, 60)), since(0, as_read(0, 0))]).await;
                clock.advance(SignedDuration::from_mins(21));
            }
            let began = clock.now().duration_since(T0).as_secs();
            for now in began..=began + 2 * every + 10 {
                let is_time = (now - began) % every == 0;
                if is_time || (has_twin && (now - began) % every == every / 2) {
                    admissions(&queue, &[since(off + began, as_read(now, off + now + 4 * every))]).await;
                }
                clock.advance(SignedDuration::from_secs(1));
            }
            let alert = latest(&queue, "1").await;
            let case = format!("every {every} s, {off} s off, a twin: {has_twin}, after another: {was_over}");
            assert_eq!(alert.state, AlertState::Triggered, "{case}");
        }
    }
}

#[tokio::test]
async fn a_clock_behind_is_noticed_also_where_no_start_is_said() {
    let (queue, clock) = queue();
    for minute in 0..3 {
        admissions(&queue, &[as_read(60 * minute, 60 * minute - 900)]).await;
        clock.advance(SignedDuration::from_mins(1));
    }
    assert!(latest(&queue, "1").await.is_open());
}

#[tokio::test]
async fn an_end_that_one_replica_says_again_and_again_does_not_end_what_its_twin_goes_on_saying() {
    let (queue, clock) = queue();
    let mut answers = Vec::new();
    for now in (0..1_200).step_by(30) {
        let lost_sight = now % 60 == 0 && 300 <= now;
        let until = if lost_sight { 300 } else { now.min(900) + if now < 900 { 240 } else { 0 } };
        let said = answer(&queue, since(0, as_read(now, until))).await;
        if 300 <= now {
            answers.push(said);
        }
        if now == 870 {
            assert!(latest(&queue, "1").await.is_open());
        }
        clock.advance(SignedDuration::from_secs(30));
    }
    let again = "ignored already_resolved";
    assert_eq!(answers[..6], ["resolved", "noted doubtful", again, "opened", again, "joined"]);
    assert!(answers[6..20].iter().step_by(2).all(|said| said == again), "{answers:?}");
    assert!(answers[7..20].iter().step_by(2).all(|said| said == "joined"), "{answers:?}");
    assert_eq!(answers[20..22], [again, "resolved"], "the twin's own end is one");
    assert!(answers[22..].iter().all(|said| said == again), "{answers:?}");
    assert_eq!(latest(&queue, "1").await.round, 2);
}

/// A script that says so when it is over, rather than when that was.
#[tokio::test]
async fn a_time_long_past_is_an_end_each_time() {
    let (queue, clock) = queue();
    for _ in 0..3 {
        let now = clock.now().duration_since(T0).as_secs();
        assert_eq!(answer(&queue, since(now, as_read(now, now + 3_600))).await, "opened");
        clock.advance(SignedDuration::from_mins(10));
        assert_eq!(answer(&queue, since(now, as_read(now + 600, -900_000))).await, "resolved");
        clock.advance(SignedDuration::from_mins(10));
    }
}

#[tokio::test]
async fn what_fires_after_its_end_opens_in_time_though_it_was_to_hold_no_longer_than_that() {
    let (queue, clock) = queue();
    for (now, until, admission) in [(0, 40, "opened"), (10, 10, "resolved"), (15, 55, "noted doubtful")] {
        assert_eq!(answer(&queue, since(0, as_read(now, until))).await, admission);
        clock.advance(SignedDuration::from_secs(5 + 5 * i64::from(now == 0)));
    }
    let over = latest(&queue, "1").await;
    clock.advance(over.doubt_ends_at().expect("in doubt").duration_since(clock.now()));
    queue.end_doubt(&over).await.expect("works");
    let alert = latest(&queue, "1").await;
    assert_eq!((alert.round, alert.state), (2, AlertState::Triggered));
}
