//! What is said about a heartbeat. Pure.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::beat::Calls;
use crate::{
    alert::{DedupKey, Event, EventStatus},
    config::Heartbeat,
};

/// The alert about a heartbeat.
pub(super) fn dedup_key(name: &str) -> DedupKey {
    DedupKey::new(format!("heartbeat:{name}"))
}

/// It has not called at `now`, though we have listened since `since`.
pub(super) fn late(
    heartbeat: &Heartbeat,
    calls: Option<Calls>,
    (since, now): (Timestamp, Timestamp),
    time_zone: &TimeZone,
) -> Event {
    let Heartbeat { name, every, grace, severity } = heartbeat;
    let clock = |at: Timestamp| at.to_zoned(time_zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    let heard = calls.map_or(since, |calls| calls.last);
    let mut sentences = vec![
        format!("It should call every {} and may be {} late.", lasting(*every), lasting(*grace)),
        format!("The last call came at {}.", clock(heard)),
    ];
    if heard < since {
        sentences.push(format!("Bongsu has been listening since {}.", clock(since)));
    }
    let title = format!("{name} has not called for {}", lasting(now.duration_since(heard)));
    Event {
        severity: Some(*severity),
        body: sentences.join(" "),
        labels: [("heartbeat".to_owned(), name.clone())].into(),
        ..Event::firing(dedup_key(name), title)
    }
}

/// It is not late any more, or not ours any more: then `note` says so.
pub(super) fn over(name: &str, note: Option<&str>) -> Event {
    let status = EventStatus::Resolved { note: note.map(str::to_owned), escalation_cancelled: false };
    Event { status, ..Event::firing(dedup_key(name), format!("{name} calls again")) }
}

/// The two largest units of a duration: `3 min`, `1 h 30 min`, `2 days 4 h`.
fn lasting(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let day = if days == 1 { "day" } else { "days" };
    let units = [(days, day), (hours, "h"), (minutes, "min"), (seconds % 60, "s")];
    let shown = units.iter().skip_while(|(count, _)| *count == 0).take(2);
    let words: Vec<_> =
        shown.filter(|(count, _)| *count != 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    if words.is_empty() { "0 s".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Severity;

    const T0: Timestamp = Timestamp::constant(1_800_000_000, 0);

    #[test]
    fn durations_have_at_most_two_units() {
        for (seconds, words) in [
            (-1, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (180, "3 min"),
            (3_599, "59 min 59 s"),
            (3_600, "1 h"),
            (3_659, "1 h"),
            (3_660, "1 h 1 min"),
            (86_400, "1 day"),
            (2 * 86_400 + 4 * 3_600 + 59, "2 days 4 h"),
        ] {
            assert_eq!(lasting(SignedDuration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn silence_is_counted_from_the_last_call_and_a_restart_is_mentioned() {
        let heartbeat = Heartbeat {
            name: "zabbix-alive".to_owned(),
            every: SignedDuration::from_mins(1),
            grace: SignedDuration::from_mins(2),
            severity: Severity::Disaster,
        };
        let seoul = TimeZone::get("Asia/Seoul").unwrap();
        let calls = Some(Calls { first: T0, last: T0 });
        let at = |seconds| T0 + SignedDuration::from_secs(seconds);
        let event = late(&heartbeat, calls, (at(-60), at(180)), &seoul);
        assert_eq!(event.title, "zabbix-alive has not called for 3 min");
        let body = "It should call every 1 min and may be 2 min late. The last call came at 2027-01-15 17:00:00 KST.";
        assert_eq!(event.body, body);
        let event = late(&heartbeat, calls, (at(3_600), at(3_780)), &seoul);
        assert_eq!(event.title, "zabbix-alive has not called for 1 h 3 min");
        assert_eq!(event.body, format!("{body} Bongsu has been listening since 2027-01-15 18:00:00 KST."));
        assert_eq!(
            (event.severity, event.dedup_key.as_str()),
            (Some(Severity::Disaster), "heartbeat:zabbix-alive")
        );
    }
}
