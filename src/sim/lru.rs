//! One level of a cache: least recently used goes first, every operation in constant time.
//!
//! Nodes live in a slab and are linked by index from most to least recently used; a map leads from
//! a key to its node. Indices instead of pointers make the level `Clone`, which is how a cache is
//! forked. The capacity may change while the level is in use: shrinking evicts at once.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::hash::Hasher;

use crate::sim::rng;

/// Most entries a level may hold, whatever its capacity is set to: about 1 GB.
pub const CAPACITY_ENTRIES_MAX: usize = 1 << 24;

/// No node: the end of the list.
const NIL: usize = usize::MAX;

/// Keys with a value each, the least recently used leaving when the level is full.
#[derive(Debug, Clone)]
pub struct Lru<V> {
    capacity: usize,
    index: HashMap<u64, usize, BuildHasherDefault<KeyHasher>>,
    slab: Vec<Node<V>>,
    /// Slots of the slab that hold no entry.
    free: Vec<usize>,
    newest: usize,
    oldest: usize,
}

#[derive(Debug, Clone)]
struct Node<V> {
    key: u64,
    value: V,
    newer: usize,
    older: usize,
}

// === impl Lru ===

impl<V: Copy> Lru<V> {
    /// An empty level of `capacity` entries, at least 1 and at most [`CAPACITY_ENTRIES_MAX`].
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.clamp(1, CAPACITY_ENTRIES_MAX),
            index: HashMap::default(),
            slab: Vec::new(),
            free: Vec::new(),
            newest: NIL,
            oldest: NIL,
        }
    }

    /// Most entries the level holds.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Entries held.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether no entry is held.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Whether `key` is held; its recency stays as it is.
    pub fn contains(&self, key: u64) -> bool {
        self.index.contains_key(&key)
    }

    /// The keys held, most recently used first.
    pub fn keys(&self) -> impl Iterator<Item = u64> {
        let mut slot = self.newest;
        std::iter::from_fn(move || {
            let node = self.slab.get(slot)?;
            slot = node.older;
            Some(node.key)
        })
    }

    /// Looks `key` up and makes it the most recently used.
    pub fn touch(&mut self, key: u64) -> Option<&mut V> {
        let slot = *self.index.get(&key)?;
        if slot != self.newest {
            self.unlink(slot);
            self.link_newest(slot);
        }
        Some(&mut self.slab[slot].value)
    }

    /// Puts `key` in as the most recently used, replacing its value where it is held already.
    /// Returns the key that had to leave.
    pub fn insert(&mut self, key: u64, value: V) -> Option<u64> {
        if let Some(held) = self.touch(key) {
            *held = value;
            return None;
        }
        let evicted = if self.len() >= self.capacity { self.evict() } else { None };
        let node = Node { key, value, newer: NIL, older: NIL };
        let slot = if let Some(slot) = self.free.pop() {
            self.slab[slot] = node;
            slot
        } else {
            self.slab.push(node);
            self.slab.len() - 1
        };
        self.link_newest(slot);
        self.index.insert(key, slot);
        evicted
    }

    /// Takes `key` out and returns its value.
    pub fn remove(&mut self, key: u64) -> Option<V> {
        let slot = self.index.remove(&key)?;
        self.unlink(slot);
        self.free.push(slot);
        Some(self.slab[slot].value)
    }

    /// Sets the capacity (bounds as in [`Lru::new`]) and returns the keys that had to leave, least
    /// recently used first.
    pub fn set_capacity(&mut self, capacity: usize) -> Vec<u64> {
        self.capacity = capacity.clamp(1, CAPACITY_ENTRIES_MAX);
        let excess = self.len().saturating_sub(self.capacity);
        (0..excess).filter_map(|_| self.evict()).collect()
    }

    /// Takes the least recently used entry out.
    fn evict(&mut self) -> Option<u64> {
        let key = self.slab.get(self.oldest)?.key;
        self.remove(key);
        Some(key)
    }

    fn link_newest(&mut self, slot: usize) {
        self.slab[slot].newer = NIL;
        self.slab[slot].older = self.newest;
        match self.slab.get_mut(self.newest) {
            Some(node) => node.newer = slot,
            None => self.oldest = slot,
        }
        self.newest = slot;
    }

    fn unlink(&mut self, slot: usize) {
        let (newer, older) = (self.slab[slot].newer, self.slab[slot].older);
        match self.slab.get_mut(newer) {
            Some(node) => node.older = older,
            None => self.newest = older,
        }
        match self.slab.get_mut(older) {
            Some(node) => node.newer = newer,
            None => self.oldest = newer,
        }
    }
}

