//! How deep JSON is nested, told without parsing it, so that a hostile record cannot exhaust the stack.

/// Whether brackets are nested deeper than `limit`. Brackets inside strings do not count.
pub(crate) fn is_deeper_than(text: &str, limit: usize) -> bool {
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
        assert!(is_deeper_than(&"[".repeat(100_000), 64));
    }
}
