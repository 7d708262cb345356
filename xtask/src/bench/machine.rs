//! On what was measured.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::child;

/// What a figure depends on, by name. What cannot be told says so.
pub(super) fn describe() -> BTreeMap<&'static str, String> {
    let unknown = || "unknown".to_owned();
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let cores = std::thread::available_parallelism().map_or_else(|_| unknown(), |n| n.to_string());
    BTreeMap::from([
        ("processor", read("/proc/cpuinfo").as_deref().and_then(model).unwrap_or_else(unknown)),
        ("cores", cores),
        ("kernel", read("/proc/sys/kernel/osrelease").map_or_else(unknown, |text| text.trim().to_owned())),
        (
            "rustc",
            child::read(Command::new("rustc").arg("--version")).map_or_else(|_| unknown(), |v| v.trim().to_owned()),
        ),
        // Others' work on the same cores is in every figure.
        ("load before", read("/proc/loadavg").as_deref().and_then(first_word).unwrap_or_else(unknown)),
        // In memory, a commit waits for no disk.
        (
            "temporary files on",
            read("/proc/self/mounts")
                .as_deref()
                .and_then(|mounts| file_system(mounts, &std::env::temp_dir()))
                .unwrap_or_else(unknown),
        ),
    ])
}

/// The description in one line.
pub(super) fn in_words(machine: &BTreeMap<&'static str, String>) -> String {
    let order = [
        "processor",
        "cores",
        "kernel",
        "rustc",
        "PostgreSQL",
        "MLflow",
        "Arize Phoenix",
        "temporary files on",
        "load before",
    ];
    let part = |name: &&str| {
        let value = machine.get(name)?;
        Some(match *name {
            "cores" => format!("{value} cores"),
            "kernel" => format!("Linux {value}"),
            "temporary files on" | "load before" => format!("{name} {value}"),
            _ => value.clone(),
        })
    };
    order.iter().filter_map(part).collect::<Vec<_>>().join(", ")
}

fn model(cpuinfo: &str) -> Option<String> {
    let value = |name: &str| {
        let lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
    };
    value("model name").or_else(|| value("Model")).filter(|name| !name.is_empty())
}

fn first_word(text: &str) -> Option<String> {
    text.split_whitespace().next().map(str::to_owned)
}

/// The kind of file system that holds a folder: the mount that reaches deepest, and of two there the later.
fn file_system(mounts: &str, folder: &Path) -> Option<String> {
    let fields = mounts.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    fields
        .filter_map(|fields| Some((Path::new(*fields.get(1)?), *fields.get(2)?)))
        .filter(|(place, _)| folder.starts_with(place))
        .max_by_key(|(place, _)| place.components().count())
        .map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named_on_both_platforms() {
        assert_eq!(model("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n").as_deref(), Some("Some CPU @ 2 GHz"));
        assert_eq!(model("processor : 0\nModel : Some Board\n").as_deref(), Some("Some Board"));
        assert_eq!(model(""), None);
        assert_eq!(model("model name :\n"), None);
    }

    #[test]
    fn the_deepest_mount_holds_a_folder() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tm xfs rw 0 0\nbad\n";
        assert_eq!(file_system(mounts, Path::new("/tmp/a")).as_deref(), Some("tmpfs"));
        assert_eq!(file_system(mounts, Path::new("/var")).as_deref(), Some("ext4"));
        assert_eq!(file_system("", Path::new("/var")), None);
    }

    #[test]
    fn the_line_names_what_is_known() {
        let machine = BTreeMap::from([("processor", "P".to_owned()), ("cores", "2".to_owned())]);
        assert_eq!(in_words(&machine), "P, 2 cores");
        assert!(in_words(&describe()).contains("rustc 1."));
    }
}
