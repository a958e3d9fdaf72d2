//! REST: each answer is GitHub's own example with what the fake knows put over it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::contract::{Contract, Operation, decoded};
use super::objects::Entry;
use super::state::{CommitRecord, PullRecord, State};
use super::{Said, Seen};

/// Puts one value over another: objects are merged, all else is replaced.
pub(super) fn over(mut below: Value, above: Value) -> Value {
    match (&mut below, above) {
        (Value::Object(fields), Value::Object(more)) => {
            for (name, value) in more {
                let old = fields.get(&name).cloned().unwrap_or_default();
                fields.insert(name, over(old, value));
            }
            below
        }
        (_, above) => above,
    }
}

pub(super) struct Call<'a> {
    pub(super) contract: &'a Contract,
    operation: Operation<'a>,
    pub(super) seen: &'a Seen,
}

impl Call<'_> {
    pub(super) fn value(&self, name: &str) -> &str {
        self.operation.values.get(name).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn number(&self, name: &str) -> u64 {
        self.value(name).parse().unwrap_or(0)
    }

    pub(super) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.seen.path.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(n, _)| *n == name)
            .map(|(_, v)| decoded(v))
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let list = self.seen.body[name].as_array().into_iter().flatten();
        list.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    pub(super) fn example(&self) -> Value {
        self.contract.example(&self.seen.method, self.operation.template)
    }

    /// One page of a list, with where the next one is.
    pub(super) fn paged(&self, state: &State, all: Vec<Value>) -> Said {
        let (some, next) = self.page(state, all);
        let mut said = Said::new(200, json!(some));
        said.headers = next;
        said
    }

    pub(super) fn page(&self, state: &State, all: Vec<Value>) -> (Vec<Value>, Vec<(&'static str, String)>) {
        let number = |name: &str, default: usize| {
            self.query(name).and_then(|text| text.parse().ok()).unwrap_or(default)
        };
        let size: usize = number("per_page", 30);
        let size = if state.page > 0 { size.min(state.page) } else { size };
        let page: usize = number("page", 1);
        let more = all.len() > page * size;
        let some: Vec<Value> = all.into_iter().skip((page - 1) * size).take(size).collect();
        let mut headers = Vec::new();
        if more {
            let (path, query) = self.seen.path.split_once('?').unwrap_or((&self.seen.path, ""));
            let rest: Vec<&str> =
                query.split('&').filter(|pair| !pair.starts_with("page=") && !pair.is_empty()).collect();
            let query = [rest.join("&"), format!("page={}", page + 1)].join("&");
            headers.push(("link", format!("<{path}?{query}>; rel=\"next\"")));
        }
        (some, headers)
    }

    /// The official answer with this put over it.
    pub(super) fn ok(&self, status: u16, above: Value) -> Said {
        Said::new(status, over(self.example(), above))
    }
}

pub fn answer(state: &mut State, contract: &Contract, seen: &Seen) -> Said {
    if seen.path.ends_with("/copilot-code-review") {
        return Said::new(201, Value::Null);
    }
    let Some(operation) = contract.operation(&seen.method, &seen.path) else {
        return Said::error(404, "Not Found");
    };
    if seen.token.is_empty() || seen.token == "bad" {
        return Said::error(401, "Bad credentials");
    }
    let call = Call { contract, operation, seen };
    let template = call.operation.template;
    if template.starts_with("/repos/") {
        let slug = format!("{}/{}", call.value("owner"), call.value("repo"));
        if slug != state.slug {
            return Said::error(404, "Not Found");
        }
    }
    let rest = template.strip_prefix("/repos/{owner}/{repo}").unwrap_or(template);
    match (seen.method.as_str(), rest) {
        ("GET", "") => repository(state, &call),
        ("GET", "/installation") => call.ok(200, json!({ "id": 100 })),
        ("POST", "/app/installations/{installation_id}/access_tokens") => {
            let mut said =
                call.ok(201, json!({ "token": "ghs_madebyapp", "expires_at": "2027-01-01T00:00:00Z" }));
            if let Some(whole) = said.body.as_object_mut() {
                whole.remove("repositories");
            }
            said
        }
        (_, rest) if rest.starts_with("/git/") => git(state, &call, rest),
        (_, rest) if rest.starts_with("/pulls") => pulls(state, &call, rest),
        (_, rest) if rest.starts_with("/issues") => issues(state, &call, rest),
        (_, rest) if rest.starts_with("/deployments") => super::deploy::deployments(state, &call, rest),
        (_, rest) if rest.starts_with("/releases") => super::deploy::releases(state, &call, rest),
        (_, rest) => others(state, &call, rest),
    }
}

