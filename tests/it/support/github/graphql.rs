//! The GraphQL that is used.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::objects::Entry;
use super::state::{CommitRecord, State};
use super::{Said, Seen};

fn data(data: Value) -> Said {
    Said::new(200, json!({ "data": data }))
}

fn error(kind: &str, message: &str) -> Said {
    Said::new(200, json!({ "data": null, "errors": [{ "type": kind, "message": message, "path": [] }] }))
}

pub fn answer(state: &mut State, seen: &Seen) -> Said {
    if !state.graphql {
        return Said::error(404, "Not Found");
    }
    let input = &seen.body["variables"]["input"];
    let of_input = input["pullRequestId"].as_str().unwrap_or_default().to_owned();
    match seen.body["operationName"].as_str().unwrap_or_default() {
        "Viewer" => data(json!({ "viewer": { "login": state.login } })),
        "ReviewThreads" => {
            // Two to a page, so that pages are followed.
            let start: usize =
                seen.body["variables"]["after"].as_str().and_then(|after| after.parse().ok()).unwrap_or(0);
            let nodes: Vec<Value> = state.threads.iter().skip(start).take(2).cloned().collect();
            let end = start + nodes.len();
            let page = json!({ "hasNextPage": end < state.threads.len(), "endCursor": end.to_string() });
            let threads = json!({ "pageInfo": page, "nodes": nodes });
            data(json!({ "repository": { "pullRequest": { "reviewThreads": threads } } }))
        }
        "CommitOnBranch" => commit(state, input),
        name @ ("MarkReady" | "MakeDraft") => {
            let Some(pull) = state.pulls.iter_mut().find(|pull| pull.node() == of_input) else {
                return error("NOT_FOUND", "Could not resolve to a node");
            };
            pull.draft = name == "MakeDraft";
            let field =
                if pull.draft { "convertPullRequestToDraft" } else { "markPullRequestReadyForReview" };
            data(json!({ field: { "pullRequest": { "isDraft": pull.draft } } }))
        }
        name @ ("EnableAutoMerge" | "DisableAutoMerge") => {
            let Some(at) = state.pulls.iter().position(|pull| pull.node() == of_input) else {
                return error("NOT_FOUND", "Could not resolve to a node");
            };
            let head = state.branches[&state.pulls[at].head].clone();
            if name == "DisableAutoMerge" {
                state.pulls[at].auto_merge = None;
                return data(
                    json!({ "disablePullRequestAutoMerge": { "pullRequest": { "headRefOid": head } } }),
                );
            }
            if state.clean {
                return error("UNPROCESSABLE", "Pull request Pull request is in clean status");
            }
            if input["expectedHeadOid"].as_str() != Some(&head) {
                return error("UNPROCESSABLE", "Head sha didn't match expected head oid");
            }
            state.pulls[at].auto_merge = input["mergeMethod"].as_str().map(str::to_owned);
            data(json!({ "enablePullRequestAutoMerge": { "pullRequest": { "headRefOid": head } } }))
        }
        other => error("undefinedField", &format!("Field '{other}' doesn't exist on type 'Mutation'")),
    }
}

fn commit(state: &mut State, input: &Value) -> Said {
    let branch = input["branch"]["branchName"].as_str().unwrap();
    if input["branch"]["repositoryNameWithOwner"] != json!(state.slug) {
        return error("NOT_FOUND", "no such repository");
    }
    let Some(head) = state.branches.get(branch).cloned() else {
        return error("NOT_FOUND", "No such branch");
    };
    let expected = input["expectedHeadOid"].as_str().unwrap();
    if expected != head {
        let message =
            format!("Expected branch to point to \"{expected}\" but it did not. Pull and try again.");
        return error("STALE_DATA", &message);
    }
    let mut files = state.files_of(&head).clone();
    for deletion in input["fileChanges"]["deletions"].as_array().into_iter().flatten() {
        if files.remove(deletion["path"].as_str().unwrap()).is_none() {
            return error("UNPROCESSABLE", "A path was requested for deletion which does not exist");
        }
    }
    for addition in input["fileChanges"]["additions"].as_array().into_iter().flatten() {
        let bytes = STANDARD.decode(addition["contents"].as_str().unwrap()).unwrap();
        let path = addition["path"].as_str().unwrap().to_owned();
        if state.login.starts_with("github-actions") && path.starts_with(".github/workflows/") {
            return error(
                "FORBIDDEN",
                "refusing to allow a GitHub App to create or update workflow without `workflows` permission",
            );
        }
        let blob = state.add_blob(bytes);
        let mode = files.get(&path).map_or_else(|| "100644".to_owned(), |entry| entry.mode.clone());
        files.insert(path, Entry { mode, blob });
    }
    let tree = state.add_tree(files);
    let text = |name: &str| input["message"][name].as_str().unwrap_or_default().to_owned();
    let commit = state.add_commit(CommitRecord {
        tree,
        parents: vec![head],
        message: format!("{}\n\n{}", text("headline"), text("body")).trim().to_owned(),
        name: "GitHub".into(),
        email: "noreply@github.com".into(),
        login: Some("web-flow".into()),
        verified: true,
    });
    state.set_branch(branch, Some(&commit));
    data(json!({ "createCommitOnBranch": { "commit": { "oid": commit } } }))
}
