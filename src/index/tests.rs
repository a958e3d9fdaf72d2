//! The index as a whole: what files and the past say, the file it is kept in, growing against made anew.

use proptest::prelude::*;

use super::corpus::{Corpus, Tree};
use super::invert::Inverter;
use super::past::{Commit, Past, message};
use super::rank::{Query, WEIGHTS, fit, weigh};
use super::segment::{Blob, Segment};
use super::sketch::{Content, MAX_BYTES};
use super::store::{self, Head, Part, Spoiled, Stored};

fn blob(text: &str) -> Blob {
    let mut id = [0; 20];
    id[..8].copy_from_slice(&super::words::hash(text.as_bytes()).to_le_bytes());
    id
}

fn segment<'a>(texts: impl Iterator<Item = &'a str>) -> Segment {
    let mut inverter = Inverter::default();
    let texts: std::collections::BTreeSet<&str> = texts.collect();
    for text in texts {
        inverter.read(blob(text), text.as_bytes());
    }
    inverter.segment()
}

fn scores(corpus: &Corpus, files: &[(String, Blob)], commits: &[Commit], query: &str) -> Vec<(String, f32)> {
    let tree = Tree::of(corpus, files);
    let past = Past::of(&tree, commits.iter());
    let table = weigh::rows(corpus, &tree, &past, &Query::of(query), 0, &WEIGHTS);
    tree.files
        .iter()
        .zip(&table.rows)
        .map(|(file, row)| (file.path.clone(), fit::dot(&WEIGHTS, row)))
        .collect()
}

fn commit(number: u8, subject: &str, paths: &[&str]) -> Commit {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    Commit { id: [number; 20], time: -i64::from(number), words: message(subject), paths, moved: Vec::new() }
}

#[test]
fn what_files_say_and_what_the_past_says_count() {
    let texts = [
        ("src/auth.rs", "fn login(user: User) {}"),
        ("src/cache.rs", "struct Cache; fn evict() {}"),
        ("src/odd.rs", "fn nothing() {}"),
    ];
    let mut corpus = Corpus::default();
    corpus.push(segment(texts.iter().map(|(_, text)| *text)));
    let files: Vec<_> = texts.iter().map(|(path, text)| ((*path).to_owned(), blob(text))).collect();
    let best = |commits: &[Commit], query: &str| {
        let found = scores(&corpus, &files, commits, query);
        found.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0
    };
    assert_eq!(best(&[], "evicting caches"), "src/cache.rs");
    assert_eq!(best(&[], "user cannot log in: login"), "src/auth.rs");
    let past =
        [commit(1, "frobnicate the widgets", &["src/odd.rs"]), commit(2, "login fails", &["src/auth.rs"])];
    assert_eq!(best(&past, "frobnicate widgets faster"), "src/odd.rs");
    // A file that moved keeps its past.
    let mut moved = commit(1, "tidy", &["src/odd.rs", "old.rs"]);
    moved.moved = vec![("old.rs".into(), "src/odd.rs".into())];
    assert_eq!(
        best(&[moved, commit(2, "frobnicate the widgets", &["old.rs"])], "frobnicate widgets"),
        "src/odd.rs"
    );
}

#[test]
fn content_that_nobody_reads_is_told() {
    let mut inverter = Inverter::default();
    let mut read = |bytes: &[u8]| {
        inverter.read([0; 20], bytes);
        inverter.segment()
    };
    let mut content = |bytes: &[u8]| read(bytes).docs[0].content;
    assert_eq!(content(b"a\0b"), Content::Binary);
    assert_eq!(content(&vec![b'a'; MAX_BYTES + 1]), Content::Huge);
    assert_eq!(content("x=1;".repeat(3000).as_bytes()), Content::Minified);
    assert_eq!(content(b"// Code generated; DO NOT EDIT.\nint x;\n"), Content::Generated);
    assert!(read(b"a\0b").posts.is_empty() && read(b"").chunks.len() == 1);
    let odd = read(b"fn caf\xff() {}\n").docs[0];
    assert_eq!((odd.content, odd.defined), (Content::Text, 1));
}

fn stored() -> Stored {
    let mut corpus = Corpus::default();
    corpus.push(segment(["fn one() {}", "fn two() { one() }"].into_iter()));
    Stored {
        segments: corpus.segments().to_vec(),
        commits: vec![commit(1, "fix(a): one", &["a.rs", "b.rs"])],
        tip: Some([1; 20]),
        weights: Some((WEIGHTS, 1)),
    }
}

/// A head with its parts, as bytes.
fn written() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let stored = stored();
    let (segment, past) =
        (store::write_segment(&stored.segments[0]), store::write_commits(stored.commits.iter()));
    let head = Head {
        segments: vec![Part::of(&segment)],
        past: vec![Part::of(&past)],
        tip: stored.tip,
        weights: stored.weights,
    };
    assert_eq!(store::read_head(&store::write_head(&head)), Ok(head.clone()));
    assert_eq!(store::read_segment(&head.segments[0], &segment).as_ref(), Ok(&stored.segments[0]));
    assert_eq!(store::read_commits(&head.past[0], &past), Ok(stored.commits));
    (store::write_head(&head), segment, past)
}

