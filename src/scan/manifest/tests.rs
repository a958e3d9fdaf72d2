//! What is read of manifests and lock files, and what of anything else.

use proptest::prelude::*;

use super::*;

const ALL: [Format; 18] = [
    Format::Npm,
    Format::NpmLock,
    Format::PnpmLock,
    Format::YarnLock,
    Format::Requirements,
    Format::Pyproject,
    Format::PoetryLock,
    Format::UvLock,
    Format::Pipfile,
    Format::PipfileLock,
    Format::Cargo,
    Format::CargoLock,
    Format::GoMod,
    Format::GoSum,
    Format::Maven,
    Format::Gradle,
    Format::Catalog,
    Format::Sbom,
];

/// Returns each dependency as `kind name version source[!][#]`: `!` not pinned, `#` with a digest.
fn listed(format: Format, text: &str) -> Vec<String> {
    let read = read(format, text.as_bytes()).expect("read");
    read.dependencies
        .iter()
        .map(|one| {
            let source = match &one.source {
                Source::Registry(host) if host.is_empty() => String::new(),
                Source::Registry(host) => format!(" at {host}"),
                Source::Git(url) => format!(" git {url}"),
                Source::Url(url) => format!(" url {url}"),
                Source::Path(path) => format!(" path {path}"),
            };
            let marks = [(!one.pinned, " !"), (one.integrity, " #"), (one.install_script, " runs")];
            let marks: String = marks.iter().filter(|(yes, _)| *yes).map(|(_, mark)| *mark).collect();
            let licence = one.licence.as_ref().map(|l| format!(" ({l})")).unwrap_or_default();
            format!("{} {} {}{source}{marks}{licence}", one.kind.as_str(), one.name, one.version)
        })
        .collect()
}

#[test]
fn package_json() {
    let text = r#"{
      "name": "app", "workspaces": ["a"],
      "scripts": {"postinstall": "node x.js", "test": "jest"},
      "dependencies": {
        "a": "^1.0.0", "b": "*", "c": "github:o/r", "d": "o/r#0123456789abcdef0123456789abcdef01234567",
        "e": "http://example.com/e.tgz", "f": "npm:real@^2", "g": "workspace:*", "h": "git+ssh://git@host/x.git#main",
        "i": "file:../i", "j": "", "k": "catalog:", "l": 5
      },
      "devDependencies": {"m": "latest"}, "peerDependencies": {"n": "*"}
    }"#;
    let read = read(Format::Npm, text.as_bytes()).unwrap();
    assert_eq!(read.scripts, [("postinstall".to_owned(), "node x.js".to_owned())]);
    assert!(read.root);
    assert_eq!(
        listed(Format::Npm, text),
        [
            "normal a ^1.0.0",
            "normal b * !",
            "normal c github:o/r git https://github.com/o/r !",
            "normal d o/r#0123456789abcdef0123456789abcdef01234567 git https://github.com/o/r",
            "normal e http://example.com/e.tgz url http://example.com/e.tgz !",
            "normal real npm:real@^2",
            "normal g workspace:* path workspace:*",
            "normal h git+ssh://git@host/x.git#main git git+ssh://git@host/x.git !",
            "normal i file:../i path file:../i",
            "normal j ",
            "normal k catalog:",
            "dev m latest !",
            "peer n * !",
        ]
    );
}

#[test]
fn package_lock() {
    let new = r#"{"lockfileVersion": 3, "packages": {
      "": {"dependencies": {"a": "^1"}},
      "packages/x": {"version": "1.0.0"},
      "node_modules/x": {"resolved": "packages/x", "link": true},
      "node_modules/a": {"version": "1.2.0", "resolved": "https://registry.npmjs.org/a/-/a-1.2.0.tgz",
        "integrity": "sha512-x", "license": "MIT", "hasInstallScript": true},
      "node_modules/a/node_modules/@s/b": {"version": "2.0.0", "resolved": "https://npm.acme.dev/@s/b/-/b-2.0.0.tgz", "dev": true},
      "node_modules/c": {"version": "3.0.0", "resolved": "git+ssh://git@github.com/o/c.git#0123456789abcdef0123456789abcdef01234567"}
    }}"#;
    assert_eq!(
        listed(Format::NpmLock, new),
        [
            "normal a 1.2.0 # runs (MIT)",
            "dev @s/b 2.0.0 at npm.acme.dev",
            "normal c 3.0.0 git git+ssh://git@github.com/o/c.git",
        ]
    );
    let old = r#"{"lockfileVersion": 1, "dependencies": {
      "a": {"version": "1.0.0", "integrity": "sha1-x", "dependencies": {"b": {"version": "2.0.0", "dev": true}}},
      "c": {"version": "npm:@s/real@1.0.0"}}}"#;
    assert_eq!(
        listed(Format::NpmLock, old),
        ["normal a 1.0.0 #", "dev b 2.0.0", "normal @s/real npm:@s/real@1.0.0"]
    );
}

