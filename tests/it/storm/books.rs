//! What a storm left behind: the journals of all alerts, and what phones got.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use bongsu::sandbox::{PushSeen, TextSeen};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::phone;
use crate::harness::{Harness, T0};

/// `sms.disaster_budget` lets so many through at once.
pub(crate) fn disaster_text_limit() -> u64 {
    20
}

/// Segments of the longest text that a gateway takes, unless its `max_segments` says otherwise.
const LONGEST_TEXT: u64 = 3;

/// A person is told of a disaster within so long.
const DISASTER_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// One alert as the API shows it.
pub(crate) struct Page(pub(crate) Value);

impl Page {
    pub(crate) fn is_digest(&self) -> bool {
        self.0["digest"].is_object()
    }

    fn rows(&self) -> impl Iterator<Item = &Value> {
        self.0["journal"].as_array().expect("a journal").iter()
    }

    /// When a provider first accepted something for this contact, by this road.
    fn accepted_at(&self, contact: &str, transport: &str) -> Option<Timestamp> {
        let accepted = self.rows().filter(|row| {
            row["entry"] == "attempt"
                && row["contact"] == contact
                && row["transport"] == transport
                && row["outcome"] == "accepted"
        });
        accepted.filter_map(|row| row["started_at"].as_str()?.parse().ok()).min()
    }

    /// Digests that count it for this contact.
    pub(crate) fn digests_for(&self, contact: &str) -> BTreeSet<&str> {
        let folded = self.rows().filter(|row| row["entry"] == "folded" && row["contact"] == contact);
        folded.filter_map(|row| row["digest"].as_str()).collect()
    }
}

pub(crate) struct Books {
    people: Vec<String>,
    pub(crate) alerts: Vec<Page>,
    pub(crate) digests: BTreeMap<String, Page>,
    /// What Bongsu says of itself: a gateway that has used half of its day.
    ours: Vec<Page>,
    pub(crate) pushes: Vec<PushSeen>,
    pub(crate) texts: Vec<TextSeen>,
}

impl Books {
    pub(crate) async fn read(h: &Harness, people: usize) -> Self {
        let (mut alerts, mut digests, mut ours) = (Vec::new(), BTreeMap::new(), Vec::new());
        let mut path = "/v1/alerts?limit=500".to_owned();
        loop {
            let page = h.get(&path).await;
            for alert in page["alerts"].as_array().expect("alerts") {
                let id = alert["id"].as_str().expect("an id");
                let page = Page(h.get(&format!("/v1/alerts/{id}")).await);
                if page.is_digest() {
                    digests.insert(id.to_owned(), page);
                } else if page.0["integration"] == "bongsu" {
                    ours.push(page);
                } else {
                    alerts.push(page);
                }
            }
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/v1/alerts?limit=500&cursor={next}");
        }
        let people = (0..people).map(|person| format!("p{person}")).collect();
        let (pushes, texts) = (h.sandbox.fcm().pushes(), h.sandbox.sms().texts());
        Self { people, alerts, digests, ours, pushes, texts }
    }

    /// Of the table: what phones got, and what digests counted.
    pub(crate) fn line(&self, weather: &str) -> String {
        let pushes = self.pushes.iter().filter(|push| push.accepted).count();
        let texts = self.texts.iter().filter(|text| text.accepted).count();
        let counted: u64 =
            self.digests.values().map(|digest| digest.0["digest"]["count"].as_u64().expect("a count")).sum();
        let most = self.segments_within(SignedDuration::from_hours(1)).into_values().max().unwrap_or(0);
        let mut line =
            format!("FCM {weather:<10} | {:>5} alerts x {:>2} people", self.alerts.len(), self.people.len());
        write!(
            line,
            " | {:>6} pushes asked for, {pushes:>5} accepted | {texts:>4} texts, most for one person in an hour \
             {most:>3} segments | {:>3} digests count {counted:>6}",
            self.pushes.len(),
            self.digests.len(),
        )
        .expect("a string takes everything");
        line
    }

    /// Between the first alert and the first push.
    pub(crate) fn first_push_after(&self) -> SignedDuration {
        self.pushes.iter().map(|push| push.at).min().expect("a push").duration_since(T0)
    }

    /// Segments by person, as the ledger has them.
    pub(crate) fn segments_within(&self, time: SignedDuration) -> BTreeMap<&str, u64> {
        let mut segments: BTreeMap<&str, u64> =
            self.people.iter().map(|person| (person.as_str(), 0)).collect();
        let rows = self.alerts.iter().chain(self.digests.values()).chain(&self.ours).flat_map(Page::rows);
        for row in rows.filter(|row| row["transport"] == "sms" && row["outcome"] == "accepted") {
            let at: Timestamp = row["started_at"].as_str().and_then(|at| at.parse().ok()).expect("a time");
            if at.duration_since(T0) < time {
                let billed = row["segments"].as_u64().expect("what it is billed as");
                *segments.entry(row["contact"].as_str().expect("a name")).or_default() += billed;
            }
        }
        segments
    }

