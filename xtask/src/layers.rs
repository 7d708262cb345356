//! Whether each crate uses only what the table of rooms in ARCHITECTURE.md allows it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::tools;

/// What a room may use of the others.
enum May {
    /// Any other room, but for what is only there for tests and for building.
    All,
    /// These rooms alone.
    Use(&'static [&'static str]),
}

/// The table of rooms.
const ROOMS: [(&str, May); 14] = [
    ("steward", May::All),
    ("steward-core", May::Use(&[])),
    ("steward-stats", May::Use(&[])),
    ("steward-patterns", May::Use(&[])),
    ("steward-wire", May::Use(&["steward-core"])),
    ("steward-gate", May::Use(&["steward-core"])),
    ("steward-paper", May::Use(&["steward-core"])),
    ("steward-store", May::Use(&["steward-core"])),
    (
        "steward-app",
        May::Use(&[
            "steward-core",
            "steward-gate",
            "steward-paper",
            "steward-patterns",
            "steward-stats",
            "steward-store",
            "steward-wire",
        ]),
    ),
    ("steward-jobs", May::Use(&["steward-app"])),
    ("steward-web", May::Use(&["steward-app", "steward-core"])),
    ("steward-testkit", May::All),
    ("steward-bench", May::All),
    ("xtask", May::Use(&[])),
];

/// Rooms that no other may use, but for tests.
const NOT_FOR_THE_PROGRAM: [&str; 3] = ["steward-bench", "steward-testkit", "xtask"];

/// Parts that belong to some rooms, so that the rest neither waits for them nor comes to lean on them.
///
/// A name that ends in `*` stands for all that begin so.
const FENCES: [(&str, &[&str], &str); 22] = [
    ("sea-orm", &["steward-store"], "only the store knows SQL"),
    ("sea-query*", &["steward-store"], "only the store knows SQL"),
    ("sqlx*", &["steward-store"], "only the store knows SQL"),
    ("rusqlite", &["steward-store"], "only the store knows SQL"),
    ("typst*", &["steward-paper"], "only paper waits for the typesetter"),
    ("krilla*", &["steward-paper"], "only paper waits for the typesetter"),
    ("cedar-policy*", &["steward-gate"], "only the gate evaluates written rules"),
    ("rmcp", &["steward-gate", "steward"], "only the gate speaks MCP"),
    ("opentelemetry-proto", &["steward-bench", "steward-web", "steward-wire"], "only wire and web read OTLP"),
    ("prost", &["steward-bench", "steward-web", "steward-wire"], "only wire and web read OTLP"),
    ("tonic", &["steward-web"], "only web answers requests"),
    ("axum*", &["steward-testkit", "steward-web"], "only web answers requests"),
    // What tells a client of HTTP to which addresses it may connect.
    ("tower-service", &["steward-jobs", "steward-testkit", "steward-web"], "only jobs ask, and web answers"),
    ("tower*", &["steward-testkit", "steward-web"], "only web answers requests"),
    ("utoipa*", &["steward-web"], "only web answers requests"),
    ("askama*", &["steward-web"], "only web makes pages"),
    ("parquet", &["steward-app"], "only app writes exports"),
    ("clap*", &["steward", "steward-bench"], "only programs have a command line"),
    ("indicatif", &["steward"], "only the program has a command line"),
    ("anyhow", &["steward", "steward-bench", "xtask"], "elsewhere errors have types"),
    (
        "tokio*",
        &["steward", "steward-app", "steward-bench", "steward-jobs", "steward-store", "steward-testkit", "steward-web"],
        "the rest has no async",
    ),
    (
        "futures*",
        &["steward", "steward-app", "steward-bench", "steward-jobs", "steward-store", "steward-testkit", "steward-web"],
        "the rest has no async",
    ),
];

/// Rooms that use nothing from outside either.
const ALONE: [&str; 1] = ["steward-stats"];

/// One dependency of a crate, as cargo knows it.
struct Dependency {
    name: String,
    for_tests: bool,
    is_room: bool,
}

/// One crate of the workspace.
struct Crate {
    name: String,
    manifest: String,
    dependencies: Vec<Dependency>,
}

/// Prints what is wrong, and says whether all was well.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let crates = read(root)?;
    let problems = check(&crates);
    for problem in &problems {
        println!("layers: {problem}");
    }
    if problems.is_empty() {
        println!("layers: {} crates keep to the table of rooms", crates.len());
    }
    Ok(problems.is_empty())
}

fn read(root: &Path) -> Result<Vec<Crate>> {
    let output = tools::cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cargo metadata did not start")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    packages.iter().map(crate_of).collect()
}

