//! What `doctor` finds: one line each, by the crate that owns the subject.

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// It works, and will hurt.
    Warning,
    /// It will not work.
    Problem,
}

impl Verdict {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: `kafka.retention`.
    pub name: &'static str,
    /// Which one: a topic, a path.
    pub target: String,
    /// How it stands.
    pub verdict: Verdict,
    /// What was seen.
    pub text: String,
    /// What to do; empty where nothing is to be done.
    pub advice: String,
}

impl Check {
    /// As it should be.
    pub fn ok(name: &'static str, target: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name,
            target: target.into(),
            verdict: Verdict::Ok,
            text: text.into(),
            advice: String::new(),
        }
    }

    /// Anything else, with what to do about it.
    pub fn found(
        verdict: Verdict,
        name: &'static str,
        target: impl Into<String>,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { name, target: target.into(), verdict, text: text.into(), advice: advice.into() }
    }
}
