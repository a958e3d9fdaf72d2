//! Which forge a command works with: the repository on it, its addresses, and the token.
//!
//! Must never take a token to a host that neither the runner nor the repository's remote names.

use crate::config::env::Environment;
use crate::config::{Config, ForgeChoice};
use crate::ports::credential::Vault;
use crate::ports::forge::RepositorySlug;
use crate::ports::forge::github::{Addresses, AppSource, GitHub, SystemPace, TokenSource};
use crate::ports::model::http::checked_url;
use crate::ports::vcs::GitRepository;

use super::error::UsageError;

const SERVER: &str = "https://github.com";
/// Variables a token is taken from, the first that is set.
const TOKENS: &[&str] = &["ORCH_FORGE_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"];

/// Returns the forge of the repository; `None` where there is none, or no token for it.
pub(super) fn open(
    config: &Config,
    environment: &Environment,
    remote: Option<&str>,
    vault: &Vault,
    clone: &GitRepository,
) -> Result<Option<GitHub>, UsageError> {
    let (server, named) = environment.github_place();
    let server = server.unwrap_or_else(|| SERVER.into());
    let wanted = config.pr.forge == ForgeChoice::Github;
    let of_remote = remote.and_then(|url| slug_of(url, &server));
    let named = named.filter(|_| environment.is_github() || wanted).and_then(|name| name.parse().ok());
    let Some(slug) = named.or(of_remote) else { return Ok(None) };
    let Some(token) = token(environment, vault)? else { return Ok(None) };
    let hub = GitHub::new(slug, addresses(environment, &server)?, token, Box::new(SystemPace::new()));
    let server = checked("GITHUB_SERVER_URL", &server)?;
    Ok(Some(hub.pushing_from(clone.clone(), server)))
}

fn token(environment: &Environment, vault: &Vault) -> Result<Option<TokenSource>, UsageError> {
    let given = |name: &str| vault.get(name).cloned();
    if let Some(token) = given("ORCH_FORGE_TOKEN") {
        return Ok(Some(TokenSource::Given { token, of_workflow: false }));
    }
    if let Some(key) = given("ORCH_FORGE_APP_KEY") {
        let (app, installation) = environment.forge_app();
        let app = app.ok_or_else(|| UsageError {
            what: "ORCH_FORGE_APP_KEY is set and ORCH_FORGE_APP_ID is not".into(),
            help: "Set it to the App's id or client id, as its settings page shows it.".into(),
        })?;
        let installation = installation.map(|id| id.trim().parse()).transpose().map_err(|_| UsageError {
            what: "ORCH_FORGE_APP_INSTALLATION is no number".into(),
            help: "Take it from the address of the installation's page, or unset it.".into(),
        })?;
        return Ok(Some(TokenSource::App(AppSource::new(app, key, installation))));
    }
    let found = TOKENS.iter().find_map(|name| Some((*name, given(name)?)));
    Ok(found.map(|(name, token)| {
        let of_workflow =
            name == "GITHUB_TOKEN" && environment.is_github() && token.expose().starts_with("ghs_");
        TokenSource::Given { token, of_workflow }
    }))
}

fn addresses(environment: &Environment, server: &str) -> Result<Addresses, UsageError> {
    let server = server.trim_end_matches('/');
    let (rest, graphql) = environment.github_apis();
    let rest = rest.unwrap_or_else(|| {
        if server == SERVER { "https://api.github.com".into() } else { format!("{server}/api/v3") }
    });
    let graphql = graphql.unwrap_or_else(|| {
        let rest = rest.trim_end_matches('/');
        rest.strip_suffix("/v3").map_or_else(|| format!("{rest}/graphql"), |base| format!("{base}/graphql"))
    });
    Ok(Addresses {
        rest: checked("GITHUB_API_URL", &rest)?,
        graphql: checked("GITHUB_GRAPHQL_URL", &graphql)?,
    })
}

fn checked(name: &str, url: &str) -> Result<reqwest::Url, UsageError> {
    checked_url(url).map_err(|error| UsageError {
        what: format!("{name} cannot be used: {error}"),
        help: "Unset it, or set it as a runner of GitHub does.".into(),
    })
}

/// Returns the repository a remote's location names on a server; `None` for any other place.
fn slug_of(url: &str, server: &str) -> Option<RepositorySlug> {
    let host = server.split_once("://")?.1.trim_end_matches('/');
    let rest = if let Some((_, rest)) = url.split_once("://") {
        let (place, path) = rest.split_once('/')?;
        let name = place.rsplit('@').next()?;
        // `ssh.github.com:443` is GitHub too; any other port of ssh means the same host.
        let name = if url.starts_with("ssh") { name.split(':').next()? } else { name };
        (name.eq_ignore_ascii_case(host) || name.eq_ignore_ascii_case(&format!("ssh.{host}")))
            .then_some(path)?
    } else {
        let (place, path) = url.split_once(':')?;
        place.rsplit('@').next()?.eq_ignore_ascii_case(host).then_some(path)?
    };
    let rest = rest.trim_matches('/');
    rest.strip_suffix(".git").unwrap_or(rest).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_server_itself_is_the_server() {
        for url in [
            "https://github.com/acme/app",
            "https://github.com/acme/app.git",
            "https://x-access-token@GitHub.com/acme/app.git/",
            "git@github.com:acme/app.git",
            "ssh://git@github.com/acme/app.git",
            "ssh://git@ssh.github.com:443/acme/app.git",
        ] {
            assert_eq!(slug_of(url, SERVER).map(|s| s.to_string()).as_deref(), Some("acme/app"), "{url}");
        }
        for url in [
            "/srv/git/acme/app",
            "https://github.com.evil.example/acme/app",
            "https://evil.example/github.com/acme/app",
            "https://github.com@evil.example/acme/app",
            "https://github.com/acme",
            "https://github.com/acme/app/x",
            "https://github.com:8443/acme/app",
            "git@gitlab.com:acme/app",
        ] {
            assert_eq!(slug_of(url, SERVER), None, "{url}");
        }
        assert!(slug_of("https://git.acme.example/a/b", "https://git.acme.example").is_some());
    }

    #[test]
    fn addresses_follow_the_server() {
        let of = |pairs: &[(&str, &str)], server: &str| {
            let found = addresses(&Environment::of(pairs.iter().copied()), server).unwrap();
            (found.rest.to_string(), found.graphql.to_string())
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(of(&[], SERVER), pair("https://api.github.com/", "https://api.github.com/graphql"));
        assert_eq!(
            of(&[], "https://g.example"),
            pair("https://g.example/api/v3", "https://g.example/api/graphql")
        );
        let here = [("GITHUB_API_URL", "http://127.0.0.1:1")];
        assert_eq!(of(&here, SERVER), pair("http://127.0.0.1:1/", "http://127.0.0.1:1/graphql"));
        assert!(addresses(&Environment::of([("GITHUB_API_URL", "http://g.example")]), SERVER).is_err());
    }
}
