//! How edits land: the cases of a scorer answered by the real program, and what many edits cost on disk.
//!
//! `ORCH_BENCH_DATA=FOLDER cargo bench --bench edits` reads `edit_cases.jsonl` and `edit_bases.jsonl` of the folder, has
//! `orch edit apply --batch` answer them, writes `orch-pred.jsonl` into the folder that `ORCH_BENCH_OUT` names (else a
//! temporary one), and runs `../score_edits.py` over it where there is one. Then it makes 1,000 edits in 200 files and a
//! patch of 50,000 hunks with `orch edit apply`, file system included. It asserts nothing about time.
#![expect(clippy::disallowed_methods, reason = "a bench starts programs itself, and reads its own variables")]
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints, and stops at the first fault")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const ORCH: &str = env!("CARGO_BIN_EXE_orch");
const ROUNDS: usize = 5;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    match std::env::var_os("ORCH_BENCH_DATA") {
        Some(data) => {
            let out = std::env::var_os("ORCH_BENCH_OUT");
            let out = out.map_or_else(|| folder.path().to_owned(), PathBuf::from);
            cases(Path::new(&data), &out);
        }
        None => {
            println!(
                "SKIPPED the cases: name their folder: ORCH_BENCH_DATA=FOLDER cargo bench --bench edits"
            );
        }
    }
    let what = "1,000 edits in 200 files (indentation lost), on disk";
    timed(what, &folder.path().join("many"), &many_files());
    let what = "50,000 hunks in a file of 200,000 lines, on disk";
    timed(what, &folder.path().join("hunks"), &many_hunks());
}

/// Has all cases answered, and scored where the scorer is beside.
fn cases(data: &Path, out: &Path) {
    let lines = |name: &str| {
        let file = fs::File::open(data.join(name)).unwrap();
        BufReader::new(file).lines().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
    };
    let bases: BTreeMap<String, String> = lines("edit_bases.jsonl")
        .map(|base| (word(&base["key"]).to_owned(), word(&base["text"]).to_owned()))
        .collect();
    let asked = out.join("orch-cases.jsonl");
    let mut file = std::io::BufWriter::new(fs::File::create(&asked).unwrap());
    let mut count = 0;
    for case in lines("edit_cases.jsonl") {
        let base = &bases[word(&case["base"])];
        let one = json!({
            "id": case["id"], "path": case["path"], "format": case["format"], "text": case["text"],
            "base_text": materialise(base, &case["base_ops"]), "seen_text": materialise(base, &case["seen_ops"]),
        });
        writeln!(file, "{one}").unwrap();
        count += 1;
    }
    file.flush().unwrap();
    let pred = out.join("orch-pred.jsonl");
    let start = Instant::now();
    let status = Command::new(ORCH)
        .args(["edit", "apply", "--batch"])
        .arg(&asked)
        .stdout(fs::File::create(&pred).unwrap())
        .status()
        .unwrap();
    println!("{count} cases answered in {:.1?} ({status}): {}", start.elapsed(), pred.display());
    let (above, split) = (data.join(".."), fs::canonicalize(data).unwrap());
    if above.join("score_edits.py").is_file() {
        let split = split.file_name().unwrap();
        let scored = Command::new("python3")
            .current_dir(above)
            .arg("score_edits.py")
            .arg(split)
            .arg("--pred")
            .arg(pred)
            .output();
        match scored {
            Ok(said) => {
                println!(
                    "{}{}",
                    String::from_utf8_lossy(&said.stdout),
                    String::from_utf8_lossy(&said.stderr)
                );
            }
            Err(error) => println!("SKIPPED the score: python3 cannot be started: {error}"),
        }
    } else {
        println!("SKIPPED the score: there is no score_edits.py beside {}", data.display());
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Makes a text of a base as the data says: lines put in, set or replaced, line ends changed.
fn materialise(text: &str, ops: &Value) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let list = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|line| word(line).to_owned()).collect()
    };
    for op in ops.as_array().unwrap() {
        match word(&op[0]) {
            "insert" => drop(lines.splice(number(&op[1])..number(&op[1]), list(&op[2]))),
            "set" => word(&op[2]).clone_into(&mut lines[number(&op[1])]),
            "splice" => drop(lines.splice(number(&op[1])..number(&op[2]), list(&op[3]))),
            "crlf" => lines.iter_mut().for_each(|line| *line = line.replace('\n', "\r\n")),
            "chop" => {
                let end = lines.last_mut().unwrap();
                *end = end.trim_end_matches('\n').to_owned();
            }
            other => println!("an operation that is not known: {other}"),
        }
    }
    lines.concat()
}

/// Files, and the edits of them.
struct Work {
    files: Vec<(String, String)>,
    edits: String,
}

fn many_files() -> Work {
    let name = |file: usize| format!("src/d{}/f{file}.rs", file % 10);
    let line = |file: usize, at: usize| format!("let value_{at} = compute({file}, {at});\n");
    let text = |file: usize| (0..400).flat_map(|at| ["    ".to_owned(), line(file, at)]).collect::<String>();
    let mut edits = String::new();
    for (file, part) in (0..200).flat_map(|file| (0..5).map(move |part| (file, part))) {
        let (first, second) = (line(file, 40 + part * 70), line(file, 41 + part * 70));
        let new = "let other = 1;\n";
        let path = name(file);
        let _ =
            write!(edits, "{path}\n<<<<<<< SEARCH\n{first}{second}=======\n{first}{new}>>>>>>> REPLACE\n");
    }
    Work { files: (0..200).map(|file| (name(file), text(file))).collect(), edits }
}

fn many_hunks() -> Work {
    let mut text = String::new();
    for at in 0..200_000 {
        let _ = writeln!(text, "line number {at}");
    }
    let mut edits = String::from("--- a/x.txt\n+++ b/x.txt\n");
    for at in (0..200_000).step_by(4) {
        let _ = write!(edits, "@@\n-line number {at}\n+L{at}\n");
    }
    Work { files: vec![("x.txt".to_owned(), text)], edits }
}

/// Makes the edits in fresh folders and prints the median.
fn timed(what: &str, folder: &Path, work: &Work) {
    let mut times: Vec<Duration> = Vec::new();
    for round in 0..ROUNDS {
        let root = folder.join(round.to_string());
        for (path, text) in &work.files {
            let file = root.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let edits = folder.join("edits.txt");
        fs::write(&edits, &work.edits).unwrap();
        let start = Instant::now();
        let said =
            Command::new(ORCH).args(["edit", "apply", "--root"]).args([&root, &edits]).output().unwrap();
        times.push(start.elapsed());
        let changed =
            |(path, text): &&(String, String)| fs::read_to_string(root.join(path)).unwrap() != *text;
        let changed = work.files.iter().filter(changed).count();
        if !said.status.success() || changed != work.files.len() {
            println!("{what}: FAILED: {}", String::from_utf8_lossy(&said.stderr));
            return;
        }
    }
    times.sort();
    println!("{what}: {:.1?} (median of {ROUNDS}), {} bytes of edits", times[ROUNDS / 2], work.edits.len());
}
