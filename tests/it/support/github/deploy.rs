//! Deployments, releases, tags and trees of the fake.

use serde_json::{Value, json};

use super::Said;
use super::rest::{Call, account, over};
use super::state::State;

fn user(state: &State, call: &Call<'_>) -> Value {
    account(call.contract, &state.login)
}

/// The official example of an item of a list.
fn item(call: &Call<'_>, method: &str, template: &str) -> Value {
    let example = call.contract.example(method, &format!("/repos/{{owner}}/{{repo}}{template}"));
    if example.is_array() { example[0].clone() } else { example }
}

pub fn deployments(state: &mut State, call: &Call<'_>, rest: &str) -> Said {
    let body = &call.seen.body;
    match (call.seen.method.as_str(), rest) {
        ("GET", "/deployments") => {
            let wanted = |name: &str, field: &str, one: &Value| {
                call.query(name).is_none_or(|value| one[field] == json!(value))
            };
            let fits = |one: &&Value| {
                wanted("environment", "environment", one)
                    && wanted("sha", "sha", one)
                    && wanted("task", "task", one)
            };
            let found: Vec<Value> = state.deployments.iter().rev().filter(fits).cloned().collect();
            call.paged(state, found)
        }
        ("POST", "/deployments") => {
            let sha = body["ref"].as_str().unwrap_or_default();
            let sha = state.branches.get(sha).cloned().unwrap_or_else(|| sha.to_owned());
            if !state.commits.contains_key(&sha) {
                return Said::error(422, "No ref found for: what was asked");
            }
            if body["auto_merge"] != json!(false) {
                return Said::error(409, "Conflict merging main into what was asked");
            }
            // Left out, every status of the commit has to be green.
            if body["required_contexts"] != json!([]) {
                return Said::error(409, "Conflict: Commit status checks failed for what was asked.");
            }
            let (time, id) = (state.tick(), 1000 + state.deployments.len() as u64);
            let made = over(
                item(call, "POST", "/deployments"),
                json!({
                    "id": id, "sha": sha, "ref": body["ref"], "task": body["task"], "environment": body["environment"],
                    "original_environment": body["environment"], "description": body["description"], "creator": user(state, call),
                    "created_at": time, "updated_at": time,
                }),
            );
            let mut made = made;
            made["payload"] = body["payload"].clone();
            state.deployments.push(made.clone());
            Said::new(201, made)
        }
        (method, "/deployments/{deployment_id}/statuses") => {
            let id = call.number("deployment_id");
            let Some(deployment) = state.deployments.iter().find(|one| one["id"] == json!(id)).cloned()
            else {
                return Said::error(404, "Not Found");
            };
            if method == "GET" {
                let found: Vec<Value> = state.statuses_of(id).into_iter().cloned().collect();
                return call.paged(state, found);
            }
            let made = status(state, call, id, body);
            if body["state"] == json!("success") && body["auto_inactive"] != json!(false) {
                supersede(state, call, &deployment);
            }
            Said::new(201, made)
        }
        _ => Said::error(404, "Not Found"),
    }
}

fn status(state: &mut State, call: &Call<'_>, deployment: u64, body: &Value) -> Value {
    let (time, id) = (state.tick(), 1 + state.deployment_statuses.len() as u64);
    let mut above = body.clone();
    if let Some(fields) = above.as_object_mut() {
        fields.remove("auto_inactive");
    }
    let more = json!({ "id": id, "created_at": time, "updated_at": time, "creator": user(state, call) });
    let below = item(call, "POST", "/deployments/{deployment_id}/statuses");
    let mut below = over(below, json!({ "description": "" }));
    if let Some(fields) = below.as_object_mut() {
        fields.remove("environment_url");
    }
    let made = over(over(below, above), more);
    state.deployment_statuses.push((deployment, made.clone()));
    made
}

/// What GitHub does when a deployment is good: older good ones of the environment are not any more.
fn supersede(state: &mut State, call: &Call<'_>, deployment: &Value) {
    let older: Vec<u64> = state
        .deployments
        .iter()
        .filter(|one| one["environment"] == deployment["environment"] && one["id"] != deployment["id"])
        .filter_map(|one| one["id"].as_u64())
        .filter(|id| state.newest_status(*id) == Some("success".into()))
        .collect();
    for id in older {
        status(state, call, id, &json!({ "state": "inactive" }));
    }
}

pub fn releases(state: &mut State, call: &Call<'_>, rest: &str) -> Said {
    let body = &call.seen.body;
    match (call.seen.method.as_str(), rest) {
        ("GET", "/releases") => {
            let found: Vec<Value> = state.releases.iter().rev().cloned().collect();
            call.paged(state, found)
        }
        ("POST", "/releases") => {
            let tag = body["tag_name"].as_str().unwrap_or_default();
            let published = |one: &Value| one["tag_name"] == json!(tag) && one["draft"] == json!(false);
            if state.releases.iter().any(published) {
                let mut said = Said::error(422, "Validation Failed");
                said.body["errors"] =
                    json!([{ "resource": "Release", "code": "already_exists", "field": "tag_name" }]);
                return said;
            }
            let (time, id) = (state.tick(), 1 + state.releases.len() as u64);
            let mut made = over(item(call, "POST", "/releases"), body.clone());
            let url = format!("https://github.com/{}/releases/tag/{tag}", state.slug);
            made = over(
                made,
                json!({ "id": id, "created_at": time, "html_url": url, "author": user(state, call) }),
            );
            made["assets"] = json!([]);
            made["published_at"] = Value::Null;
            state.releases.push(made.clone());
            if body["draft"] == json!(true) { Said::new(201, made) } else { publish(state, id) }
        }
        ("PATCH", "/releases/{release_id}") => {
            let id = call.number("release_id");
            if !state.releases.iter().any(|one| one["id"] == json!(id)) {
                return Said::error(404, "Not Found");
            }
            publish(state, id)
        }
        _ => Said::error(404, "Not Found"),
    }
}

/// Publishes a release; its tag is made where it is not there.
fn publish(state: &mut State, id: u64) -> Said {
    let time = state.tick();
    let Some(found) = state.releases.iter_mut().find(|one| one["id"] == json!(id)) else {
        return Said::error(404, "Not Found");
    };
    found["draft"] = json!(false);
    found["published_at"] = json!(time);
    let found = found.clone();
    let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    let target = text("target_commitish");
    let commit = state.branches.get(&target).cloned().unwrap_or(target);
    state.tags.entry(text("tag_name")).or_insert(commit);
    Said::new(200, found)
}

/// A tree with all below it, folders too.
pub fn tree(state: &State, call: &Call<'_>) -> Said {
    let id = call.value("tree_sha");
    let Some(files) = state.trees.get(id) else { return Said::error(404, "Not Found") };
    let some = call.example()["tree"][0].clone();
    let mut items: Vec<Value> = files
        .iter()
        .map(|(path, entry)| {
            let kind = if entry.mode == "160000" { "commit" } else { "blob" };
            over(some.clone(), json!({ "path": path, "mode": entry.mode, "sha": entry.blob, "type": kind }))
        })
        .collect();
    if let Some(folder) = files.keys().find_map(|path| path.split_once('/').map(|(folder, _)| folder)) {
        let sha = "f".repeat(40);
        items.push(over(some, json!({ "path": folder, "mode": "040000", "type": "tree", "sha": sha })));
    }
    call.ok(200, json!({ "sha": id, "tree": items, "truncated": state.truncate_trees }))
}
