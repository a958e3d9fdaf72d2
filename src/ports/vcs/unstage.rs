//! Files taken out of the index; the files themselves stay.
//!
//! Must never touch a file of the working tree, or a path but those it was given.

use std::time::Duration;

use super::program::git;
use super::{GitRepository, VcsError};

const LIMIT: Duration = Duration::from_secs(30);

impl GitRepository {
    /// Takes paths out of the index that the last commit does not have.
    pub fn unstage(&self, paths: &[String]) -> Result<(), VcsError> {
        if paths.is_empty() {
            return Ok(());
        }
        let mut words =
            vec!["--literal-pathspecs", "rm", "--cached", "--quiet", "--force", "--ignore-unmatch", "--"];
        words.extend(paths.iter().map(String::as_str));
        let failed =
            |why: String| VcsError::Git { what: "take files out of the index".into(), source: why.into() };
        let said = git(self.root(), &words, LIMIT).map_err(failed)?;
        if said.ok {
            Ok(())
        } else {
            Err(failed(said.stderr.lines().next().unwrap_or("git failed").to_owned()))
        }
    }
}
