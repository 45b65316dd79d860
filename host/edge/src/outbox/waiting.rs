//! The sockets that wait to be written to, by tenant: however many one of them has,
//! and however much there is for each, others have their turn after a while.

use std::collections::{HashMap, VecDeque};

use holdfast_core::TenantId;

use super::KEPT_LEN_MAX;
use crate::mailbox::Letter;
use crate::sockets::Place;

/// All that wait.
#[derive(Default)]
pub(super) struct Waiting {
    /// Who has sockets among them. It is the turn of the first.
    turns: VecDeque<TenantId>,
    of: HashMap<TenantId, VecDeque<Place>>,
    /// For the next tenant: most often there is one at a time.
    spare: VecDeque<Place>,
}

impl Waiting {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Whether there are two at least.
    pub(super) fn are_several(&self) -> bool {
        let first = self.turns.front().and_then(|tenant| self.of.get(tenant));
        self.turns.len() > 1 || first.is_some_and(|places| places.len() > 1)
    }

    /// Adds some, and leaves `letters` empty.
    pub(super) fn add(&mut self, letters: &mut Vec<Letter>) {
        // In the order of memory, where most of their time goes.
        letters.sort_unstable();
        letters.dedup();
        for run in letters.chunk_by(|one, next| one.tenant == next.tenant) {
            let Some(&Letter { tenant, .. }) = run.first() else {
                continue;
            };
            let places = self.of.entry(tenant).or_insert_with(|| {
                self.turns.push_back(tenant);
                std::mem::take(&mut self.spare)
            });
            places.extend(run.iter().map(|letter| letter.place));
        }
        letters.clear();
        letters.shrink_to(KEPT_LEN_MAX);
    }

    /// The next one, of the tenant whose turn it is; when that has no more, of the
    /// tenant after it.
    pub(super) fn next(&mut self) -> Option<Letter> {
        let tenant = *self.turns.front()?;
        let places = self.of.get_mut(&tenant)?;
        let place = places.pop_front()?;
        if places.is_empty() {
            self.turns.pop_front();
            if let Some(mut places) = self.of.remove(&tenant) {
                places.shrink_to(KEPT_LEN_MAX);
                self.spare = places;
            }
        }
        Some(Letter { tenant, place })
    }

    /// This tenant's turn is over, if it has not ended by itself.
    pub(super) fn end_turn(&mut self, tenant: TenantId) {
        if self.turns.front() == Some(&tenant) {
            self.turns.rotate_left(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(tenant: u32, place: usize) -> Letter {
        let tenant = TenantId(tenant);
        let place = Place::of(place);
        Letter { tenant, place }
    }

    #[test]
    fn who_has_much_to_write_lets_others_have_their_turn() {
        let mut waiting = Waiting::default();
        assert!(waiting.is_empty() && waiting.next().is_none());
        waiting.add(&mut (0..10).map(|place| letter(1, place)).collect());
        for place in 0..4 {
            assert_eq!(waiting.next(), Some(letter(1, place)));
        }
        waiting.end_turn(TenantId(1));
        assert_eq!(waiting.next(), Some(letter(1, 4)), "there is nobody else");
        let mut more = vec![letter(2, 7), letter(1, 3), letter(2, 5), letter(1, 3)];
        waiting.add(&mut more);
        assert!(more.is_empty() && waiting.are_several());
        waiting.end_turn(TenantId(1));
        assert_eq!(waiting.next(), Some(letter(2, 5)));
        waiting.end_turn(TenantId(2));
        for place in (5..10).chain([3]) {
            assert_eq!(waiting.next(), Some(letter(1, place)));
        }
        assert!(!waiting.are_several());
        assert_eq!(waiting.next(), Some(letter(2, 7)));
        assert!(waiting.is_empty() && waiting.next().is_none());
    }

    #[test]
    fn who_has_no_more_takes_nobodys_turn() {
        let mut waiting = Waiting::default();
        waiting.add(&mut (1..4).map(|tenant| letter(tenant, 0)).collect());
        let mut tenants = Vec::new();
        for _ in 0..6 {
            let tenant = waiting.next().unwrap().tenant;
            waiting.end_turn(tenant);
            waiting.add(&mut vec![letter(tenant.0, 0)]);
            tenants.push(tenant.0);
        }
        assert_eq!(tenants, [1, 2, 3, 1, 2, 3]);
    }
}
