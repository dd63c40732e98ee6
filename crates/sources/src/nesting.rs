//! How deep JSON is nested, told without parsing it, so that a hostile record cannot exhaust the stack.

/// Whether brackets are nested deeper than `limit`. Brackets inside strings do not count.
pub(crate) fn is_deeper_than(text: &str, limit: usize) -> bool {
    // Text with so few brackets is not deep, wherever they stand: to count them costs a tenth of a walk.
    if openings(text) <= limit {
        return false;
    }
    let mut depth = 0_usize;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// How many brackets open, those inside strings included.
fn openings(text: &str) -> usize {
    // Counted in bytes block by block, which the compiler does many at a time.
    let blocks = text.as_bytes().chunks(usize::from(u8::MAX));
    let of_block = |block: &[u8]| {
        block.iter().fold(0_u8, |count, byte| count + u8::from(matches!(byte, b'{' | b'[')))
    };
    blocks.map(|block| usize::from(of_block(block))).sum()
}

/// Consumes a string up to its closing quote, or everything if there is none.
fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_outside_strings_count() {
        assert!(is_deeper_than("[[[]]]", 2));
        assert!(!is_deeper_than("[[[]]]", 3));
        assert!(!is_deeper_than(r#"["[[[[", "\"[[["]"#, 1));
        assert!(!is_deeper_than("[][][]", 1));
        assert_eq!(openings(&"[{]}".repeat(1_000)), 2_000);
        assert!(is_deeper_than(&"[".repeat(100_000), 64));
    }
}