fn repository(state: &State, call: &Call<'_>) -> Said {
    let (_, name) = state.slug.split_once('/').unwrap();
    let about = json!({
        "full_name": state.slug, "name": name, "default_branch": "main", "archived": state.archived,
        "private": false, "allow_auto_merge": true, "allow_squash_merge": true,
        "allow_merge_commit": true, "allow_rebase_merge": false,
    });
    call.ok(200, about)
}

fn git(state: &mut State, call: &Call<'_>, rest: &str) -> Said {
    let body = &call.seen.body;
    let branch = call.value("ref").strip_prefix("heads/").unwrap_or_default().to_owned();
    let reference = |branch: &str, sha: &str| json!({ "ref": format!("refs/heads/{branch}"), "object": { "type": "commit", "sha": sha } });
    match (call.seen.method.as_str(), rest) {
        ("GET", "/git/ref/{ref}") if call.value("ref").starts_with("tags/") => read_tag(state, call),
        ("GET", "/git/tags/{tag_sha}") => match state.annotated.get(call.value("tag_sha")) {
            Some(commit) => call.ok(200, json!({ "object": { "type": "commit", "sha": commit } })),
            None => Said::error(404, "Not Found"),
        },
        ("GET", "/git/trees/{tree_sha}") => super::deploy::tree(state, call),
        ("GET", "/git/ref/{ref}") => match state.branches.get(&branch) {
            Some(sha) => call.ok(200, reference(&branch, sha)),
            None => Said::error(404, "Not Found"),
        },
        ("POST", "/git/refs") => {
            let name = body["ref"].as_str().unwrap();
            let sha = body["sha"].as_str().unwrap().to_owned();
            if let Some(tag) = name.strip_prefix("refs/tags/") {
                return make_tag(state, call, tag, &sha);
            }
            let branch = name.strip_prefix("refs/heads/").unwrap().to_owned();
            if state.branches.contains_key(&branch) {
                return Said::error(422, "Reference already exists");
            }
            if !state.commits.contains_key(&sha) {
                return Said::error(422, "Object does not exist");
            }
            state.set_branch(&branch, Some(&sha));
            call.ok(201, reference(&branch, &sha))
        }
        ("PATCH", "/git/refs/{ref}") => {
            let sha = body["sha"].as_str().unwrap().to_owned();
            let Some(now) = state.branches.get(&branch).cloned() else {
                return Said::error(422, "Reference does not exist");
            };
            if !state.history(&sha).contains(&now) && body["force"] != json!(true) {
                return Said::error(422, "Update is not a fast forward");
            }
            state.set_branch(&branch, Some(&sha));
            call.ok(200, reference(&branch, &sha))
        }
        ("DELETE", "/git/refs/{ref}") if state.branches.contains_key(&branch) => {
            state.set_branch(&branch, None);
            Said::new(204, Value::Null)
        }
        ("DELETE", "/git/refs/{ref}") => Said::error(422, "Reference does not exist"),
        ("POST", "/git/blobs") => {
            let blob = state.add_blob(STANDARD.decode(body["content"].as_str().unwrap()).unwrap());
            call.ok(201, json!({ "sha": blob }))
        }
        ("GET", "/git/blobs/{file_sha}") => match state.blobs.get(call.value("file_sha")) {
            Some(bytes) => call.ok(200, json!({ "content": STANDARD.encode(bytes), "encoding": "base64" })),
            None => Said::error(404, "Not Found"),
        },
        ("POST", "/git/trees") => tree(state, call),
        ("POST", "/git/commits") => {
            let bot = state.app;
            let parents =
                body["parents"].as_array().unwrap().iter().map(|p| p.as_str().unwrap().to_owned()).collect();
            let commit = state.add_commit(CommitRecord {
                tree: body["tree"].as_str().unwrap().into(),
                parents,
                message: body["message"].as_str().unwrap().trim().into(),
                name: state.login.clone(),
                email: "bot@users.noreply.github.com".into(),
                login: Some(state.login.clone()),
                // GitHub signs what a bot makes, and not what a person's token makes.
                verified: bot,
            });
            call.ok(201, json!({ "sha": commit }))
        }
        _ => Said::error(404, "Not Found"),
    }
}

