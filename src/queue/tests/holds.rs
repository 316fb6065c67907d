//! Senders that say no more than until when a problem holds, and whose clocks are not ours.

use super::*;

/// What Prometheus says `minute` minutes after its problem began, `off` seconds from our clock; as our clock reads it.
fn said(off: i64, minute: i64, ended: Option<i64>) -> Event {
    let at = |minute: i64| T0 + SignedDuration::from_secs(off + 60 * minute);
    let until = at(ended.unwrap_or(minute + 4));
    let is_over = until <= T0 + SignedDuration::from_mins(minute);
    let event = if is_over { resolved("1") } else { firing("1") };
    let expires_after = Some(SignedDuration::from_mins(9));
    Event { starts_at: Some(at(0)), holds_until: Some(until), expires_after, ..event }
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
