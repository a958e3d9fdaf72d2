//! Words in, request out, exit code out.
