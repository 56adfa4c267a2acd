//! Placeholder for the first commit of the workspace.