fn crate_of(package: &Value) -> Result<Crate> {
    let text = |value: &Value| value.as_str().map(str::to_owned).context("cargo metadata lacks a name");
    let path = text(&package["manifest_path"])?;
    let dependencies = package["dependencies"].as_array().context("cargo metadata lacks dependencies")?;
    let dependencies = dependencies.iter().map(|dependency| {
        Ok(Dependency {
            name: text(&dependency["name"])?,
            for_tests: dependency["kind"] == "dev",
            is_room: dependency["path"].is_string(),
        })
    });
    Ok(Crate {
        name: text(&package["name"])?,
        manifest: std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?,
        dependencies: dependencies.collect::<Result<_>>()?,
    })
}

fn check(crates: &[Crate]) -> Vec<String> {
    let mut problems = BTreeSet::new();
    for one in crates {
        let name = &one.name;
        if !one.manifest.contains("[lints]\nworkspace = true") {
            problems.insert(format!("{name} does not take the lints of the workspace: add [lints] workspace = true"));
        }
        let Some((_, may)) = ROOMS.iter().find(|(room, _)| room == name) else {
            problems.insert(format!("{name} is not in the table of rooms: say in xtask/src/layers.rs what it may use"));
            continue;
        };
        for dependency in &one.dependencies {
            problems.extend(if dependency.is_room {
                wrong_room(name, may, dependency)
            } else {
                wrong_part(name, dependency)
            });
        }
    }
    problems.into_iter().collect()
}

fn wrong_room(name: &str, may: &May, dependency: &Dependency) -> Option<String> {
    let used = dependency.name.as_str();
    if dependency.for_tests && used == "steward-testkit" {
        return None;
    }
    if NOT_FOR_THE_PROGRAM.contains(&used) {
        return Some(format!("{name} uses {used}, which is only for tests: make it a dev-dependency, or do without"));
    }
    match may {
        May::All => None,
        May::Use(allowed) if allowed.contains(&used) => None,
        May::Use([]) => Some(format!("{name} uses {used}, and may use no other room")),
        May::Use(allowed) => Some(format!("{name} uses {used}, and may use only {}", allowed.join(", "))),
    }
}

fn wrong_part(name: &str, dependency: &Dependency) -> Option<String> {
    if dependency.for_tests {
        return None;
    }
    let used = dependency.name.as_str();
    if ALONE.contains(&name) {
        return Some(format!("{name} uses {used}, and may use nothing at all"));
    }
    let fits = |pattern: &str| pattern.strip_suffix('*').map_or(used == pattern, |start| used.starts_with(start));
    let (_, rooms, reason) = FENCES.iter().find(|(pattern, ..)| fits(pattern))?;
    (!rooms.contains(&name)).then(|| format!("{name} uses {used}, which belongs to {}: {reason}", rooms.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str, uses: &[(&str, bool)]) -> Crate {
        let dependencies = uses.iter().map(|(name, for_tests)| Dependency {
            name: (*name).to_owned(),
            for_tests: *for_tests,
            is_room: name.starts_with("steward") || *name == "xtask",
        });
        Crate {
            name: name.to_owned(),
            manifest: "[lints]\nworkspace = true\n".to_owned(),
            dependencies: dependencies.collect(),
        }
    }

    fn problems_of(one: Crate) -> Vec<String> {
        check(&[one])
    }

    #[test]
    fn what_the_table_allows_is_well() {
        let uses = [
            ("steward-app", false),
            ("steward-core", false),
            ("axum", false),
            ("steward-testkit", true),
            ("sqlx", true),
        ];
        assert_eq!(problems_of(room("steward-web", &uses)), Vec::<String>::new());
        assert_eq!(problems_of(room("steward", &[("steward-paper", false), ("clap", false)])), Vec::<String>::new());
    }

    #[test]
    fn a_room_that_is_not_allowed_is_named() {
        assert_eq!(
            problems_of(room("steward-web", &[("steward-store", false)])),
            ["steward-web uses steward-store, and may use only steward-app, steward-core"]
        );
        assert_eq!(
            problems_of(room("steward-core", &[("steward-store", true)])),
            ["steward-core uses steward-store, and may use no other room"]
        );
        assert_eq!(
            problems_of(room("steward", &[("steward-testkit", false)])),
            ["steward uses steward-testkit, which is only for tests: make it a dev-dependency, or do without"]
        );
    }

    #[test]
    fn a_part_behind_a_fence_is_named_with_its_room() {
        assert_eq!(
            problems_of(room("steward-app", &[("sqlx-core", false)])),
            ["steward-app uses sqlx-core, which belongs to steward-store: only the store knows SQL"]
        );
        assert_eq!(
            problems_of(room("steward-stats", &[("rand", false)])),
            ["steward-stats uses rand, and may use nothing at all"]
        );
    }

    #[test]
    fn a_crate_outside_the_table_or_without_lints_is_named() {
        let stranger = Crate { name: "steward-extra".to_owned(), manifest: String::new(), dependencies: Vec::new() };
        assert_eq!(problems_of(stranger).len(), 2);
    }
}
