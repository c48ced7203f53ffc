//! Samples as bytes, as they are remembered over a restart: absent signals take no room, so that an
//! hour of a cache with five signals is 12 KiB.
//!
//! A sample is its time (milliseconds, 8 bytes), its bits (2 bytes: bit i for signal i of
//! [`Signal::ALL`], bit 15 for a valid sample), and the values of the signals present (8 bytes
//! each), all little-endian. It tells its own length, so samples simply follow each other.

use crate::signal::Signal;
use crate::units::Timestamp;

use super::track::Sample;

/// The bit of a valid sample.
const VALID: u16 = 1 << 15;

impl Sample {
    /// Appends the sample's bytes.
    pub fn write_bytes(&self, bytes: &mut Vec<u8>) {
        let valid = if self.valid { VALID } else { 0 };
        bytes.extend_from_slice(&self.timestamp.as_millis().to_le_bytes());
        bytes.extend_from_slice(&(self.present | valid).to_le_bytes());
        for value in Signal::ALL.into_iter().filter_map(|signal| self.value(signal)) {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
    }

    /// Takes one sample off the front of `bytes`; `None` where they are no sample: too short, bits
    /// of no signal, a value that is not finite.
    pub fn read_bytes(bytes: &mut &[u8]) -> Option<Self> {
        let timestamp = Timestamp::from_millis(i64::from_le_bytes(take(bytes)?));
        let bits = u16::from_le_bytes(take(bytes)?);
        let present = bits & !VALID;
        if present >> Signal::COUNT != 0 {
            return None;
        }
        let mut values = [0.0; Signal::COUNT];
        for (index, value) in values.iter_mut().enumerate() {
            if present & (1 << index) != 0 {
                *value =
                    Some(f64::from_le_bytes(take(bytes)?)).filter(|value| value.is_finite())?;
            }
        }
        Some(Self { timestamp, valid: bits & VALID != 0, present, values })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::PerformanceSnapshot;

    fn sample(ms: i64, valid: bool, values: &[(Signal, f64)]) -> Sample {
        let mut snapshot = PerformanceSnapshot::empty(Timestamp::from_millis(ms));
        for (signal, value) in values {
            snapshot.set(*signal, Some(*value));
        }
        Sample::new(&snapshot, valid)
    }

    fn bytes(sample: &Sample) -> Vec<u8> {
        let mut bytes = Vec::new();
        sample.write_bytes(&mut bytes);
        bytes
    }

    #[test]
    fn the_layout_stays_as_it_is() {
        // Stores of users are written in it: another layout needs a migration.
        let values = [(Signal::HitRate, 0.5), (Signal::PromotionRate, -2.0)];
        let packed = bytes(&sample(258, true, &values));
        let want = [
            [2, 1, 0, 0, 0, 0, 0, 0].as_slice(),
            &[0b0000_0001, 0b1000_0010],
            &[0, 0, 0, 0, 0, 0, 0xe0, 0x3f],
            &[0, 0, 0, 0, 0, 0, 0, 0xc0],
        ];
        assert_eq!(packed, want.concat());
    }

    #[test]
    fn what_is_no_sample_is_refused() {
        #[track_caller]
        fn check(bytes: &[u8]) {
            assert_eq!(Sample::read_bytes(&mut &bytes[..]), None);
        }
        let whole = bytes(&sample(1, true, &[(Signal::HitRate, 0.5)]));
        for length in 0..whole.len() {
            check(&whole[..length]);
        }
        let mut unknown_signal = whole.clone();
        unknown_signal[9] |= 0b0000_0100;
        check(&unknown_signal);
        let mut infinite = whole;
        infinite[10..].copy_from_slice(&f64::INFINITY.to_le_bytes());
        check(&infinite);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            ms: i64,
            valid: bool,
            values in proptest::array::uniform10(proptest::option::of(proptest::num::f64::NORMAL)),
        ) {
            let present = Signal::ALL.into_iter().zip(values);
            let values: Vec<_> = present.filter_map(|(signal, v)| Some((signal, v?))).collect();
            let sample = sample(ms, valid, &values);
            let two = [bytes(&sample), bytes(&sample)].concat();
            let mut rest = two.as_slice();
            prop_assert_eq!(Sample::read_bytes(&mut rest), Some(sample));
            prop_assert_eq!(Sample::read_bytes(&mut rest), Some(sample));
            prop_assert!(rest.is_empty());
        }
    }
}
