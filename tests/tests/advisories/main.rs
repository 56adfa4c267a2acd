//! What went wrong in others: each security advisory, and each bug that was fixed, with a test that it is not here.
//!
//! Not here is what belongs to TLS, to the adapters' defaults or to other protocols: RUSTSEC-2016-0002 (host names of
//! certificates), RUSTSEC-2022-0055 (a default limit for content), those of HTTP/2 but for their kind, cheap floods.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

mod actix;
mod hyper;
mod rustsec;

use tests::beginnings::{GET, NEXT, NOTHING, chunked, client, post, refused, server, strict};
