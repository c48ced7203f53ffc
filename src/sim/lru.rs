//! One level of a cache: least recently used goes first, every operation in constant time.
//!
//! Nodes live in a slab and are linked by index from most to least recently used. A plain table
//! leads from a small key to its node, a map from a large one: workloads number their keys from 0,
//! and measurements run billions of look-ups, of which hashing would take most of the time. Indices
//! instead of pointers make the level `Clone`, which is how a cache is forked. The capacity may
//! change while the level is in use: shrinking evicts at once.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::hash::Hasher;

use crate::sim::rng;

/// Most entries a level may hold, whatever its capacity is set to: about 1 GB.
pub const CAPACITY_ENTRIES_MAX: usize = 1 << 24;

/// Keys below this have a place in the table: 4 MiB of it at most.
const TABLE_KEYS_MAX: u64 = 1 << 20;

/// No node: the end of the list.
const NIL: u32 = u32::MAX;

/// Keys with a value each, the least recently used leaving when the level is full.
#[derive(Debug, Clone)]
pub struct Lru<V> {
    capacity: usize,
    index: Index,
    slab: Vec<Node<V>>,
    /// Slots of the slab that hold no entry.
    free: Vec<u32>,
    newest: u32,
    oldest: u32,
}

/// From a key to its slot in the slab.
#[derive(Debug, Clone, Default)]
struct Index {
    /// Slots of the keys below [`TABLE_KEYS_MAX`]; as long as the largest seen asks for.
    table: Vec<u32>,
    map: HashMap<u64, u32, BuildHasherDefault<KeyHasher>>,
}

#[derive(Debug, Clone)]
struct Node<V> {
    key: u64,
    value: V,
    newer: u32,
    older: u32,
}

// === impl Index ===

impl Index {
    fn slot(&self, key: u64) -> Option<u32> {
        match table_place(key) {
            Some(place) => self.table.get(place).copied().filter(|&slot| slot != NIL),
            None => self.map.get(&key).copied(),
        }
    }

    fn insert(&mut self, key: u64, slot: u32) {
        let Some(place) = table_place(key) else {
            self.map.insert(key, slot);
            return;
        };
        if place >= self.table.len() {
            self.table.resize(place + 1, NIL);
        }
        self.table[place] = slot;
    }

    fn remove(&mut self, key: u64) -> Option<u32> {
        let Some(place) = table_place(key) else { return self.map.remove(&key) };
        let slot = std::mem::replace(self.table.get_mut(place)?, NIL);
        (slot != NIL).then_some(slot)
    }
}

fn table_place(key: u64) -> Option<usize> {
    (key < TABLE_KEYS_MAX).then(|| usize::try_from(key).ok())?
}

// === impl Lru ===

impl<V: Copy> Lru<V> {
    /// An empty level of `capacity` entries, at least 1 and at most [`CAPACITY_ENTRIES_MAX`].
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.clamp(1, CAPACITY_ENTRIES_MAX),
            index: Index::default(),
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
        self.slab.len() - self.free.len()
    }

    /// Whether no entry is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `key` is held; its recency stays as it is.
    pub fn contains(&self, key: u64) -> bool {
        self.index.slot(key).is_some()
    }

    /// The keys held, most recently used first.
    pub fn keys(&self) -> impl Iterator<Item = u64> {
        let mut slot = self.newest;
        std::iter::from_fn(move || {
            let node = self.slab.get(slot as usize)?;
            slot = node.older;
            Some(node.key)
        })
    }

    /// Looks `key` up and makes it the most recently used.
    pub fn touch(&mut self, key: u64) -> Option<&mut V> {
        let slot = self.index.slot(key)?;
        if slot != self.newest {
            self.unlink(slot);
            self.link_newest(slot);
        }
        Some(&mut self.slab[slot as usize].value)
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
            self.slab[slot as usize] = node;
            slot
        } else {
            self.slab.push(node);
            // The capacity is far below 2³², so the slot is never `NIL`.
            u32::try_from(self.slab.len() - 1).unwrap_or(NIL)
        };
        self.link_newest(slot);
        self.index.insert(key, slot);
        evicted
    }

    /// Takes `key` out and returns its value.
    pub fn remove(&mut self, key: u64) -> Option<V> {
        let slot = self.index.remove(key)?;
        self.unlink(slot);
        self.free.push(slot);
        Some(self.slab[slot as usize].value)
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
        let key = self.slab.get(self.oldest as usize)?.key;
        self.remove(key);
        Some(key)
    }

    fn link_newest(&mut self, slot: u32) {
        let node = &mut self.slab[slot as usize];
        node.newer = NIL;
        node.older = self.newest;
        match self.slab.get_mut(self.newest as usize) {
            Some(node) => node.newer = slot,
            None => self.oldest = slot,
        }
        self.newest = slot;
    }

    fn unlink(&mut self, slot: u32) {
        let Node { newer, older, .. } = self.slab[slot as usize];
        match self.slab.get_mut(newer as usize) {
            Some(node) => node.older = older,
            None => self.newest = older,
        }
        match self.slab.get_mut(older as usize) {
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
        // Half of them in the table, half in the map.
        let key = || TABLE_KEYS_MAX - 12..TABLE_KEYS_MAX + 12;
        let step = prop_oneof![
            4 => key().prop_map(Step::Touch),
            6 => (key(), any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
            1 => key().prop_map(Step::Remove),
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