#[test]
fn what_is_written_is_read_and_other_versions_are_refused() {
    let (head, ..) = written();
    let mut other = head.clone();
    other[8] = 99;
    assert_eq!(store::read_head(&other), Err(Spoiled::Version(99)));
    assert_eq!(store::read_head(b"something else that is longer than a digest"), Err(Spoiled::Other));
}

proptest! {
    #[test]
    fn a_spoiled_file_is_refused(at in 0usize..10_000, flip in 1u8.., cut in 0usize..400) {
        let (head, segment, past) = written();
        let parts = (Part::of(&segment), Part::of(&past));
        for (which, bytes) in [head, segment, past].iter().enumerate() {
            let refused = |bytes: &[u8]| match which {
                0 => store::read_head(bytes).is_err(),
                1 => store::read_segment(&parts.0, bytes).is_err(),
                _ => store::read_commits(&parts.1, bytes).is_err(),
            };
            let mut spoiled = bytes.clone();
            let at = at % bytes.len();
            spoiled[at] ^= flip;
            prop_assert!(refused(&spoiled));
            let cut = &bytes[..bytes.len().saturating_sub(cut + 1)];
            prop_assert!(refused(cut));
            // A digest that fits does not make sense of nonsense, and nothing panics.
            let _ = store::read_segment(&Part::of(cut), cut);
            let _ = store::read_commits(&Part::of(&spoiled), &spoiled);
            let _ = store::read_segment(&Part::of(&spoiled), &spoiled);
        }
    }

    #[test]
    fn words_are_counted_as_a_plain_count_of_every_line_does(
        lines in prop::collection::vec("([a-cA-C_1é]{1,9}[ .(=]){0,4}(fn [a-c]{2,4}_x)?", 0..120),
    ) {
        use super::{lines::definition, words};
        let text = lines.join("\n");
        let segment = segment([text.as_str()].into_iter());
        let chunk_of = |line: usize| {
            let holds = |chunk: &super::sketch::Chunk| (chunk.first as usize..=chunk.last as usize).contains(&line);
            segment.chunks.iter().position(holds).unwrap()
        };
        let mut counted = std::collections::BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            let chunk = chunk_of(at + 1) as u32;
            words::each(line.as_bytes(), |word| *counted.entry((word.term, chunk)).or_insert(0_u32) += 1);
            if let Some(name) = definition(line.as_bytes()) {
                words::each(name, |word| *counted.entry((words::defined(word.term), chunk)).or_insert(0) += 1);
            }
        }
        let mut found = std::collections::BTreeMap::new();
        for term in &segment.terms {
            segment.each(*term, |chunk, count| {
                found.insert((*term, chunk), u32::from(count));
            });
        }
        let counted: std::collections::BTreeMap<_, _> =
            counted.into_iter().map(|(key, count)| (key, count.min(255))).collect();
        prop_assert_eq!(found, counted);
        prop_assert!(segment.terms.is_sorted());
    }

    #[test]
    fn brought_up_to_date_is_the_same_as_made_anew(
        rounds in prop::collection::vec(prop::collection::vec((0usize..12, 0usize..20), 1..6), 1..6),
        query in "[a-e]{2} [a-e]{3} one",
    ) {
        const WORDS: [&str; 8] = ["alpha", "beta", "cache", "delta", "evict", "one", "abcde", "login"];
        let text = |seed: usize| format!("fn {}_{}() {{\n  {}\n}}\n", WORDS[seed % 8], WORDS[seed * 3 % 7], WORDS[seed * 5 % 8]);
        let mut tree = std::collections::BTreeMap::new();
        let mut grown = Corpus::default();
        for round in &rounds {
            for (file, seed) in round {
                tree.insert(format!("src/f{file}.rs"), text(*seed));
            }
            let missing = segment(tree.values().map(String::as_str).filter(|text| grown.doc(&blob(text)).is_none()));
            grown.push(missing);
        }
        let files: Vec<_> = tree.iter().map(|(path, text)| (path.clone(), blob(text))).collect();
        let mut fresh = Corpus::default();
        fresh.push(segment(tree.values().map(String::as_str)));
        let mut compact = Corpus::default();
        let alive: Vec<Blob> = files.iter().map(|(_, blob)| *blob).collect();
        compact.push(grown.compact(|blob| alive.contains(blob)));
        prop_assert_eq!(compact.segments(), fresh.segments());
        let query = format!("{query} cache login");
        prop_assert_eq!(scores(&grown, &files, &[], &query), scores(&fresh, &files, &[], &query));
    }
}
