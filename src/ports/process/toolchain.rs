//! Where compilers, interpreters and their libraries are, so that they can be read without opening a home folder.
//!
//! Must never name a home folder, a folder above one, or one of the folders that hold keys.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders every program needs; nothing personal is kept there.
pub(super) const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/nix",
    "/snap",
    "/home/linuxbrew/.linuxbrew",
];

/// Folders below a home that are never opened on the strength of a search path or a link.
const SECRET: &[&str] = &[
    ".aws",
    ".azure",
    ".claude",
    ".config",
    ".docker",
    ".git",
    ".gnupg",
    ".kube",
    ".mozilla",
    ".netrc",
    ".npmrc",
    ".password-store",
    ".pki",
    ".ssh",
    ".terraform.d",
    ".thunderbird",
    "Desktop",
    "Documents",
    "Downloads",
    "Library",
];

/// Roots of tool-chain managers: the variable, and where the root is when it is not set.
const ROOTS: &[(&str, Option<&str>)] = &[
    ("ASDF_DATA_DIR", Some(".asdf")),
    ("ASDF_DIR", None),
    ("CONDA_PREFIX", None),
    ("GOENV_ROOT", Some(".goenv")),
    ("GOROOT", None),
    ("JAVA_HOME", None),
    ("MISE_DATA_DIR", Some(".local/share/mise")),
    ("NODENV_ROOT", Some(".nodenv")),
    ("NVM_DIR", Some(".nvm")),
    ("PYENV_ROOT", Some(".pyenv")),
    ("RBENV_ROOT", Some(".rbenv")),
    ("RUSTUP_HOME", Some(".rustup")),
    ("SDKMAN_DIR", Some(".sdkman")),
    ("UV_PYTHON_INSTALL_DIR", Some(".local/share/uv/python")),
    ("VIRTUAL_ENV", None),
    ("VOLTA_HOME", Some(".volta")),
];

/// Variables that choose a version and name no place.
const CHOICES: &[&str] =
    &["ASDF_DEFAULT_TOOL_VERSIONS_FILENAME", "PYENV_VERSION", "RBENV_VERSION", "RUSTUP_TOOLCHAIN"];

/// How many links of one folder are followed.
const LINKS_MAX: usize = 2048;

/// The tool chains of the person who runs this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Toolchain {
    /// Folders and files to read and execute, besides [`SYSTEM`].
    pub read: Vec<PathBuf>,
    /// The search path.
    pub path: String,
    /// Variables the tools need.
    pub variables: BTreeMap<String, String>,
    /// The real cargo home, whose registry can be read.
    pub cargo_home: Option<PathBuf>,
    /// The real module cache of Go.
    pub go_modules: Option<PathBuf>,
    /// Folders that stay closed.
    pub homes: Vec<PathBuf>,
}

impl Toolchain {
    /// Finds the tool chains an environment points to; `homes` are the folders that must stay closed.
    pub(super) fn find(environment: &BTreeMap<String, String>, homes: Vec<PathBuf>) -> Self {
        let homes = homes.iter().filter_map(|home| fs::canonicalize(home).ok()).collect();
        let mut found = Self { homes, ..Self::default() };
        let home = environment.get("HOME").map(PathBuf::from);
        for (name, default) in ROOTS {
            found.root(name, environment.get(*name).map(PathBuf::from), home.as_deref().zip(*default));
        }
        for name in CHOICES {
            if let Some(value) = environment.get(*name) {
                found.variables.insert((*name).to_owned(), value.clone());
            }
        }
        found.languages(environment, home.as_deref());
        found.search_path(environment.get("PATH").map_or("/usr/local/bin:/usr/bin:/bin", String::as_str));
        found.read.sort();
        found.read.dedup();
        found
    }

    /// Returns what a program named by its path needs besides.
    pub(super) fn for_program(&self, program: &str) -> Vec<PathBuf> {
        let mut more = Self { homes: self.homes.clone(), ..Self::default() };
        if let Some(folder) = Path::new(program).parent().filter(|folder| folder.is_absolute()) {
            more.programs(folder);
        }
        more.read
    }

    /// Returns what a virtual environment in a folder needs besides, if it is one.
    pub(super) fn for_folder(&self, folder: &Path) -> Vec<PathBuf> {
        let mut more = Self { homes: self.homes.clone(), ..Self::default() };
        more.virtual_environment(folder);
        more.read
    }

    fn root(&mut self, name: &str, given: Option<PathBuf>, default: Option<(&Path, &str)>) {
        let root = given.or_else(|| default.map(|(home, below)| home.join(below)));
        let Some(root) = root.filter(|root| root.is_absolute() && root.is_dir()) else { return };
        if self.open(&root)
            && let Some(text) = root.to_str()
        {
            self.variables.insert(name.to_owned(), text.to_owned());
            self.virtual_environment(&root);
        }
    }