fn make_tag(state: &mut State, call: &Call<'_>, tag: &str, sha: &str) -> Said {
    if state.tags.contains_key(tag) {
        return Said::error(422, "Reference already exists");
    }
    if !state.commits.contains_key(sha) {
        return Said::error(422, "Object does not exist");
    }
    state.tags.insert(tag.into(), sha.into());
    call.ok(201, json!({ "ref": format!("refs/tags/{tag}"), "object": { "type": "commit", "sha": sha } }))
}

fn read_tag(state: &State, call: &Call<'_>) -> Said {
    let tag = call.value("ref").strip_prefix("tags/").unwrap_or_default();
    let Some(sha) = state.tags.get(tag) else { return Said::error(404, "Not Found") };
    let kind = if state.annotated.contains_key(sha) { "tag" } else { "commit" };
    call.ok(200, json!({ "ref": format!("refs/tags/{tag}"), "object": { "type": kind, "sha": sha } }))
}

fn tree(state: &mut State, call: &Call<'_>) -> Said {
    let body = &call.seen.body;
    let Some(mut files) = state.trees.get(body["base_tree"].as_str().unwrap_or_default()).cloned() else {
        return Said::error(404, "Not Found");
    };
    for entry in body["tree"].as_array().unwrap() {
        let path = entry["path"].as_str().unwrap().to_owned();
        match entry["sha"].as_str() {
            Some(blob) => {
                if !state.blobs.contains_key(blob) {
                    return Said::error(422, "tree.sha is not a valid blob");
                }
                files.insert(path, Entry { mode: entry["mode"].as_str().unwrap().into(), blob: blob.into() });
            }
            None if files.remove(&path).is_some() => {}
            None => return Said::error(422, "GitRPC::BadObjectState"),
        }
    }
    let tree = state.add_tree(files);
    call.ok(201, json!({ "sha": tree }))
}

/// GitHub's own example of an account, under another name.
pub(super) fn account(contract: &Contract, login: &str) -> Value {
    let some = contract.example("GET", "/repos/{owner}/{repo}/pulls/{pull_number}")["user"].clone();
    let number = login.bytes().map(u64::from).sum::<u64>();
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    over(some, json!({ "login": login, "id": number, "type": kind }))
}

fn pull_json(state: &State, call: &Call<'_>, pull: &PullRecord, listed: bool) -> Value {
    let template =
        if listed { "/repos/{owner}/{repo}/pulls" } else { "/repos/{owner}/{repo}/pulls/{pull_number}" };
    let mut example = call.contract.example("GET", template);
    if listed {
        example = example[0].clone();
    }
    let user = |login: &String| account(call.contract, login);
    let gone = "0".repeat(40);
    let label =
        call.contract.example("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels")[0].clone();
    over(
        example,
        json!({
            "number": pull.number, "node_id": pull.node(), "title": pull.title, "body": pull.body,
            "html_url": format!("https://github.com/{}/pull/{}", state.slug, pull.number),
            "state": pull.state, "draft": pull.draft, "merged": pull.merged,
            "merged_at": pull.merged.then_some("2026-11-21T12:00:00Z"),
            "user": account(call.contract, &state.login),
            "base": { "ref": pull.base, "sha": state.branches.get(&pull.base).unwrap_or(&gone), "repo": { "full_name": state.slug } },
            "head": { "ref": pull.head, "sha": state.branches.get(&pull.head).unwrap_or(&gone), "repo": { "full_name": state.slug } },
            "labels": pull.labels.iter().map(|name| over(label.clone(), json!({ "name": name }))).collect::<Vec<_>>(),
            "assignees": pull.assignees.iter().map(user).collect::<Vec<_>>(),
            "requested_reviewers": pull.reviewers.iter().map(user).collect::<Vec<_>>(),
            "auto_merge": pull.auto_merge.as_ref().map(|method| json!({
                "enabled_by": account(call.contract, &state.login), "merge_method": method.to_lowercase(),
                "commit_title": "", "commit_message": "",
            })),
        }),
    )
}

