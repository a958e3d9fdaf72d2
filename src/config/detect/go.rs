//! Go: the go command, per module.

use super::{Language, Listing, Part, folders_with, framework};
use crate::artifact::types::verification::CommandRole as Role;

const FRAMEWORKS: &[(&str, &str)] = &[
    ("github.com/gin-gonic/gin", "Gin"),
    ("github.com/labstack/echo", "Echo"),
    ("github.com/go-chi/chi", "chi"),
    ("github.com/gofiber/fiber", "Fiber"),
];

pub(super) fn detect(listing: &dyn Listing) -> Vec<Part> {
    folders_with(listing, &["go.mod"]).iter().map(|folder| part(listing, folder)).collect()
}

fn part(listing: &dyn Listing, folder: &str) -> Part {
    let mut part = Part::new(Language::Go, folder);
    part.manager = Some("go modules");
    let path = part.path("go.mod");
    let text = listing.text(&path).unwrap_or_default();
    part.framework = framework(&text, FRAMEWORKS);
    let go = |verb: &str| {
        let mut words = vec!["go".to_owned()];
        if !folder.is_empty() {
            words.extend(["-C".to_owned(), folder.to_owned()]);
        }
        words.extend([verb.to_owned(), "./...".to_owned()]);
        words
    };
    part.propose(Role::Build, go("build"), format!("{path} is there"));
    part.propose(Role::Lint, go("vet"), format!("{path} is there, and vet comes with go"));
    part.propose(Role::Test, go("test"), format!("{path} is there"));
    if listing.has(&part.path("go.sum"))
        && !listing.paths().iter().any(|p| p.starts_with(&part.path("vendor/")))
    {
        let note = "Dependencies come from the module cache, without network: run `go mod download` once, \
                    or commit a `vendor` folder.";
        part.notes.push(note.into());
    }
    part
}
