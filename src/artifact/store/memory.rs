//! A run folder in memory, for tests; it can be told to fail.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{ArtifactStore, StoreError};

/// A run folder in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    /// Writes left before the next one fails; `None`: never.
    writes_left: Option<u32>,
}

impl MemoryStore {
    /// Makes every write after the next `writes` fail, as a full disk would; `None` mends it.
    pub fn fail_after(&self, writes: Option<u32>) {
        self.state().writes_left = writes;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ArtifactStore for MemoryStore {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.state().files.get(path).cloned())
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let mut state = self.state();
        match &mut state.writes_left {
            Some(0) => {
                let source = std::io::ErrorKind::StorageFull.into();
                return Err(StoreError::Io { what: "write", path: path.into(), source });
            }
            Some(left) => *left -= 1,
            None => {}
        }
        state.files.insert(path.into(), bytes.into());
        Ok(())
    }

    fn append(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let mut whole = self.read(path)?.unwrap_or_default();
        whole.extend_from_slice(bytes);
        self.write(path, &whole)
    }

    fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.state().files.remove(path);
        Ok(())
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.state().files.keys().cloned().collect())
    }

    fn sweep(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn preserve(&self, paths: &[String], folder: &str) -> Result<(), StoreError> {
        let mut state = self.state();
        for path in paths {
            if let Some(bytes) = state.files.get(path).cloned() {
                state.files.insert(format!("{folder}/{path}"), bytes);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn conforms() {
        super::super::conforms(&super::MemoryStore::default());
    }
}
