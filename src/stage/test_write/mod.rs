//! `test-write`: the acceptance tests are written, before the change and apart from it.
