//! The corpus of labelled cases: a record of a source, and whether it must raise an alarm or stay quiet.
//!
//! The cases stand in `corpus/<source>/<name>.json`, are part of the binary, and are what `dataward rules test` runs. A
//! case needs no knowledge of any API: how to write one is told in `docs/rules/README.md`.
//!
//! Start with [`case`], then [`trial`]: what a case must give, and what it gives.

pub mod case;
mod files;
pub mod order;
pub mod report;
pub mod trial;

use dataward_sources::source::Source;

use case::{Case, CaseError};

/// Every case of the corpus that is built in, source by source.
///
/// # Errors
/// A file cannot be read as cases.
pub fn built_in() -> Result<Vec<Case<'static>>, CaseError> {
    let mut cases = Vec::new();
    for file in files::FILES {
        let name = format!("{}/{}.json", file.source, file.name);
        let source = Source::parse(file.source)
            .ok_or_else(|| CaseError::new(&name, "its folder is called as no source"))?;
        cases.extend(case::parse(source, &name, file.text)?);
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn the_list_names_every_file() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        let mut there = BTreeSet::new();
        for source in std::fs::read_dir(folder).unwrap() {
            let source = source.unwrap();
            for file in std::fs::read_dir(source.path()).unwrap() {
                let name = file.unwrap().file_name().into_string().unwrap();
                there.insert(format!("{}/{name}", source.file_name().to_str().unwrap()));
            }
        }
        let named = files::FILES.iter().map(|file| format!("{}/{}.json", file.source, file.name));
        assert_eq!(named.collect::<BTreeSet<_>>(), there);
    }

    #[test]
    fn every_case_stands_on_a_line_of_its_own() {
        for file in files::FILES {
            let cases = built_in().unwrap();
            let name = format!("{}/{}.json", file.source, file.name);
            let count = cases.iter().filter(|case| *case.file == *name).count();
            assert_eq!(file.text.lines().count(), count + 2, "{name}: `[`, the cases, `]`");
        }
    }
}
