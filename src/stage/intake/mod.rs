//! `intake`: a request becomes a task.
