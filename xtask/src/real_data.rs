//! The real data beside the checkout, which some tests read and which is no part of the repository.

use std::path::Path;

/// Where it lies, seen from the workspace.
const FOLDER: &str = "../shared/data";

/// What is checked with it.
const CHECKS: [(&str, &str); 6] = [
    ("tau-bench", "pass rates of 200 real airline runs against the published ones"),
    ("tau2-bench", "outcomes and costs of real retail and airline runs against the recorded ones"),
    ("otlp", "spans as five instrumentations really send them"),
    ("loghub", "grouping of four real log systems against their templates"),
    ("tool-errors", "grouping of real tool errors against the places that raised them"),
    ("token-prices", "built-in prices against the table that they come from"),
];

/// One line for each check that had to be left out.
pub(crate) fn left_out(root: &Path) -> Vec<String> {
    let missing = CHECKS.iter().filter(|(folder, _)| !root.join(FOLDER).join(folder).is_dir());
    missing.map(|(folder, what)| format!("left out: {what} ({FOLDER}/{folder} is not there)")).collect()
}