    /// Opens what cargo and Go keep beside what they must not show: a cargo home holds the registry's token.
    fn languages(&mut self, environment: &BTreeMap<String, String>, home: Option<&Path>) {
        let place = |name: &str, default: &str| {
            let given = environment.get(name).map(PathBuf::from).or_else(|| Some(home?.join(default)))?;
            fs::canonicalize(given).ok().filter(|path| path.is_absolute())
        };
        self.cargo_home = place("CARGO_HOME", ".cargo").filter(|path| self.is_open_to_parts(path));
        for part in ["bin", "registry", "git", "config.toml", "config"] {
            if let Some(cargo) = &self.cargo_home {
                self.read
                    .extend(fs::canonicalize(cargo.join(part)).ok().filter(|path| path.starts_with(cargo)));
            }
        }
        let go = place("GOPATH", "go").filter(|path| self.is_open_to_parts(path));
        if let Some(go) = &go {
            self.read.extend([go.join("bin"), go.join("pkg/mod")].into_iter().filter(|path| path.is_dir()));
        }
        self.go_modules = go.map(|go| go.join("pkg/mod")).filter(|path| path.is_dir());
    }

    fn search_path(&mut self, path: &str) {
        let mut kept: Vec<&str> = Vec::new();
        for entry in path.split(':').filter(|entry| entry.starts_with('/')) {
            if !kept.contains(&entry) && self.programs(Path::new(entry)) {
                kept.push(entry);
            }
        }
        self.path = kept.join(":");
    }

    /// Opens a folder of programs, the tree it belongs to, and what its links point to.
    fn programs(&mut self, folder: &Path) -> bool {
        let Ok(folder) = fs::canonicalize(folder) else { return false };
        if !folder.is_dir() {
            return false;
        }
        if is_system(&folder) {
            return true;
        }
        if !self.open(&folder) {
            return false;
        }
        self.tree_of(&folder);
        let links = fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok).take(LINKS_MAX);
        for link in links.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink())) {
            self.target(&link.path());
        }
        true
    }

    /// Opens the program a link points to, and the tree it belongs to.
    fn target(&mut self, link: &Path) {
        let Ok(target) = fs::canonicalize(link) else { return };
        if is_system(&target) || self.read.iter().any(|open| target.starts_with(open)) || !self.open(&target)
        {
            return;
        }
        if let Some(folder) = target.parent() {
            self.tree_of(folder);
        }
    }

    /// Opens the installation around a `bin` folder, if it lies deep enough to be nothing else.
    fn tree_of(&mut self, folder: &Path) {
        let Some(tree) = folder.parent().filter(|_| folder.ends_with("bin")) else { return };
        if self.virtual_environment(tree) || self.depth(tree) >= 2 {
            self.open(tree);
        }
    }

    /// Opens the interpreter a virtual environment is made from; tells whether the folder is one.
    fn virtual_environment(&mut self, folder: &Path) -> bool {
        let Ok(settings) = fs::read_to_string(folder.join("pyvenv.cfg")) else { return false };
        let home = settings.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "home").then(|| PathBuf::from(value.trim()))
        });
        let python = fs::canonicalize(folder.join("bin/python")).ok();
        for programs in home.into_iter().chain(python.and_then(|python| Some(python.parent()?.to_owned()))) {
            let Ok(programs) = fs::canonicalize(programs) else { continue };
            if !is_system(&programs) && !programs.starts_with(folder) && self.open(&programs) {
                self.tree_of(&programs);
            }
        }
        true
    }

    /// Opens a folder or file unless it is, or leads to, something personal.
    fn open(&mut self, path: &Path) -> bool {
        let Ok(path) = fs::canonicalize(path) else { return false };
        let may = self.is_open_to_parts(&path) && !self.homes.contains(&path);
        if may && !self.read.contains(&path) {
            self.read.push(path);
        }
        may
    }

    /// Tells whether a folder may hold something to open, though it may not be opened itself.
    fn is_open_to_parts(&self, path: &Path) -> bool {
        let holds_home = self.homes.iter().any(|home| home.starts_with(path));
        let secret = |home: &PathBuf| {
            let first = path.strip_prefix(home).ok().and_then(|below| below.components().next());
            first.is_some_and(|first| SECRET.iter().any(|name| first.as_os_str() == *name))
        };
        path.parent().is_some() && !holds_home && !self.homes.iter().any(secret)
    }

    /// Counts the folders between a path and the home it lies in, or the root.
    fn depth(&self, path: &Path) -> usize {
        let below = self
            .homes
            .iter()
            .filter_map(|home| path.strip_prefix(home).ok())
            .min_by_key(|p| p.components().count());
        below.map_or_else(|| path.components().count().saturating_sub(1), |below| below.components().count())
    }
}

