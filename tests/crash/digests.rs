//! What limits held back: which digest counts it, and whether that digest was told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::books::{ServerBooks, count_of, text};

/// One digest.
#[derive(Debug)]
struct Digest<'a> {
    contact: &'a str,
    /// How many alerts it counts.
    count: u64,
    /// When it counted them.
    counted_at: Option<Timestamp>,
    /// The alerts whose journal says that it counts them.
    alerts: BTreeSet<&'a str>,
}

/// Every digest, by id.
#[derive(Debug, Default)]
pub(crate) struct Digests<'a> {
    by_id: BTreeMap<&'a str, Digest<'a>>,
    /// Journals that name a digest which is not there.
    orphans: Vec<String>,
}

impl<'a> Digests<'a> {
    pub(crate) fn of(books: &'a ServerBooks) -> Self {
        let mut digests = Self::default();
        for (id, alert) in &books.alerts {
            if let Some(digest) = alert.get("digest") {
                let counted = rows(alert, "counted").next().and_then(|row| text(row, "at").parse().ok());
                let contact = text(digest, "contact");
                let digest =
                    Digest { contact, count: count_of(digest), counted_at: counted, alerts: BTreeSet::new() };
                digests.by_id.insert(id, digest);
            }
        }
        for (id, alert) in &books.alerts {
            for row in rows(alert, "folded") {
                match digests.by_id.get_mut(text(row, "digest")) {
                    Some(digest) if digest.contact == text(row, "contact") => {
                        digest.alerts.insert(id);
                    }
                    Some(_) | None => digests.orphans.push(format!("alert {id}: {row}")),
                }
            }
        }
        digests
    }

    /// True for a digest of this id.
    pub(crate) fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// How many there are, and how often alerts went into one.
    pub(crate) fn sums(&self) -> (usize, u64) {
        (self.by_id.len(), self.by_id.values().map(|digest| digest.count).sum())
    }

    /// What they count that was not held back, and the reverse.
    pub(crate) fn miscounts(&self) -> Vec<String> {
        let wrong = self.by_id.iter().filter(|(_, digest)| digest.alerts.len() as u64 != digest.count);
        let words = wrong.map(|(id, digest)| {
            let (counted, held_back) = (digest.count, digest.alerts.len());
            format!("digest {id} counts {counted} alerts, the journals of {held_back} name it")
        });
        let orphans =
            self.orphans.iter().map(|row| format!("held back for a digest that is not there: {row}"));
        words.chain(orphans).collect()
    }

    /// The digests that tell `contact` of this alert as it has been since `since`.
    pub(crate) fn telling<'s>(
        &'s self,
        alert: &'s str,
        contact: &'s str,
        since: Option<Timestamp>,
    ) -> impl Iterator<Item = &'a str> + 's {
        let tells = move |digest: &Digest<'_>| {
            digest.contact == contact
                && digest.alerts.contains(alert)
                && digest.counted_at.is_some_and(|at| since.is_none_or(|since| since <= at))
        };
        self.by_id.iter().filter(move |(_, digest)| tells(digest)).map(|(id, _)| *id)
    }
}

/// Journal rows of one kind.
fn rows<'v>(alert: &'v Value, entry: &'static str) -> impl Iterator<Item = &'v Value> {
    let journal = alert.get("journal").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    journal.iter().filter(move |row| text(row, "entry") == entry)
}
