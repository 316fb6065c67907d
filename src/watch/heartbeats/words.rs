//! What is said about a heartbeat. Pure.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    alert::Event,
    config::Heartbeat,
    watch::{firing, over as ended},
};

/// What was heard of a heartbeat that is late `now`.
pub(super) struct Silence {
    pub(super) last_call: Option<Timestamp>,
    /// When we began to listen.
    pub(super) since: Timestamp,
    pub(super) now: Timestamp,
}

pub(super) fn late(heartbeat: &Heartbeat, silence: &Silence, time_zone: &TimeZone) -> Event {
    let Heartbeat { name, every, grace, severity } = heartbeat;
    let Silence { last_call, since, now } = *silence;
    let clock = |at: Timestamp| at.to_zoned(time_zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    let heard = last_call.unwrap_or(since);
    let mut sentences = vec![
        format!("It should call every {} and may be {} late.", lasting(*every), lasting(*grace)),
        format!("The last call came at {}.", clock(heard)),
    ];
    if heard < since {
        sentences.push(format!("Bongsu has been listening since {}.", clock(since)));
    }
    let title = format!("{name} has not called for {}", lasting(now.duration_since(heard)));
    Event {
        labels: [("heartbeat".to_owned(), name.clone())].into(),
        ..firing(dedup_key(name), *severity, title, sentences.join(" "))
    }
}

/// It is not late any more, or not ours any more: then `note` says so.
pub(super) fn over(name: &str, note: Option<&str>) -> Event {
    ended(dedup_key(name), format!("{name} calls again"), note)
}

fn dedup_key(name: &str) -> String {
    format!("heartbeat:{name}")
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
        let at = |seconds| T0 + SignedDuration::from_secs(seconds);
        let silence = |since, now| Silence { last_call: Some(T0), since: at(since), now: at(now) };
        let event = late(&heartbeat, &silence(-60, 180), &seoul);
        assert_eq!(event.title, "zabbix-alive has not called for 3 min");
        let body = "It should call every 1 min and may be 2 min late. The last call came at 2027-01-15 17:00:00 KST.";
        assert_eq!(event.body, body);
        let event = late(&heartbeat, &silence(3_600, 3_780), &seoul);
        assert_eq!(event.title, "zabbix-alive has not called for 1 h 3 min");
        assert_eq!(event.body, format!("{body} Bongsu has been listening since 2027-01-15 18:00:00 KST."));
        assert_eq!(
            (event.severity, event.dedup_key.as_str()),
            (Some(Severity::Disaster), "heartbeat:zabbix-alive")
        );
    }
}