fn pulls(state: &mut State, call: &Call<'_>, rest: &str) -> Said {
    let body = &call.seen.body;
    let number = call.number("pull_number");
    match (call.seen.method.as_str(), rest) {
        ("GET", "/pulls") => {
            let head = call.query("head").unwrap_or_default();
            let branch = head.split_once(':').map_or(head.as_str(), |(_, branch)| branch).to_owned();
            let found = state.pulls.iter().rev().filter(|pull| pull.head == branch);
            let list: Vec<Value> = found.map(|pull| pull_json(state, call, pull, true)).collect();
            Said::new(200, json!(list))
        }
        ("POST", "/pulls") => {
            let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
            let (head, base) = (text("head"), text("base"));
            if state.pulls.iter().any(|pull| pull.state == "open" && pull.head == head) {
                let mut said = Said::error(422, "Validation Failed");
                said.body["errors"] =
                    json!([{ "message": format!("A pull request already exists for acme:{head}.") }]);
                return said;
            }
            if !state.branches.contains_key(&head) || state.branches[&head] == state.branches[&base] {
                return Said::error(422, "Validation Failed");
            }
            state.pulls.push(PullRecord {
                number: 7 + state.pulls.len() as u64,
                title: text("title"),
                body: text("body"),
                draft: body["draft"] == json!(true),
                state: "open",
                merged: false,
                head,
                base,
                labels: vec![],
                assignees: vec![],
                reviewers: vec![],
                auto_merge: None,
            });
            let pull = state.pulls.last().unwrap().clone();
            Said::new(201, pull_json(state, call, &pull, false))
        }
        ("GET" | "PATCH", "/pulls/{pull_number}") => {
            let Some(pull) = state.pull(number) else { return Said::error(404, "Not Found") };
            if let Some(title) = body["title"].as_str() {
                pull.title = title.into();
            }
            if let Some(text) = body["body"].as_str() {
                pull.body = text.into();
            }
            let pull = pull.clone();
            Said::new(200, pull_json(state, call, &pull, false))
        }
        ("GET", "/pulls/{pull_number}/files") => {
            let Some(pull) = state.pull(number).cloned() else { return Said::error(404, "Not Found") };
            let (base, head) = (state.branches[&pull.base].clone(), state.branches[&pull.head].clone());
            let one = call.example()[0].clone();
            Said::new(
                200,
                state.changed(&base, &head).into_iter().map(|file| over(one.clone(), file)).collect(),
            )
        }
        ("GET", "/pulls/{pull_number}/commits") => {
            let of = state.brought.iter().filter(|(_, pull)| **pull == number);
            let found: Vec<Value> = of.map(|(sha, _)| commit_json(state, call, sha)).collect();
            call.paged(state, found)
        }
        ("GET", "/pulls/{pull_number}/reviews") => reviews(state, call, number),
        ("POST", "/pulls/{pull_number}/requested_reviewers") => {
            let people = call.texts("reviewers");
            if people.iter().any(|one| !state.people.contains(one)) {
                return Said::error(422, "Reviews may only be requested from collaborators.");
            }
            let Some(pull) = state.pull(number) else { return Said::error(404, "Not Found") };
            for one in people {
                if !pull.reviewers.contains(&one) {
                    pull.reviewers.push(one);
                }
            }
            Said::new(201, call.example())
        }
        ("PUT", "/pulls/{pull_number}/merge") => {
            let Some(at) = state.pulls.iter().position(|pull| pull.number == number) else {
                return Said::error(404, "Not Found");
            };
            let head = state.branches[&state.pulls[at].head].clone();
            if body["sha"].as_str().is_some_and(|sha| sha != head) {
                return Said::error(409, "Head branch was modified. Review and try the merge again.");
            }
            if state.pulls[at].draft {
                return Said::error(405, "Pull Request is still a draft");
            }
            state.pulls[at].merged = true;
            state.pulls[at].state = "closed";
            call.ok(200, json!({ "sha": head, "merged": true }))
        }
        _ => Said::error(404, "Not Found"),
    }
}

