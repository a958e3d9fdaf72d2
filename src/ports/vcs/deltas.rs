//! Objects of packs that others are made from, kept while the past is read: a chain of differences is not followed twice.
//!
//! Must never take more than its room, whatever a pack holds.

use gix::objs::Kind;
use gix::odb::pack::cache::DecodeEntry;

/// So many places; one object each.
const PLACES: usize = 4096;
/// Larger objects are not kept, and of all together no more than this.
const MAX_OBJECT: usize = 64 << 10;
const MAX_ALL: usize = 16 << 20;

/// The objects, each at the place its position in the pack gives: a newer one takes the place of an older one.
#[derive(Default)]
pub(super) struct Deltas {
    places: Vec<Kept>,
    held: usize,
}

struct Kept {
    at: (u32, u64),
    kind: Kind,
    packed: usize,
    bytes: Vec<u8>,
}

fn place((pack, offset): (u32, u64)) -> usize {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mixed = (offset ^ u64::from(pack).rotate_left(40)).wrapping_mul(ODD);
    usize::try_from(mixed >> 52).unwrap_or_default() % PLACES
}

impl DecodeEntry for Deltas {
    fn put(&mut self, pack: u32, offset: u64, data: &[u8], kind: Kind, packed: usize) {
        if data.len() > MAX_OBJECT {
            return;
        }
        if self.held + data.len() > MAX_ALL {
            *self = Self::default();
        }
        if self.places.is_empty() {
            let free = || Kept { at: (u32::MAX, u64::MAX), kind: Kind::Blob, packed: 0, bytes: Vec::new() };
            self.places.resize_with(PLACES, free);
        }
        let at = (pack, offset);
        let Some(kept) = self.places.get_mut(place(at)) else { return };
        let before = kept.bytes.capacity();
        kept.bytes.clear();
        // Just the room it needs: what grows by doubling would take more than is counted.
        kept.bytes.reserve_exact(data.len());
        kept.bytes.extend_from_slice(data);
        (kept.at, kept.kind, kept.packed) = (at, kind, packed);
        self.held = self.held - before + kept.bytes.capacity();
    }

    fn get(&mut self, pack: u32, offset: u64, out: &mut Vec<u8>) -> Option<(Kind, usize)> {
        let at = (pack, offset);
        let kept = self.places.get(place(at)).filter(|kept| kept.at == at)?;
        out.clear();
        out.extend_from_slice(&kept.bytes);
        Some((kept.kind, kept.packed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(deltas: &mut Deltas, offset: u64) -> Option<Vec<u8>> {
        let mut out = vec![1, 2, 3];
        deltas.get(7, offset, &mut out).map(|_| out)
    }

    #[test]
    fn what_was_put_is_found_by_its_pack_and_position() {
        let mut deltas = Deltas::default();
        assert_eq!(get(&mut deltas, 5), None);
        deltas.put(7, 5, b"tree", Kind::Tree, 9);
        assert_eq!(get(&mut deltas, 5).as_deref(), Some(b"tree".as_slice()));
        assert_eq!((get(&mut deltas, 6), deltas.get(8, 5, &mut Vec::new())), (None, None));
        deltas.put(7, 5, b"another", Kind::Tree, 9);
        assert_eq!(get(&mut deltas, 5).as_deref(), Some(b"another".as_slice()));
    }

    #[test]
    fn it_takes_no_more_than_its_room() {
        let mut deltas = Deltas::default();
        deltas.put(7, 1, &vec![0; MAX_OBJECT + 1], Kind::Blob, 9);
        assert_eq!(get(&mut deltas, 1), None);
        for offset in 0..10_000 {
            deltas.put(7, offset, &vec![0; MAX_OBJECT], Kind::Blob, 9);
            assert!(deltas.places.iter().map(|kept| kept.bytes.capacity()).sum::<usize>() <= MAX_ALL);
            assert!(get(&mut deltas, offset).is_some());
        }
    }
}
