//! A world of its own: users, mounts, processes, IPC and network, made without root.
//!
//! Must never map more than the person who runs it, and must never leave a way back to the machine's sockets.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};
use nix::unistd::{getegid, geteuid};

use super::machine;

/// Where programs share memory by name.
pub(super) const SHARED_MEMORY: &str = "/dev/shm";

/// Leaves the machine's namespaces; the next process started is the first of the new PID namespace.
pub(super) fn enter(network: bool) -> io::Result<()> {
    let (user, group) = (geteuid(), getegid());
    let mut flags = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC;
    if !network {
        flags |= CloneFlags::CLONE_NEWNET;
    }
    unshare(flags)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
}

/// Cuts the mounts off from the machine's, so that nothing done here is seen there.
pub(super) fn own_mounts() -> io::Result<()> {
    let none: Option<&str> = None;
    Ok(mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none)?)
}

/// Shows only this namespace's processes in `/proc`.
pub(super) fn own_proc() -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    Ok(mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>)?)
}

/// Covers the folders of run-time sockets and shared memory, and each further socket of the machine.
///
/// A folder that holds one of `needed` cannot be covered as a whole; its sockets are hidden one by one.
pub(super) fn hide(sockets: &[PathBuf], needed: &[&Path], shared_memory: u64) -> io::Result<()> {
    let resolver = machine::resolver().and_then(|path| Some((fs::read(&path).ok()?, path)));
    let restored = resolver.as_ref().map(|(_, path)| path.as_path());
    let spared = [restored, Some(Path::new(SHARED_MEMORY))];
    let is_free = |folder: &Path| {
        let needs = |path: &&Path| path.starts_with(folder) && !spared.contains(&Some(*path));
        is_real_folder(folder) && !needed.iter().any(needs)
    };
    for folder in ["/run", "/var/run"].map(Path::new).into_iter().filter(|folder| is_free(folder)) {
        cover(folder, "mode=755,size=1m")?;
    }
    if is_free(Path::new(SHARED_MEMORY)) {
        cover(Path::new(SHARED_MEMORY), &format!("mode=1777,size={shared_memory}"))?;
    }
    for socket in sockets.iter().filter(|socket| socket.exists()) {
        mount(Some("/dev/null"), socket.as_path(), None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
    }
    restore(resolver)
}

/// Puts the resolver's settings back: systems keep them below `/run`, and a command with network needs them.
fn restore(file: Option<(Vec<u8>, PathBuf)>) -> io::Result<()> {
    let Some((text, path)) = file.filter(|(_, path)| !path.exists()) else { return Ok(()) };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

fn is_real_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

fn cover(folder: &Path, options: &str) -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    Ok(mount(Some("tmpfs"), folder, Some("tmpfs"), flags, Some(options))?)
}

/// Brings up the loopback device, the only one there is.
pub(super) fn loopback_up() -> io::Result<()> {
    let fd =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    sendto(fd.as_raw_fd(), &set_link_up(), &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut reply = [0; 256];
    let length = recv(fd.as_raw_fd(), &mut reply, MsgFlags::empty())?;
    match acknowledged(reply.get(..length).unwrap_or_default()) {
        Some(0) => Ok(()),
        Some(errno) => Err(io::Error::from_raw_os_error(errno.saturating_neg())),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// `RTM_NEWLINK` for device 1: a netlink header, then `ifinfomsg` with `IFF_UP`.
fn set_link_up() -> Vec<u8> {
    const LENGTH: u32 = 32;
    const RTM_NEWLINK: u16 = 16;
    const REQUEST_AND_ACK: u16 = 1 | 4;
    const LOOPBACK_INDEX: u32 = 1;
    const IFF_UP: u32 = 1;
    let mut message = Vec::new();
    message.extend(LENGTH.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(REQUEST_AND_ACK.to_ne_bytes());
    message.extend(1_u32.to_ne_bytes()); // sequence
    message.extend(0_u32.to_ne_bytes()); // to the kernel
    message.extend(0_u32.to_ne_bytes()); // any family, padding, any type
    message.extend(LOOPBACK_INDEX.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes()); // flags
    message.extend(IFF_UP.to_ne_bytes()); // which of them change
    message
}

/// Returns the error number of an acknowledgement: 0, or negative.
fn acknowledged(reply: &[u8]) -> Option<i32> {
    const NLMSG_ERROR: u16 = 2;
    let kind = u16::from_ne_bytes(reply.get(4..6)?.try_into().ok()?);
    (kind == NLMSG_ERROR).then_some(())?;
    Some(i32::from_ne_bytes(reply.get(16..20)?.try_into().ok()?))
}

/// Returns how many packets had nowhere to go in this process's network namespace.
pub(super) fn unroutable() -> u64 {
    let v4 =
        fs::read_to_string("/proc/self/net/snmp").ok().and_then(|text| column(&text, "Ip:", "OutNoRoutes"));
    let v6 = fs::read_to_string("/proc/self/net/snmp6").ok().and_then(|text| row(&text, "Ip6OutNoRoutes"));
    v4.unwrap_or_default().saturating_add(v6.unwrap_or_default())
}

fn column(text: &str, table: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter(|line| line.starts_with(table));
    let (names, values) = (lines.next()?, lines.next()?);
    let at = names.split_whitespace().position(|n| n == name)?;
    values.split_whitespace().nth(at)?.parse().ok()
}

fn row(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_message_has_the_length_it_says() {
        assert_eq!(set_link_up().len(), 32);
    }

    #[test]
    fn acknowledgements_are_read() {
        let mut reply = set_link_up();
        assert_eq!(acknowledged(&reply), None);
        reply[4..6].copy_from_slice(&2_u16.to_ne_bytes());
        reply[16..20].copy_from_slice(&(-1_i32).to_ne_bytes());
        assert_eq!(acknowledged(&reply), Some(-1));
        assert_eq!(acknowledged(&reply[..10]), None);
    }

    #[test]
    fn counters_are_found_by_name() {
        let snmp = "Ip: Forwarding OutNoRoutes InDelivers\nIp: 2 7 99\nTcp: RtoMin\nTcp: 200\n";
        assert_eq!(column(snmp, "Ip:", "OutNoRoutes"), Some(7));
        assert_eq!(column(snmp, "Ip:", "Other"), None);
        assert_eq!(row("Ip6InReceives 1\nIp6OutNoRoutes   \t4\n", "Ip6OutNoRoutes"), Some(4));
    }
}