fn reviews(state: &mut State, call: &Call<'_>, number: u64) -> Said {
    let one = call.example()[0].clone();
    let branch = state.pull(number).map(|pull| pull.head.clone());
    let head = branch.and_then(|branch| state.branches.get(&branch).cloned());
    if let (Some(reviewer), Some(head)) = (state.reviewer, head) {
        (state.reviews, state.threads) = reviewer(state, &head);
    }
    Said::new(200, state.reviews.iter().map(|review| over(one.clone(), review.clone())).collect())
}

fn issues(state: &mut State, call: &Call<'_>, rest: &str) -> Said {
    let number = call.number("issue_number");
    let issue = || call.contract.example("POST", "/repos/{owner}/{repo}/issues/{issue_number}/assignees");
    let comment = call.contract.example("GET", "/repos/{owner}/{repo}/issues/comments/{comment_id}");
    match (call.seen.method.as_str(), rest) {
        ("GET", "/issues/{issue_number}") if state.issues.contains_key(&number) => {
            Said::new(200, state.issues[&number].clone())
        }
        ("GET", "/issues/{issue_number}") => {
            let mut whole =
                over(issue(), json!({ "number": number, "title": "An issue", "body": "Its text." }));
            whole.as_object_mut().unwrap().remove("pull_request");
            Said::new(200, whole)
        }
        ("POST", "/issues/{issue_number}/labels") => {
            let labels = call.texts("labels");
            let Some(pull) = state.pull(number) else { return Said::error(404, "Not Found") };
            for label in labels {
                if !pull.labels.contains(&label) {
                    pull.labels.push(label);
                }
            }
            Said::new(200, call.example())
        }
        ("POST", "/issues/{issue_number}/assignees") => {
            let (wanted, people) = (call.texts("assignees"), state.people.clone());
            let Some(pull) = state.pull(number) else { return Said::error(404, "Not Found") };
            for one in wanted.into_iter().filter(|one| people.contains(one)) {
                if !pull.assignees.contains(&one) {
                    pull.assignees.push(one);
                }
            }
            let users: Vec<Value> =
                pull.assignees.iter().map(|login| account(call.contract, login)).collect();
            Said::new(201, over(issue(), json!({ "number": number, "assignees": users })))
        }
        ("GET", "/issues/{issue_number}/comments") => Said::new(200, json!(state.comments)),
        ("POST", "/issues/{issue_number}/comments") => {
            let time = state.tick();
            let id = 100 + state.comments.len() as u64;
            let above =
                json!({ "id": id, "body": call.seen.body["body"], "created_at": time, "updated_at": time });
            let made = over(comment, above);
            state.comments.push(made.clone());
            Said::new(201, made)
        }
        ("GET" | "PATCH", "/issues/comments/{comment_id}") => {
            let (id, time) = (call.number("comment_id"), state.tick());
            let Some(found) = state.comments.iter_mut().find(|comment| comment["id"] == json!(id)) else {
                return Said::error(404, "Not Found");
            };
            if let Some(body) = call.seen.body["body"].as_str() {
                found["body"] = json!(body);
                found["updated_at"] = json!(time);
            }
            Said::new(200, found.clone())
        }
        ("POST", "/issues/comments/{comment_id}/reactions") => {
            let status = if call.operation.about["response"]["status"] == json!(200) { 200 } else { 201 };
            call.ok(status, json!({ "content": call.seen.body["content"] }))
        }
        _ => Said::error(404, "Not Found"),
    }
}

