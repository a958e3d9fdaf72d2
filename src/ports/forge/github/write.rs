//! GitHub, changed.
//!
//! Must never force a branch, nor merge a head other than the one that was judged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::client::{Ask, Method};
use super::reply::broken;
use super::wire::{WireActor, WireComment, WireId, WirePull, logins, read};
use super::{GitHub, encoded};
use crate::artifact::id::{CommitId, TreeId};
use crate::ports::forge::{
    Annotation, Answer, CheckDraft, CheckRunId, Comment, CommentId, CommitOnBranch, Deployment, DeploymentId,
    DeploymentStatus, DeploymentStatusDraft, ForgeError, ForgeWrite, IssueNumber, Login, MergeDraft,
    NewCommit, NewDeployment, NewPull, NewRelease, NewTree, NodeId, Pull, PullEdit, PullNumber, PushDraft,
    Reaction, Release, ReleaseId, Reviewers, SarifUpload, StatusDraft,
};

pub(super) const CONTENTS: &str = "contents: write";
const PULLS: &str = "pull-requests: write";
const ISSUES: &str = "issues: write";
const CHECKS: &str = "checks: write";
/// GitHub takes so many annotations in a request.
const ANNOTATIONS: usize = 50;
const MAX_SUMMARY: usize = 65_000;
const MAX_MESSAGE: usize = 4_000;
pub(super) const MAX_DESCRIPTION: usize = 140;

impl GitHub {
    pub(super) fn write(&self, method: Method, rest: &str, what: &'static str, needs: &'static str) -> Ask {
        Ask::new(method, self.path(rest), what).needs(needs)
    }

    fn mutate(&self, name: &str, input: &Value, what: &'static str, needs: &'static str) -> Answer<Value> {
        let ask = Ask::new(Method::Post, String::new(), what).needs(needs);
        self.graphql(name, &json!({ "input": input }), ask)
    }

    fn annotate(&self, id: CheckRunId, check: &CheckDraft, rest: &[Annotation]) -> Answer<()> {
        for chunk in rest.chunks(ANNOTATIONS) {
            let body = json!({ "output": output(check, chunk) });
            // Sent twice they would be there twice.
            let mut ask =
                self.write(Method::Patch, &format!("/check-runs/{id}"), "annotate the check", CHECKS);
            ask.power = super::client::Power::Once;
            self.send(&ask.with(body))?;
        }
        Ok(())
    }
}

pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

fn output(check: &CheckDraft, annotations: &[Annotation]) -> Value {
    let note = |note: &Annotation| {
        json!({
            "path": note.path,
            "start_line": note.start_line,
            "end_line": note.end_line,
            "annotation_level": note.level,
            "title": cut(&note.title, 255),
            "message": cut(&note.message, MAX_MESSAGE),
        })
    };
    let mut output = json!({ "title": cut(&check.title, 255), "summary": cut(&check.summary, MAX_SUMMARY) });
    if !annotations.is_empty() {
        output["annotations"] = annotations.iter().map(note).collect();
    }
    output
}

/// The fields of a check run, with its first annotations.
fn fields(check: &CheckDraft, first: &[Annotation]) -> Value {
    let mut body = json!({
        "name": check.name,
        "external_id": check.external_id,
        "output": output(check, first),
    });
    match check.conclusion {
        Some(conclusion) => {
            body["status"] = json!("completed");
            body["conclusion"] = json!(conclusion);
        }
        None => body["status"] = json!("in_progress"),
    }
    body
}

impl ForgeWrite for GitHub {
    fn create_branch(&self, branch: &str, at: &CommitId) -> Answer<()> {
        let body = json!({ "ref": format!("refs/heads/{branch}"), "sha": at });
        self.send(&self.write(Method::Post, "/git/refs", "make the branch", CONTENTS).with(body)).map(drop)
    }

