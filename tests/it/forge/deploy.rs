//! Deployments, releases, tags and trees against a GitHub with a memory.

use orch::artifact::id::CommitId;
use orch::ports::forge::{
    DeploymentState, DeploymentStatusDraft, ForgeError, ForgeRead, ForgeWrite, NewDeployment, NewRelease,
};
use serde_json::json;

use super::Scene;

fn main_of(scene: &Scene) -> CommitId {
    scene.hub.state().branches["main"].parse().unwrap()
}

fn new(commit: &CommitId, environment: &str) -> NewDeployment {
    NewDeployment {
        commit: commit.clone(),
        environment: environment.into(),
        task: "deploy".into(),
        payload: json!({ "run": "r", "artifacts": [{ "name": "app", "digest": "sha256:1" }] }),
        description: "d".repeat(300),
        production: environment == "production",
    }
}

fn status(state: DeploymentState) -> DeploymentStatusDraft {
    DeploymentStatusDraft {
        state,
        description: "ok".into(),
        environment_url: Some("https://app.example".into()),
        auto_inactive: true,
    }
}

#[test]
fn deployments_and_their_statuses() {
    let scene = Scene::new();
    let (forge, first) = (scene.github(), main_of(&scene));
    let second: CommitId = scene.hub.state().push_by_person("main", "x", "x\n", "x").parse().unwrap();
    let one = forge.create_deployment(&new(&first, "production")).unwrap();
    forge.set_deployment_status(one.id, &status(DeploymentState::InProgress)).unwrap();
    forge.set_deployment_status(one.id, &status(DeploymentState::Success)).unwrap();
    let two = forge.create_deployment(&new(&second, "production")).unwrap();
    forge.create_deployment(&new(&second, "staging")).unwrap();
    forge.set_deployment_status(two.id, &status(DeploymentState::Success)).unwrap();

    let all = forge.deployments(Some("production"), None, 100).unwrap();
    assert_eq!(all.iter().map(|d| d.id).collect::<Vec<_>>(), [two.id, one.id], "newest first");
    assert_eq!(all[0].payload["artifacts"][0]["digest"], "sha256:1");
    assert_eq!(all[0].description.chars().count(), 140);
    assert_eq!(forge.deployments(Some("production"), Some(&first), 100).unwrap().len(), 1);
    assert_eq!(forge.deployments(Some("production"), None, 1).unwrap()[0].id, two.id);
    let states: Vec<_> =
        forge.deployment_statuses(one.id).unwrap().into_iter().filter_map(|s| s.state).collect();
    assert_eq!(states, [DeploymentState::Inactive, DeploymentState::Success, DeploymentState::InProgress]);
    let newest = forge.deployment_statuses(two.id).unwrap().remove(0);
    assert_eq!(newest.environment_url.as_deref(), Some("https://app.example"));

    // Pages are followed, and no further than asked for.
    for _ in 0..5 {
        forge.create_deployment(&new(&second, "production")).unwrap();
    }
    scene.hub.state().page = 2;
    assert_eq!(forge.deployments(Some("production"), None, 100).unwrap().len(), 7);
    scene.hub.arm([]);
    assert_eq!(forge.deployments(Some("production"), None, 3).unwrap().len(), 3);
    assert_eq!(scene.hub.seen().len(), 2);
    scene.hub.state().deployment_statuses.push((
        two.id.0,
        json!({ "id": 99, "state": "unheard-of",
        "description": "", "created_at": "2026-11-21T10:00:00Z", "creator": null }),
    ));
    scene.keeps_to_the_documents();
    assert_eq!(forge.deployment_statuses(two.id).unwrap()[0].state, None, "a new word is no success");
}

#[test]
fn releases_tags_and_trees() {
    let scene = Scene::new();
    let (forge, commit) = (scene.github(), main_of(&scene));
    assert_eq!(forge.tag("v1").unwrap(), None);
    forge.create_tag("v1", &commit).unwrap();
    assert!(matches!(forge.create_tag("v1", &commit), Err(ForgeError::Conflict { .. })));
    assert_eq!(forge.tag("v1").unwrap(), Some(commit.clone()));
    let object = "e".repeat(40);
    scene.hub.state().tags.insert("v0".into(), object.clone());
    scene.hub.state().annotated.insert(object, commit.to_string());
    assert_eq!(forge.tag("v0").unwrap(), Some(commit.clone()), "through the tag's object");

    let new = NewRelease {
        tag: "v1".into(),
        commit: commit.clone(),
        name: "v1".into(),
        body: "text".into(),
        prerelease: false,
    };
    let draft = forge.draft_release(&new).unwrap();
    assert!(draft.draft && draft.published_at.is_none());
    let published = forge.publish_release(draft.id).unwrap();
    assert!(!published.draft && published.published_at.is_some());
    assert!(matches!(forge.draft_release(&new), Err(ForgeError::Conflict { .. })));
    assert_eq!(forge.releases(10).unwrap(), [published]);

    let tree = forge.commit(&commit).unwrap().tree;
    let whole = forge.tree(&tree).unwrap();
    let paths: Vec<&str> = whole.items.iter().map(|item| item.path.as_str()).collect();
    assert_eq!(paths, ["README.md", "src/main.txt"], "folders are no entries");
    scene.hub.state().truncate_trees = true;
    assert!(matches!(forge.tree(&tree), Err(ForgeError::Unsupported { .. })), "half a tree is none");
    scene.keeps_to_the_documents();
}

#[test]
fn a_list_of_checks_that_is_cut_short_is_an_error() {
    let scene = Scene::new();
    let (forge, commit) = (scene.github(), main_of(&scene));
    assert_eq!(forge.check_runs(&commit).unwrap(), []);
    scene.hub.state().hidden_checks = 1;
    assert!(matches!(forge.check_runs(&commit), Err(ForgeError::Broken { .. })));
}
