//! What senders say over time, and what is answered to each of it.

use super::*;

/// `0 | F s0 | opened`: at that second after [`T0`] this arrives, and this is answered.
///
/// | word | meaning |
/// |---|---|
/// | `F` `R` `A` `U` | it fires, recovers, is acknowledged, is given back |
/// | `C` | a comment on it |
/// | `X` | its sender stops following it |
/// | `disaster`, `warning`, `plain` | it is as severe as that, or its severity is not said; else it is high |
/// | `s5` `m5` | with this start, this message time, in seconds after [`T0`] by the sender's clock |
/// | `once` | its dedup key never returns |
/// | `minutely` | it is over when it is not said again within minutes |
/// | `happens` | it happens rather than lasts |
/// | `quiet` | its sender says nothing of what is acknowledged there |
/// | `jin` | no event: jin resolves it |
/// | `takes` | no event: jin acknowledges it |
/// | `gives` | no event: jin gives it back |
/// | `silence` | no event: `close_after` ends it |
/// | `due` | no event: a doubt ends; the answer is how the alert stands |
/// | `severity` | no event: the answer is how severe the alert is |
const HISTORIES: &[(&str, &str)] = &[
    (
        "a gap in the data: the end is taken back, with the start that it always had",
        "0 | F s-7200 | opened
         60 | R s-7200 | resolved
         61 | F s-7200 | noted doubtful
         119 | due | resolved
         120 | due | triggered
         180 | F s-7200 | joined
         240 | R s-7200 | resolved",
    ),
    (
        "and from a sender that says it every few seconds",
        "0 | F s-7200 | opened
         60 | R s-7200 | resolved
         61 | F s-7200 | noted doubtful
         66 | F s-7200 | noted doubtful
         71 | F s-7200 | opened
         120 | due | triggered
         121 | F s-7200 | joined",
    ),
    (
        "and after more than a minute",
        "0 | F s0 | opened
         60 | R s0 | resolved
         600 | F s0 | opened",
    ),
    (
        "with a new start there is no doubt",
        "0 | F s0 | opened
         60 | R s0 | resolved
         61 | F s58 | opened",
    ),
    (
        "a clock that was set back an hour",
        "0 | F s0 | opened
         60 | R s0 | resolved
         70 | F s-3530 | noted doubtful
         81 | F s-3530 | opened
         90 | R s-3530 | resolved",
    ),
    (
        "and the problems after it are told apart again",
        "0 | F s32400 | opened
         60 | R s32400 | resolved
         70 | F s70 | noted doubtful
         81 | F s70 | opened
         200 | R s70 | resolved
         220 | F s215 | opened",
    ),
    (
        "what is taken after the end of a problem is not that one",
        "0 | R m-20 | ignored unknown_alert
         1 | A m-10 | noted
         62 | F m-60 | opened
         63 | due | triggered",
    ),
    (
        "what an update opened has the start that it named",
        "0 | F s0 | opened
         10 | silence | resolved
         20 | A s0 | opened
         7200 | F s7190 | opened
         7201 | due | triggered",
    ),
    (
        "what is said of an earlier problem opens nothing, and takes nothing",
        "3600 | F s3600 | opened
         3700 | jin | resolved
         3800 | A s0 | ignored already_resolved
         3810 | F s3600 | opened
         3820 | R s3600 | resolved
         3830 | F s3600 | noted doubtful
         3835 | A s0 | ignored already_resolved
         3880 | due | triggered",
    ),
    (
        "what was said of an earlier problem, of which we did not hear, comes when the next has begun",
        "0 | F s400 | opened
         1 | A s0 | ignored stale
         2 | R s0 | ignored stale
         3 | A s400 | acknowledged
         299 | R s0 | ignored stale
         300 | A s0 | ignored stale
         301 | R s0 | resolved",
    ),
    (
        "replicas that disagree on the start",
        "0 | F s60 | opened
         10 | A s10 | acknowledged
         20 | R s10 | resolved",
    ),
    (
        "a twin that is behind says both of it again",
        "0 | F s0 | opened
         60 | R s0 | resolved
         61 | F s0 | noted doubtful
         62 | R s0 | ignored already_resolved
         120 | due | resolved",
    ),
    (
        "a clock two hours ahead, of which a message says the start again and again",
        "0 | F s7200 | opened
         60 | F s7200 | joined
         120 | F s7200 | joined
         180 | R s7200 | resolved
         181 | F s7380 | opened",
    ),
    (
        "somebody resolves what goes on",
        "0 | F s0 | opened
         30 | jin | resolved
         40 | F s0 | noted doubtful
         90 | due | triggered",
    ),
    (
        "somebody resolves it, and so does its sender",
        "0 | F s0 | opened
         30 | jin | resolved
         300 | R s0 | ignored already_resolved
         310 | F s0 | noted doubtful
         320 | R s0 | ignored already_resolved
         360 | due | resolved",
    ),
    (
        "somebody resolves what goes on, and somebody there raises it hours later",
        "0 | F s0 once | opened
         30 | jin | resolved
         9000 | U s0 m9000 once disaster | opened
         9001 | due | triggered
         9002 | severity | disaster",
    ),
    (
        "and acknowledges it there",
        "0 | F s0 once warning | opened
         600 | silence | resolved
         9000 | A s0 m9000 once plain | opened
         9001 | due | acknowledged
         9002 | severity | warning
         9003 | A s0 m9000 once plain | joined",
    ),
    (
        "and what is raised while that is in doubt is as severe as it was raised to",
        "0 | F s0 once warning | opened
         5 | jin | resolved
         10 | F s0 once warning | noted doubtful
         15 | U s0 m15 once disaster | noted doubtful
         17 | A s0 m17 once plain | noted doubtful
         18 | F s0 once warning | noted doubtful
         65 | due | acknowledged
         66 | severity | disaster",
    ),
    (
        "also where its sender had called it over",
        "0 | F s0 warning | opened
         5 | R s0 | resolved
         10 | F s0 warning | noted doubtful
         30 | U s0 m30 disaster | noted doubtful
         65 | due | triggered
         66 | severity | disaster",
    ),
    (
        "a comment says nothing of what a person ended",
        "0 | F s0 once | opened
         30 | jin | resolved
         35 | C s0 m35 once | ignored already_resolved
         90 | due | resolved
         91 | C s0 m91 once | ignored already_resolved",
    ),
    (
        "what a person and then its sender ended is over for updates",
        "0 | F s0 once | opened
         30 | jin | resolved
         40 | A s0 m40 once | noted doubtful
         50 | R s0 once | ignored already_resolved
         90 | due | resolved
         100 | A s0 m40 once | ignored already_resolved
         900 | U s0 m900 once disaster | ignored already_resolved",
    ),
    (
        "a copy of an update that came before somebody resolved it",
        "0 | F s0 once | opened
         10 | A s0 m10 once | acknowledged
         30 | jin | resolved
         200 | A s0 m10 once | ignored already_resolved",
    ),
    (
        "one of two actions of a Zabbix is disabled: what the other says goes on",
        "0 | F s0 once | opened
         30 | X s0 once | resolved escalation_cancelled
         31 | X s0 once | ignored already_resolved
         40 | F s0 once | noted doubtful
         41 | X s0 once | ignored already_resolved
         90 | due | triggered
         600 | R s0 once | resolved
         660 | F s0 once | ignored stale",
    ),
    (
        "and an hour later",
        "0 | F s0 once | opened
         30 | X s0 once | resolved escalation_cancelled
         3600 | A s0 m3600 once | opened
         3601 | due | acknowledged",
    ),
    (
        "the recovery of what its sender had stopped following",
        "0 | F s0 once | opened
         30 | X s0 once | resolved escalation_cancelled
         50 | R s0 once | ignored already_resolved
         60 | F s0 once | ignored stale",
    ),
    (
        "what its sender stops following before it came is no end of it",
        "0 | X s0 once | ignored unknown_alert
         1 | F s0 once | opened
         2 | X s0 once | resolved escalation_cancelled",
    ),
    (
        "and takes nothing of what was noted",
        "0 | A s0 m0 once | noted
         1 | X s0 once | ignored unknown_alert
         2 | F s0 once | opened
         3 | due | acknowledged",
    ),
    (
        "nor an end that came first",
        "0 | R s0 once | ignored unknown_alert
         1 | X s0 once | ignored unknown_alert
         2 | F s0 once | opened already_resolved",
    ),
    (
        "a silence of the sender is no end of its own",
        "0 | F s0 | opened
         600 | silence | resolved
         601 | F s0 | opened",
    ),
    (
        "but a recovery after it is",
        "0 | F s0 | opened
         600 | silence | resolved
         620 | R s0 | ignored already_resolved
         630 | F s0 | noted doubtful",
    ),
    (
        "a Zabbix event id: what its recovery ended stays ended",
        "0 | F s0 once | opened
         60 | R s0 once | resolved
         61 | F s0 once | ignored stale
         600 | F s0 once | ignored stale
         700 | F once | ignored stale",
    ),
    (
        "and without any times",
        "0 | F once | opened
         60 | R once | resolved
         600 | F once | ignored stale",
    ),
    (
        "but not what a person ended",
        "0 | F once | opened
         60 | jin | resolved
         70 | F once | noted doubtful
         80 | F once | opened",
    ),
    (
        "two users of one Zabbix in two time zones",
        "0 | F s0 once | opened
         1 | F s32400 once | joined
         60 | R s0 once | resolved
         61 | R s32400 once | ignored already_resolved",
    ),
    (
        "without times it opens at once, each time",
        "0 | F | opened
         5 | R | resolved
         6 | F | opened
         7 | F | joined",
    ),
    (
        "message times: a device whose clock is years behind",
        "0 | F m-900000000 | opened
         60 | R | resolved
         61 | F m-899982000 | opened",
    ),
    (
        "message times: a script that says it each minute",
        "0 | F m0 | opened
         60 | F m60 | joined
         120 | F m120 | joined
         180 | R m180 | resolved
         240 | R m240 | ignored already_resolved
         300 | F m300 | opened",
    ),
    (
        "message times: late copies",
        "0 | F m0 | opened
         20 | R m20 | resolved
         21 | F m0 | ignored late
         22 | R m20 | ignored already_resolved
         40 | F m40 | opened
         41 | R m20 | ignored late
         60 | R m60 | resolved",
    ),
    (
        "message times: what was overtaken by an end and never heard before",
        "0 | F m0 | opened
         20 | R m20 | resolved
         21 | F m10 | noted doubtful
         79 | due | resolved
         80 | due | triggered",
    ),
    (
        "message times: and its own end follows",
        "0 | F m0 | opened
         20 | R m20 | resolved
         21 | F m10 | noted doubtful
         22 | R m20 | ignored already_resolved
         80 | due | resolved",
    ),
    (
        "message times: the same message after a long time",
        "0 | F m0 | opened
         20 | R m200 | resolved
         30 | F m0 | noted doubtful
         40 | F m0 | opened",
    ),
    (
        "message times: a clock that was set back is no late copy",
        "0 | F m7200 | opened
         60 | R m0 | resolved
         100 | F m60 | noted doubtful
         110 | F m70 | opened",
    ),
    (
        "a lost end: a later start takes the place of the round",
        "0 | F s0 | opened
         86400 | F s86390 | opened
         86460 | F s86390 | joined
         86470 | F s0 | joined
         86500 | R s86390 | resolved",
    ),
    (
        "and the recovery of the round before, when it comes at last",
        "0 | F s0 | opened
         100 | F s90 | opened
         110 | R s0 | ignored stale
         401 | R s0 | resolved",
    ),
    (
        "and of the one before that",
        "0 | F s0 | opened
         100 | F s90 | opened
         200 | F s190 | opened
         210 | R s0 | ignored stale
         220 | R s90 | ignored stale
         230 | R s190 | resolved",
    ),
    (
        "a recovery with a start that was never heard ends it",
        "0 | F s0 | opened
         100 | R s50 | resolved
         101 | F s50 | noted doubtful",
    ),
    (
        "replicas that disagree on the start",
        "0 | F s5 | opened
         1 | F s0 | joined
         2 | F s5 | joined
         60 | R s0 | resolved
         61 | R s5 | ignored already_resolved",
    ),
    (
        "a Prometheus that was restarted",
        "0 | F s0 minutely | opened
         60 | F s50 minutely | joined
         420 | F s400 minutely | opened",
    ),
    (
        "a start that moves with each message",
        "0 | F s0 | opened
         60 | F s60 | opened
         120 | F s120 | opened
         180 | F s180 | opened moving_start
         240 | F s240 | joined moving_start
         300 | R s300 | resolved
         360 | F s360 | opened moving_start
         420 | F s420 | joined moving_start",
    ),
    (
        "a sender that never says an end, and each problem once more",
        "0 | F s0 | opened
         100 | F s0 | joined
         200 | F s190 | opened
         290 | F s190 | joined
         380 | F s370 | opened
         400 | F s370 | joined
         500 | F s490 | opened
         600 | F s590 | opened",
    ),
    (
        "or days apart",
        "0 | F s0 | opened
         86400 | F s86400 | opened
         172800 | F s172800 | opened
         259200 | F s259200 | opened
         345600 | takes | acknowledged
         432000 | F s432000 | opened
         432001 | due | triggered",
    ),
    (
        "a start that moved is one again when it is said again",
        "0 | F s0 | opened
         60 | F s60 | opened
         120 | F s120 | opened
         180 | F s180 | opened moving_start
         185 | F s180 | joined moving_start
         240 | F s180 | joined
         300 | F s290 | opened",
    ),
    (
        "and when nothing was heard of it for an hour",
        "0 | F s0 | opened
         60 | F s60 | opened
         120 | F s120 | opened
         180 | F s180 | opened moving_start
         3781 | F s3780 | opened",
    ),
    (
        "a start may move every ten minutes",
        "0 | F s0 | opened
         600 | F s600 | opened
         1200 | F s1200 | opened
         1800 | F s1800 | opened moving_start
         2400 | F s2400 | joined moving_start",
    ),
    (
        "a start that is later only after an end does not move",
        "0 | F s0 | opened
         60 | F s60 | opened
         120 | F s120 | opened
         150 | R s120 | resolved
         180 | F s180 | opened
         240 | F s240 | opened",
    ),
    (
        "a recovery that comes first, of a key that never returns",
        "0 | R s0 once | ignored unknown_alert
         299 | F s0 once | opened already_resolved
         310 | F s0 once | ignored stale",
    ),
    (
        "a recovery that comes first, too long before",
        "0 | R s0 | ignored unknown_alert
         61 | F s0 | opened",
    ),
    (
        "a recovery that comes first, by message times",
        "0 | R m0 | ignored unknown_alert
         5 | F m-4 | opened already_resolved
         6 | F m2 | opened
         7 | R m3 | resolved",
    ),
    (
        "a recovery and a problem of the same message time",
        "0 | R m0 | ignored unknown_alert
         5 | F m0 | opened
         6 | F m0 | joined",
    ),
    (
        "a recovery of another problem, and one without times",
        "0 | R s0 | ignored unknown_alert
         1 | F s7 | opened
         2 | R s7 | resolved
         3 | R | ignored already_resolved
         4 | F | opened",
    ),
    (
        "the second problem of a key is overtaken by its own end",
        "0 | F s0 | opened
         60 | R s0 | resolved
         100 | R s90 | ignored already_resolved
         101 | F s90 | opened already_resolved",
    ),
    (
        "a late copy is not the problem of an end that came first",
        "0 | F m0 | opened
         10 | R m10 | resolved
         30 | R m30 | ignored already_resolved
         31 | F m0 | ignored late
         32 | F m25 | opened already_resolved",
    ),
    (
        "updates by the sender's clock",
        "0 | F m0 | opened
         10 | U m30 | joined
         11 | A m20 | joined
         12 | A m31 | acknowledged
         13 | U m5 | joined",
    ),
    (
        "message times: a late copy takes no raise back",
        "0 | F m0 warning | opened
         20 | F m20 disaster | joined
         21 | F m0 warning | joined
         22 | severity | disaster
         25 | F m20 | joined
         26 | severity | disaster
         900 | F m0 warning | joined
         901 | severity | disaster
         902 | F m21 | joined
         903 | severity | high",
    ),
    (
        "message times: raised within the same second",
        "0 | F m0 warning | opened
         1 | F m0 disaster | joined
         2 | severity | disaster
         3 | F m0 warning | joined
         4 | severity | disaster",
    ),
    (
        "message times beside starts: a late copy",
        "0 | F s0 m0 warning | opened
         20 | F s0 m20 disaster | joined
         21 | F s0 m0 warning | joined
         22 | severity | disaster",
    ),
    (
        "message times: a clock that was set back lowers what is less severe",
        "0 | F m7200 disaster | opened
         60 | F m0 warning | joined
         61 | severity | warning",
    ),
    (
        "what an update raised is not taken back by a problem without a time of its own",
        "0 | F s0 once warning | opened
         20 | U s0 m20 once disaster | joined
         21 | C s0 m21 once plain | joined
         30 | F s0 once warning | joined
         31 | severity | disaster
         40 | U s0 m40 once warning | joined
         41 | severity | warning",
    ),
    (
        "and by an update without a time of its own",
        "0 | F once warning | opened
         20 | U once disaster | joined
         30 | F once warning | joined
         31 | severity | disaster",
    ),
    (
        "without updates and times it is as severe as it says",
        "0 | F s0 disaster | opened
         60 | F s0 warning | joined
         61 | severity | warning",
    ),
    (
        "updates after the sender's clock was set back",
        "0 | F s0 once | opened
         10 | A s0 m7200 once | acknowledged
         60 | U s0 m60 once | joined
         61 | due | triggered
         62 | A s0 m62 once | acknowledged
         63 | A s0 m62 once | joined",
    ),
    (
        "updates after the sender's clock was set back by less, when they are apart",
        "0 | F s0 once | opened
         10 | A s0 m200 once | acknowledged
         309 | U s0 m199 once | joined
         310 | due | acknowledged
         311 | U s0 m198 once | joined
         312 | due | triggered",
    ),
    (
        "a copy of an acknowledgement that somebody here gave back",
        "0 | F m0 | opened
         10 | A m10 | acknowledged
         20 | gives | triggered
         21 | A m10 | joined
         22 | due | triggered
         30 | A m30 | acknowledged",
    ),
    (
        "taken and given back in the same second",
        "0 | F m0 | opened
         10 | A m10 | acknowledged
         11 | U m10 | joined
         12 | due | triggered",
    ),
    (
        "an update of the round before",
        "0 | F m0 | opened
         5 | R m5 | resolved
         10 | F m10 | opened
         11 | A m4 | ignored late",
    ),
    (
        "what happens again after an hour",
        "0 | F m0 happens | opened
         1 | F m0 happens | joined
         3000 | F m3000 happens | joined
         3600 | silence | resolved
         3601 | F m3000 happens | ignored stale
         3900 | F m3900 happens | opened",
    ),
    (
        "what happens again after its sender's clock was set back",
        "0 | F m7200 happens | opened
         3600 | silence | resolved
         3601 | F m7200 happens | ignored stale
         4000 | F m600 happens | opened",
    ),
    (
        "and with starts",
        "0 | F s7200 happens | opened
         3600 | silence | resolved
         3601 | F s7200 happens | ignored stale
         4000 | F s600 happens | opened",
    ),
    (
        "what the sender acknowledged fires again, which it would not",
        "0 | F m0 quiet | opened
         10 | A m10 quiet | acknowledged
         11 | F m9 quiet | joined
         12 | due | acknowledged
         600 | F m600 quiet | joined
         601 | due | triggered",
    ),
    (
        "what somebody here acknowledged stays so",
        "0 | F m0 quiet | opened
         10 | takes | acknowledged
         600 | F m600 quiet | joined
         601 | due | acknowledged",
    ),
];

