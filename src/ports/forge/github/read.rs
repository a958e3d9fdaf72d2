//! GitHub, looked at.
//!
//! Must never send anything but a request that changes nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::checks::{WireCheck, standing};
use super::client::{Ask, Method, Power};
use super::reply::broken;
use super::wire::{
    WireApproval, WireComment, WireCommit, WireComparison, WireFile, WireIssue, WirePermission, WirePull,
    WireRepository, WireReview, WireStatus, read,
};
use super::wire_deploy::{WireDeployment, WireDeploymentStatus, WireRelease, WireTree};
use super::{GitHub, encoded};
use crate::artifact::id::{CommitId, TreeId};
use crate::ports::forge::{
    Access, Answer, BranchRules, ChangedFile, CheckRun, Comment, CommentId, Commit, CommitStatus, Comparison,
    Deployment, DeploymentEnvironment, DeploymentId, DeploymentStatus, ForgeError, ForgeRead, Identity,
    Issue, IssueNumber, Login, NodeId, Pull, PullNumber, Release, Repository, RepositorySlug, RequiredCheck,
    Review, ReviewThread, RunApproval, ThreadComment, TokenKind, WholeTree,
};

/// The account of a workflow's own token, as GraphQL and REST write it.
const WORKFLOW: &[&str] = &["github-actions", "github-actions[bot]"];

impl GitHub {
    fn look(&self, rest: &str, what: &'static str) -> Ask {
        Ask::new(Method::Get, self.path(rest), what)
    }

    fn one<W: DeserializeOwned, T: From<W>>(&self, rest: &str, what: &'static str) -> Answer<T> {
        let ask = self.look(rest, what);
        Ok(T::from(read::<W>(&ask, self.send(&ask)?)?))
    }

    fn list<W: DeserializeOwned>(
        &self,
        rest: &str,
        field: Option<&str>,
        what: &'static str,
    ) -> Answer<Vec<W>> {
        let ask = self.look(rest, what);
        self.pages(&ask, field)?.into_iter().map(|value| read(&ask, value)).collect()
    }

    /// Returns the first items of a list, following pages no further than needed.
    fn newest<W: DeserializeOwned>(&self, rest: &str, most: u32, what: &'static str) -> Answer<Vec<W>> {
        let ask = self.look(rest, what);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        self.first_pages(&ask, most)?.into_iter().take(most).map(|value| read(&ask, value)).collect()
    }

    fn threads(&self, number: PullNumber, after: &Value) -> Answer<(Vec<ReviewThread>, Value)> {
        let what = "read the discussions of the pull request";
        let mut ask = Ask::new(Method::Post, String::new(), what);
        ask.power = Power::Read;
        let variables = json!({
            "owner": self.slug.owner(), "name": self.slug.name(), "number": number.0, "after": after,
        });
        let data = self.graphql("ReviewThreads", &variables, ask.clone())?;
        let page = &data["repository"]["pullRequest"]["reviewThreads"];
        let nodes = page["nodes"].as_array().ok_or_else(|| broken(&ask, "it holds no discussions"))?;
        let threads = nodes.iter().map(|node| thread(&ask, node)).collect::<Answer<_>>()?;
        let more = page["pageInfo"]["hasNextPage"] == Value::Bool(true);
        Ok((threads, if more { page["pageInfo"]["endCursor"].clone() } else { Value::Null }))
    }
}

fn thread(ask: &Ask, node: &Value) -> Answer<ReviewThread> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let whole = |value: &Value| value.as_bool().ok_or_else(|| broken(ask, "a discussion is not whole"));
    let comment = |comment: &Value| {
        let created_at = comment["createdAt"].as_str().and_then(|at| at.parse().ok());
        Ok(ThreadComment {
            author: comment["author"]["login"].as_str().and_then(|login| login.parse().ok()),
            bot: comment["author"]["__typename"] == "Bot",
            body: text(&comment["body"]).unwrap_or_default(),
            commit: comment["originalCommit"]["oid"].as_str().and_then(|id| id.parse().ok()),
            created_at: created_at.ok_or_else(|| broken(ask, "a comment has no time"))?,
        })
    };
    Ok(ReviewThread {
        node: NodeId(text(&node["id"]).ok_or_else(|| broken(ask, "a discussion has no id"))?),
        resolved: whole(&node["isResolved"])?,
        outdated: whole(&node["isOutdated"])?,
        path: text(&node["path"]).unwrap_or_default(),
        line: node["line"].as_u64().and_then(|line| line.try_into().ok()),
        comments: node["comments"]["nodes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(comment)
            .collect::<Answer<_>>()?,
    })
}

