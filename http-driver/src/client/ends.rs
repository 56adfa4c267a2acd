//! The end of a client.

use std::sync::Arc;

use super::life::Core;
use super::origin::Connector;
use crate::io::Runtime;

/// Ends the client when the last of its users is gone.
pub(super) struct Handle<C, R>(Arc<Core<C, R>>)
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send;

impl<C, R> Handle<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    pub(super) const fn new(core: Arc<Core<C, R>>) -> Self {
        Self(core)
    }

    pub(super) const fn core(&self) -> &Arc<Core<C, R>> {
        &self.0
    }
}

impl<C, R> Drop for Handle<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn drop(&mut self) {
        self.0.pool.end(self.0.now());
    }
}