/// Hashes a 64-bit key by one mixing step. Keys come from our own workloads, never from an
/// attacker, and the default hasher would take most of the time of a tick.
#[derive(Debug, Clone, Copy, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = rng::mix(self.0 ^ key);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same level as a list, newest first: slow and obviously right.
    #[derive(Debug)]
    struct Reference {
        capacity: usize,
        entries: Vec<(u64, u32)>,
    }

    impl Reference {
        fn touch(&mut self, key: u64) -> Option<u32> {
            let place = self.entries.iter().position(|entry| entry.0 == key)?;
            let entry = self.entries.remove(place);
            self.entries.insert(0, entry);
            Some(entry.1)
        }

        fn insert(&mut self, key: u64, value: u32) -> Option<u64> {
            let held = self.remove(key).is_some();
            let full = !held && self.entries.len() >= self.capacity;
            let evicted = if full { self.entries.pop() } else { None };
            self.entries.insert(0, (key, value));
            evicted.map(|entry| entry.0)
        }

        fn remove(&mut self, key: u64) -> Option<u32> {
            let place = self.entries.iter().position(|entry| entry.0 == key)?;
            Some(self.entries.remove(place).1)
        }

        fn set_capacity(&mut self, capacity: usize) -> Vec<u64> {
            self.capacity = capacity.max(1);
            let keep = self.capacity.min(self.entries.len());
            self.entries.split_off(keep).iter().rev().map(|entry| entry.0).collect()
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Touch(u64),
        Insert(u64, u32),
        Remove(u64),
        SetCapacity(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0..24_u64).prop_map(Step::Touch),
            6 => (0..24_u64, any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
            1 => (0..24_u64).prop_map(Step::Remove),
            1 => (0..16_usize).prop_map(Step::SetCapacity),
        ];
        prop::collection::vec(step, 0..200)
    }

    proptest! {
        #[test]
        fn equals_a_naive_list(steps in steps(), capacity in 1..12_usize) {
            let mut lru = Lru::new(capacity);
            let mut list = Reference { capacity, entries: Vec::new() };
            for step in steps {
                match step {
                    Step::Touch(key) => {
                        prop_assert_eq!(lru.touch(key).copied(), list.touch(key));
                    }
                    Step::Insert(key, value) => {
                        prop_assert_eq!(lru.insert(key, value), list.insert(key, value));
                    }
                    Step::Remove(key) => prop_assert_eq!(lru.remove(key), list.remove(key)),
                    Step::SetCapacity(capacity) => {
                        prop_assert_eq!(lru.set_capacity(capacity), list.set_capacity(capacity));
                    }
                }
                let want: Vec<u64> = list.entries.iter().map(|entry| entry.0).collect();
                prop_assert_eq!(lru.keys().collect::<Vec<_>>(), want);
                prop_assert_eq!(lru.len(), list.entries.len());
                prop_assert!(lru.len() <= lru.capacity());
            }
        }
    }

    #[test]
    fn slots_are_used_again() {
        let mut lru = Lru::new(3);
        for key in 0..1_000 {
            lru.insert(key, ());
        }
        assert_eq!(lru.slab.len(), 3);
    }

    #[test]
    fn capacity_is_never_zero() {
        assert_eq!(Lru::<()>::new(0).capacity(), 1);
    }

    #[test]
    fn clone_lives_its_own_life() {
        let mut lru = Lru::new(2);
        lru.insert(1, ());
        let mut fork = lru.clone();
        fork.insert(2, ());
        assert_eq!(lru.keys().collect::<Vec<_>>(), [1]);
        assert_eq!(fork.keys().collect::<Vec<_>>(), [2, 1]);
    }
}
