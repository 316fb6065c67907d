//! What a sender knows of one of its events: what it said, what was answered, and so in which
//! states the alert may be. An unanswered request may have been taken or not; an answer says which.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// Zabbix's number of the severity that is texted at once.
pub(crate) const DISASTER: u8 = 5;

/// What a sender, or an operator, says about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saying {
    /// There is a problem; again, if it was said before.
    Problem,
    /// It is over.
    Recovery,
    /// Somebody acknowledged it in Zabbix.
    Acknowledged,
    /// Somebody made it a disaster in Zabbix.
    Raised,
    /// An operator acknowledges it through the API.
    Taken,
}

/// Where the alert of an event may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Nobody ever heard of it.
    Absent,
    /// Open, nobody has it; its severity.
    Triggered(u8),
    /// Open, somebody has it; its severity.
    Acknowledged(u8),
    /// Over; its severity.
    Resolved(u8),
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Nothing: the request may have been taken.
    Nothing,
    /// Accepted, but the words were lost.
    Wordless,
    /// Accepted, with the result for the event.
    Said(Value),
    /// An operator's action was done, or refused because the alert is over.
    Acted { done: bool },
    /// Any other status.
    Refused(u16),
}

/// One event's story.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) event_id: String,
    /// As the sender last said it.
    pub(crate) severity: u8,
    pub(crate) states: BTreeSet<State>,
    /// As first answered; it never changes.
    pub(crate) alert_id: Option<String>,
    /// Some request about it was answered.
    pub(crate) answered: bool,
    /// The last request, if it was not answered: senders try again.
    pub(crate) unanswered: Option<Saying>,
}

impl Story {
    pub(crate) fn new(event_id: String, severity: u8) -> Self {
        let states = BTreeSet::from([State::Absent]);
        Self { event_id, severity, states, alert_id: None, answered: false, unanswered: None }
    }

    /// The body that Zabbix posts for it.
    pub(crate) fn body(&self, saying: Saying) -> String {
        let mut body = json!({
            "event_id": self.event_id, "event_source": "0", "event_value": "1", "event_update_status": "0",
            "event_nseverity": self.severity.to_string(), "event_name": format!("crash test {}", self.event_id),
            "host_name": "web01", "event_tags_json": "[]", "trigger_id": "18807",
            "alert_message": "line one\r\nline two",
        });
        let more = match saying {
            Saying::Problem | Saying::Taken => json!({}),
            Saying::Recovery => json!({ "event_value": "0", "event_recovery_id": "460" }),
            Saying::Acknowledged => update("acknowledged"),
            Saying::Raised => update("changed severity from High to Disaster"),
        };
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        body.to_string()
    }

    /// Takes in the answer to `saying`; says what is wrong with it.
    pub(crate) fn hear(&mut self, saying: Saying, answer: &Answer) -> Result<(), String> {
        let before = self.states.clone();
        let after = |state: &State| self.after(*state, saying);
        self.states = match answer {
            Answer::Nothing | Answer::Refused(_) => before.iter().flat_map(|s| [*s, after(s)]).collect(),
            Answer::Wordless => before.iter().map(after).collect(),
            Answer::Acted { done: false } => {
                before.iter().filter(|state| matches!(state, State::Resolved(_))).copied().collect()
            }
            Answer::Acted { done: true } => {
                before.iter().filter(|state| state.is_open()).map(after).collect()
            }
            Answer::Said(result) => {
                before.iter().filter(|state| explains(**state, saying, result)).map(after).collect()
            }
        };
        self.unanswered = matches!(answer, Answer::Nothing | Answer::Refused(_)).then_some(saying);
        self.answered |= self.unanswered.is_none();
        if self.states.is_empty() {
            // Go on with what follows from the request, or one fault would be told many times.
            self.states = before.iter().map(|state| self.after(*state, saying)).collect();
            return Err(format!(
                "event {}: {saying:?} was answered {answer:?}, but it was in {before:?}",
                self.event_id
            ));
        }
        self.same_alert(answer)
    }

    fn same_alert(&mut self, answer: &Answer) -> Result<(), String> {
        let Answer::Said(result) = answer else { return Ok(()) };
        let Some(id) = result.get("alert_id").and_then(Value::as_str) else { return Ok(()) };
        let known = self.alert_id.get_or_insert_with(|| id.to_owned());
        if known == id {
            return Ok(());
        }
        Err(format!("event {}: it was alert {known} and is now alert {id}", self.event_id))
    }

    /// What `saying` makes of an alert.
    fn after(&self, state: State, saying: Saying) -> State {
        match (saying, state) {
            (Saying::Problem, State::Absent) | (Saying::Problem | Saying::Raised, State::Triggered(_)) => {
                State::Triggered(self.severity)
            }
            (Saying::Recovery, State::Triggered(severity) | State::Acknowledged(severity)) => {
                State::Resolved(severity)
            }
            // The update carries the severity, the operator's click does not.
            (Saying::Acknowledged, State::Triggered(_))
            | (Saying::Problem | Saying::Raised | Saying::Acknowledged, State::Acknowledged(_)) => {
                State::Acknowledged(self.severity)
            }
            (Saying::Taken, State::Triggered(severity)) => State::Acknowledged(severity),
            (_, State::Absent | State::Resolved(_)) | (Saying::Taken, State::Acknowledged(_)) => state,
        }
    }
}

impl State {
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Triggered(_) | Self::Acknowledged(_))
    }
}

fn update(action: &str) -> Value {
    json!({ "event_update_status": "1", "event_update_action": action, "user_fullname": "Min Kim" })
}

/// Whether an alert in `before` explains this result.
fn explains(before: State, saying: Saying, result: &Value) -> bool {
    let word = |name: &str| result.get(name).and_then(Value::as_str).unwrap_or_default();
    match (word("admission"), word("reason")) {
        ("opened", _) => before == State::Absent && saying == Saying::Problem,
        ("joined", _) => match saying {
            Saying::Acknowledged => matches!(before, State::Acknowledged(_)),
            Saying::Problem | Saying::Raised => before.is_open(),
            Saying::Recovery | Saying::Taken => false,
        },
        ("acknowledged", _) => saying == Saying::Acknowledged && matches!(before, State::Triggered(_)),
        ("resolved", _) => saying == Saying::Recovery && before.is_open(),
        ("ignored", "stale") => saying == Saying::Problem && matches!(before, State::Resolved(_)),
        ("ignored", "already_resolved") => saying != Saying::Problem && matches!(before, State::Resolved(_)),
        _ => false,
    }
}
