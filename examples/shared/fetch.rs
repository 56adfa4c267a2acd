//! What fetches URLs, but for its sockets: see the example `fetch`.

use std::future::poll_fn;
use std::io::{IsTerminal, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::engine::Body;
use super::engine::client::{Builder, Dial, Network, Proxies};
use super::engine::core::Config;
use super::engine::core::dispatch::{Backoff, Policy};
use super::engine::tls::client_config;
use super::engine::tls::rustls::ClientConfig;
use super::engine::{Full, Incoming, Runtime};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use indicatif::{ProgressBar, ProgressStyle};

use super::narrate;

/// A transfer is long when it takes more than this.
const LONG: Duration = Duration::from_millis(500);

struct Plan {
    requests: Vec<Request<Full>>,
    roots: Option<ClientConfig>,
    output: Option<String>,
    verbose: bool,
    /// How often something is tried again, if that was said.
    retries: Option<u32>,
    timeout: Option<Duration>,
}

/// What went wrong, and the exit status that tells it.
struct Failure(u8, String);

/// Does what the command line of the program `name` says.
pub(crate) async fn run<D, R>(name: &str, network: Network<D, R>, runtime: R) -> ExitCode
where
    D: Dial,
    R: Runtime<Timer: Send> + Send + Sync + 'static,
{
    let result = match plan() {
        Ok(plan) => fetch(plan, network, runtime).await,
        Err(what) => Err(Failure(
            2,
            format!(
                "{what}\nusage: {name} [-X METHOD] [-H 'Name: value']... [-d DATA|@FILE] [-o FILE] [-v] [--retry N] \
                 [--timeout S] [--cacert FILE] URL..."
            ),
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(status, what)) => {
            eprintln!("{name}: {what}");
            ExitCode::from(status)
        }
    }
}

/// Reads the command line.
fn plan() -> Result<Plan, String> {
    let (mut method, mut data, mut output, mut roots, mut uris) = (None, None, None, None, Vec::new());
    let (mut fields, mut verbose, mut retries, mut timeout) = (Vec::new(), false, None, None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "-X" => method = Some(value()?),
            "-H" => fields.push(value()?),
            "-d" => data = Some(value()?),
            "-o" => output = Some(value()?),
            "-v" => verbose = true,
            "--retry" => retries = Some(value()?.parse().map_err(|_| "--retry needs a number")?),
            "--timeout" => {
                let seconds: f64 = value()?.parse().map_err(|_| "--timeout needs seconds")?;
                let most = Duration::try_from_secs_f64(seconds).map_err(|_| "--timeout needs seconds")?;
                timeout = Some(most);
            }
            "--cacert" => {
                let file = value()?;
                let pem = std::fs::read(&file).map_err(|error| format!("{file}: {error}"))?;
                roots = Some(client_config(&pem).map_err(|_| format!("{file} has no certificates"))?);
            }
            _ if word.starts_with('-') => return Err(format!("unknown option {word}")),
            _ => uris.push(word),
        }
    }
    if uris.is_empty() {
        return Err("a URL is missing".to_owned());
    }
    let data = match data.as_deref().map(|data| (data, data.strip_prefix('@'))) {
        Some((_, Some(file))) => Some(std::fs::read(file).map_err(|error| format!("{file}: {error}"))?),
        Some((data, None)) => Some(data.as_bytes().to_vec()),
        None => None,
    };
    let method = method.unwrap_or_else(|| if data.is_some() { "POST" } else { "GET" }.to_owned());
    let data = Bytes::from(data.unwrap_or_default());
    let request = |uri: &String| request(&method, uri, &fields, roots.is_some(), data.clone());
    let requests = uris.iter().map(request).collect::<Result<_, _>>()?;
    Ok(Plan { requests, roots, output, verbose, retries, timeout })
}

/// Whether one of the features says whom to trust.
const TRUSTS_SOMEBODY: bool =
    cfg!(any(feature = "tls-webpki-roots", feature = "tls-native-roots", feature = "tls-platform-verifier"));

fn request(method: &str, uri: &str, fields: &[String], has_roots: bool, data: Bytes) -> Result<Request<Full>, String> {
    let uri = if uri.contains("://") { uri.to_owned() } else { format!("http://{uri}") };
    // A fragment is not sent (RFC 9110 §4.2.5).
    let uri: Uri = uri.split('#').next().unwrap_or_default().parse().map_err(|_| format!("{uri} is no URL"))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") if has_roots || TRUSTS_SOMEBODY => {}
        Some("https") => return Err("https:// needs --cacert, or a feature that brings roots along".to_owned()),
        _ => return Err("only http:// and https://".to_owned()),
    }
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(headers) = request.headers_mut() {
        headers.insert("user-agent", HeaderValue::from_static(concat!("fetch/", env!("CARGO_PKG_VERSION"))));
        headers.insert("accept", HeaderValue::from_static("*/*"));
        let defaults: Vec<_> = headers.keys().cloned().collect();
        for field in fields {
            let (name, value) = field.split_once(':').ok_or_else(|| format!("{field:?} is not 'Name: value'"))?;
            let name: HeaderName = name.trim().parse().map_err(|_| format!("{name:?} is no field name"))?;
            let value = HeaderValue::from_str(value.trim()).map_err(|_| format!("{value:?} is no field value"))?;
            if defaults.contains(&name) {
                headers.insert(name, value);
            } else {
                headers.append(name, value);
            }
        }
    }
    request.body(Full::from(data)).map_err(|error| error.to_string())
}