    fn advance_branch(&self, branch: &str, to: &CommitId) -> Answer<()> {
        let rest = format!("/git/refs/{}", encoded(&format!("heads/{branch}")));
        let body = json!({ "sha": to, "force": false });
        self.send(&self.write(Method::Patch, &rest, "move the branch", CONTENTS).with(body)).map(drop)
    }

    fn delete_branch(&self, branch: &str) -> Answer<()> {
        let rest = format!("/git/refs/{}", encoded(&format!("heads/{branch}")));
        self.send(&self.write(Method::Delete, &rest, "delete the branch", CONTENTS)).map(drop)
    }

    fn commit_on_branch(&self, commit: &CommitOnBranch) -> Answer<CommitId> {
        let addition = |(path, content): &(String, Vec<u8>)| json!({ "path": path, "contents": STANDARD.encode(content) });
        let deletion = |path: &String| json!({ "path": path });
        let input = json!({
            "branch": { "repositoryNameWithOwner": self.slug.to_string(), "branchName": commit.branch },
            "expectedHeadOid": commit.expected,
            "message": { "headline": commit.headline, "body": commit.body },
            "fileChanges": {
                "additions": commit.additions.iter().map(addition).collect::<Vec<_>>(),
                "deletions": commit.deletions.iter().map(deletion).collect::<Vec<_>>(),
            },
        });
        let what = "make the commit on the branch";
        let data = self.mutate("CommitOnBranch", &input, what, CONTENTS)?;
        let ask = Ask::new(Method::Post, String::new(), what);
        read(&ask, data["createCommitOnBranch"]["commit"]["oid"].clone())
    }

    fn push_commits(&self, push: &PushDraft) -> Answer<Vec<CommitId>> {
        self.push(push)
    }

    fn create_blob(&self, content: &[u8]) -> Answer<CommitId> {
        let body = json!({ "content": STANDARD.encode(content), "encoding": "base64" });
        let ask = self.write(Method::Post, "/git/blobs", "store a file", CONTENTS).with(body).repeatable();
        Ok(read::<WireId<CommitId>>(&ask, self.send(&ask)?)?.sha)
    }

    fn create_tree(&self, tree: &NewTree) -> Answer<TreeId> {
        let entries = tree.entries.iter().map(|entry| {
            let kind = if entry.mode == "160000" { "commit" } else { "blob" };
            json!({ "path": entry.path, "mode": entry.mode, "type": kind, "sha": entry.blob })
        });
        let body = json!({ "base_tree": tree.base, "tree": entries.collect::<Vec<_>>() });
        let ask = self.write(Method::Post, "/git/trees", "store a tree", CONTENTS).with(body).repeatable();
        Ok(read::<WireId<TreeId>>(&ask, self.send(&ask)?)?.sha)
    }

    fn create_commit(&self, commit: &NewCommit) -> Answer<CommitId> {
        let body = json!({ "message": commit.message, "tree": commit.tree, "parents": commit.parents });
        // No branch points to it, so a second one is only litter.
        let ask =
            self.write(Method::Post, "/git/commits", "store a commit", CONTENTS).with(body).repeatable();
        Ok(read::<WireId<CommitId>>(&ask, self.send(&ask)?)?.sha)
    }

    fn open_pull(&self, pull: &NewPull) -> Answer<Pull> {
        let ask = self.write(Method::Post, "/pulls", "open the pull request", PULLS).with(json!(pull));
        Ok(read::<WirePull>(&ask, self.send(&ask)?)?.into())
    }

    fn edit_pull(&self, number: PullNumber, edit: &PullEdit) -> Answer<Pull> {
        let rest = format!("/pulls/{number}");
        let ask = self.write(Method::Patch, &rest, "change the pull request", PULLS).with(json!(edit));
        Ok(read::<WirePull>(&ask, self.send(&ask)?)?.into())
    }

