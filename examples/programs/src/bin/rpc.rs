//! Calls between processes, as JSON-RPC 2.0 over a Unix socket: `rpc --serve PATH`, and
//! `rpc --call PATH --method NAME [--params JSON]`.

#[path = "../../../shared/args.rs"]
mod args;

use std::convert::Infallible;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use http_tokio::client::Builder;
use http_tokio::{Incoming, TokioRuntime, network, service_fn};
use programs::{Answer, Error, server, text, with_body};
use serde_json::{Value, json};
use tokio::net::UnixListener;

/// The longest call, and the longest answer.
const LONGEST: usize = 1 << 20;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let usage = "rpc --serve PATH, or rpc --call PATH --method NAME [--params JSON]";
    let args = args::Args::parse(usage, &["serve", "call", "method", "params"]);
    let [path, to, method, params] = ["serve", "call", "method", "params"].map(|it| args.get(usage, it, String::new()));
    if !path.is_empty() {
        return serve(&path).await;
    }
    if to.is_empty() || method.is_empty() {
        args::fail(usage, "somebody is served or called");
    }
    let params = if params.is_empty() { json!([]) } else { serde_json::from_str(&params)? };
    let answer = call(&to, &method, params).await?;
    println!("{answer}");
    Ok(())
}

/// Calls a method of the process that listens there.
async fn call(path: &str, method: &str, params: Value) -> Result<Value, Error> {
    let client = Builder::new().build(network().unix("rpc", path), TokioRuntime);
    let said = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let request = Request::post("http://rpc/").header(CONTENT_TYPE, "application/json").body(said)?;
    let answer = client.request(request).await?.into_body().text(LONGEST).await?;
    let answer: Value = serde_json::from_str(&answer)?;
    match answer.get("error") {
        None => Ok(answer["result"].clone()),
        Some(error) => Err(error.to_string().into()),
    }
}

async fn serve(path: &str) -> Result<(), Error> {
    // A socket that nobody listens to any more is left of a run before; one that somebody does is not taken away.
    if std::os::unix::net::UnixStream::connect(path).is_err() {
        let _ = std::fs::remove_file(path);
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    println!("serving {path}");
    let counter = Arc::new(AtomicI64::new(0));
    let service = service_fn(move |request| {
        let counter = counter.clone();
        async move { Ok::<_, Infallible>(answer(request, &counter).await) }
    });
    println!("{:?}", server()?.serve(listener, service).await);
    std::fs::remove_file(path)?;
    Ok(())
}

async fn answer(request: Request<Incoming>, counter: &AtomicI64) -> Answer {
    if request.method() != Method::POST {
        return text(StatusCode::METHOD_NOT_ALLOWED, "calls are POSTed\n");
    }
    let Ok(said) = request.into_body().text(LONGEST).await else {
        return text(StatusCode::BAD_REQUEST, "this is too long, or no text\n");
    };
    let call: Value = serde_json::from_str(&said).unwrap_or_default();
    let id = call.get("id").cloned();
    let outcome = match call.get("method").and_then(Value::as_str) {
        None if call.is_null() => Err((-32700, "this is no JSON")),
        None => Err((-32600, "this is no call")),
        Some(method) => run(method, &call["params"], counter),
    };
    let answer = match (outcome, id) {
        // Who calls without a number wants no answer.
        (_, None) if call.get("method").is_some() => return text(StatusCode::NO_CONTENT, ""),
        (Ok(result), id) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        (Err((code, message)), id) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
        }
    };
    with_body(StatusCode::OK, "application/json", Full::from(answer.to_string()))
}

/// What can be called.
fn run(method: &str, params: &Value, counter: &AtomicI64) -> Result<Value, (i32, &'static str)> {
    let numbers = || params.as_array()?.iter().map(Value::as_i64).collect::<Option<Vec<_>>>();
    match method {
        "add" => {
            let sum = numbers().and_then(|all| all.into_iter().try_fold(0_i64, i64::checked_add));
            sum.map(Value::from).ok_or((-32602, "add takes numbers"))
        }
        "count" => Ok(Value::from(counter.fetch_add(1, Ordering::Relaxed) + 1)),
        "echo" => Ok(params.clone()),
        _ => Err((-32601, "there is add, count and echo")),
    }
}