#[tokio::test]
async fn each_history_is_answered_as_it_should_be() {
    let mut wrong = Vec::new();
    for (title, steps) in HISTORIES {
        let (queue, clock) = queue();
        for step in steps.lines() {
            let mut parts = step.split('|').map(str::trim);
            let mut next = || parts.next().expect("three parts");
            let (at, what, expected) = (next().parse().expect("seconds"), next(), next());
            let now = T0 + SignedDuration::from_secs(at);
            clock.advance(now.duration_since(clock.now()));
            let got = match what {
                "jin" => act(&queue, &Action::Resolve).await,
                "takes" => act(&queue, &Action::Acknowledge).await,
                "gives" => act(&queue, &Action::Unacknowledge).await,
                "silence" => {
                    close(&queue, &DedupKey::new("1")).await;
                    "resolved".to_owned()
                }
                "due" => {
                    end_doubt(&queue).await;
                    latest(&queue, "1").await.state.as_str().to_owned()
                }
                "severity" => latest(&queue, "1").await.severity.as_str().to_owned(),
                said => answer(&queue, event(said)).await,
            };
            if got != expected {
                wrong.push(format!("{title}: {}: answered {got}", step.trim()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

async fn act(queue: &Queue, action: &Action) -> String {
    let id = latest(queue, "1").await.id;
    queue.act(id, action, "jin").await.expect("works").state.as_str().to_owned()
}

/// As dispatch does when it plans an alert.
async fn end_doubt(queue: &Queue) {
    let alert = latest(queue, "1").await;
    if alert.doubt_ends_at().is_some_and(|at| at <= queue.clock.now()) {
        queue.end_doubt(&alert).await.expect("works");
    }
}

fn event(words: &str) -> Event {
    let mut event = firing("1");
    for word in words.split_whitespace() {
        let acknowledged = |yes| EventStatus::Update(Update { acknowledged: Some(yes), ..Update::default() });
        let time = |seconds: &str| Some(T0 + SignedDuration::from_secs(seconds.parse().expect("seconds")));
        match word.split_at(1) {
            ("F", "") => {}
            ("R", "") => event.status = resolved("1").status,
            ("A", "") => event.status = acknowledged(true),
            ("U", "") => event.status = acknowledged(false),
            ("C", "") => event.status = EventStatus::Update(comment("looking")),
            ("X", "") => {
                event.status = EventStatus::Resolved { note: None, escalation_cancelled: true };
            }
            ("d", "isaster") => event.severity = Some(Severity::Disaster),
            ("w", "arning") => event.severity = Some(Severity::Warning),
            ("p", "lain") => event.severity = None,
            ("o", "nce") => event.key_never_returns = true,
            ("m", "inutely") => event.expires_after = Some(SignedDuration::from_mins(9)),
            ("h", "appens") => event.kind = Kind::Occurrence,
            ("q", "uiet") => event.quiet_while_acknowledged = true,
            ("s", seconds) => event.starts_at = time(seconds),
            ("m", seconds) => event.said_at = time(seconds),
            _ => panic!("no such word: {word}"),
        }
    }
    event
}
