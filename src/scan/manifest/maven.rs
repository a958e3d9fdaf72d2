//! Maven: `pom.xml`.
//!
//! Must never resolve an entity of a document type.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use super::{Dependency, Ecosystem, Kind, Manifest, Role, spec};

fn child<'a>(of: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    of.children().find(|node| node.tag_name().name() == name)
}

fn text<'a>(of: Node<'a, 'a>, name: &str) -> &'a str {
    child(of, name).and_then(|node| node.text()).map(str::trim).unwrap_or_default()
}

/// Reads `pom.xml`.
pub fn pom(source: &str) -> Option<Manifest> {
    let document = Document::parse(source).ok()?;
    let top = document.root_element();
    if top.tag_name().name() != "project" {
        return None;
    }
    let mut out = Manifest::new(Ecosystem::Maven, Role::Manifest);
    out.name = Some(format!("{}:{}", text(top, "groupId"), text(top, "artifactId")));
    let properties: BTreeMap<&str, &str> = child(top, "properties")
        .into_iter()
        .flat_map(|node| node.children())
        .filter_map(|node| Some((node.tag_name().name(), node.text()?.trim())))
        .collect();
    for node in top.descendants() {
        let kind = match node.tag_name().name() {
            "dependency" => match text(node, "scope") {
                "test" => Kind::Dev,
                "provided" | "system" => Kind::Optional,
                _ => Kind::Normal,
            },
            "plugin" | "extension" | "parent" => Kind::Build,
            "repository" | "pluginRepository" => {
                let deploys =
                    node.parent_element().is_some_and(|p| p.tag_name().name() == "distributionManagement");
                let url = text(node, "url");
                if !deploys && !url.is_empty() {
                    out.indexes.push(url.to_owned());
                }
                continue;
            }
            _ => continue,
        };
        let artifact = text(node, "artifactId");
        let group = match text(node, "groupId") {
            "" if node.tag_name().name() == "plugin" => "org.apache.maven.plugins",
            group => group,
        };
        // `${project.groupId}` is the project itself.
        if group.is_empty() || artifact.is_empty() || group.contains("${") || artifact.contains("${") {
            continue;
        }
        let version = text(node, "version");
        let named = version.strip_prefix("${").and_then(|v| v.strip_suffix('}'));
        let version = named.and_then(|name| properties.get(name).copied()).unwrap_or(version);
        let mut one = Dependency::new(format!("{group}:{artifact}"), version, kind);
        one.pinned = spec::bounded_by(version);
        out.dependencies.push(one);
    }
    Some(out)
}