#[test]
fn yarn() {
    let classic = "# yarn lockfile v1\n\n\"@a/b@^1.0.0\", \"@a/b@^1.1.0\":\n  version \"1.2.0\"\n  resolved \"https://registry.yarnpkg.com/@a/b/-/b-1.2.0.tgz#abc\"\n  integrity sha512-x\n  dependencies:\n    c \"^1\"\n\nd@o/d:\n  version \"1.0.0\"\n  resolved \"https://codeload.github.com/o/d/tar.gz/abc\"\n";
    assert_eq!(
        listed(Format::YarnLock, classic),
        ["normal @a/b 1.2.0 #", "normal d 1.0.0 url https://codeload.github.com/o/d/tar.gz/abc !"]
    );
    let later = "__metadata:\n  version: 6\n\n\"a@npm:^1.0.0, a@npm:^1.1.0\":\n  version: 1.2.0\n  resolution: \"a@npm:1.2.0\"\n  checksum: abc\n\n\"w@workspace:.\":\n  version: 0.0.0\n  resolution: \"w@workspace:.\"\n";
    assert_eq!(listed(Format::YarnLock, later), ["normal a 1.2.0 #"]);
    let Wanted::Keys(keys) = read(Format::YarnLock, later.as_bytes()).unwrap().wanted else { panic!() };
    assert!(keys.contains("a@npm:^1.1.0"));
}

