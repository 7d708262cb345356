use std::io::Write as _;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use steward_app::import::{Batch, ImportError, ImportPlan, MAX_LINE_BYTES};
use steward_store::tenant::RunFilter;
use steward_testkit::db_tests;
use steward_wire::import::Format;

use crate::world::World;

fn line(n: u32) -> String {
    format!(
        r#"{{"id":"run-{n}","workflow":"desk","started_at":"2026-11-20T10:00:00Z","ended_at":"2026-11-20T10:00:05Z"}}"#
    )
}

fn lines(n: u32) -> Vec<u8> {
    (0..n).flat_map(|n| format!("{}\n", line(n)).into_bytes()).collect()
}

fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("written");
    path
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).expect("compressed");
    out.finish().expect("compressed")
}

fn read_all(plan: &ImportPlan) -> Vec<Batch> {
    plan.read().expect("opened").map(|batch| batch.expect("a batch")).collect()
}

fn numbers(batches: &[Batch]) -> Vec<u64> {
    batches.iter().flat_map(|b| b.entries.iter().map(|(number, _, _)| *number)).collect()
}

#[test]
fn compressed_files_are_read_as_they_are_whatever_their_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = lines(1_200);
    let mut two_members = gz(&plain[..plain.len() / 2]);
    two_members.extend(gz(&plain[plain.len() / 2..]));
    let files = [
        file(folder.path(), "plain.jsonl", &plain),
        file(folder.path(), "no-name", &zstd::bulk::compress(&plain, 3).expect("compressed")),
        file(folder.path(), "two.gz", &two_members),
        file(folder.path(), "no-final-newline", &plain[..plain.len() - 1]),
    ];
    for path in files {
        let plan = ImportPlan::of(&path, None, 0).expect("a plan");
        assert_eq!(plan.format, Format::Native);
        assert_eq!(plan.count_lines().expect("counted"), 1_200);
        let batches = read_all(&plan);
        assert_eq!(numbers(&batches), (1..=1_200).collect::<Vec<_>>(), "{}", path.display());
        assert_eq!(batches.len(), 3);
        let last = batches.last().expect("a batch");
        assert_eq!((last.n_lines, last.n_bytes), (1_200, plan.n_bytes));
    }
}

#[test]
fn bad_lines_are_told_by_number_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    for part in [line(1).as_bytes(), b"", b"  \t", b"{\"id\": \"\xff\"}", line(2).as_bytes(), b" \xc3\x28"] {
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend(std::iter::repeat_n(b'x', MAX_LINE_BYTES + 1));
    bytes.push(b'\n');
    bytes.extend_from_slice(line(3).as_bytes());
    let plan = ImportPlan::of(&file(folder.path(), "a.jsonl", &bytes), None, 0).expect("a plan");
    let batches = read_all(&plan);
    assert_eq!(numbers(&batches), [1, 5, 8]);
    let bad: Vec<String> = batches.iter().flat_map(|b| b.bad.iter().map(|(n, why)| format!("{n}: {why}"))).collect();
    assert_snapshot!(bad.join("\n"), @r"
    4: the line is not UTF-8 text, from its byte 9 on
    6: the line is not UTF-8 text, from its byte 2 on
    7: the line is longer than 32 MB
    ");
}

#[test]
fn an_import_goes_on_where_it_was_broken_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path(), "a.jsonl", &lines(1_200));
    let first =
        ImportPlan::of(&path, None, 0).expect("a plan").read().expect("opened").next().expect("one").expect("a batch");
    let rest = read_all(&ImportPlan::of(&path, None, first.n_lines).expect("a plan"));
    assert_eq!(numbers(&rest).first(), Some(&(first.n_lines + 1)));
    assert_eq!(numbers(&rest).len() + first.entries.len(), 1_200);
    assert!(read_all(&ImportPlan::of(&path, None, 5_000).expect("a plan")).is_empty());
}

#[test]
fn a_file_that_breaks_off_gives_what_came_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = gz(&lines(3_000));
    let path = file(folder.path(), "a.gz", &whole[..whole.len() - 200]);
    let mut n_lines = 0;
    let mut failure = None;
    for batch in ImportPlan::of(&path, None, 0).expect("a plan").read().expect("opened") {
        match batch {
            Ok(batch) => n_lines += batch.entries.len(),
            Err(error) => failure = Some(error),
        }
    }
    assert!(n_lines > 500, "{n_lines} lines");
    assert!(matches!(failure, Some(ImportError::Read { .. })), "{failure:?}");
}

#[test]
fn formats_are_found_and_what_is_none_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let of = |bytes: &[u8]| ImportPlan::of(&file(folder.path(), "a", bytes), None, 0).map(|plan| plan.format);
    assert!(matches!(
        of(b"\n\nnot JSON\n{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}\n"),
        Ok(Format::Transcript)
    ));
    assert!(matches!(of(b"{\"task_id\":1,\"reward\":1.0,\"traj\":[]}"), Ok(Format::TauBench)));
    assert!(matches!(of(b"a,b\n1,2\n"), Err(ImportError::UnknownFormat { .. })));
    assert!(matches!(of(b""), Err(ImportError::Empty { .. })));
    assert!(matches!(of(b"\n \n"), Err(ImportError::Empty { .. })));
    assert!(matches!(ImportPlan::of(folder.path(), None, 0), Err(ImportError::Open { .. })));
    assert!(matches!(ImportPlan::of(&folder.path().join("none"), None, 0), Err(ImportError::Open { .. })));
}

db_tests! {
    async fn importing_again_changes_nothing_and_lines_that_are_no_runs_are_told(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let folder = tempfile::tempdir().expect("a folder");
        let mut bytes = lines(20);
        bytes.extend_from_slice(b"{\"workflow\":\"desk\"}\n[1]\n{broken\n");
        bytes.extend_from_slice(line(100).as_bytes());
        let path = file(folder.path(), "a.jsonl", &bytes);
        for _ in 0..2 {
            let mut bad = Vec::new();
            for batch in ImportPlan::of(&path, None, 0).expect("a plan").read().expect("opened") {
                bad.extend(world.app.import_batch(owner.agency_id, None, batch.expect("a batch")).await.expect("kept"));
            }
            assert_eq!(bad.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [21, 22, 23], "{bad:?}");
            world.app.assemble_waiting().await.expect("assembled");
            let filter = RunFilter { with_tests: true, ..RunFilter::default() };
            assert_eq!(world.app.count_runs(&owner, &filter).await.expect("counted"), 21);
        }
    }
}
