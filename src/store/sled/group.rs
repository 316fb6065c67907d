//! A group of work becomes one batch: the checks, and what later writes of a group see of
//! earlier ones.

use std::collections::{HashMap, HashSet};

use ::sled::{Batch, Db, Error, IVec};

use super::{
    keys,
    work::{Done, Draft, Found, Removal, Verdict, Work},
};
use crate::{
    alert::{AlertId, Epoch, Signs, ThreadKey},
    store::{
        Expect, Place, Version,
        codec::{self, DecodeError, First, Header, Layout},
        schedule::Entry,
    },
};

pub(super) struct Group<'db> {
    db: &'db Db,
    pub(super) batch: Batch,
    /// Documents and thread entries as this group leaves them.
    overlay: HashMap<[u8; 18], Option<IVec>>,
    pub(super) effects: Effects,
}

/// What a group does besides its batch.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) touched: HashSet<AlertId>,
    /// Of alerts within the schedule, in order.
    pub(super) moves: Vec<Move>,
    pub(super) writes: bool,
    /// Of the present lead, and which this group makes of it.
    pub(super) epoch: Epoch,
    next_epoch: Epoch,
    /// Keys of charges for which there is no page.
    pub(super) unpaid: Vec<IVec>,
}

/// A place that an alert leaves, and what it has in its stead.
#[derive(Debug)]
pub(super) struct Move {
    pub(super) before: Option<Place>,
    pub(super) after: Option<Entry>,
}

/// The document that is replaced.
struct Old {
    header: Header,
    /// Of the value that it begins as.
    version: Version,
    kept: IVec,
}

fn damaged(id: AlertId, error: &DecodeError) -> Verdict {
    Verdict::Damaged(id, format!("alert {id}: {error}"))
}

impl Effects {
    /// Whether an alert may be due earlier than before.
    pub(super) fn wakes(&self) -> bool {
        self.moves
            .iter()
            .any(|Move { before, after }| after.is_some_and(|after| *before != Some(after.place)))
    }
}

impl<'db> Group<'db> {
    /// Under this lead; one that is taken has this epoch.
    pub(super) fn new(db: &'db Db, epoch: Epoch, next_epoch: Epoch) -> Self {
        let effects = Effects { epoch, next_epoch, ..Effects::default() };
        Self { db, batch: Batch::default(), overlay: HashMap::new(), effects }
    }

    /// What a write changes is looked at before: an error of the whole batch would close the engine for everybody. After
    /// an error nothing of this work is in the batch.
    pub(super) fn add(&mut self, work: Work) -> Result<Done, Error> {
        let mut done = Done::default();
        match work {
            Work::Alerts(drafts) => {
                let verdicts: Result<_, Error> = drafts.into_iter().map(|draft| self.write(draft)).collect();
                done.verdicts = verdicts?;
            }
            Work::Record { key, value } => {
                self.db.get(&key)?;
                self.effects.writes = true;
                self.batch.insert(key, value);
            }
            Work::Remove(removals) => {
                for removal in removals {
                    done.removed += match self.remove(removal) {
                        // It is kept, and keeps no other.
                        Err(Error::Corruption { .. }) => 0,
                        removed => usize::from(removed?),
                    };
                }
            }
            Work::Lead => {
                self.effects.writes = true;
                self.effects.epoch = self.effects.next_epoch;
                done.epoch = self.effects.epoch;
            }
            Work::Forget(keys) => {
                self.effects.writes = true;
                done.removed = keys.len();
                for key in keys {
                    self.batch.remove(key);
                }
            }
        }
        Ok(done)
    }

    fn write(&mut self, mut draft: Draft) -> Result<Verdict, Error> {
        let (id, now) = (draft.id, self.effects.epoch);
        if let Some(planned) = draft.epoch.filter(|planned| *planned < now) {
            return Ok(Verdict::LeadLost { planned, now });
        }
        let verdict = self.reach(&mut draft).and_then(|()| match draft.expect {
            Expect::NewRound { after } => self.open_round(draft, after),
            Expect::Version(version) => self.replace(draft, version),
            Expect::LatestRound(version) => self.replace_latest(draft, version),
        });
        match verdict {
            // One unreadable page must not fail everybody's group again and again.
            Err(Error::Corruption { at, .. }) => Ok(Verdict::Damaged(id, format!("sled cannot read {at:?}"))),
            verdict => verdict,
        }
    }