    fn set_draft(&self, pull: &NodeId, draft: bool) -> Answer<()> {
        let (name, what) = if draft {
            ("MakeDraft", "make the pull request a draft")
        } else {
            ("MarkReady", "make the pull request ready for review")
        };
        self.mutate(name, &json!({ "pullRequestId": pull }), what, PULLS).map(drop)
    }

    fn add_labels(&self, number: IssueNumber, labels: &[String]) -> Answer<()> {
        let rest = format!("/issues/{number}/labels");
        let ask = self.write(Method::Post, &rest, "add the labels", ISSUES).with(json!({ "labels": labels }));
        self.send(&ask.repeatable()).map(drop)
    }

    fn add_assignees(&self, number: IssueNumber, names: &[String]) -> Answer<Vec<Login>> {
        let rest = format!("/issues/{number}/assignees");
        let ask = self.write(Method::Post, &rest, "assign the pull request", ISSUES);
        let ask = ask.with(json!({ "assignees": names })).repeatable();
        let issue = self.send(&ask)?;
        Ok(logins(read::<Vec<WireActor>>(&ask, issue["assignees"].clone())?))
    }

    fn request_reviewers(&self, number: PullNumber, reviewers: &Reviewers) -> Answer<()> {
        let rest = format!("/pulls/{number}/requested_reviewers");
        let body = json!({ "reviewers": reviewers.people, "team_reviewers": reviewers.teams });
        let ask = self.write(Method::Post, &rest, "ask for reviews", PULLS).with(body);
        self.send(&ask.repeatable()).map(drop)
    }

    fn request_copilot(&self, number: PullNumber) -> Answer<()> {
        let rest = format!("/pulls/{number}/copilot-code-review");
        let ask = self.write(Method::Post, &rest, "ask Copilot for a review", PULLS).repeatable();
        match self.send(&ask) {
            // The address itself is unknown to a server without Copilot.
            Err(ForgeError::Forbidden { what, why, .. })
                if why.starts_with("it says there is no such thing") =>
            {
                Err(ForgeError::Unsupported {
                    what,
                    why: "it has no Copilot code review for this repository".into(),
                })
            }
            other => other.map(drop),
        }
    }

    fn add_comment(&self, number: IssueNumber, body: &str) -> Answer<Comment> {
        let rest = format!("/issues/{number}/comments");
        let ask = self.write(Method::Post, &rest, "write the comment", ISSUES).with(json!({ "body": body }));
        Ok(read::<WireComment>(&ask, self.send(&ask)?)?.into())
    }

    fn edit_comment(&self, id: CommentId, body: &str) -> Answer<Comment> {
        let rest = format!("/issues/comments/{id}");
        let ask =
            self.write(Method::Patch, &rest, "change the comment", ISSUES).with(json!({ "body": body }));
        Ok(read::<WireComment>(&ask, self.send(&ask)?)?.into())
    }

    fn react(&self, id: CommentId, reaction: Reaction) -> Answer<()> {
        let rest = format!("/issues/comments/{id}/reactions");
        let ask = self.write(Method::Post, &rest, "react to the comment", ISSUES);
        self.send(&ask.with(json!({ "content": reaction })).repeatable()).map(drop)
    }

    fn create_check(&self, check: &CheckDraft) -> Answer<CheckRunId> {
        let (first, rest) = check.annotations.split_at(check.annotations.len().min(ANNOTATIONS));
        let mut body = fields(check, first);
        body["head_sha"] = json!(check.commit);
        let ask = self.write(Method::Post, "/check-runs", "make the check", CHECKS).with(body);
        let id = self.send(&ask)?["id"].as_u64().ok_or_else(|| broken(&ask, "it has no id"))?;
        self.annotate(CheckRunId(id), check, rest)?;
        Ok(CheckRunId(id))
    }

    fn update_check(&self, id: CheckRunId, check: &CheckDraft) -> Answer<()> {
        let (first, rest) = check.annotations.split_at(check.annotations.len().min(ANNOTATIONS));
        let ask = self.write(Method::Patch, &format!("/check-runs/{id}"), "change the check", CHECKS);
        self.send(&ask.with(fields(check, first)))?;
        self.annotate(id, check, rest)
    }

