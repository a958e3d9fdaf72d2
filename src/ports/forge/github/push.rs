//! Commits brought to GitHub by git over HTTPS, for what neither of its APIs takes.
//!
//! Must never name an address that was not built from the server and the checked name of the repository.

use http::HeaderMap;

use super::GitHub;
use super::client::Method;
use super::reply::missing;
use super::write::CONTENTS;
use crate::artifact::id::CommitId;
use crate::diagnostic::Failure as _;
use crate::ports::forge::{Answer, ForgeError, PushDraft};
use crate::ports::vcs::{HostedPush, PushError};

const WHAT: &str = "push the branch";

impl GitHub {
    pub(super) fn push(&self, push: &PushDraft) -> Answer<Vec<CommitId>> {
        let Some(place) = &self.git else {
            let why = "there is no clone of the repository to push from".into();
            return Err(ForgeError::Unsupported { what: WHAT.into(), why });
        };
        let token = self.token.token(&self.client, &self.slug)?;
        let url = format!("{}/{}.git", place.server.as_str().trim_end_matches('/'), self.slug);
        let asked =
            HostedPush { url: &url, token: &token, draft: &push.draft, skip: push.skip, on: &push.on };
        match place.clone.push_hosted(&asked) {
            Ok(commits) => Ok(commits.into_iter().map(|(commit, _)| commit).collect()),
            Err(error) => Err(self.told(error)),
        }
    }

    fn told(&self, error: PushError) -> ForgeError {
        let what = WHAT.to_owned();
        match error {
            PushError::Moved => ForgeError::Conflict { what, why: error.to_string() },
            PushError::Unauthorised(why) => ForgeError::Unauthorised { what, why },
            PushError::Forbidden(why) => {
                let ask = self.write(Method::Post, "", WHAT, CONTENTS);
                ForgeError::Forbidden { missing: missing(&ask, &HeaderMap::new(), &why), what, why }
            }
            PushError::Refused(why) => ForgeError::Invalid { what, why },
            PushError::Unreachable(why) => ForgeError::Temporary { what, why },
            PushError::Unknown(why) => ForgeError::Unknown { what, why },
            PushError::Here(error) => {
                let why = format!("{error}. {}", error.help().unwrap_or_default());
                ForgeError::Unsupported { what, why: why.trim_end().to_owned() }
            }
        }
    }
}
