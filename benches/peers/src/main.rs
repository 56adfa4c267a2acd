//! The clients that ours is compared with, and that have dependencies of their own: `peer-clients reqwest|ureq
//! --port N --mode seq|sink|joined --n N [--size S] [--conns C]`.
//!
//! Each as it is built without a word, but that it neither looks for a proxy nor delays what is short. The requests are
//! those of the example `load`, with the fields that each adds to them, and so are the options, as far as they are
//! here.

use std::error::Error;

use futures_util::future::try_join_all;

type Outcome<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "peer-clients reqwest|ureq --port N --mode seq|sink|joined --n N [--size S] [--conns C]";

struct Plan {
    uri: String,
    mode: Mode,
    requests: usize,
    content: Vec<u8>,
    joined: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Seq,
    Sink,
    Joined,
}

fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let name = words.next().ok_or(USAGE)?;
    let (mut port, mut mode, mut requests, mut size, mut joined) = (0_u16, Mode::Seq, 1000, 1024, 100);
    while let (Some(option), Some(value)) = (words.next(), words.next()) {
        match (option.as_str(), value.as_str()) {
            ("--port", port_number) => port = port_number.parse()?,
            ("--mode", "seq") => mode = Mode::Seq,
            ("--mode", "sink") => mode = Mode::Sink,
            ("--mode", "joined") => mode = Mode::Joined,
            ("--n", number) => requests = number.parse()?,
            ("--size", number) => size = number.parse()?,
            ("--conns", number) => joined = number.parse()?,
            _ => return Err(USAGE.into()),
        }
    }
    let path = if mode == Mode::Sink { "sink" } else { "plain" };
    let plan =
        Plan { uri: format!("http://127.0.0.1:{port}/{path}"), mode, requests, content: vec![b'0'; size], joined };
    match name.as_str() {
        "reqwest" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            // As a task, as `load` does it.
            let asking = async move { reqwest(&plan).await.map_err(|error| error.to_string()) };
            Ok(runtime.block_on(async { tokio::spawn(asking).await })??)
        }
        "ureq" if mode != Mode::Joined => ureq(&plan),
        _ => Err(USAGE.into()),
    }
}

async fn reqwest(plan: &Plan) -> Result<(), reqwest::Error> {
    let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
    let ask = || async {
        let request = match plan.mode {
            Mode::Sink => client.post(&plan.uri).body(plan.content.clone()),
            Mode::Seq | Mode::Joined => client.get(&plan.uri),
        };
        let mut response = request.send().await?.error_for_status()?;
        let mut length = 0;
        while let Some(piece) = response.chunk().await? {
            length += piece.len();
        }
        assert_ne!(length, 0);
        Ok(())
    };
    if plan.mode == Mode::Joined {
        for _ in 0..plan.requests / plan.joined {
            try_join_all((0..plan.joined).map(|_| ask())).await?;
        }
    } else {
        for _ in 0..plan.requests {
            ask().await?;
        }
    }
    Ok(())
}

fn ureq(plan: &Plan) -> Outcome<()> {
    let agent: ureq::Agent = ureq::Agent::config_builder().no_delay(true).proxy(None).build().into();
    for _ in 0..plan.requests {
        let response = match plan.mode {
            Mode::Sink => agent.post(&plan.uri).send(&plan.content[..])?,
            Mode::Seq | Mode::Joined => agent.get(&plan.uri).call()?,
        };
        assert_ne!(response.into_body().read_to_vec()?.len(), 0);
    }
    Ok(())
}
