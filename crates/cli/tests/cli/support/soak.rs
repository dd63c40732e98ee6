//! What `scripts/soak` asks for.

/// Whether the long form is asked for: an ordinary run of the tests leaves it out.
pub(crate) fn is_asked_for() -> bool {
    number("DATAWARD_SOAK") == Some(1)
}

/// How often a process is killed in the long form.
pub(crate) fn kills() -> usize {
    size("DATAWARD_SOAK_KILLS", 30)
}

/// A size of the long form.
pub(crate) fn size(name: &str, default: u64) -> usize {
    usize::try_from(number(name).unwrap_or(default)).unwrap()
}

/// The seed of the random moments: another one each time, unless one is to be repeated.
pub(crate) fn seed() -> u64 {
    number("DATAWARD_SEED").unwrap_or_else(|| fastrand::u64(..))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}