    /// Fails if what comes with the document would lie on a page that does not read. A charge is left out then: telling
    /// people goes before counting what it costs.
    fn reach(&mut self, draft: &mut Draft) -> Result<(), Error> {
        let mut beside = Vec::with_capacity(draft.beside.len());
        for (key, row) in draft.beside.drain(..) {
            match self.db.get(&key) {
                Err(Error::Corruption { .. }) if key.starts_with(keys::CHARGES) => {
                    self.effects.unpaid.push(key);
                }
                there => {
                    there?;
                    beside.push((key, row));
                }
            }
        }
        draft.beside = beside;
        Ok(())
    }

    fn open_round(&mut self, draft: Draft, after: Option<Version>) -> Result<Verdict, Error> {
        let latest = self.latest_round(draft.thread)?;
        // Neither an entry nor a document that does not read, or is not there, must bar the thread: what its sender
        // says next would reach nobody.
        if let Some((latest, round)) = latest
            && let is_past = draft.round <= round
            && (is_past || after.is_some())
            && let Some((version, document)) = self.readable_document(latest)?
            && (is_past || after != Some(version))
        {
            return self.conflict(latest, document);
        }
        if self.get(keys::alert(draft.id))?.is_some() {
            // Two alerts under one id: with 74 random bits a fault of the caller, but no reason
            // to forget the other alert.
            return Ok(Verdict::Conflict(None));
        }

        let (thread, entry) = (draft.thread, keys::latest_round(draft.id, draft.round));
        let verdict = self.store(draft, None)?;
        self.put(keys::thread(thread), IVec::from(&entry));
        Ok(verdict)
    }

    fn replace(&mut self, draft: Draft, expected: Version) -> Result<Verdict, Error> {
        let id = draft.id;
        let Some(old) = self.newest(id)? else { return Ok(Verdict::Conflict(None)) };
        match codec::decode_header(&old) {
            Err(error) => Ok(damaged(id, &error)),
            Ok(header) if header.version != expected => self.conflict(id, old),
            Ok(header) => {
                let kept = if header.begins.is_some() { self.get(keys::alert(id))? } else { Some(old) };
                let kept = kept.ok_or(DecodeError::Missing);
                let read = kept.and_then(|kept| Ok((codec::decode_header(&kept)?.version, kept)));
                match read {
                    Err(error) => Ok(damaged(id, &error)),
                    Ok((version, _)) if header.begins.is_some_and(|begins| begins.version != version) => {
                        Ok(damaged(id, &DecodeError::Missing))
                    }
                    Ok((version, kept)) => self.store(draft, Some(&Old { header, version, kept })),
                }
            }
        }
    }

    fn conflict(&self, id: AlertId, newest: IVec) -> Result<Verdict, Error> {
        Ok(Verdict::Conflict(Some(Found { id, newest, beginning: self.get(keys::alert(id))? })))
    }

    /// The rest of a document if it has one, else what it begins as, which is all.
    fn newest(&self, id: AlertId) -> Result<Option<IVec>, Error> {
        let rest = self.get(keys::rest(id))?;
        if rest.is_some() { Ok(rest) } else { self.get(keys::alert(id)) }
    }

    fn replace_latest(&mut self, draft: Draft, expected: Version) -> Result<Verdict, Error> {
        if let Some((latest, _)) = self.latest_round(draft.thread)?
            && latest != draft.id
            && let Some((_, document)) = self.readable_document(latest)?
        {
            return self.conflict(latest, document);
        }
        self.replace(draft, expected)
    }

    fn store(&mut self, draft: Draft, old: Option<&Old>) -> Result<Verdict, Error> {
        let kept = old.map(|old| (old.version, old.kept.as_ref()));
        let Layout { beginning, rest, further } = codec::lay_out(&draft.whole, kept);
        if old.is_none() && rest.is_some() {
            self.get(keys::rest(draft.id))?;
        }
        for (_, number) in further.iter().zip(0_u16..) {
            self.db.get(keys::piece(draft.id, number))?;
        }
        let (had_rest, old_further) =
            old.map_or((false, 0), |old| (old.header.begins.is_some(), old.header.further));
        self.schedule(&draft, old)?;
        match beginning {
            First::Kept => {}
            First::Whole => self.put(keys::alert(draft.id), draft.whole),
            First::Cut(value) => self.put(keys::alert(draft.id), value.into()),
        }
        match rest {
            Some(rest) => self.put(keys::rest(draft.id), rest.into()),
            None if had_rest => self.take_out(keys::rest(draft.id)),
            None => {}
        }
        let mut written = 0;
        for (piece, number) in further.into_iter().zip(0_u16..) {
            self.batch.insert(&keys::piece(draft.id, number), piece);
            written = number + 1;
        }
        for number in written..old_further {
            self.batch.remove(&keys::piece(draft.id, number));
        }
        for (key, row) in draft.beside {
            self.batch.insert(key, row);
        }
        self.effects.touched.insert(draft.id);
        Ok(Verdict::Written(draft.version))
    }