fn commit_json(state: &State, call: &Call<'_>, sha: &str) -> Value {
    let record = &state.commits[sha];
    let example = call.contract.example("GET", "/repos/{owner}/{repo}/commits/{ref}");
    let parent = example["parents"][0].clone();
    let mut whole = over(
        example,
        json!({
            "sha": sha,
            "commit": {
                "message": record.message, "tree": { "sha": record.tree },
                "committer": { "name": record.name, "email": record.email },
                "verification": { "verified": record.verified },
            },
            "parents": record.parents.iter().map(|p| over(parent.clone(), json!({ "sha": p }))).collect::<Vec<_>>(),
        }),
    );
    let account = record.login.as_ref().map(|login| account(call.contract, login));
    whole["committer"] = account.clone().unwrap_or_default();
    whole["author"] = account.unwrap_or_default();
    whole
}

fn others(state: &mut State, call: &Call<'_>, rest: &str) -> Said {
    let body = &call.seen.body;
    match (call.seen.method.as_str(), rest) {
        ("GET", "/collaborators/{username}/permission") => {
            let login = call.value("username").to_owned();
            if let Some(role) = state.roles.get(&login) {
                let legacy = if role == "maintain" { "write" } else { role };
                return call.ok(200, json!({ "permission": legacy, "role_name": role }));
            }
            if !state.people.contains(&login) {
                return Said::error(404, "Not Found");
            }
            let (role, legacy) = match login.as_str() {
                "octocat" => ("maintain", "write"),
                "olga" => ("write", "write"),
                _ => ("read", "read"),
            };
            call.ok(200, json!({ "permission": legacy, "role_name": role }))
        }
        ("GET", "/commits/{ref}") => {
            let sha = call.value("ref");
            if state.commits.contains_key(sha) {
                Said::new(200, commit_json(state, call, sha))
            } else {
                Said::error(422, &format!("No commit found for SHA: {sha}"))
            }
        }
        ("GET", "/commits/{commit_sha}/pulls") => {
            let number = state.brought.get(call.value("commit_sha"));
            let found = state.pulls.iter().filter(|pull| Some(&pull.number) == number);
            let list: Vec<Value> = found.map(|pull| pull_json(state, call, pull, true)).collect();
            call.paged(state, list)
        }
        ("GET", "/compare/{basehead}") => compare(state, call),
        ("GET", "/commits/{ref}/check-runs") => {
            let sha = call.value("ref");
            let found: Vec<Value> =
                state.checks.iter().filter(|check| check["head_sha"] == json!(sha)).cloned().collect();
            let count = found.len() + state.hidden_checks;
            let (some, next) = call.page(state, found);
            let mut said = Said::new(200, json!({ "total_count": count, "check_runs": some }));
            said.headers = next;
            said
        }
        ("POST", "/check-runs") | ("PATCH", "/check-runs/{check_run_id}") => check(state, call),
        ("GET", "/commits/{ref}/statuses") => Said::new(200, json!(state.statuses)),
        ("POST", "/statuses/{sha}") => {
            let made = over(call.example(), body.clone());
            state.statuses.insert(0, made.clone());
            Said::new(201, made)
        }
        ("GET", "/contents/{path}") => {
            let at = call.query("ref").unwrap_or_else(|| "main".into());
            let commit = state.branches.get(&at).cloned().unwrap_or(at);
            let path = call.value("path").to_owned();
            match state.commits.contains_key(&commit).then(|| state.files_of(&commit).get(&path)).flatten() {
                Some(entry) => {
                    let bytes = &state.blobs[&entry.blob];
                    let about = json!({
                        "type": "file", "encoding": "base64", "size": bytes.len(), "name": path, "path": path,
                        "content": STANDARD.encode(bytes), "sha": entry.blob,
                    });
                    call.ok(200, about)
                }
                None => Said::error(404, "Not Found"),
            }
        }
        ("GET", "/rules/branches/{branch}") => Said::new(200, json!(state.rules)),
        ("GET", "/actions/artifacts" | "/actions/runs/{run_id}/artifacts") => {
            let wanted = call.query("name");
            let all = state
                .artifacts
                .iter()
                .filter(|one| wanted.as_ref().is_none_or(|name| one["name"] == json!(name)));
            let one = call.example()["artifacts"][0].clone();
            let all: Vec<Value> = all.map(|above| over(one.clone(), above.clone())).collect();
            Said::new(200, json!({ "total_count": all.len(), "artifacts": all }))
        }
        (
            "GET",
            "/actions/runs/{run_id}"
            | "/actions/runs/{run_id}/jobs"
            | "/actions/workflows/{workflow_id}/runs",
        ) => {
            let mut whole = call.example();
            // GitHub's example is older than what its document asks of a job.
            for job in whole["jobs"].as_array_mut().into_iter().flatten() {
                job["created_at"] = json!("2026-11-21T12:00:00Z");
            }
            Said::new(200, whole)
        }
        ("POST", "/actions/runs/{run_id}/cancel") => Said::new(202, json!({})),
        ("POST", "/actions/jobs/{job_id}/rerun") => Said::new(201, json!({})),
        ("GET", "/environments") => Said::new(200, call.example()),
        ("POST", "/code-scanning/sarifs") => {
            state.sarifs.push(body.clone());
            Said::new(202, call.example())
        }
        _ => Said::error(404, "Not Found"),
    }
}

