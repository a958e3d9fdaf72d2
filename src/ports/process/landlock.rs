//! Files: what the kernel's Landlock lets a command read, execute and write.
//!
//! Must never report an ABI that is not in force.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

/// The newest ABI this code knows; older kernels give what they have.
const NEWEST: ABI = ABI::V9;

/// Restricts this thread and all it starts; returns the ABI in force, 0 when the kernel has none.
pub(super) fn restrict(read: &[PathBuf], write: &[PathBuf]) -> Result<i32, RulesetError> {
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    let ruleset = open(ruleset, read, AccessFs::from_read(NEWEST))?;
    let ruleset = open(ruleset, write, writable())?;
    let status = ruleset.restrict_self()?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => 0,
        (_, LandlockStatus::Available { effective_abi, .. }) => effective_abi as i32,
        _ => 0,
    })
}

/// Everything but devices: a made device node would be a way around every other rule.
fn writable() -> BitFlags<AccessFs> {
    AccessFs::from_all(NEWEST) & !(AccessFs::MakeBlock | AccessFs::MakeChar | AccessFs::IoctlDev)
}

/// Opens paths; one that is not there opens nothing and is no fault.
fn open(
    mut ruleset: RulesetCreated,
    paths: &[PathBuf],
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    for path in paths {
        let Ok(fd) = PathFd::new(path) else { continue };
        let access = if path.is_dir() { access } else { access & file_access(path) };
        ruleset = ruleset.add_rule(PathBeneath::new(fd, access))?;
    }
    Ok(ruleset)
}

/// The rights that mean anything on a file; terminals are asked for by `ioctl` on devices.
fn file_access(path: &Path) -> BitFlags<AccessFs> {
    let files = AccessFs::from_file(NEWEST);
    if path.starts_with("/dev") { files | AccessFs::IoctlDev } else { files }
}
