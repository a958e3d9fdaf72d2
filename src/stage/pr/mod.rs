//! `pr`: branch, commits and pull request.
