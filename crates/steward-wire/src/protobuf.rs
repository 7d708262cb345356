//! Protobuf as far as it can be told without a schema: fields, one after the other.

/// The wire type of eight bytes.
pub const FIXED64: u8 = 1;
/// The wire type of a length and so many bytes: texts, lists, messages.
pub const BYTES: u8 = 2;
const VARINT: u8 = 0;
const FIXED32: u8 = 5;

/// The fields of a message, up to the first that cannot be read: number, wire type, and the bytes of those that have some.
pub fn fields(mut rest: &[u8]) -> impl Iterator<Item = (u64, u8, &[u8])> {
    std::iter::from_fn(move || {
        let key = varint(&mut rest)?;
        let (number, wire) = (key >> 3, (key & 7) as u8);
        let n_bytes = match wire {
            VARINT => {
                varint(&mut rest)?;
                0
            }
            FIXED64 => 8,
            FIXED32 => 4,
            BYTES => usize::try_from(varint(&mut rest)?).ok()?,
            _ => return None,
        };
        let (bytes, behind) = rest.split_at_checked(n_bytes)?;
        rest = behind;
        Some((number, wire, bytes))
    })
}

/// The bytes of the first field of a number that has bytes.
#[must_use]
pub fn field(message: &[u8], wanted: u64) -> Option<&[u8]> {
    fields(message).find_map(|(number, wire, bytes)| (number == wanted && wire == BYTES).then_some(bytes))
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
