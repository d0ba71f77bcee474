//! A reader of the few FlatBuffers structures that a TFLite file uses: tables, vectors, strings. Every access is
//! checked against the file's length, so a damaged file gives `None` and never a wrong read.

/// A whole file.
#[derive(Clone, Copy)]
pub struct Buffer<'a>(pub &'a [u8]);

impl<'a> Buffer<'a> {
    fn bytes(self, at: usize, length: usize) -> Option<&'a [u8]> {
        self.0.get(at..at.checked_add(length)?)
    }

    fn u16(self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(at, 2)?.try_into().ok()?))
    }

    fn u32(self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(at, 4)?.try_into().ok()?))
    }

    fn i32(self, at: usize) -> Option<i32> {
        Some(self.u32(at)? as i32)
    }

    /// Follows the offset stored at `at`.
    fn follow(self, at: usize) -> Option<usize> {
        at.checked_add(self.u32(at)? as usize)
    }

    /// The root table of a file with this identifier.
    pub fn root(self, identifier: &[u8; 4]) -> Option<Table<'a>> {
        (self.bytes(4, 4)? == identifier).then_some(Table { buffer: self, at: self.follow(0)? })
    }
}

/// A table: fields by number, each of which may be absent.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    buffer: Buffer<'a>,
    at: usize,
}

impl<'a> Table<'a> {
    /// Where the field lies, `None` when it is absent.
    fn field(self, number: usize) -> Option<usize> {
        let back = self.buffer.i32(self.at)?;
        let vtable = usize::try_from(i64::try_from(self.at).ok()? - i64::from(back)).ok()?;
        let entry = 4 + 2 * number;
        if entry + 2 > usize::from(self.buffer.u16(vtable)?) {
            return None;
        }
        match self.buffer.u16(vtable.checked_add(entry)?)? {
            0 => None,
            offset => self.at.checked_add(usize::from(offset)),
        }
    }

    /// An 8-bit number; absent fields have the value 0.
    pub fn byte(self, number: usize) -> u8 {
        self.field(number).and_then(|at| self.buffer.bytes(at, 1)).map_or(0, |b| b[0])
    }

    /// A 32-bit number; absent fields have the value `default`.
    pub fn int(self, number: usize, default: i32) -> i32 {
        self.field(number).and_then(|at| self.buffer.i32(at)).unwrap_or(default)
    }

    /// A table within this one.
    pub fn table(self, number: usize) -> Option<Table<'a>> {
        Some(Table { buffer: self.buffer, at: self.buffer.follow(self.field(number)?)? })
    }

    /// Start and length of a vector whose elements have `size` bytes.
    fn vector(self, number: usize, size: usize) -> Option<&'a [u8]> {
        let at = self.buffer.follow(self.field(number)?)?;
        let length = (self.buffer.u32(at)? as usize).checked_mul(size)?;
        self.buffer.bytes(at.checked_add(4)?, length)
    }

    /// Raw bytes; empty when absent.
    pub fn bytes(self, number: usize) -> &'a [u8] {
        self.vector(number, 1).unwrap_or_default()
    }

    /// A vector of 32-bit numbers; empty when absent.
    pub fn ints(self, number: usize) -> Vec<i32> {
        let bytes = self.vector(number, 4).unwrap_or_default();
        bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    }

    /// A vector of tables; empty when absent.
    pub fn tables(self, number: usize) -> Option<Vec<Table<'a>>> {
        let Some(field) = self.field(number) else { return Some(Vec::new()) };
        let start = self.buffer.follow(field)? + 4;
        let count = self.vector(number, 4)?.len() / 4;
        (0..count).map(|i| Some(Table { buffer: self.buffer, at: self.buffer.follow(start + 4 * i)? })).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one table: field 0 a byte (7), field 1 absent, field 2 a vector of two numbers.
    fn sample() -> Vec<u8> {
        let mut file = Vec::new();
        file.extend(20u32.to_le_bytes()); // root table
        file.extend(b"TEST");
        for entry in [10u16, 12, 4, 0, 8] {
            file.extend(entry.to_le_bytes()); // vtable at 8
        }
        file.extend([0, 0]);
        file.extend(12i32.to_le_bytes()); // table at 20, its vtable 12 bytes before
        file.extend([7, 0, 0, 0]);
        file.extend(4u32.to_le_bytes()); // offset from 28 to the vector at 32
        for number in [2i32, -5, 9] {
            file.extend(number.to_le_bytes());
        }
        file
    }

    #[test]
    fn reads_fields_and_defaults() {
        let file = sample();
        let table = Buffer(&file).root(b"TEST").expect("a root");
        assert_eq!((table.byte(0), table.int(1, 42), table.ints(2), table.byte(9)), (7, 42, vec![-5, 9], 0));
        assert!(Buffer(&file).root(b"TFL3").is_none());
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_survived() {
        let file = sample();
        for length in 0..file.len() {
            if let Some(table) = Buffer(&file[..length]).root(b"TEST") {
                assert!(table.ints(2).len() <= 2);
            }
        }
        for at in 0..file.len() {
            let mut broken = file.clone();
            broken[at] ^= 0xff;
            if let Some(table) = Buffer(&broken).root(b"TEST") {
                let _ = (table.byte(0), table.ints(2), table.tables(2).map(|t| t.len()), table.table(2).is_some());
            }
        }
    }
}