impl ForgeRead for GitHub {
    fn slug(&self) -> Option<RepositorySlug> {
        Some(self.slug.clone())
    }

    fn repository(&self) -> Answer<Repository> {
        self.one::<WireRepository, _>("", "read the repository")
    }

    fn identity(&self) -> Answer<Identity> {
        let mut ask = Ask::new(Method::Post, String::new(), "find out who the token is");
        ask.power = Power::Read;
        let kind = self.token.kind();
        let login = match self.graphql("Viewer", &json!({}), ask) {
            Ok(data) => data["viewer"]["login"].as_str().and_then(|login| login.parse::<Login>().ok()),
            // Who it is decides nothing that its kind does not.
            Err(
                ForgeError::Unsupported { .. } | ForgeError::Forbidden { .. } | ForgeError::NotFound { .. },
            ) => None,
            Err(error) => return Err(error),
        };
        let of_workflow = login.as_ref().is_some_and(|login| WORKFLOW.contains(&login.as_str()));
        Ok(Identity { login, kind: if of_workflow { TokenKind::Workflow } else { kind } })
    }

    fn access(&self, login: &Login) -> Answer<Access> {
        let rest = format!("/collaborators/{}/permission", encoded(login.as_str()));
        let ask = self.look(&rest, "read what the account may do");
        match ForgeError::optional(self.send(&ask))? {
            None => Ok(Access::None),
            Some(value) => Ok(read::<WirePermission>(&ask, value)?.access()),
        }
    }

    fn issue(&self, number: IssueNumber) -> Answer<Issue> {
        self.one::<WireIssue, _>(&format!("/issues/{number}"), "read the issue")
    }

    fn comments(&self, number: IssueNumber, as_of: Option<Timestamp>) -> Answer<Vec<Comment>> {
        let rest = format!("/issues/{number}/comments?per_page=100");
        let all = self.list::<WireComment>(&rest, None, "read the comments")?.into_iter().map(Comment::from);
        Ok(all.filter(|comment| as_of.is_none_or(|then| comment.created_at <= then)).collect())
    }

    fn comment(&self, id: CommentId) -> Answer<Comment> {
        self.one::<WireComment, _>(&format!("/issues/comments/{id}"), "read the comment")
    }

    fn review_comment(&self, id: CommentId) -> Answer<Comment> {
        self.one::<WireComment, _>(&format!("/pulls/comments/{id}"), "read the comment")
    }

    fn run_approvals(&self, run: u64) -> Answer<Vec<RunApproval>> {
        let what = "read who let the workflow's run go on";
        let all = self.list::<WireApproval>(&format!("/actions/runs/{run}/approvals"), None, what)?;
        Ok(all.into_iter().map(RunApproval::from).collect())
    }

    fn pull(&self, number: PullNumber) -> Answer<Pull> {
        self.one::<WirePull, _>(&format!("/pulls/{number}"), "read the pull request")
    }

    fn pulls_of(&self, branch: &str) -> Answer<Vec<Pull>> {
        let head = encoded(&format!("{}:{branch}", self.slug.owner()));
        let rest = format!("/pulls?state=all&head={head}&sort=created&direction=desc&per_page=100");
        let all = self.list::<WirePull>(&rest, None, "look for the pull request of the branch")?;
        // Forks of the same owner, and forges that do not filter.
        let own = |pull: &Pull| {
            pull.head == branch && pull.head_repository.as_ref().is_none_or(|slug| *slug == self.slug)
        };
        Ok(all.into_iter().map(Pull::from).filter(own).collect())
    }

    fn pulls_with(&self, commit: &CommitId) -> Answer<Vec<Pull>> {
        let rest = format!("/commits/{commit}/pulls?per_page=100");
        let all = self.newest::<WirePull>(&rest, 100, "look for the pull requests of the commit")?;
        Ok(all.into_iter().map(Pull::from).collect())
    }

    fn pull_commits(&self, number: PullNumber) -> Answer<Vec<Commit>> {
        let rest = format!("/pulls/{number}/commits?per_page=100");
        let all = self.list::<WireCommit>(&rest, None, "read the commits of the pull request")?;
        Ok(all.into_iter().map(Commit::from).collect())
    }