#[test]
fn pnpm() {
    let nine = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.2.0\n  packages/x:\n    devDependencies:\n      '@s/b':\n        specifier: 'catalog:'\n        version: 2.0.0(a@1.2.0)\n\npackages:\n\n  a@1.2.0:\n    resolution: {integrity: sha512-x}\n    requiresBuild: true\n\n  '@s/b@2.0.0':\n    resolution: {tarball: https://codeload.github.com/o/b/tar.gz/0123456789abcdef0123456789abcdef01234567}\n    version: 2.0.0\n\nsnapshots:\n\n  a@1.2.0: {}\n";
    assert_eq!(
        listed(Format::PnpmLock, nine),
        [
            "normal a 1.2.0 # runs",
            "normal @s/b 2.0.0 url https://codeload.github.com/o/b/tar.gz/0123456789abcdef0123456789abcdef01234567",
        ]
    );
    let Wanted::ByFolder(folders) = read(Format::PnpmLock, nine.as_bytes()).unwrap().wanted else { panic!() };
    assert_eq!(folders[""]["a"], "^1.0.0");
    assert_eq!(folders["packages/x"]["@s/b"], "catalog:");
    let five = "lockfileVersion: 5.3\n\nspecifiers:\n  a: ^1.0.0\n\ndependencies:\n  a: 1.2.0\n\npackages:\n\n  /a/1.2.0:\n    resolution: {integrity: sha512-x}\n    dev: true\n\n  /@s/b/2.0.0_a@1.2.0:\n    resolution: {integrity: sha512-x}\n";
    assert_eq!(listed(Format::PnpmLock, five), ["dev a 1.2.0 #", "normal @s/b 2.0.0 #"]);
}

#[test]
fn python() {
    let text = "# c\nrequests>=2 # why\nFlask_Login[x,y]==1.0 ; python_version > '3'\nbare\n-r other.txt\n--extra-index-url https://pypi.acme.dev/simple\n\
        -e git+https://github.com/o/r.git@main#egg=My_Pkg\nhttps://x.dev/a-1.0-py3-none-any.whl --hash=sha256:00\n\
        one==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\npkg @ git+http://x.dev/p@0123456789abcdef0123456789abcdef01234567\n./local\n";
    assert_eq!(
        listed(Format::Requirements, text),
        [
            "normal requests >=2",
            "normal flask-login ==1.0",
            "normal bare ",
            "normal my-pkg  git https://github.com/o/r.git !",
            "normal a  url https://x.dev/a-1.0-py3-none-any.whl #",
            "normal one ==1 #",
            "normal pkg  git git+http://x.dev/p",
        ]
    );
    assert_eq!(
        read(Format::Requirements, text.as_bytes()).unwrap().indexes,
        ["https://pypi.acme.dev/simple"]
    );
    let text = "[project]\nname = 'App'\ndependencies = ['a>=1', 'b @ https://x.dev/b.zip']\n[project.optional-dependencies]\nx = ['c']\n\
        [dependency-groups]\ndev = ['d', {include-group = 'x'}]\n[build-system]\nrequires = ['hatchling']\n[tool.uv.sources]\na = {git = 'https://x.dev/a', branch = 'main'}\n\
        [tool.poetry.dependencies]\npython = '^3'\ne = {version = '*', optional = true}\n[tool.poetry.group.dev.dependencies]\nf = {git = 'https://x.dev/f', rev = '0123456789abcdef0123456789abcdef01234567'}\n";
    assert_eq!(
        listed(Format::Pyproject, text),
        [
            "normal a >=1 git https://x.dev/a !",
            "normal b  url https://x.dev/b.zip !",
            "optional c ",
            "dev d ",
            "build hatchling ",
            "optional e * !",
            "dev f  git https://x.dev/f",
        ]
    );
    let text = "[[package]]\nname = 'A_b'\nversion = '1'\nfiles = [{file = 'x', hash = 'sha256:0'}]\n[[package]]\nname = 'c'\nversion = '2'\n[package.source]\ntype = 'git'\nurl = 'https://x.dev/c'\nresolved_reference = '0123456789abcdef0123456789abcdef01234567'\n";
    assert_eq!(listed(Format::PoetryLock, text), ["normal a-b 1 #", "normal c 2 git https://x.dev/c"]);
    let text = "version = 1\n[[package]]\nname = 'app'\nsource = {editable = '.'}\n[[package]]\nname = 'a'\nversion = '1'\nsource = {registry = 'https://pypi.org/simple'}\nsdist = {url = 'https://files.pythonhosted.org/a', hash = 'sha256:0'}\n[[package]]\nname = 'b'\nversion = '1'\nsource = {registry = 'https://pypi.acme.dev/simple'}\n";
    assert_eq!(
        listed(Format::UvLock, text),
        ["normal app  path ", "normal a 1 #", "normal b 1 at pypi.acme.dev"]
    );
    let text = r#"{"default": {"a": {"version": "==1", "hashes": ["sha256:0"]}}, "develop": {"b": {"git": "https://x.dev/b", "ref": "main"}}}"#;
    assert_eq!(listed(Format::PipfileLock, text), ["normal a 1 #", "dev b  git https://x.dev/b !"]);
    let text = "[[source]]\nurl = 'https://pypi.org/simple'\n[packages]\na = '*'\n[dev-packages]\nb = {git = 'https://x.dev/b', ref = 'main'}\n";
    assert_eq!(listed(Format::Pipfile, text), ["normal a *", "dev b  git https://x.dev/b !"]);
}

#[test]
fn rust() {
    let text = "[package]\nname = 'app'\nbuild = 'b.rs'\n[dependencies]\na = '1'\nb = {package = 'real', version = '2', optional = true}\nc.workspace = true\nd = {git = 'https://x.dev/d', branch = 'main'}\n\
        e = {path = '../e'}\n[target.'cfg(unix)'.dev-dependencies]\nf = '*'\n[workspace.dependencies]\ng = {version = '1', registry = 'acme'}\n[patch.crates-io]\nh = {git = 'https://x.dev/h', rev = '0123456789abcdef0123456789abcdef01234567'}\n";
    assert_eq!(
        listed(Format::Cargo, text),
        [
            "normal a 1",
            "optional real 2",
            "normal d  git https://x.dev/d !",
            "normal e  path ../e",
            "dev f * !",
            "normal g 1 at acme",
            "normal h  git https://x.dev/h",
        ]
    );
    let text = "version = 4\n[[package]]\nname = 'app'\nversion = '0.1.0'\n[[package]]\nname = 'a'\nversion = '1.0.0'\nsource = 'registry+https://github.com/rust-lang/crates.io-index'\nchecksum = '00'\n\
        [[package]]\nname = 'd'\nversion = '1.0.0'\nsource = 'git+https://x.dev/d?branch=main#0123456789abcdef0123456789abcdef01234567'\n";
    assert_eq!(
        listed(Format::CargoLock, text),
        ["normal app 0.1.0 path ", "normal a 1.0.0 #", "normal d 1.0.0 git https://x.dev/d"]
    );
}

#[test]
fn go_and_java() {
    let text = "module example.com/app\n\ngo 1.22\n\nrequire github.com/a/b v1.0.0\nrequire (\n\tgithub.com/c/d v2.0.0 // indirect\n\tgithub.com/e/f v1.0.0\n\tgithub.com/g/h v1.0.0\n)\nreplace github.com/e/f => ../f\nreplace github.com/g/h v1.0.0 => github.com/fork/h v1.0.1\n";
    assert_eq!(
        listed(Format::GoMod, text),
        [
            "normal github.com/a/b v1.0.0",
            "optional github.com/c/d v2.0.0",
            "normal github.com/e/f v1.0.0 path ../f",
            "normal github.com/fork/h v1.0.1 git https://github.com/fork/h",
        ]
    );
    let text = "github.com/a/b v1.0.0 h1:x=\ngithub.com/a/b v1.0.0/go.mod h1:y=\ngithub.com/z/z v1.0.0/go.mod h1:y=\n";
    assert_eq!(listed(Format::GoSum, text), ["normal github.com/a/b v1.0.0 #"]);
    let text = "<project><groupId>g</groupId><artifactId>app</artifactId><properties><v>1.2</v></properties><dependencies>\
        <dependency><groupId>a</groupId><artifactId>b</artifactId><version>${v}</version></dependency>\
        <dependency><groupId>c</groupId><artifactId>d</artifactId><version>LATEST</version><scope>test</scope></dependency>\
        </dependencies><build><plugins><plugin><artifactId>p</artifactId></plugin></plugins></build></project>";
    assert_eq!(
        listed(Format::Maven, text),
        ["normal a:b 1.2", "dev c:d LATEST !", "build org.apache.maven.plugins:p "]
    );
    let text = "dependencies {\n  implementation 'a:b:1.0'\n  testImplementation(\"c:d:1.+\")\n  api(project(\":x\"))\n  kapt group: 'e', name: 'f', version: '2'\n  // implementation 'no:no:1'\n  implementation(libs.x)\n}\n";
    assert_eq!(listed(Format::Gradle, text), ["normal a:b 1.0", "dev c:d 1.+ !", "build e:f 2"]);
    let text = "[versions]\nv = '1.0'\n[libraries]\na = 'a:b:1.2'\nc = {module = 'c:d', version.ref = 'v'}\n[plugins]\nk = {id = 'x.y', version = '2'}\n";
    assert_eq!(
        listed(Format::Catalog, text),
        ["normal a:b 1.2", "normal c:d 1.0", "build x.y:x.y.gradle.plugin 2"]
    );
}

#[test]
fn bills_of_materials() {
    let text = r#"{"bomFormat": "CycloneDX", "components": [
        {"purl": "pkg:npm/%40s/a@1.0.0", "licenses": [{"license": {"id": "MIT"}}]},
        {"purl": "pkg:cargo/b@2?x=y", "licenses": [{"expression": "MIT OR Apache-2.0"}]}, {"name": "none"}],
        "packages": [{"externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:maven/g/c@1"}],
        "licenseConcluded": "NOASSERTION", "licenseDeclared": "GPL-3.0-only"}]}"#;
    let found: Vec<_> = components(text.as_bytes())
        .into_iter()
        .map(|c| (c.name, c.version, c.licence.unwrap_or_default()))
        .collect();
    let want = [("@s/a", "1.0.0", "MIT"), ("b", "2", "MIT OR Apache-2.0"), ("g:c", "1", "GPL-3.0-only")];
    assert_eq!(found, want.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
}

