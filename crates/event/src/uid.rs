//! Stable identifiers: the same facts always give the same uid, whoever computes it and whenever.

/// Derives a uid from facts: 16 bytes of BLAKE3 in lower-case hexadecimal.
///
/// Every part is length-prefixed, so that `("ab", "c")` and `("a", "bc")` differ. The parts are collected and hashed at once:
/// they are small beside a hasher.
#[derive(Debug, Clone)]
pub struct UidBuilder(Vec<u8>);

impl UidBuilder {
    /// Starts a uid of one purpose; uids of different purposes never collide by content.
    pub fn new(purpose: &str) -> Self {
        Self(Vec::new()).text(purpose)
    }

    /// Makes room for parts of so many bytes.
    #[must_use]
    pub fn with_room(mut self, bytes: usize) -> Self {
        self.0.reserve(bytes);
        self
    }

    /// Adds a text.
    #[must_use]
    pub fn text(self, part: &str) -> Self {
        self.bytes(part.as_bytes())
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(mut self, part: &[u8]) -> Self {
        self.0.extend_from_slice(&(part.len() as u64).to_le_bytes());
        self.0.extend_from_slice(part);
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, part: i64) -> Self {
        self.0.extend_from_slice(&part.to_le_bytes());
        self
    }

    /// The uid: 32 hexadecimal digits.
    pub fn finish(self) -> String {
        hex(&blake3::hash(&self.0).as_bytes()[..16])
    }
}

/// Lower-case hexadecimal of some bytes.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xF));
    }
    text
}

/// Eight bytes of BLAKE3, for filters that keep many uids in little memory.
pub fn short_hash(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    let mut first = [0_u8; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        let one = UidBuilder::new("test").text("ab").text("c").finish();
        let other = UidBuilder::new("test").text("a").text("bc").finish();
        assert_ne!(one, other);
        assert_eq!(one.len(), 32);
        assert_eq!(one, UidBuilder::new("test").text("ab").text("c").finish());
    }
}