    fn pull_files(&self, number: PullNumber) -> Answer<Vec<ChangedFile>> {
        let rest = format!("/pulls/{number}/files?per_page=100");
        let all = self.list::<WireFile>(&rest, None, "read the files of the pull request")?;
        Ok(all.into_iter().map(ChangedFile::from).collect())
    }

    fn reviews(&self, number: PullNumber) -> Answer<Vec<Review>> {
        let rest = format!("/pulls/{number}/reviews?per_page=100");
        let all = self.list::<WireReview>(&rest, None, "read the reviews")?;
        Ok(all.into_iter().filter_map(WireReview::review).collect())
    }

    fn review_threads(&self, number: PullNumber) -> Answer<Vec<ReviewThread>> {
        let (mut all, mut after) = self.threads(number, &Value::Null)?;
        // 50 a page; more than 5000 discussions are not read by anybody.
        for _ in 0..100 {
            if after.is_null() {
                break;
            }
            let (more, next) = self.threads(number, &after)?;
            all.extend(more);
            after = next;
        }
        Ok(all)
    }

    fn check_runs(&self, commit: &CommitId) -> Answer<Vec<CheckRun>> {
        let rest = format!("/commits/{commit}/check-runs?filter=all&per_page=100");
        let all = self.list::<WireCheck>(&rest, Some("check_runs"), "read the checks")?;
        Ok(standing(all))
    }

    fn statuses(&self, commit: &CommitId) -> Answer<Vec<CommitStatus>> {
        let rest = format!("/commits/{commit}/statuses?per_page=100");
        let all = self.list::<WireStatus>(&rest, None, "read the statuses")?;
        let mut newest: Vec<CommitStatus> = Vec::new();
        // Newest first.
        for status in all.into_iter().map(CommitStatus::from) {
            if newest.iter().all(|known| known.context != status.context) {
                newest.push(status);
            }
        }
        Ok(newest)
    }

    fn branch_head(&self, branch: &str) -> Answer<Option<CommitId>> {
        let rest = format!("/git/ref/{}", encoded(&format!("heads/{branch}")));
        let ask = self.look(&rest, "read the branch");
        let Some(found) = ForgeError::optional(self.send(&ask))? else { return Ok(None) };
        if found["ref"].as_str() != Some(&format!("refs/heads/{branch}")) {
            return Ok(None);
        }
        read(&ask, found["object"]["sha"].clone()).map(Some)
    }

    fn commit(&self, id: &CommitId) -> Answer<Commit> {
        self.one::<WireCommit, _>(&format!("/commits/{id}"), "read the commit")
    }

    fn compare(&self, base: &str, head: &str) -> Answer<Comparison> {
        let rest = format!("/compare/{}...{}", encoded(base), encoded(head));
        self.one::<WireComparison, _>(&rest, "compare the commits")
    }

    fn content(&self, path: &str, at: &str) -> Answer<Option<Vec<u8>>> {
        let path = path.split('/').map(encoded).collect::<Vec<_>>().join("/");
        let ask = self.look(&format!("/contents/{path}?ref={}", encoded(at)), "read the file");
        let Some(found) = ForgeError::optional(self.send(&ask))? else { return Ok(None) };
        if found["type"] != "file" {
            return Ok(None);
        }
        // Between 1 and 100 MB the content is not in here, but the blob is.
        let (content, encoding) = if found["encoding"] == "base64" {
            (found["content"].clone(), "base64".to_owned())
        } else {
            let id: CommitId = read(&ask, found["sha"].clone())?;
            let blob = self.get(&format!("/git/blobs/{id}"), "read the file")?;
            (blob["content"].clone(), blob["encoding"].as_str().unwrap_or_default().to_owned())
        };
        let text: String =
            content.as_str().unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect();
        match encoding.as_str() {
            "base64" => STANDARD.decode(text).map(Some).map_err(|_| broken(&ask, "it is broken base64")),
            _ => Err(broken(&ask, "its encoding is unknown")),
        }
    }

    fn branch_rules(&self, branch: &str) -> Answer<BranchRules> {
        let rest = format!("/rules/branches/{}?per_page=100", encoded(branch));
        let all = self.list::<Value>(&rest, None, "read the rules of the branch")?;
        let mut rules = BranchRules::default();
        for rule in &all {
            add_rule(&mut rules, rule);
        }
        Ok(rules)
    }

