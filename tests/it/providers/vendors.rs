//! Checks against what the vendors publish and what others made of it; `tests/stand-ins/run` sets them up and runs them.

mod aimock;
mod schemas;

/// Returns what a stand-in is reached by; says loudly that nothing was checked where it is not there.
fn stand_in(variable: &str) -> Option<String> {
    let found = std::env::var(variable).ok();
    if found.is_none() {
        eprintln!("SKIPPED: {variable} is not set; `tests/stand-ins/run` sets it");
    }
    found
}