#[test]
fn what_is_no_manifest_is_not_read() {
    for (format, text) in [
        (Format::Npm, "[]"),
        (Format::Npm, "{"),
        (Format::NpmLock, "null"),
        (Format::PnpmLock, "a: b"),
        (Format::YarnLock, "no colon"),
        (Format::Cargo, "a = "),
        (Format::GoMod, "nothing"),
        (Format::Maven, "<a/>"),
    ] {
        assert_eq!(read(format, text.as_bytes()), None, "{format:?}");
    }
    assert_eq!(read(Format::Npm, b"\xff"), None);
}

/// Deep and long inputs of every format: none may overflow the stack or take more than linear time.
#[test]
fn depth_is_bounded() {
    let deep = 200_000;
    let many = [
        "[".repeat(deep),
        "{\"dependencies\":".repeat(deep),
        format!("a{} = 1\n", ".a".repeat(deep)),
        format!("[a{}]\n", ".a".repeat(deep)),
        format!("a = {}", "[".repeat(deep)),
        "<project>".repeat(deep),
        format!(
            "lockfileVersion: 9\n{}",
            (0..2_000).map(|n| format!("{}a:", " ".repeat(n))).collect::<Vec<_>>().join("\n")
        ),
        "a@".repeat(deep),
        "\\\n".repeat(deep),
        "'".repeat(deep),
        format!("module x\n{}", "require (\n".repeat(deep)),
    ];
    for text in &many {
        for format in ALL {
            let _ = read(format, text.as_bytes());
        }
        components(text.as_bytes());
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for format in ALL {
            let _ = read(format, &bytes);
        }
        components(&bytes);
    }

    #[test]
    fn arbitrary_marks_never_panic(text in "[\\[\\]{}a-c:@./#\"'=,<>é +\n \\\\(-]{0,200}") {
        for format in ALL {
            let _ = read(format, text.as_bytes());
        }
        for url in [&text[..], &format!("git+{text}"), &format!("https://{text}"), &format!("npm:{text}")] {
            let _ = spec::npm(url);
            let _ = spec::npm_resolved(url);
            let _ = spec::python_url(url);
            let _ = spec::python(url);
            let _ = without_login(url);
            let _ = spec::host(url);
        }
    }
}
