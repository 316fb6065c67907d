//! What the next round of what comes and goes takes from the ones before.

use super::*;
use crate::alert::{
    ContactProgress, Conversation, Milestone, Notification, Notified, OpenText, PushState, SentText, Subject,
    Successor, Taken, TextState,
};

/// Somebody is texted of the open round, and so much is certain of it.
async fn text(queue: &Queue, certain: Notified) {
    let thread = ThreadKey::new(ZABBIX.integration, &DedupKey::new("1"));
    let found = queue.store.find_threads(vec![thread]).await.expect("works").remove(0);
    let Stored { mut alert, version } = found.expect("there");
    let sent = SentText {
        attempt: 1,
        gateway: "company".into(),
        subject: Subject::Opened,
        severity: alert.severity,
        since: alert.opened_at,
        sent_at: alert.opened_at,
        undelivered: Vec::new(),
        unknowns: 0,
        pushed: false,
        asks: 0,
        ask_at: None,
    };
    let known_as = alert.severity;
    let progress = ContactProgress { certain, known_as, sent: vec![sent], ..ContactProgress::default() };
    alert.progress.notified_as = Some(alert.severity);
    alert.progress.planned.insert(Milestone::Opened);
    alert.progress.contacts.insert("jin".parse().expect("a name"), progress);
    let write = AlertWrite::of(alert, Expect::Version(version), None);
    queue.store.commit(Lane::Deliver, &[write]).await.expect("works");
}

#[tokio::test]
async fn what_flaps_is_not_quiet_because_of_a_text_that_may_not_have_arrived() {
    for certain in [Notified::No, Notified::Yes] {
        let (queue, clock) = queue();
        for round in 1..=5 {
            assert_eq!(answer(&queue, firing("1")).await, "opened");
            if round < 5 {
                text(&queue, certain).await;
                clock.advance(SignedDuration::from_mins(2));
                assert_eq!(answer(&queue, resolved("1")).await, "resolved");
                clock.advance(SignedDuration::from_mins(2));
            }
        }
        let fifth = latest(&queue, "1").await;
        assert_eq!(fifth.openings.is_quiet(Severity::High), certain == Notified::Yes);
    }
}

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
async fn what_flaps_is_quiet_as_severe_as_it_was_told_however_mild_it_was_at_its_end() {
    for taken in [None, Some(Severity::High), Some(Severity::Warning)] {
        let (queue, clock) = queue();
        let as_severe = |severity| Event { severity: Some(severity), ..firing("1") };
        for round in 1..=5 {
            assert_eq!(answer(&queue, as_severe(Severity::High)).await, "opened");
            if round < 5 {
                text(&queue, Notified::Yes).await;
                let take = async |severity| {
                    let is_then = round == 4 && taken == Some(severity);
                    let id = latest(&queue, "1").await.id;
                    if is_then {
                        queue.act(id, &Action::Acknowledge, "jin").await.expect("works");
                    }
                };
                take(Severity::High).await;
                clock.advance(SignedDuration::from_mins(1));
                assert_eq!(answer(&queue, as_severe(Severity::Warning)).await, "joined");
                take(Severity::Warning).await;
                clock.advance(SignedDuration::from_mins(1));
                assert_eq!(answer(&queue, resolved("1")).await, "resolved");
                clock.advance(SignedDuration::from_mins(2));
            }
        }
        let fifth = latest(&queue, "1").await;
        assert_eq!(fifth.openings.is_quiet(Severity::High), taken != Some(Severity::Warning), "{taken:?}");
        assert_eq!(fifth.taken() == Some(Taken::Outgrown), taken == Some(Severity::Warning));
    }
}

#[tokio::test]
async fn a_graver_round_has_the_last_word_before_a_milder_one() {
    for is_taken in [false, true] {
        let (queue, clock) = queue();
        let as_severe = |severity| Event { severity: Some(severity), ..firing("1") };
        let mut rounds = Vec::new();
        for round in 1..=6 {
            let severity = if round == 5 { Severity::Disaster } else { Severity::Average };
            assert_eq!(answer(&queue, as_severe(severity)).await, "opened");
            if is_taken && round == 4 {
                queue.act(latest(&queue, "1").await.id, &Action::Acknowledge, "jin").await.expect("works");
            }
            rounds.push(latest(&queue, "1").await);
            clock.advance(SignedDuration::from_mins(2));
            assert_eq!(answer(&queue, resolved("1")).await, "resolved");
            clock.advance(SignedDuration::from_mins(2));
        }
        let [_, _, _, fourth, fifth, sixth] = &rounds[..] else { panic!("six rounds") };
        assert_eq!(fifth.as_successor(fourth), Successor::Tells);
        assert_eq!(sixth.as_successor(fifth), Successor::IsQuiet);
        assert!(sixth.flaps_since(&rounds[0]) && sixth.flaps_since(fifth));
        clock.advance(SignedDuration::from_mins(5));
        assert_eq!(answer(&queue, as_severe(Severity::Disaster)).await, "opened");
        assert!(!latest(&queue, "1").await.flaps_since(fifth), "that is another conversation");
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
        assert_ne!(
            fifth.openings.is_quiet(Severity::High),
            quiet_while_acknowledged,
            "nobody else has heard"
        );
    }
}

