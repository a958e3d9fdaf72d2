//! System calls that no build or test needs and that open ways out, and sockets where namespaces cannot be had.
//!
//! Must never be the only thing that stands between a command and a file.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op,
    SeccompCondition as Condition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

/// Which sockets may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sockets {
    /// None; only connected pairs.
    None,
    /// Unix, internet and netlink: the namespace or the config says how far they reach.
    Common,
}

/// Denied with `EPERM`: tracing, kernel keys and code, mounts, namespaces, clocks and other machine-wide state.
const DENIED: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_kcmp,
    #[cfg(not(all(target_arch = "aarch64", target_env = "musl")))]
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
];

/// Answered with `ENOSYS`, so that programs take their older way: `clone3` hides its flags from a filter.
const UNKNOWN: &[libc::c_long] =
    &[libc::SYS_clone3, libc::SYS_io_uring_enter, libc::SYS_io_uring_register, libc::SYS_io_uring_setup];

/// `clone` with one of these makes a namespace.
const NAMESPACES: &[libc::c_int] = &[
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// The bit that marks a call of the x32 ABI, which has the same architecture word as x86-64.
#[cfg(target_arch = "x86_64")]
const X32: i64 = 0x4000_0000;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Installs the filters on this thread and all it starts.
pub(super) fn restrict(sockets: Sockets) -> Result<(), seccompiler::Error> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    for (rules, errno) in [(denied(sockets)?, libc::EPERM), (always(UNKNOWN), libc::ENOSYS)] {
        let action = SeccompAction::Errno(errno.unsigned_abs());
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, arch)?;
        apply_filter(&BpfProgram::try_from(filter)?)?;
    }
    Ok(())
}

fn denied(sockets: Sockets) -> Result<Rules, BackendError> {
    let mut rules = always(DENIED);
    let mut add = |call: libc::c_long, alternatives: Vec<SeccompRule>| {
        for number in numbers(call) {
            rules.insert(number, alternatives.clone());
        }
    };
    add(libc::SYS_clone, namespace_flags()?);
    add(libc::SYS_ioctl, terminal_input()?);
    add(libc::SYS_socketpair, vec![other_than(&[libc::AF_UNIX])?]);
    match sockets {
        Sockets::None => add(libc::SYS_socket, Vec::new()),
        Sockets::Common => {
            let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
            add(libc::SYS_socket, vec![other_than(&families)?]);
        }
    }
    Ok(rules)
}

fn always(calls: &[libc::c_long]) -> Rules {
    calls.iter().flat_map(|call| numbers(*call)).map(|number| (number, Vec::new())).collect()
}

/// The numbers one call goes by.
fn numbers(call: libc::c_long) -> Vec<i64> {
    #[cfg(target_arch = "x86_64")]
    return vec![call, call | X32];
    #[cfg(not(target_arch = "x86_64"))]
    return vec![call];
}

fn namespace_flags() -> Result<Vec<SeccompRule>, BackendError> {
    let flag = |flag: &libc::c_int| {
        let bit = u64::from(flag.unsigned_abs());
        SeccompRule::new(vec![Condition::new(0, Len::Qword, Op::MaskedEq(bit), bit)?])
    };
    NAMESPACES.iter().map(flag).collect()
}

/// Typing into a terminal one does not own.
fn terminal_input() -> Result<Vec<SeccompRule>, BackendError> {
    const TIOCLINUX: u64 = 0x541c;
    const TIOCSTI: u64 = 0x5412;
    let request = |request| SeccompRule::new(vec![Condition::new(1, Len::Dword, Op::Eq, request)?]);
    [TIOCLINUX, TIOCSTI].into_iter().map(request).collect()
}

fn other_than(families: &[libc::c_int]) -> Result<SeccompRule, BackendError> {
    let differs =
        |family: &libc::c_int| Condition::new(0, Len::Dword, Op::Ne, u64::from(family.unsigned_abs()));
    SeccompRule::new(families.iter().map(differs).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_compile_for_every_choice() {
        let arch = TargetArch::try_from(std::env::consts::ARCH).unwrap();
        for sockets in [Sockets::None, Sockets::Common] {
            let rules = denied(sockets).unwrap();
            assert!(rules.contains_key(&libc::SYS_ptrace), "{rules:?}");
            let filter =
                SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(1), arch).unwrap();
            assert!(BpfProgram::try_from(filter).unwrap().len() < 4096);
        }
    }

    #[test]
    fn without_a_namespace_no_socket_call_is_conditional() {
        assert!(denied(Sockets::None).unwrap()[&libc::SYS_socket].is_empty());
        assert!(!denied(Sockets::Common).unwrap()[&libc::SYS_socket].is_empty());
    }
}