    fn set_status(&self, status: &StatusDraft) -> Answer<()> {
        let rest = format!("/statuses/{}", status.commit);
        let body = json!({
            "state": status.state,
            "context": status.context,
            "description": cut(&status.description, MAX_DESCRIPTION),
        });
        let ask = self.write(Method::Post, &rest, "set the status", "statuses: write").with(body);
        self.send(&ask.repeatable()).map(drop)
    }

    fn upload_sarif(&self, sarif: &SarifUpload) -> Answer<String> {
        let what = "upload the findings";
        let packed = gzip(&sarif.sarif).map_err(|why| ForgeError::Invalid { what: what.into(), why })?;
        let body = json!({
            "commit_sha": sarif.commit,
            "ref": sarif.reference,
            "sarif": STANDARD.encode(packed),
            "tool_name": "orch",
        });
        let ask = self.write(Method::Post, "/code-scanning/sarifs", what, "security-events: write");
        let ask = ask.with(body).repeatable();
        let reply = self.send(&ask)?;
        reply["id"].as_str().map(str::to_owned).ok_or_else(|| broken(&ask, "it has no id"))
    }

    fn enable_auto_merge(&self, merge: &MergeDraft) -> Answer<()> {
        let input = json!({
            "pullRequestId": merge.node,
            "mergeMethod": merge.method.as_str().to_ascii_uppercase(),
            "expectedHeadOid": merge.expected,
        });
        self.mutate("EnableAutoMerge", &input, "let the pull request merge by itself", CONTENTS).map(drop)
    }

    fn disable_auto_merge(&self, pull: &NodeId) -> Answer<()> {
        let input = json!({ "pullRequestId": pull });
        self.mutate("DisableAutoMerge", &input, "keep the pull request from merging by itself", CONTENTS)
            .map(drop)
    }

    fn merge(&self, number: PullNumber, merge: &MergeDraft) -> Answer<CommitId> {
        let rest = format!("/pulls/{number}/merge");
        let body = json!({ "sha": merge.expected, "merge_method": merge.method });
        let mut ask = self.write(Method::Put, &rest, "merge the pull request", CONTENTS).with(body);
        ask.power = super::client::Power::Once;
        read(&ask, self.send(&ask)?["sha"].clone())
    }

    fn create_deployment(&self, deployment: &NewDeployment) -> Answer<Deployment> {
        self.deploy(deployment)
    }

    fn set_deployment_status(
        &self,
        deployment: DeploymentId,
        status: &DeploymentStatusDraft,
    ) -> Answer<DeploymentStatus> {
        self.deployed(deployment, status)
    }

    fn create_tag(&self, name: &str, at: &CommitId) -> Answer<()> {
        let body = json!({ "ref": format!("refs/tags/{name}"), "sha": at });
        self.send(&self.write(Method::Post, "/git/refs", "make the tag", CONTENTS).with(body)).map(drop)
    }

    fn draft_release(&self, release: &NewRelease) -> Answer<Release> {
        self.make_release(release)
    }

    fn publish_release(&self, release: ReleaseId) -> Answer<Release> {
        self.publish(release)
    }
}

/// Packs bytes as gzip (RFC 1952).
fn gzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    // 15 bits of window, 16 for the frame of gzip.
    let config = zlib_rs::DeflateConfig { window_bits: 15 + 16, ..zlib_rs::DeflateConfig::default() };
    let mut room = vec![0; zlib_rs::compress_bound(bytes.len()) + 32];
    match zlib_rs::compress_slice(&mut room, bytes, config) {
        (packed, zlib_rs::ReturnCode::Ok) => Ok(packed.to_vec()),
        (_, code) => Err(format!("it cannot be packed: {code:?}")),
    }
}
