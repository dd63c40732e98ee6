//! What is printed is what is published.

use std::path::Path;

use crate::support::process::dataward;

#[test]
fn the_printed_schemas_are_the_files() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (what, file) in [
        ("table", "schemas/table/v3.json"),
        ("event", "schemas/ocsf/event.schema.json"),
        ("alert", "schemas/ocsf/alert.schema.json"),
        ("config", "crates/cli/default-config.toml"),
    ] {
        let expected = std::fs::read_to_string(top.join(file)).unwrap();
        assert_eq!(dataward(&["schema", what]).expect(0).stdout, expected, "{what}");
    }
}