fn compare(state: &State, call: &Call<'_>) -> Said {
    let (base, head) = call.value("basehead").split_once("...").unwrap();
    let find = |name: &str| state.branches.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let (base, head) = (find(base), find(head));
    let (Some(_), Some(_)) = (state.commits.get(&base), state.commits.get(&head)) else {
        return Said::error(404, "Not Found");
    };
    let (before, after) = (state.history(&base), state.history(&head));
    let ahead: Vec<&String> = after.iter().filter(|commit| !before.contains(commit)).rev().collect();
    let behind = before.iter().filter(|commit| !after.contains(commit)).count();
    let fork = before.iter().find(|commit| after.contains(commit)).unwrap();
    let one = call.example()["files"][0].clone();
    let files: Vec<Value> =
        state.changed(fork, &head).into_iter().map(|file| over(one.clone(), file)).collect();
    let commits: Vec<Value> = ahead.iter().map(|sha| commit_json(state, call, sha)).collect();
    let about = json!({
        "ahead_by": commits.len(), "behind_by": behind, "total_commits": commits.len(), "commits": commits,
        "merge_base_commit": commit_json(state, call, fork), "files": files,
        "status": if commits.is_empty() { "identical" } else { "ahead" },
    });
    call.ok(200, about)
}

fn check(state: &mut State, call: &Call<'_>) -> Said {
    if !state.app {
        return Said::error(403, "You must authenticate via a GitHub App.");
    }
    let notes = call.seen.body["output"]["annotations"].as_array().map_or(0, Vec::len);
    if notes > 50 {
        return Said::error(422, "No more than 50 annotations");
    }
    let mut above = call.seen.body.clone();
    if let Some(output) = above["output"].as_object_mut() {
        output.remove("annotations");
    }
    let old = call.number("check_run_id");
    let at = state.checks.iter().position(|check| check["id"] == json!(old));
    let (status, before, count) = match at {
        Some(at) => {
            let before = state.checks.remove(at);
            let count = before["output"]["annotations_count"].as_u64().unwrap_or(0);
            (200, before, count)
        }
        None if call.seen.method == "PATCH" => return Said::error(404, "Not Found"),
        None => {
            let id = 4 + state.checks.len();
            (201, over(call.example(), json!({ "id": id, "pull_requests": [] })), 0)
        }
    };
    above["output"]["annotations_count"] = json!(count + notes as u64);
    if above["status"] == json!("completed") {
        above["completed_at"] = json!("2026-11-21T11:00:00Z");
    }
    let made = over(before, above);
    state.checks.push(made.clone());
    Said::new(status, made)
}