/// Tells whether a path lies in a system folder.
pub(super) fn is_system(path: &Path) -> bool {
    SYSTEM.iter().any(|folder| path.starts_with(folder))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Home {
        folder: tempfile::TempDir,
    }

    impl Home {
        fn new() -> Self {
            let home = Self { folder: tempfile::tempdir().unwrap() };
            for below in [
                ".ssh",
                ".aws",
                ".config/x",
                ".local/bin",
                "bin",
                ".cargo/bin",
                ".cargo/registry",
                ".rustup",
                ".nvm/versions/node/v20/bin",
                ".local/share/tool/bin",
                ".pyenv/versions/3/bin",
                "project/.venv/bin",
                "venv/bin",
                "go/pkg/mod",
            ] {
                fs::create_dir_all(home.at(below)).unwrap();
            }
            for file in [
                ".ssh/id",
                ".cargo/credentials.toml",
                ".local/share/tool/bin/tool",
                ".pyenv/versions/3/bin/python",
            ] {
                fs::write(home.at(file), "").unwrap();
            }
            home
        }

        fn at(&self, below: &str) -> PathBuf {
            fs::canonicalize(self.folder.path()).unwrap().join(below)
        }

        fn find(&self, path: &[&str], more: &[(&str, &str)]) -> Toolchain {
            let text = |path: PathBuf| path.to_str().unwrap().to_owned();
            let entries: Vec<_> = path.iter().map(|below| text(self.at(below))).collect();
            let mut environment = BTreeMap::from([
                ("HOME".to_owned(), text(self.at(""))),
                ("PATH".to_owned(), format!("{}:/usr/bin:.", entries.join(":"))),
            ]);
            environment.extend(more.iter().map(|(k, v)| ((*k).to_owned(), text(self.at(v)))));
            Toolchain::find(&environment, vec![self.at("")])
        }

        fn reads(&self, found: &Toolchain, below: &str) -> bool {
            found.read.iter().any(|open| self.at(below).starts_with(open))
        }
    }

    #[test]
    fn a_search_path_never_opens_the_home() {
        let home = Home::new();
        symlink(home.at(".ssh"), home.at("bin/keys")).unwrap();
        symlink(home.at(""), home.at("bin/home")).unwrap();
        symlink(home.at(".local/share/tool/bin/tool"), home.at(".local/bin/tool")).unwrap();
        let found = home.find(&["", "bin", ".local/bin", ".cargo/bin", ".ssh", ".config/x"], &[]);
        for closed in
            ["", ".ssh/id", ".aws", ".config/x", "project", ".cargo/credentials.toml", ".local/share/other"]
        {
            assert!(!home.reads(&found, closed), "{closed}: {:?}", found.read);
        }
        for open in [
            "bin/x",
            ".local/bin/x",
            ".local/share/tool/lib",
            ".cargo/bin/cargo",
            ".cargo/registry/x",
            ".rustup/x",
        ] {
            assert!(home.reads(&found, open), "{open}: {:?}", found.read);
        }
        assert!(found.path.ends_with(":/usr/bin"), "{}", found.path);
        assert!(!found.path.contains(".ssh"), "{}", found.path);
    }

    #[test]
    fn installations_are_opened_whole() {
        let home = Home::new();
        let found = home.find(&[".nvm/versions/node/v20/bin"], &[]);
        assert!(home.reads(&found, ".nvm/versions/node/v20/lib/node_modules"));
        assert_eq!(found.go_modules, Some(home.at("go/pkg/mod")));
    }

    #[test]
    fn a_virtual_environment_brings_its_interpreter() {
        for (name, path) in [("project/.venv", "project/.venv/bin"), ("venv", "venv/bin")] {
            let home = Home::new();
            let programs = home.at(".pyenv/versions/3/bin");
            fs::remove_dir_all(home.at(".cargo")).unwrap();
            fs::write(home.at(name).join("pyvenv.cfg"), format!("home = {}\n", programs.display())).unwrap();
            symlink(programs.join("python"), home.at(path).join("python")).unwrap();
            let found = home.find(&[path], &[]);
            for open in [&format!("{name}/lib/x"), ".pyenv/versions/3/lib/x"] {
                assert!(home.reads(&found, open), "{open}: {:?}", found.read);
            }
            let found = home.find(&[], &[("VIRTUAL_ENV", name)]);
            assert!(home.reads(&found, &format!("{name}/lib/x")));
            assert_eq!(found.variables["VIRTUAL_ENV"], home.at(name).to_str().unwrap());
        }
    }

    #[test]
    fn a_root_that_is_the_home_is_not_believed() {
        let home = Home::new();
        for name in ["RUSTUP_HOME", "GOROOT", "VIRTUAL_ENV", "CARGO_HOME", "GOPATH"] {
            for place in ["", ".ssh", "../"] {
                let found = home.find(&[], &[(name, place)]);
                assert!(!home.reads(&found, ".ssh/id"), "{name}={place}: {:?}", found.read);
                assert!(!home.reads(&found, "project"), "{name}={place}: {:?}", found.read);
            }
        }
    }
}
