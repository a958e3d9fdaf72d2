//! Pull requests: as GitHub's runners see them, and on a laptop.

use std::fs;
use std::path::PathBuf;

use super::{World, denied, secret};

struct Request {
    world: World,
    base: String,
    head: String,
}

/// A branch with a secret, main with a later commit, and the merge that GitHub tries.
fn request() -> Request {
    let world = World::new(&[("a.py", "x = 1\n")]);
    world.git(&["checkout", "-q", "-b", "topic"]);
    world.write("topic.py", secret());
    let head = world.commit("topic");
    world.git(&["checkout", "-q", "main"]);
    world.write("main.py", "y = 2\n");
    let base = world.commit("main");
    Request { world, base, head }
}

impl Request {
    fn event(&self, text: &str) -> PathBuf {
        let path = self.world.env.path("event.json");
        fs::write(&path, text).unwrap();
        path
    }

    fn pull(&self) -> PathBuf {
        let (base, head) = (&self.base, &self.head);
        self.event(&format!(
            "{{\"pull_request\": {{\"base\": {{\"sha\": \"{base}\"}}, \"head\": {{\"sha\": \"{head}\"}}}}}}"
        ))
    }

    fn judge(&self, folder: &std::path::Path, event: &std::path::Path) -> super::Said {
        let event = event.display().to_string();
        let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_PATH", event.as_str())];
        self.world.judge_in(folder, &["--pr"], &variables)
    }
}

#[test]
fn the_head_of_an_event_is_judged_from_where_it_parted() {
    let request = request();
    request.world.git(&["checkout", "-q", "topic"]);
    denied(request.judge(&request.world.root, &request.pull()), "topic.py:1:");
    // What only the base has is not the request's.
    let request = Request { base: request.head.clone(), head: request.base.clone(), ..request };
    request.judge(&request.world.root, &request.pull()).exits(0);
}

#[test]
fn the_merge_that_github_tries_needs_no_history() {
    let request = request();
    request.world.git(&["merge", "-q", "--no-edit", "topic"]);
    let url = format!("file://{}", request.world.root.display());
    for (depth, exit) in [("1", 2), ("2", 3)] {
        let clone = format!("depth{depth}");
        let folder = request.world.env.path(&clone);
        request.world.env.git(&request.world.env.path("."), &["clone", "-q", "--depth", depth, &url, &clone]);
        let said = request.judge(&folder, &request.pull()).exits(exit);
        if exit == 2 {
            said.says("fetch-depth")
        } else {
            said.says("topic.py:1:")
        };
    }
}

#[test]
fn an_event_of_something_else_is_no_request() {
    let request = request();
    request.judge(&request.world.root, &request.event("{\"ref\": \"x\"}")).exits(2).says("no pull request");
    request.judge(&request.world.root, &request.event("no")).exits(2).says("no JSON");
    request
        .judge(&request.world.root, &request.world.env.path("nowhere.json"))
        .exits(1)
        .says("read the event");
    let group = format!(
        "{{\"merge_group\": {{\"base_sha\": \"{}\", \"head_sha\": \"{}\"}}}}",
        request.base, request.head
    );
    denied(request.judge(&request.world.root, &request.event(&group)), "topic.py:1:");
}

#[test]
fn on_a_laptop_the_default_branch_of_the_remote_is_the_base() {
    let request = request();
    let world = &request.world;
    world.judge(&["--pr"]).exits(2).says("no remote has a default branch");
    world.git(&["push", "-q", "origin", "main"]);
    world.git(&["checkout", "-q", "topic"]);
    denied(world.judge(&["--pr"]), "topic.py:1:");
    world.git(&["remote", "set-head", "origin", "main"]);
    denied(world.judge(&["--pr"]), "topic.py:1:");
    let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_BASE_REF", "main")];
    denied(world.judge_in(&world.root, &["--pr"], &variables), "topic.py:1:");
    world.write("topic.py", "");
    world.commit("mended");
    world.judge(&["--pr"]).exits(0);
    world.git(&["remote", "remove", "origin"]);
    world.judge(&["--pr"]).exits(2);
}