    fn environments(&self) -> Answer<Vec<DeploymentEnvironment>> {
        let all =
            self.list::<Value>("/environments?per_page=100", Some("environments"), "read the environments")?;
        let environment = |found: &Value| {
            let rules = found["protection_rules"].as_array().into_iter().flatten();
            Some(DeploymentEnvironment {
                name: found["name"].as_str()?.to_owned(),
                rules: rules.filter_map(|rule| rule["type"].as_str().map(str::to_owned)).collect(),
            })
        };
        Ok(all.iter().filter_map(environment).collect())
    }

    fn deployments(
        &self,
        environment: Option<&str>,
        commit: Option<&CommitId>,
        newest: u32,
    ) -> Answer<Vec<Deployment>> {
        let mut rest = format!("/deployments?per_page={}", newest.clamp(1, 100));
        if let Some(environment) = environment {
            rest.push_str("&environment=");
            rest.push_str(&encoded(environment));
        }
        if let Some(commit) = commit {
            rest.push_str("&sha=");
            rest.push_str(commit.as_str());
        }
        let what = "read the deployments";
        let all = self.newest::<WireDeployment>(&rest, newest, what)?;
        // A forge that does not filter must not make one environment look like another.
        let fits = |one: &Deployment| {
            environment.is_none_or(|name| one.environment == name)
                && commit.is_none_or(|commit| one.commit == *commit)
        };
        let mut all: Vec<Deployment> = all.into_iter().map(Deployment::from).filter(fits).collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.id));
        Ok(all)
    }

    fn deployment_statuses(&self, deployment: DeploymentId) -> Answer<Vec<DeploymentStatus>> {
        let rest = format!("/deployments/{deployment}/statuses?per_page=100");
        let all = self.list::<WireDeploymentStatus>(&rest, None, "read the statuses of the deployment")?;
        let mut all: Vec<DeploymentStatus> = all.into_iter().map(DeploymentStatus::from).collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.id));
        Ok(all)
    }

    fn releases(&self, newest: u32) -> Answer<Vec<Release>> {
        let rest = format!("/releases?per_page={}", newest.clamp(1, 100));
        let all = self.newest::<WireRelease>(&rest, newest, "read the releases")?;
        Ok(all.into_iter().map(Release::from).collect())
    }

    fn tag(&self, name: &str) -> Answer<Option<CommitId>> {
        let rest = format!("/git/ref/{}", encoded(&format!("tags/{name}")));
        let ask = self.look(&rest, "read the tag");
        let Some(found) = ForgeError::optional(self.send(&ask))? else { return Ok(None) };
        if found["ref"].as_str() != Some(&format!("refs/tags/{name}")) {
            return Ok(None);
        }
        let mut object = found["object"].clone();
        // A tag may point to a tag; nobody makes long chains of them.
        for _ in 0..5 {
            let id: CommitId = read(&ask, object["sha"].clone())?;
            match object["type"].as_str() {
                Some("commit") => return Ok(Some(id)),
                Some("tag") => {
                    object = self.get(&format!("/git/tags/{id}"), "read the tag")?["object"].clone();
                }
                _ => break,
            }
        }
        Err(broken(&ask, "the tag points to no commit"))
    }

    fn tree(&self, id: &TreeId) -> Answer<WholeTree> {
        let ask = self.look(&format!("/git/trees/{id}?recursive=1"), "read the tree");
        let found = read::<WireTree>(&ask, self.send(&ask)?)?;
        found.whole(&ask, id)
    }
}

fn add_rule(rules: &mut BranchRules, rule: &Value) {
    let with = &rule["parameters"];
    let on = |name: &str| with[name] == Value::Bool(true);
    match rule["type"].as_str().unwrap_or_default() {
        "required_status_checks" => {
            let checks = with["required_status_checks"].as_array().into_iter().flatten();
            rules.checks.extend(checks.filter_map(|check| {
                let context = check["context"].as_str()?.to_owned();
                Some(RequiredCheck { context, app_id: check["integration_id"].as_u64() })
            }));
        }
        "pull_request" => {
            let count = with["required_approving_review_count"].as_u64().unwrap_or_default();
            rules.approvals = rules.approvals.max(count.try_into().unwrap_or(u32::MAX));
            rules.code_owners |= on("require_code_owner_review");
            rules.threads_resolved |= on("required_review_thread_resolution");
        }
        "required_signatures" => rules.signed = true,
        "merge_queue" => rules.merge_queue = true,
        _ => {}
    }
}