#[tokio::test]
async fn an_acknowledgement_of_a_person_stays_where_that_of_the_sender_falls() {
    for is_taken_here in [false, true] {
        let (queue, clock) = queue();
        let said = |event| Event { said_at: Some(clock.now()), quiet_while_acknowledged: true, ..event };
        answer(&queue, said(firing("1"))).await;
        clock.advance(SignedDuration::from_mins(1));
        let taken = Update { acknowledged: Some(true), ..Update::default() };
        assert_eq!(answer(&queue, said(update("1", taken))).await, "acknowledged");
        if is_taken_here {
            queue.act(latest(&queue, "1").await.id, &Action::Acknowledge, "jin").await.expect("works");
        }
        clock.advance(SignedDuration::from_mins(1));
        assert_eq!(answer(&queue, said(firing("1"))).await, "joined");
        assert_eq!(latest(&queue, "1").await.state == AlertState::Acknowledged, is_taken_here);
    }
}

/// How a reminder stands when its round ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reminder {
    Waits,
    MayHaveArrived,
    /// min has it already.
    IsHeard,
    /// min cannot be reached.
    CannotReachAll,
}

#[tokio::test]
async fn a_reminder_that_ended_with_its_round_before_anybody_can_have_had_it_is_due_in_the_next() {
    use Reminder::{CannotReachAll, IsHeard, MayHaveArrived, Waits};
    for reminder in [Waits, MayHaveArrived, IsHeard, CannotReachAll] {
        let (queue, clock) = queue();
        for round in 1..=5 {
            assert_eq!(answer(&queue, firing("1")).await, "opened");
            if round == 4 {
                remind(&queue, reminder).await;
            }
            if round < 5 {
                clock.advance(SignedDuration::from_mins(2));
                assert_eq!(answer(&queue, resolved("1")).await, "resolved");
                clock.advance(SignedDuration::from_mins(2));
            }
        }
        let Conversation { repeats, repeat_at, .. } = latest(&queue, "1").await.conversation;
        let is_due = matches!(reminder, Waits | CannotReachAll);
        let later = clock.now() + SignedDuration::from_hours(1);
        let expected = if is_due { (1, Some(clock.now())) } else { (2, Some(later)) };
        assert_eq!((repeats, repeat_at), expected, "{reminder:?}");
    }
}

/// Two people are reminded for the second time, the next time in an hour from the next round on.
async fn remind(queue: &Queue, how: Reminder) {
    let thread = ThreadKey::new(ZABBIX.integration, &DedupKey::new("1"));
    let found = queue.store.find_threads(vec![thread]).await.expect("works").remove(0);
    let Stored { mut alert, version } = found.expect("there");
    let unknowns = u8::from(how == Reminder::MayHaveArrived);
    let reminder = Notification {
        subject: Subject::Repeat { number: 2, last: false },
        since: alert.opened_at,
        push: PushState::default(),
        text: TextState::Open(Box::new(OpenText { unknowns, ..OpenText::default() })),
        replaced: false,
    };
    let jin = ContactProgress { notifications: vec![reminder], ..ContactProgress::default() };
    let min = match how {
        Reminder::Waits | Reminder::MayHaveArrived => jin.clone(),
        Reminder::IsHeard => ContactProgress { certain: Notified::Yes, ..ContactProgress::default() },
        Reminder::CannotReachAll => {
            ContactProgress { unreachable: Some("refused".to_owned()), ..ContactProgress::default() }
        }
    };
    for (name, progress) in [("jin", jin), ("min", min)] {
        alert.progress.contacts.insert(name.parse().expect("a name"), progress);
    }
    alert.conversation.repeats = 2;
    alert.conversation.repeat_at = Some(alert.opened_at + SignedDuration::from_mins(64));
    let write = AlertWrite::of(alert, Expect::Version(version), None);
    queue.store.commit(Lane::Deliver, &[write]).await.expect("works");
}

#[tokio::test]
async fn what_flaps_is_for_everybody_whom_it_was_for_and_told_anew_to_more() {
    let (queue, clock) = queue();
    let everybody: &[&str] = &[];
    let rounds: [(&[&str], &[&str], bool); 6] = [
        (&["kim"], &["kim"], true),
        (&["kim"], &["kim"], true),
        (&["jin"], &["jin", "kim"], false),
        (&["kim"], &["jin", "kim"], true),
        (everybody, everybody, false),
        (&["jin"], everybody, true),
    ];
    let takes = 3;
    let to = |names: &[&str]| names.iter().map(|name| name.parse().expect("a name")).collect::<Vec<_>>();
    for _ in 0..3 {
        answer(&queue, Event { to: to(&["kim"]), ..firing("1") }).await;
        text(&queue, Notified::Yes).await;
        clock.advance(SignedDuration::from_secs(60));
        answer(&queue, resolved("1")).await;
        clock.advance(SignedDuration::from_secs(60));
    }
    for (number, (posted, of, quiet)) in rounds.into_iter().enumerate() {
        answer(&queue, Event { to: to(posted), ..firing("1") }).await;
        let round = latest(&queue, "1").await;
        let is_quiet = round.openings.is_quiet(round.severity);
        assert_eq!((&round.to, is_quiet), (&to(of), quiet && 0 < number), "{number}");
        assert_eq!(round.state, AlertState::Triggered, "whoever has it of some has it not of all");
        if number == takes {
            queue.act(round.id, &Action::Acknowledge, "jin").await.expect("works");
        }
        text(&queue, Notified::Yes).await;
        clock.advance(SignedDuration::from_secs(60));
        answer(&queue, resolved("1")).await;
        clock.advance(SignedDuration::from_secs(60));
    }
}
