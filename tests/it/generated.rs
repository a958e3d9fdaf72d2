//! Generated files are what the code would generate.
