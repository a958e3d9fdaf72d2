//! Unusual repositories.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]
#![expect(clippy::disallowed_methods, reason = "one test runs itself again under hostile variables")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use orch::diagnostic::{Class, Failure as _};
use orch::ports::vcs::{
    BranchDraft, CommitDraft, EntryKind, ExportReport, GitRepository, Signature, VcsError, VcsRead as _,
    VcsWrite as _,
};

use crate::support::{Repo, create};

fn export(port: &GitRepository, folder: &Path) -> ExportReport {
    fs::create_dir(folder).unwrap();
    port.export(&port.head().unwrap().tree, folder).unwrap()
}

fn write_branch(port: &GitRepository) -> Result<String, VcsError> {
    let commit = CommitDraft {
        subject: "x".into(),
        body: String::new(),
        trailers: vec![],
        files: vec![create("orch.txt", "x")],
    };
    let time = "2026-11-21T10:00:00Z".parse().unwrap();
    let author = Signature { name: "orch".into(), email: "orch@example.com".into(), time };
    let base = port.head()?.commit;
    let draft = BranchDraft { branch: "feat/x".into(), base, commits: vec![commit], author, expected: None };
    Ok(port.commit(&draft)?.commits[0].0.to_string())
}

#[test]
fn what_is_no_usable_repository_says_so_with_the_right_class() {
    let repo = Repo::new(&[("a", "a\n")]);
    let plain = repo.beside("plain");
    fs::create_dir(&plain).unwrap();
    assert!(matches!(GitRepository::open(&plain), Err(VcsError::NotARepository { .. })));
    assert!(matches!(GitRepository::open(repo.beside("gone")), Err(VcsError::NotARepository { .. })));

    let bare = repo.beside("bare.git");
    repo.git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    assert!(matches!(GitRepository::open(&bare), Err(VcsError::Bare { .. })));

    let empty = Repo::empty();
    assert!(matches!(empty.open().head(), Err(VcsError::NoCommit { .. })));

    let sha256 = Repo::with_init(&["--object-format=sha256"]);
    sha256.write("a", "a\n");
    sha256.commit("base");
    let error = GitRepository::open(sha256.root()).unwrap_err();
    assert!(matches!(&error, VcsError::Unusable { why, .. } if why.contains("SHA-256")), "{error}");

    let broken = Repo::new(&[("a", "a\n")]);
    fs::write(broken.root().join(".git/config"), "[core\n").unwrap();
    let error = GitRepository::open(broken.root()).unwrap_err();
    assert!(matches!(&error, VcsError::Unusable { .. }), "{error}");
    for error in [
        GitRepository::open(&plain).unwrap_err(),
        GitRepository::open(&bare).unwrap_err(),
        empty.open().head().unwrap_err(),
        error,
    ] {
        assert_eq!(error.class(), Class::Usage);
        assert!(error.help().is_some() && !error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn detached_heads_worktrees_and_folders_below_work() {
    let repo = Repo::new(&[("a/b/c.txt", "x\n")]);
    let below = GitRepository::open(repo.root().join("a/b")).unwrap();
    assert_eq!(below.root(), repo.root().canonicalize().unwrap());
    repo.git(&["checkout", "--quiet", "--detach"]);
    let base = repo.open().head().unwrap();
    assert_eq!(base.branch, None);

    let tree = repo.beside("worktree");
    repo.git(&["worktree", "add", "--quiet", "-b", "side", tree.to_str().unwrap()]);
    let port = GitRepository::open(&tree).unwrap();
    assert_eq!(port.head().unwrap().branch.as_deref(), Some("side"));
    assert_eq!(port.root(), tree.canonicalize().unwrap());
    assert_eq!(port.common_dir(), repo.root().canonicalize().unwrap().join(".git"));
    let commit = write_branch(&port).unwrap();
    assert_eq!(repo.git(&["rev-parse", "feat/x"]), commit);
}

#[test]
fn other_layouts_work_or_say_what_they_are() {
    let reftable = Repo::with_init(&["--ref-format=reftable"]);
    reftable.write("a", "a\n");
    reftable.commit("base");
    let error = GitRepository::open(reftable.root()).unwrap_err();
    assert!(matches!(&error, VcsError::Unusable { why, .. } if why.contains("reftable")), "{error}");
    assert_eq!(error.class(), Class::Usage);

    let repo = Repo::new(&[("a", "a\n")]);
    let apart = repo.beside("apart.git");
    repo.git(&["init", "--quiet", "--separate-git-dir", apart.to_str().unwrap()]);
    write_branch(&repo.open()).unwrap();
    assert_eq!(repo.open().root(), repo.root().canonicalize().unwrap());

    let outer = Repo::new(&[("b", "b\n")]);
    outer.git(&["submodule", "--quiet", "add", repo.root().to_str().unwrap(), "mods/inner"]);
    let inner = GitRepository::open(outer.root().join("mods/inner")).unwrap();
    assert_eq!(inner.root(), outer.root().join("mods/inner").canonicalize().unwrap());
    write_branch(&inner).unwrap();

    repo.git(&["pack-refs", "--all"]);
    repo.git(&["gc", "--quiet"]);
    assert!(repo.open().branch("feat/x").unwrap().is_some(), "packed refs and objects");
    assert_eq!(export(&repo.open(), &repo.beside("out")).files, 1);
}

#[test]
fn a_shallow_clone_works_and_pushes() {
    let repo = Repo::new(&[("a", "1\n")]).with_remote();
    repo.write("a", "2\n");
    repo.commit("second");
    repo.git(&["push", "--quiet", "origin", "main"]);
    let shallow = repo.beside("shallow");
    let url = format!("file://{}", repo.beside("remote.git").display());
    repo.git(&["clone", "--quiet", "--depth=1", &url, shallow.to_str().unwrap()]);
    let port = GitRepository::open(&shallow).unwrap();
    let commit = write_branch(&port).unwrap();
    port.push("origin", "feat/x", None).unwrap();
    assert_eq!(port.remote_branch("origin", "feat/x").unwrap().unwrap().as_str(), commit);
    assert_eq!(export(&port, &repo.beside("out")).files, 1);
    // Beyond the border the object is missing, and the error says so.
    let first = repo.git(&["rev-parse", "main~1"]);
    let mut draft_base = port.head().unwrap();
    draft_base.commit = first.parse().unwrap();
    let time = "2026-11-21T10:00:00Z".parse().unwrap();
    let author = Signature { name: "orch".into(), email: "x".into(), time };
    let draft = BranchDraft {
        branch: "feat/y".into(),
        base: draft_base.commit,
        commits: vec![],
        author,
        expected: None,
    };
    let error = port.commit(&draft).unwrap_err();
    assert!(matches!(error, VcsError::MissingObject { .. }), "{error}");
}

#[test]
fn a_missing_blob_is_named() {
    let repo = Repo::new(&[("a.txt", "content\n")]);
    let blob = repo.git(&["rev-parse", "HEAD:a.txt"]);
    let path = repo.root().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    fs::remove_file(path).unwrap();
    let port = repo.open();
    let tree = port.head().unwrap().tree;
    assert_eq!(port.entries(&tree).unwrap().len(), 1);
    fs::create_dir(repo.beside("out")).unwrap();
    for error in
        [port.file(&tree, "a.txt").unwrap_err(), port.export(&tree, &repo.beside("out")).unwrap_err()]
    {
        assert!(matches!(&error, VcsError::MissingObject { what } if what.contains("a.txt")), "{error}");
    }
}

#[test]
fn submodules_lfs_pointers_and_line_ends_are_told_and_kept() {
    let sub = Repo::new(&[("s.txt", "sub\n")]);
    let repo = Repo::new(&[("a.txt", "a\n")]);
    repo.git(&["submodule", "--quiet", "add", sub.root().to_str().unwrap(), "mods/sub"]);
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";
    repo.write("big.bin", pointer);
    repo.write("crlf.txt", "one\r\ntwo\r\n");
    repo.write(".gitattributes", "*.txt text eol=crlf\nbig.bin filter=evil\n");
    let mark = repo.beside("filter-ran");
    repo.git(&["config", "core.autocrlf", "true"]);
    repo.commit("unusual");
    repo.git(&["config", "filter.evil.smudge", &format!("touch {}", mark.display())]);
    repo.git(&["config", "filter.evil.clean", &format!("touch {}", mark.display())]);
    let port = repo.open();
    let out = repo.beside("out");
    let report = export(&port, &out);
    assert_eq!(report.submodules, ["mods/sub"]);
    assert_eq!(report.lfs_pointers, ["big.bin"]);
    assert_eq!(fs::read_dir(out.join("mods/sub")).unwrap().count(), 0);
    assert_eq!(fs::read_to_string(out.join("big.bin")).unwrap(), pointer);
    let stored = |path: &str| {
        let output = repo.try_git(&repo.root(), &["cat-file", "blob", &format!("HEAD:{path}")]);
        output.stdout
    };
    for path in ["crlf.txt", "a.txt", ".gitattributes", ".gitmodules"] {
        assert_eq!(fs::read(out.join(path)).unwrap(), stored(path), "{path}: byte for byte as stored");
    }
    write_branch(&port).unwrap();
    assert!(!mark.exists(), "a filter ran");
}

#[cfg(unix)]
#[test]
fn links_modes_and_names_that_are_no_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let repo = Repo::new(&[("dir/a.txt", "a\n"), ("run.sh", "#!/bin/sh\n")]);
    fs::set_permissions(repo.root().join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    for (target, name) in [
        ("dir/a.txt", "inside"),
        ("/etc/passwd", "absolute"),
        ("../../outside", "out"),
        ("nowhere", "dangling"),
    ] {
        symlink(target, repo.root().join(name)).unwrap();
    }
    symlink("../run.sh", repo.root().join("dir/up")).unwrap();
    let odd = OsStr::from_bytes(b"caf\xe9-\xff");
    fs::write(repo.root().join(odd), "odd\n").unwrap();
    fs::write(repo.root().join("Case"), "upper\n").unwrap();
    fs::write(repo.root().join("case"), "lower\n").unwrap();
    repo.commit("unusual");
    let port = repo.open();
    let entries = port.entries(&port.head().unwrap().tree).unwrap();
    assert!(entries.is_sorted_by(|a, b| a.path < b.path));
    let kind = |path: &[u8]| entries.iter().find(|e| e.path == path).map(|e| e.kind);
    assert_eq!(kind(b"run.sh"), Some(EntryKind::Executable));
    assert_eq!(kind(b"inside"), Some(EntryKind::Link));
    assert_eq!(entries.iter().filter(|e| e.utf8_path().is_none()).count(), 1);
    let out = repo.beside("out");
    let report = export(&port, &out);
    assert_eq!(report.outside_links, ["absolute", "out"]);
    assert_eq!(fs::read_to_string(out.join(odd)).unwrap(), "odd\n");
    assert_eq!(fs::read_to_string(out.join("Case")).unwrap(), "upper\n");
    assert_eq!(fs::read_to_string(out.join("inside")).unwrap(), "a\n");
    assert_eq!(fs::read_to_string(out.join("dir/up")).unwrap(), "#!/bin/sh\n");
    assert!(out.join("absolute").symlink_metadata().is_err());
    assert_ne!(fs::metadata(out.join("run.sh")).unwrap().permissions().mode() & 0o111, 0);
    assert_eq!(fs::metadata(out.join("Case")).unwrap().permissions().mode() & 0o111, 0);
    // The names that collide stay as they are in a branch.
    write_branch(&port).unwrap();
    assert_eq!(repo.git(&["diff", "--name-status", "main", "feat/x"]), "A\torch.txt");
}

#[test]
fn trees_made_to_write_elsewhere_are_refused() {
    for name in ["..", ".git", ".GIT", "git~1", "a/b", "."] {
        let repo = Repo::new(&[("a", "a\n")]);
        let blob = repo.git(&["rev-parse", "HEAD:a"]);
        let inner = raw_tree(&repo, &[("100644", "hooks", &blob)]);
        let tree = raw_tree(&repo, &[("40000", name, &inner)]);
        let commit = repo.git(&["commit-tree", &tree, "-m", "evil"]);
        repo.git(&["update-ref", "refs/heads/main", &commit]);
        let port = repo.open();
        let tree = port.head().unwrap().tree;
        fs::create_dir(repo.beside("out")).unwrap();
        let error = port.export(&tree, &repo.beside("out")).unwrap_err();
        assert_eq!(error.class(), Class::Denied, "{name}: {error}");
        assert_eq!(fs::read_dir(repo.beside("out")).unwrap().count(), 0, "{name}");
    }
}

/// Writes a tree that git's own commands would refuse to make.
fn raw_tree(repo: &Repo, entries: &[(&str, &str, &str)]) -> String {
    let mut bytes = Vec::new();
    for (mode, name, id) in entries {
        bytes.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        let hex = |at| u8::from_str_radix(&id[at..at + 2], 16).unwrap();
        bytes.extend((0..id.len()).step_by(2).map(hex));
    }
    let file = repo.beside("tree");
    fs::write(&file, bytes).unwrap();
    repo.git(&["hash-object", "-t", "tree", "-w", "--literally", file.to_str().unwrap()])
}

#[cfg(unix)]
#[test]
fn a_repository_of_another_user_is_refused_until_it_is_trusted() {
    let repo = Repo::new(&[("a", "a\n")]);
    let chown = Command::new("chown").args(["-R", "12345"]).arg(repo.root()).status();
    if !chown.is_ok_and(|status| status.success()) {
        eprintln!("not run: only root can give files away");
        return;
    }
    let error = GitRepository::open(repo.root()).unwrap_err();
    assert!(
        matches!(&error, VcsError::Unusable { why, help, .. } if why.contains("another user") && help.contains("safe.directory")),
        "{error}"
    );
    assert_eq!(error.class(), Class::Usage);

    // Trusted by name in the person's own config, it opens.
    let home = repo.beside("home");
    fs::write(home.join(".gitconfig"), format!("[safe]\n\tdirectory = {}\n", repo.root().display())).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "repositories::child_opens", "--ignored"]).env("HOME", &home);
    let output =
        command.env_remove("XDG_CONFIG_HOME").env("ORCH_TEST_REPOSITORY", repo.root()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "run by `a_repository_of_another_user_is_refused_until_it_is_trusted`, with another home"]
fn child_opens() {
    let Some(root) = std::env::var_os("ORCH_TEST_REPOSITORY") else { return };
    GitRepository::open(&root).unwrap().head().unwrap();
}

#[test]
fn variables_of_git_do_not_mislead() {
    let repo = Repo::new(&[("right.txt", "right\n")]).with_remote();
    let wrong = Repo::new(&[("wrong.txt", "wrong\n")]);
    let dot_git = wrong.root().join(".git");
    let (before, wrong_before) = (repo.snapshot("feat"), wrong.snapshot("nothing"));
    let mark = repo.beside("ran");
    let run = format!("touch {}", mark.display());
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "repositories::child_under_hostile_variables", "--ignored"]);
    command.env("ORCH_TEST_REPOSITORY", repo.root());
    for (name, value) in [
        ("GIT_DIR", dot_git.as_os_str()),
        ("GIT_WORK_TREE", wrong.root().as_os_str()),
        ("GIT_COMMON_DIR", dot_git.as_os_str()),
        ("GIT_INDEX_FILE", dot_git.join("index").as_os_str()),
        ("GIT_OBJECT_DIRECTORY", dot_git.join("objects").as_os_str()),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", dot_git.join("objects").as_os_str()),
        ("GIT_CEILING_DIRECTORIES", repo.root().parent().unwrap().as_os_str()),
        ("GIT_NAMESPACE", "evil".as_ref()),
        ("GIT_AUTHOR_NAME", "Evil".as_ref()),
        ("GIT_COMMITTER_DATE", "2001-01-01T00:00:00Z".as_ref()),
        ("GIT_SSH_COMMAND", run.as_ref()),
        ("GIT_EXTERNAL_DIFF", run.as_ref()),
        ("GIT_PROXY_COMMAND", run.as_ref()),
        ("GIT_EXEC_PATH", "/nonexistent".as_ref()),
        ("GIT_CONFIG_COUNT", "2".as_ref()),
        ("GIT_CONFIG_KEY_0", "remote.origin.url".as_ref()),
        ("GIT_CONFIG_VALUE_0", dot_git.as_os_str()),
        ("GIT_CONFIG_KEY_1", "core.worktree".as_ref()),
        ("GIT_CONFIG_VALUE_1", wrong.root().as_os_str()),
        ("GIT_CONFIG_PARAMETERS", "'remote.origin.url'='/nonexistent'".as_ref()),
        ("GIT_CONFIG_GLOBAL", "/nonexistent".as_ref()),
        ("GIT_SHALLOW_FILE", "/nonexistent".as_ref()),
        ("GIT_PROTOCOL_FROM_USER", "1".as_ref()),
        ("GIT_ALLOW_PROTOCOL", "ext".as_ref()),
    ] {
        command.env(name, value);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert_eq!(repo.snapshot("feat"), before);
    assert_eq!(wrong.snapshot("nothing"), wrong_before);
    assert!(repo.git(&["ls-remote", "origin", "refs/heads/feat/x"]).ends_with("refs/heads/feat/x"));
    assert_eq!(repo.git(&["log", "-1", "--format=%an %aI", "feat/x"]), "orch 2026-11-21T10:00:00Z");
    assert!(!mark.exists(), "something ran");
}

#[test]
#[ignore = "run by `variables_of_git_do_not_mislead`, under hostile variables"]
fn child_under_hostile_variables() {
    let Some(root) = std::env::var_os("ORCH_TEST_REPOSITORY") else { return };
    let port = GitRepository::open(&root).unwrap();
    let tree = port.head().unwrap().tree;
    let paths: Vec<_> = port.entries(&tree).unwrap().iter().map(|e| e.path.clone()).collect();
    assert_eq!(paths, [b"right.txt".to_vec()]);
    write_branch(&port).unwrap();
    assert_eq!(port.remote_branch("origin", "feat/x").unwrap(), None);
    port.push("origin", "feat/x", None).unwrap();
}

#[test]
fn a_hundred_thousand_files_take_one_look_each() {
    const FOLDERS: usize = 1000;
    const EACH: usize = 100;
    let repo = Repo::empty();
    let head = "commit refs/heads/main\ncommitter S <s@example.com> 1767323045 +0000\ndata 4\nbase\n";
    let file = |n: usize| {
        let (folder, file) = (n / EACH, n % EACH);
        let text = format!("file {file}");
        format!("M 100644 inline pkg-{folder:04}/src/f{file:03}.txt\ndata {}\n{text}\n", text.len())
    };
    let input = head.to_owned() + &(0..FOLDERS * EACH).map(file).collect::<Vec<_>>().concat();
    let stream = repo.beside("stream");
    fs::write(&stream, input).unwrap();
    let mut import = repo.command(&repo.root());
    let done =
        import.args(["fast-import", "--quiet"]).stdin(fs::File::open(&stream).unwrap()).status().unwrap();
    assert!(done.success());
    let port = repo.open();
    let tree = port.head().unwrap().tree;

    let start = Instant::now();
    let entries = port.entries(&tree).unwrap();
    println!("entries of {} files: {:?}", entries.len(), start.elapsed());
    assert_eq!(entries.len(), FOLDERS * EACH);
    assert!(entries.is_sorted_by(|a, b| a.path < b.path), "each once, in order");

    let out = repo.beside("out");
    let start = Instant::now();
    let report = export(&port, &out);
    println!("export of {} files: {:?}", report.files, start.elapsed());
    assert_eq!(report.files, (FOLDERS * EACH) as u64);
    assert_eq!(fs::read_dir(&out).unwrap().count(), FOLDERS);
    assert_eq!(fs::read_to_string(out.join("pkg-0999/src/f099.txt")).unwrap(), "file 99");

    let start = Instant::now();
    write_branch(&port).unwrap();
    println!("a commit on top: {:?}", start.elapsed());
    assert_eq!(repo.git(&["diff", "--name-status", "main", "feat/x"]), "A\torch.txt");
}
