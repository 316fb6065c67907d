//! What the next round of what comes and goes takes from the ones before.

use super::*;

#[tokio::test]
async fn what_flaps_is_quiet_only_once_somebody_knows_that_it_does() {
    for taken in [None, Some(4), Some(3)] {
        let (queue, clock) = queue();
        for round in 1..=5 {
            assert_eq!(answer(&queue, firing("1")).await, "opened");
            if taken == Some(round) {
                queue.act(latest(&queue, "1").await.id, &Action::Acknowledge, "jin").await.expect("works");
            }
            if round < 5 {
                clock.advance(SignedDuration::from_mins(2));
                assert_eq!(answer(&queue, resolved("1")).await, "resolved");
                clock.advance(SignedDuration::from_mins(2));
            }
        }
        let fifth = latest(&queue, "1").await;
        assert_eq!(fifth.openings.flapping(), Some(5));
        assert_eq!(fifth.openings.is_quiet(Severity::High), taken == Some(4), "taken in round {taken:?}");
    }
}

#[tokio::test]
async fn an_acknowledgement_of_a_sender_that_fires_again_is_not_carried_on() {
    let taken = Update { acknowledged: Some(true), ..Update::default() };
    for (quiet_while_acknowledged, expected) in
        [(true, AlertState::Triggered), (false, AlertState::Acknowledged)]
    {
        let (queue, clock) = queue();
        let said = |event| Event { said_at: Some(clock.now()), quiet_while_acknowledged, ..event };
        for round in 1..=5 {
            assert_eq!(answer(&queue, said(firing("1"))).await, "opened");
            clock.advance(SignedDuration::from_mins(1));
            if round == 4 {
                assert_eq!(answer(&queue, said(update("1", taken.clone()))).await, "acknowledged");
            }
            if round < 5 {
                clock.advance(SignedDuration::from_mins(1));
                assert_eq!(answer(&queue, said(resolved("1"))).await, "resolved");
                clock.advance(SignedDuration::from_mins(2));
            }
        }
        let fifth = latest(&queue, "1").await;
        assert_eq!((fifth.openings.flapping(), fifth.state), (Some(5), expected));
        assert_eq!(fifth.conversation.acknowledged.is_none(), quiet_while_acknowledged);
    }
}