    /// Every text and every push that a phone got is in the ledger, and nothing else is.
    pub(crate) fn assert_the_ledger_has_everything_that_arrived(&self) {
        for (person, name) in self.people.iter().enumerate() {
            let (number, device) = (phone(person), format!("device-{person}"));
            let texts = self.texts.iter().filter(|text| text.to == number && text.accepted).count();
            let pushes = self.pushes.iter().filter(|push| push.target == device && push.accepted).count();
            let rows = |transport: &str| {
                let pages = self.alerts.iter().chain(self.digests.values()).chain(&self.ours);
                let rows = pages.flat_map(Page::rows).filter(|row| {
                    row["transport"] == transport
                        && row["outcome"] == "accepted"
                        && row["contact"] == name.as_str()
                });
                rows.count()
            };
            assert_eq!((rows("sms"), rows("push")), (texts, pushes), "{name}");
        }
    }

    /// Each disaster has a text of its own until the budget for them is spent, and not a segment longer; what is
    /// held back goes into a digest. Until a gateway has answered, its text counts as the longest that it takes.
    pub(crate) fn assert_disasters_were_told_alone_while_their_budget_lasted(&self) {
        for contact in &self.people {
            let (mut alone, mut longest, mut texts, mut held_back) = (0, 0, 0, 0);
            for alert in self.alerts.iter().filter(|alert| alert.0["severity"] == "disaster") {
                let text = alert.rows().find(|row| {
                    row["contact"] == contact.as_str()
                        && row["transport"] == "sms"
                        && row["subject"] == "opened"
                        && row["outcome"] == "accepted"
                });
                if let Some(text) = text {
                    let segments = text["segments"].as_u64().expect("what it is billed as");
                    (alone, longest, texts) = (alone + segments, longest.max(segments), texts + 1);
                } else {
                    held_back += 1;
                    assert!(!alert.digests_for(contact).is_empty(), "{contact}: {}", alert.0);
                }
            }
            let budget = disaster_text_limit();
            assert!(
                0 < held_back && budget <= texts * LONGEST_TEXT,
                "{contact}: {texts} texts, {held_back} held back"
            );
            assert!(alone < budget + longest, "{contact}: {alone} segments of a budget of {budget}");
        }
    }

    /// Alone, or in a digest that reached them.
    pub(crate) fn assert_everybody_was_told_of_everything(&self, alerts: usize) {
        assert_eq!(self.alerts.len(), alerts);
        for alert in &self.alerts {
            for contact in &self.people {
                let alone = ["push", "sms"].iter().any(|road| alert.accepted_at(contact, road).is_some());
                let counted = alert.digests_for(contact).iter().any(|digest| {
                    let digest = &self.digests[*digest];
                    ["push", "sms"].iter().any(|road| digest.accepted_at(contact, road).is_some())
                });
                assert!(alone || counted, "{contact} was not told: {}", alert.0);
            }
        }
    }

    /// Not one more, not one less, each person's own, and as grave as they are: nothing ends in these storms.
    pub(crate) fn assert_digests_count_what_was_folded(&self) {
        let mut folded: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        for alert in &self.alerts {
            let severity = alert.0["severity"].as_str().expect("a severity");
            for contact in &self.people {
                for digest in alert.digests_for(contact) {
                    assert_eq!(self.digests[digest].0["digest"]["contact"], contact.as_str());
                    *folded.entry(digest).or_default().entry(severity).or_default() += 1;
                }
            }
        }
        for (id, digest) in &self.digests {
            let (said, counts) = (&digest.0["digest"], folded.remove(id.as_str()).unwrap_or_default());
            assert_eq!(said["count"], counts.values().sum::<u64>(), "{}", digest.0);
            let by_severity = said["by_severity"].as_object().expect("counts");
            let said: BTreeMap<&str, u64> = by_severity
                .iter()
                .map(|(severity, count)| (severity.as_str(), count.as_u64().expect("a count")))
                .collect();
            assert_eq!(said, counts, "{}", digest.0);
        }
        assert!(folded.is_empty(), "counted by nobody: {:?}", folded.keys());
    }

    /// Alone or by a digest that names disasters.
    pub(crate) fn assert_disasters_were_told_within_a_minute(&self) {
        for alert in self.alerts.iter().filter(|alert| alert.0["severity"] == "disaster") {
            for contact in &self.people {
                let alone = alert.accepted_at(contact, "sms").or_else(|| alert.accepted_at(contact, "push"));
                let digests = alert.digests_for(contact).into_iter().filter_map(|digest| {
                    let digest = &self.digests[digest];
                    let named = &digest.0["digest"]["worst"][0]["severity"];
                    let at =
                        digest.accepted_at(contact, "sms").or_else(|| digest.accepted_at(contact, "push"));
                    at.filter(|_| named == "disaster")
                });
                let told = alone.into_iter().chain(digests).min().expect("it was told");
                let after = told.duration_since(T0);
                assert!(after <= DISASTER_WITHIN, "{contact} was told after {after:?}: {}", alert.0);
            }
        }
    }
}
