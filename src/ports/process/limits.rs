//! Resource limits and privileges of a process that is about to become the command.
//!
//! Must never raise a limit.

use caps::{CapSet, Capability};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::geteuid;

use super::spec::Rlimits;

/// Sets the limits of this process and all it starts.
pub(super) fn set(limits: &Rlimits) -> Result<(), Errno> {
    lower(Resource::RLIMIT_CORE, 0)?;
    lower(Resource::RLIMIT_FSIZE, limits.file)?;
    lower(Resource::RLIMIT_NOFILE, limits.open_files)?;
    limits.processes.map_or(Ok(()), |processes| lower(Resource::RLIMIT_NPROC, processes))
}

fn lower(resource: Resource, limit: u64) -> Result<(), Errno> {
    let (_, hard) = getrlimit(resource)?;
    let limit = limit.min(hard);
    setrlimit(resource, limit, limit)
}

/// Lets the next program this process starts keep what it needs to set up a namespace, though it is not root there.
pub(super) fn keep_for_setup() -> Result<(), caps::errors::CapsError> {
    for capability in [Capability::CAP_SYS_ADMIN, Capability::CAP_NET_ADMIN, Capability::CAP_SETPCAP] {
        caps::raise(None, CapSet::Inheritable, capability)?;
        caps::raise(None, CapSet::Ambient, capability)?;
    }
    Ok(())
}

/// Gives up every capability for good.
///
/// Without it, a command run by root would keep root's power over files and devices.
pub(super) fn drop_capabilities() -> Result<(), caps::errors::CapsError> {
    if !caps::read(None, CapSet::Permitted)?.is_empty() {
        caps::clear(None, CapSet::Ambient)?;
        caps::clear(None, CapSet::Inheritable)?;
        // Root gets everything in the bounding set back with the next program it starts.
        if geteuid().is_root() {
            caps::clear(None, CapSet::Bounding)?;
        }
        caps::clear(None, CapSet::Effective)?;
        caps::clear(None, CapSet::Permitted)?;
    }
    Ok(())
}
