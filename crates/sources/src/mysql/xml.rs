//! TODO

pub(crate) fn is_record(line: &str) -> bool {
    let _ = line;
    false
}