async fn fetch<D, R>(plan: Plan, network: Network<D, R>, runtime: R) -> Result<(), Failure>
where
    D: Dial,
    R: Runtime<Timer: Send> + Send + Sync + 'static,
{
    let mut config = Config::default();
    config.dispatch = Policy::default()
        // One request follows the other, so that another connection would be one too many.
        .connections_per_origin(1)
        .connect_retries(plan.retries.unwrap_or(0))
        .backoff(Backoff::new(Duration::from_millis(500), Duration::from_secs(30)));
    // Otherwise as often as is usual: an origin may close a connection at the moment at which it is used again.
    if let Some(most) = plan.retries {
        config.dispatch.request_retries = most;
    }
    let mut builder = Builder::new();
    if let Some(most) = plan.timeout {
        config.timeouts.head = most;
        config.timeouts.content = most;
        builder = builder.timeout(most);
    }
    if plan.verbose {
        builder = builder.observer(Arc::new(narrate::Narrator::to_stderr()));
    }
    let mut network = network.proxies(Proxies::from_env().map_err(|error| Failure(2, error.to_string()))?);
    if let Some(roots) = plan.roots {
        network = network.tls(roots);
    }
    let client = builder.config(config).build(network, runtime);
    let mut output: Option<Box<dyn Write>> = None;
    // A bar among the content that is shown would be of no use.
    let watched = std::io::stderr().is_terminal() && (plan.output.is_some() || !std::io::stdout().is_terminal());
    for request in plan.requests {
        if plan.verbose {
            show('>', &format!("{} {}", request.method(), request.uri()), request.headers());
        }
        let response = client.request(request).await.map_err(|error| {
            let status = if error.is_connect() { 3 } else { 4 };
            let cause = std::error::Error::source(&error).map(|cause| format!(" ({cause})")).unwrap_or_default();
            Failure(status, format!("{error}{cause}"))
        })?;
        if plan.verbose {
            show('<', &response.status().to_string(), response.headers());
        }
        let output = match &mut output {
            Some(output) => output,
            // A file is not touched before something came that can be written to it.
            None => output.insert(match &plan.output {
                Some(file) => {
                    Box::new(std::fs::File::create(file).map_err(|error| Failure(6, format!("{file}: {error}")))?)
                }
                None => Box::new(std::io::stdout().lock()),
            }),
        };
        copy(response, output, watched).await?;
        output.flush().map_err(|error| Failure(6, error.to_string()))?;
    }
    Ok(())
}

/// Writes the content as it comes, with a bar if that takes long and is watched.
async fn copy(response: Response<Incoming>, output: &mut dyn Write, watched: bool) -> Result<(), Failure> {
    let mut body = pin!(response.into_body());
    let bar = match body.size_hint().exact() {
        Some(length) => {
            ProgressBar::new(length).with_style(style("{bar:40} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left"))
        }
        None => ProgressBar::new_spinner().with_style(style("{spinner} {bytes} {bytes_per_sec}")),
    };
    bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    let began = std::time::Instant::now();
    let mut hidden = watched;
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(|error| Failure(5, format!("the response was cut short: {error}")))?;
        if let Some(data) = frame.data_ref() {
            output.write_all(data).map_err(|error| Failure(6, format!("cannot write: {error}")))?;
            bar.inc(data.len() as u64);
        }
        if hidden && began.elapsed() > LONG {
            hidden = false;
            bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn show(mark: char, line: &str, headers: &http::HeaderMap) {
    eprintln!("{mark} {line}");
    for (name, value) in headers {
        eprintln!("{mark} {name}: {}", value.as_bytes().escape_ascii());
    }
}
