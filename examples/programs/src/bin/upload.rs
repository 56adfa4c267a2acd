//! Takes files from a page that shows how far they are: `upload [--folder PATH] [--most BYTES] [--port N]`.

#[path = "../../../shared/args.rs"]
mod args;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use http_tokio::{Body, Incoming, service_fn};
use programs::{Answer, Error, listen, page, server, text};
use tokio::fs;
use tokio::io::AsyncWriteExt;

struct Store {
    folder: PathBuf,
    most: u64,
    taken: AtomicU64,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let usage = "upload [--folder PATH] [--most BYTES] [--port N]";
    let args = args::Args::parse(usage, &["folder", "most", "port"]);
    let store = Arc::new(Store {
        folder: args.get(usage, "folder", ".".into()),
        most: args.get(usage, "most", 1 << 30),
        taken: AtomicU64::new(0),
    });
    let listener = listen("http", args.get(usage, "port", 0)).await?;
    let service = service_fn(move |request| {
        let store = store.clone();
        async move { Ok::<_, Infallible>(store.answer(request).await) }
    });
    println!("{:?}", server()?.serve(listener, service).await);
    Ok(())
}

impl Store {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        match (request.method(), path.strip_prefix("/files/")) {
            (&Method::GET, None) if path == "/" => page(include_str!("../pages/upload.html")),
            (&Method::PUT, Some(name)) if is_plain(name) => self.take(name, request.into_body()).await,
            (&Method::PUT, Some(_)) => {
                text(StatusCode::BAD_REQUEST, "a name is of letters, digits, '.', '-' and '_'\n")
            }
            _ => text(StatusCode::NOT_FOUND, "there is / and /files/NAME\n"),
        }
    }

    /// Keeps content under a name, once all of it is there.
    async fn take(&self, name: &str, body: Incoming) -> Answer {
        // A client that waits for 100 (Continue) hears this before it has sent anything.
        if body.size_hint().lower() > self.most {
            return self.too_large();
        }
        let part = self.folder.join(format!(".{}.part", self.taken.fetch_add(1, Ordering::Relaxed)));
        let taken = self.write(&part, body).await;
        let kept = match taken {
            Ok(Some(length)) => fs::rename(&part, self.folder.join(name)).await.map(|()| Some(length)),
            Ok(None) => Ok(None),
            Err(error) => Err(std::io::Error::other(error)),
        };
        if !matches!(kept, Ok(Some(_))) {
            let _ = fs::remove_file(&part).await;
        }
        match kept {
            Ok(Some(length)) => text(StatusCode::CREATED, format!("{name}: {length} bytes\n")),
            Ok(None) => self.too_large(),
            Err(error) => {
                eprintln!("{name}: {error}");
                text(StatusCode::INTERNAL_SERVER_ERROR, "it could not be kept\n")
            }
        }
    }

    /// Writes content to a file as it comes, so that no more of it is in memory than one piece; `None`: it is too much.
    async fn write(&self, part: &Path, mut body: Incoming) -> Result<Option<u64>, Error> {
        let (mut file, mut length) = (fs::File::create(part).await?, 0);
        while let Some(frame) = body.frame().await {
            let Ok(piece) = frame?.into_data() else { continue };
            length += piece.len() as u64;
            if length > self.most {
                return Ok(None);
            }
            file.write_all(&piece).await?;
        }
        file.sync_all().await?;
        Ok(Some(length))
    }

    fn too_large(&self) -> Answer {
        text(StatusCode::PAYLOAD_TOO_LARGE, format!("{} bytes at most\n", self.most))
    }
}

/// Whether a name can be no other place than the folder, and hides nothing.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
