//! When what of an exchange happened, as its response tells.

use http::Request;
use http_driver::Full;
use http_driver::client::Builder;
use http_driver::observe::Timings;
use http_driver::server::Options;

use crate::measured::Measured;
use crate::sockets::clients::{Networked, client, content, get};
use crate::sockets::servers::{Running, server};
use crate::sockets::site::Site;
use crate::sockets::strangers::anywhere;
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};
use crate::{fine, service};

async fn a_response_tells_when_what_happened<W: World>(world: W) -> Outcome {
    let served = world.clone();
    let running = Running::start(&world, server(&world), move |request| service(served.clone(), request)).await?;
    let client = Builder::new().timings(true).build(world.connector(), world.runtime());
    for number in 0..3 {
        let request = Request::post(format!("http://localhost:{}/echo", running.address.port()));
        let response = client.request(request.body(Full::from("x".repeat(300_000)))?).await?;
        let (parts, body) = response.into_parts();
        let early = Timings::of(&parts.extensions).expect("it was asked for");
        assert_eq!(early.last_byte(), None);
        assert_eq!(content(body).await?.len(), 300_000);
        let timings = Timings::of(&parts.extensions).expect("it was asked for");
        assert_eq!((timings.request_content(), timings.response_content()), (300_000, 300_000));
        let [Some(queued), Some(sent), Some(first), Some(last)] =
            [timings.queued(), timings.sent(), timings.first_byte(), timings.last_byte()]
        else {
            panic!("{timings:?}");
        };
        assert!(queued <= sent && queued <= first && first <= last, "{timings:?}");
        assert_eq!(timings.reused(), number > 0);
        let made = [timings.resolve(), timings.connect()];
        assert!(made.iter().all(|part| part.is_some() == (number == 0)), "{timings:?}");
        assert!(made.iter().flatten().sum::<std::time::Duration>() <= queued, "{timings:?}");
        assert_eq!((timings.tls(), timings.proxy(), timings.resends()), (None, None, 0));
    }
    // All of it is there with the head.
    let response = client.request(get(running.address, "/fine")).await?;
    let timings = Timings::of(response.extensions()).expect("it was asked for");
    assert!(timings.last_byte().is_some() && timings.response_content() == 4, "{timings:?}");
    Ok(())
}

async fn over_tls_its_part_is_told_and_the_scheme<W: Networked>(world: W) -> Outcome {
    let (site, measured) = (Site::secured(world.clone()), Measured::default());
    let server = server(&world).options(Options::default().metrics(measured.receiver()));
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let _running = site.serve_on((listener, address), server, fine());
    let client = Builder::new().timings(true).build(site.network(), world.runtime());
    let request = Request::get(format!("https://localhost:{}/", address.port())).body(Full::default())?;
    let response = client.request(request).await?;
    let timings = Timings::of(response.extensions()).expect("it was asked for");
    // There are no names to be resolved here.
    let made = [timings.connect(), timings.tls()];
    assert!(made.iter().all(Option::is_some) && timings.proxy().is_none(), "{timings:?}");
    eventually(&world, "it is counted", || measured.ended().len() == 1).await;
    assert_eq!(measured.ended()[0].facts.scheme(), "https");
    Ok(())
}

async fn whoever_does_not_ask_is_not_told<W: World>(world: W) -> Outcome {
    let served = world.clone();
    let running = Running::start(&world, server(&world), move |request| service(served.clone(), request)).await?;
    let response = client(&world).request(get(running.address, "/fine")).await?;
    assert_eq!(Timings::of(response.extensions()), None);
    Ok(())
}

on_both! {
    over_tls_its_part_is_told_and_the_scheme
    a_response_tells_when_what_happened
    whoever_does_not_ask_is_not_told
}