    fn schedule(&mut self, draft: &Draft, old: Option<&Old>) -> Result<(), Error> {
        let (id, after) = (draft.id, draft.entry);
        let before = old.and_then(|old| Place::of(id, old.header));
        self.effects.moves.push(Move { before, after });
        // While an answer is waited for its row may lag behind: a start comes upon the alert all the same, and plans it.
        let lags = |Old { header, .. }: &Old, before: Place, after: Entry| {
            header.found
                && header.open == after.row.signs.intersects(Signs::OPEN)
                && draft.epoch.is_some()
                && after.row.signs.contains(Signs::IN_FLIGHT)
                && before.is_as_early(after.place)
        };
        let may_lag = old.zip(before).zip(after);
        if may_lag.is_some_and(|((old, before), after)| lags(old, before, after)) {
            return Ok(());
        }
        let key = keys::scheduled(id);
        match (self.get(key), after) {
            // Where its row would lie nothing can be written: the next start makes it again from the document.
            (Err(Error::Corruption { .. }), _) | (Ok(None), None) => {}
            (Err(error), _) => return Err(error),
            (Ok(_), Some(after)) => self.put(key, after.to_bytes().into()),
            (Ok(Some(_)), None) => self.take_out(key),
        }
        Ok(())
    }

    fn remove(&mut self, removal: Removal) -> Result<bool, Error> {
        let Some(document) = self.newest(removal.id)? else { return Ok(false) };
        let unchanged = codec::decode_header(&document)
            .is_ok_and(|header| header.version == removal.version && header.due_ms.is_none());
        if !unchanged {
            return Ok(false);
        }

        let latest = self.latest_round(removal.thread)?;
        if latest.is_some_and(|(latest, _)| latest == removal.id) {
            self.take_out(keys::thread(removal.thread));
        }
        for key in removal.beside {
            self.batch.remove(key);
        }
        self.effects.touched.insert(removal.id);
        self.take_out(keys::alert(removal.id));
        self.take_out(keys::rest(removal.id));
        Ok(true)
    }

    fn latest_round(&self, thread: ThreadKey) -> Result<Option<(AlertId, u32)>, Error> {
        Ok(self.get(keys::thread(thread))?.and_then(|entry| keys::latest_round_of(&entry)))
    }

    fn readable_document(&self, id: AlertId) -> Result<Option<(Version, IVec)>, Error> {
        let document = match self.newest(id) {
            Err(Error::Corruption { .. }) => return Ok(None),
            document => document?,
        };
        let Some((header, document)) = document.and_then(|it| Some((codec::decode_header(&it).ok()?, it)))
        else {
            return Ok(None);
        };
        if let Some(begins) = header.begins {
            let beginning = match self.get(keys::alert(id)) {
                Err(Error::Corruption { .. }) => return Ok(None),
                beginning => beginning?.and_then(|value| codec::decode_header(&value).ok()),
            };
            if beginning.is_none_or(|beginning| beginning.version != begins.version) {
                return Ok(None);
            }
        }
        Ok(Some((header.version, document)))
    }

    fn get(&self, key: [u8; 18]) -> Result<Option<IVec>, Error> {
        match self.overlay.get(&key) {
            Some(value) => Ok(value.clone()),
            None => self.db.get(key),
        }
    }

    fn put(&mut self, key: [u8; 18], value: IVec) {
        self.effects.writes = true;
        self.overlay.insert(key, Some(value.clone()));
        self.batch.insert(&key, value);
    }

    fn take_out(&mut self, key: [u8; 18]) {
        self.effects.writes = true;
        self.overlay.insert(key, None);
        self.batch.remove(&key);
    }
}
