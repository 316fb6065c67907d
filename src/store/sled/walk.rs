//! Walks along the keys. What lies on a page that does not read is passed over and counted; sled's own iterator
//! stands still there.

use std::ops::Range;

use ::sled::{IVec, Iter};

use super::handle::{Handle, failure, guarded};
use crate::store::{Damage, StoreError, damage::PAGE};

/// How exactly the end of such a page is found, in bytes of a key: no key is longer.
const PLACE_BYTES: usize = 80;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

/// Keys and values within a range.
pub(super) struct Walk<'a> {
    handle: &'a Handle,
    damage: &'a Damage,
    keys: Range<Vec<u8>>,
    order: Order,
    /// `None` at the end.
    rest: Option<Iter>,
    /// The last key that was read or passed over.
    last: Option<IVec>,
}

/// A key with zeros behind it: a number as long as the others.
type Place = [u8; PLACE_BYTES];

impl Handle {
    pub(super) fn walk<'a>(&'a self, keys: Range<Vec<u8>>, order: Order, damage: &'a Damage) -> Walk<'a> {
        let rest = (!keys.is_empty()).then(|| self.db().range(keys.clone()));
        Walk { handle: self, damage, keys, order, rest, last: None }
    }

    /// Together all of these keys: as many in one as in the other where they are spread evenly.
    pub(super) fn halves(&self, keys: Range<Vec<u8>>) -> [Range<Vec<u8>>; 2] {
        let passed_over = Damage::default();
        let outermost = |order| {
            let (key, _) = self.walk(keys.clone(), order, &passed_over).next()?.ok()?;
            Some(place_of(&key))
        };
        let ends = outermost(Order::Ascending).zip(outermost(Order::Descending));
        let middle =
            ends.map_or_else(|| keys.end.clone(), |(first, last)| key_at(&halfway(&first, &last)).to_vec());
        [keys.start..middle.clone(), middle..keys.end]
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<(IVec, IVec), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match next_of(self.rest.as_mut()?, self.order) {
                Ok(Some((key, value))) => {
                    self.last = Some(key.clone());
                    return Some(Ok((key, value)));
                }
                Ok(None) => return None,
                Err(StoreError::Damaged(detail)) => self.pass_over(&detail),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Walk<'_> {
    /// Goes on where the next page reads again, which is found by halving what is left.
    fn pass_over(&mut self, detail: &str) {
        let (near, far) = match self.order {
            Order::Ascending => (&self.keys.start, &self.keys.end),
            Order::Descending => (&self.keys.end, &self.keys.start),
        };
        let far = place_of(far);
        let (mut unreadable, mut readable) = (place_of(self.last.as_deref().unwrap_or(near)), far);
        loop {
            let place = halfway(&unreadable, &readable);
            if place == unreadable || place == readable {
                break;
            }
            match next_of(&mut self.beyond(&place), self.order) {
                Ok(_) => readable = place,
                Err(_) => unreadable = place,
            }
        }
        // The engine's words name the page; which keys it holds depends on where one comes from.
        self.damage.note(PAGE, detail, "what lies on it is passed over");
        self.rest = (readable != far).then(|| self.beyond(&readable));
        self.last = Some(key_at(&readable).into());
    }

    fn beyond(&self, place: &Place) -> Iter {
        let (Range { start, end }, key) = (self.keys.clone(), key_at(place).to_vec());
        self.handle.db().range(match self.order {
            Order::Ascending => key..end,
            Order::Descending => start..key,
        })
    }
}

fn next_of(entries: &mut Iter, order: Order) -> Result<Option<(IVec, IVec)>, StoreError> {
    guarded(|| {
        let entry = match order {
            Order::Ascending => entries.next(),
            Order::Descending => entries.next_back(),
        };
        entry.transpose().map_err(|error| failure(&error))
    })
}

fn place_of(key: &[u8]) -> Place {
    let mut place = [0; PLACE_BYTES];
    for (byte, from) in place.iter_mut().zip(key) {
        *byte = *from;
    }
    place
}

fn key_at(place: &Place) -> &[u8] {
    let length = place.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    place.get(..length).unwrap_or_default()
}

fn halfway(one: &Place, other: &Place) -> Place {
    let mut carry = 0;
    let mut sum = [0_u16; PLACE_BYTES];
    for (sum, (one, other)) in sum.iter_mut().zip(one.iter().zip(other)).rev() {
        let digits = u16::from(*one) + u16::from(*other) + carry;
        (*sum, carry) = (digits % 256, digits / 256);
    }
    let mut half = [0; PLACE_BYTES];
    for (half, sum) in half.iter_mut().zip(sum) {
        let digits = carry * 256 + sum;
        *half = u8::try_from(digits / 2).unwrap_or(u8::MAX);
        carry = digits % 2;
    }
    half
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn halfway_lies_between_and_half_as_far_from_either(
            one in proptest::collection::vec(any::<u8>(), 0..PLACE_BYTES),
            other in proptest::collection::vec(any::<u8>(), 0..PLACE_BYTES),
        ) {
            let (low, high) = (place_of((&one).min(&other)), place_of((&one).max(&other)));
            let half = halfway(&low, &high);
            prop_assert!(low <= half && half <= high);
            prop_assert_eq!(halfway(&high, &low), half);
            prop_assert!(halfway(&half, &half) == half);
            let mut steps = 0;
            let mut rest = low;
            while halfway(&rest, &high) != rest {
                (rest, steps) = (halfway(&rest, &high), steps + 1);
            }
            prop_assert!(steps <= 8 * PLACE_BYTES + 1, "{}", steps);
        }
    }
}
