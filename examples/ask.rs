//! What programs ask of HTTP beside the protocol, by crates that do it well: JSON (`serde_json`), queries and forms
//! (`serde_urlencoded`), authorisation (`headers`), redirects and decompression (layers of `tower-http`), cookies
//! (`cookie_store`). A few lines each.
//!
//! `cargo run -p http-tokio --example ask http://127.0.0.1:8080` asks an origin that has the paths below.

use cookie_store::CookieStore;
use headers::{Authorization, ContentType, HeaderMapExt};
use http::{Request, header};
use http_body_util::BodyExt;
use http_tokio::{Client, Full};
use serde_json::{Value, json};
use tower::{ServiceBuilder, ServiceExt};
use tower_http::decompression::DecompressionLayer;
use tower_http::follow_redirect::FollowRedirectLayer;

type Outcome<T = String> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How much is read of a response.
const MOST: usize = 64 * 1024;

#[tokio::main]
#[allow(dead_code)] // The tests have a beginning of their own.
async fn main() -> Outcome<()> {
    let origin = std::env::args().nth(1).ok_or("usage: ask ORIGIN")?;
    print!("{}", ask(&origin).await?);
    Ok(())
}

/// What comes of it, a line each.
pub(crate) async fn ask(origin: &str) -> Outcome {
    let client = http_tokio::client(Default::default());
    let mut told = String::new();
    for (what, answer) in [
        ("json", sending_json(&client, origin).await?),
        ("query", a_query(&client, origin).await?),
        ("form", a_form(&client, origin).await?),
        ("basic", a_password(&client, origin).await?),
        ("bearer", a_token(&client, origin).await?),
        ("redirects and decompression", wherever_it_is(&client, origin).await?),
        ("cookies", twice_the_same_visitor(&client, origin).await?),
    ] {
        told += &format!("{what}: {answer}\n");
    }
    Ok(told)
}

async fn sending_json(client: &Client, origin: &str) -> Outcome {
    let mut request = Request::post(format!("{origin}/json")).body(serde_json::to_vec(&json!({ "n": 20 }))?)?;
    request.headers_mut().typed_insert(ContentType::json());
    let answer: Value = serde_json::from_slice(&client.request(request).await?.into_body().bytes(MOST).await?)?;
    Ok(answer["n"].to_string())
}

async fn a_query(client: &Client, origin: &str) -> Outcome {
    let query = serde_urlencoded::to_string([("name", "J\u{fc}rgen & Co"), ("page", "2")])?;
    let request = Request::get(format!("{origin}/query?{query}")).body(())?;
    Ok(client.request(request).await?.into_body().text(MOST).await?)
}

async fn a_form(client: &Client, origin: &str) -> Outcome {
    let form = serde_urlencoded::to_string([("name", "a+b"), ("text", "c d")])?;
    let mut request = Request::post(format!("{origin}/form")).body(form)?;
    request.headers_mut().typed_insert(ContentType::form_url_encoded());
    Ok(client.request(request).await?.into_body().text(MOST).await?)
}

async fn a_password(client: &Client, origin: &str) -> Outcome {
    let mut request = Request::get(format!("{origin}/authorization")).body(())?;
    request.headers_mut().typed_insert(Authorization::basic("Aladdin", "open sesame"));
    Ok(client.request(request).await?.into_body().text(MOST).await?)
}

async fn a_token(client: &Client, origin: &str) -> Outcome {
    let mut request = Request::get(format!("{origin}/authorization")).body(())?;
    request.headers_mut().typed_insert(Authorization::bearer("mF_9.B5f-4.1JqM")?);
    Ok(client.request(request).await?.into_body().text(MOST).await?)
}

/// The client is a service of `tower`; layers around it do the rest.
async fn wherever_it_is(client: &Client, origin: &str) -> Outcome {
    let layers = ServiceBuilder::new().layer(FollowRedirectLayer::new()).layer(DecompressionLayer::new());
    let response =
        layers.service(client.clone()).oneshot(Request::get(format!("{origin}/moved")).body(Full::default())?);
    let content = http_body_util::Limited::new(response.await?.into_body(), MOST).collect().await?.to_bytes();
    Ok(String::from_utf8(content.into())?)
}

async fn twice_the_same_visitor(client: &Client, origin: &str) -> Outcome {
    let (mut cookies, url) = (CookieStore::default(), format!("{origin}/visit"));
    let response = client.request(Request::get(&url).body(())?).await?;
    for cookie in response.headers().get_all(header::SET_COOKIE) {
        cookies.parse(cookie.to_str()?, &url.parse()?)?;
    }
    let kept: Vec<_> =
        cookies.get_request_values(&url.parse()?).map(|(name, value)| format!("{name}={value}")).collect();
    let request = Request::get(&url).header(header::COOKIE, kept.join("; ")).body(())?;
    Ok(client.request(request).await?.into_body().text(MOST).await?)
}
