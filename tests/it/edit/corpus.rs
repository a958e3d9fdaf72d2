//! Texts that once were, or could be, trouble for a parser: each is read in every format and applied.
//!
//! What must come of a file is in its name: `ok-`, `refused-`.

use std::fs;
use std::path::Path;

use orch::edit::format::Format;
use orch::edit::revise::case;

/// The file all texts of the corpus are about.
const BASE: &str = "# Title\n=======\n\ndef one():\n    return \"a\"\n\n\ndef two():\n    return \"b\"\n\n- item one\n- item two\n";

#[test]
fn every_text_of_the_corpus_does_what_its_name_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/edits");
    let mut seen = 0;
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        for format in Format::all() {
            let _ = format.read(&text);
        }
        let made = case("doc.py", BASE.as_bytes(), BASE.as_bytes(), "auto", &text);
        match &made {
            Ok(bytes) => {
                let made = String::from_utf8_lossy(bytes);
                assert!(name.starts_with("ok-"), "{name} was applied:\n{made}");
                assert_eq!(made, BASE.replacen("return \"b\"", "return \"B\"", 1), "{name}");
            }
            Err(why) => assert!(name.starts_with("refused-"), "{name} was refused: {why}"),
        }
        seen += 1;
    }
    assert!(seen >= 20, "{seen}");
}
