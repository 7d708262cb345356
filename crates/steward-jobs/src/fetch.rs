//! Requests to platforms, bounded in time and size, over TLS or plain.
//!
//! Operators say where a platform's API is, and where packets are sent, so an address may lead anywhere. Link-local
//! addresses are refused, among them those at which clouds tell their machines' secrets, as a number and as what a name
//! resolves to, unless the configuration allows them; redirects are not followed. Platforms are also asked in private
//! networks, where they are run; packets are sent there only when the configuration allows it.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioExecutor;
use steward_app::connections::{FetchError, Fetched, HttpRequest, Method};
use tower_service::Service;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take to its end.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of an answer.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Which addresses requests may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Only public ones.
    Public,
    /// Those of private networks and of this machine as well.
    Private,
    /// Link-local ones as well.
    All,
}

impl Reach {
    /// Why an address is not gone to. `None` when it is.
    fn refuses(self, ip: IpAddr) -> Option<String> {
        match self {
            Self::All => None,
            _ if is_refused(ip) => Some(refusal()),
            Self::Public if is_private(ip) => Some(refusal_of_private()),
            _ => None,
        }
    }
}

/// What sends requests to platforms. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    reach: Reach,
    timeout: Duration,
}

impl Fetcher {
    /// What sends requests to the addresses that it may go to.
    pub(crate) fn new(reach: Reach) -> Result<Self, FetchError> {
        Self::with_timeout(reach, TIMEOUT)
    }

    pub(crate) fn with_timeout(reach: Reach, timeout: Duration) -> Result<Self, FetchError> {
        let mut http = HttpConnector::new_with_resolver(Resolver { inner: GaiResolver::new(), reach });
        http.enforce_http(false);
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let https = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| FetchError(format!("TLS cannot be set up: {error}")))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(https), reach, timeout })
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn fetch(&self, request: HttpRequest) -> Result<Fetched, FetchError> {
        match tokio::time::timeout(self.timeout, self.send(request)).await {
            Ok(result) => result,
            Err(_) => Err(FetchError(format!("it did not answer in {} s", self.timeout.as_secs().max(1)))),
        }
    }

    async fn send(&self, request: HttpRequest) -> Result<Fetched, FetchError> {
        let uri: http::Uri = request
            .url
            .parse()
            .map_err(|_| FetchError("the address of its API is none: look at what was entered".to_owned()))?;
        // A number is not resolved, so it is looked at here.
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        if let Some(why) = host.parse::<IpAddr>().ok().and_then(|ip| self.reach.refuses(ip)) {
            return Err(FetchError(why));
        }
        let method = match request.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
        };
        let mut built = http::Request::builder().method(method).uri(uri).header("user-agent", "Steward");
        for (name, value) in &request.headers {
            built = built.header(*name, value.as_str());
        }
        let body = Full::new(Bytes::from(request.body.unwrap_or_default()));
        let built =
            built.body(body).map_err(|_| FetchError("the API key holds characters that no header holds".to_owned()))?;
        let response = self.client.request(built).await.map_err(|error| FetchError(unreached(&error)))?;
        let status = response.status().as_u16();
        let retry_after_seconds = retry_after_seconds(response.headers());
        let body = Limited::new(response.into_body(), MAX_BYTES).collect().await;
        let body = body.map_err(|error| FetchError(format!("its answer broke off or is too large: {error}")))?;
        Ok(Fetched { status, retry_after_seconds, body: body.to_bytes() })
    }
}

/// How long the platform asks to wait: in seconds, or until an instant of its own clock.
fn retry_after_seconds(headers: &http::HeaderMap) -> Option<u32> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = text("retry-after")?;
    if let Ok(seconds) = asked.parse() {
        return Some(seconds);
    }
    let until = httpdate::parse_http_date(asked).ok()?;
    let now = httpdate::parse_http_date(text("date")?).ok()?;
    u32::try_from(until.duration_since(now).ok()?.as_secs()).ok()
}

fn refusal() -> String {
    "its address is link-local, where clouds keep the secrets of their machines; if it has to be asked, set \
     allow_link_local = true in steward.toml"
        .to_owned()
}

fn refusal_of_private() -> String {
    "its address is in a private network; if it has to be reached, set handoff.allow_private_addresses = true in \
     steward.toml"
        .to_owned()
}

/// Why a request got no answer, by its deepest cause; none of them holds a header.
fn unreached(error: &hyper_util::client::legacy::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    if error.is_connect() {
        format!(
            "no connection to it could be made ({deepest}); look at the address of its API, and whether it is reached from here"
        )
    } else {
        format!("it broke off before it answered ({deepest})")
    }
}

/// Whether an address is one that no platform's API has: link-local ones, those of clouds' metadata, and those of nobody.
fn is_refused(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_refused_v4(ip),
        IpAddr::V6(ip) => {
            let metadata = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
            let mapped = ip.to_ipv4_mapped().or_else(|| embedded(ip));
            mapped.is_some_and(is_refused_v4)
                || ip.is_unicast_link_local()
                || ip.is_multicast()
                || ip.is_unspecified()
                || ip == metadata
        }
    }
}

/// Whether an address is this machine's own, or one of a private network.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => {
            let mapped = ip.to_ipv4_mapped().or_else(|| embedded(ip));
            // Site-local ones are no more, and some networks have them still.
            let is_site_local = ip.segments()[0] & 0xffc0 == 0xfec0;
            mapped.is_some_and(is_private_v4) || ip.is_loopback() || ip.is_unique_local() || is_site_local
        }
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    // Shared by carriers; of protocols; for documents; for measurements; reserved.
    let is_special =
        (a, b & 0xc0) == (100, 64) || (a, b, c) == (192, 0, 0) || (a, b & 0xfe) == (198, 18) || a == 0 || a >= 240;
    ip.is_private() || ip.is_loopback() || ip.is_documentation() || is_special
}

fn is_refused_v4(ip: Ipv4Addr) -> bool {
    // Alibaba's, Oracle's and Azure's clouds tell their machines things at these.
    let metadata = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16)];
    ip.is_link_local() || metadata.contains(&ip) || ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast()
}

/// The address of version 4 inside of one of version 6 that gateways translate (64:ff9b::/96) or unpack (2002::/16), or
/// that was once written so.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = ip.segments();
    let (is_packed, high, low) = if a == 0x2002 { (true, b, c) } else { (false, high, low) };
    let is_translated = [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0];
    let is_compatible = [a, b, c, d, e, f] == [0; 6] && (high, low) != (0, 1);
    let [[w, x], [y, z]] = [high.to_be_bytes(), low.to_be_bytes()];
    (is_packed || is_translated || is_compatible).then(|| Ipv4Addr::new(w, x, y, z))
}

/// Resolves names, and leaves out addresses that are refused: what is checked is what is connected to.
#[derive(Debug, Clone)]
struct Resolver {
    inner: GaiResolver,
    reach: Reach,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.inner.call(name);
        let reach = self.reach;
        Box::pin(async move {
            let all: Vec<SocketAddr> = resolving.await?.collect();
            let why = all.iter().find_map(|address| reach.refuses(address.ip()));
            let allowed = all.into_iter().filter(|address| reach.refuses(address.ip()).is_none());
            let allowed: Vec<SocketAddr> = allowed.collect();
            match why {
                Some(why) if allowed.is_empty() => Err(io::Error::other(why)),
                _ => Ok(allowed.into_iter()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_metadata_are_refused_however_they_are_written() {
        for refused in [
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "0.0.0.0",
            "255.255.255.255",
            "fe80::1",
            "fd00:ec2::254",
            "::",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "::169.254.169.254",
            "2002:a9fe:a9fe::1",
        ] {
            assert!(is_refused(refused.parse().expect("an address")), "{refused}");
        }
        for allowed in ["127.0.0.1", "::1", "10.0.0.7", "192.168.1.2", "172.16.0.1", "fd12::1", "93.184.215.14"] {
            assert!(!is_refused(allowed.parse().expect("an address")), "{allowed}");
        }
    }

    #[test]
    fn addresses_of_private_networks_are_refused_where_only_public_ones_are_reached() {
        for private in [
            "127.0.0.1",
            "10.0.0.7",
            "192.168.1.2",
            "172.16.0.1",
            "100.64.0.1",
            "198.18.0.1",
            "0.1.2.3",
            "240.0.0.1",
            "::1",
            "fd12::1",
            "fec0::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "::127.0.0.1",
        ] {
            let ip = private.parse().expect("an address");
            assert!(Reach::Public.refuses(ip).is_some_and(|why| why.contains("private")), "{private}");
            assert_eq!(Reach::Private.refuses(ip), None, "{private}");
        }
        for public in ["93.184.215.14", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2606:2800:21f:cb07::1"] {
            assert_eq!(Reach::Public.refuses(public.parse().expect("an address")), None, "{public}");
        }
        let metadata = "169.254.169.254".parse().expect("an address");
        assert!(Reach::Public.refuses(metadata).is_some() && Reach::All.refuses(metadata).is_none());
    }

    #[test]
    fn a_wait_is_told_in_seconds_or_as_an_instant() {
        let waits = |after: &'static str, date: Option<&'static str>| {
            let mut headers = http::HeaderMap::new();
            headers.insert("retry-after", http::HeaderValue::from_static(after));
            if let Some(date) = date {
                headers.insert("date", http::HeaderValue::from_static(date));
            }
            retry_after_seconds(&headers)
        };
        let date = Some("Mon, 23 Nov 2026 12:30:00 GMT");
        assert_eq!(waits(" 90 ", None), Some(90));
        assert_eq!(waits("Mon, 23 Nov 2026 12:31:30 GMT", date), Some(90));
        assert_eq!(waits("Mon, 23 Nov 2026 12:29:00 GMT", date), None, "it is over");
        assert_eq!(waits("Mon, 23 Nov 2026 12:31:30 GMT", None), None);
        for nonsense in ["", "-1", "soon", "4294967296", "1.5"] {
            assert_eq!(waits(nonsense, date), None, "{nonsense}");
        }
    }

    #[tokio::test]
    async fn refused_addresses_are_not_connected_to() {
        let fetcher = Fetcher::new(Reach::Private).expect("a fetcher");
        let error_at = async |url: &str| {
            let request = HttpRequest { method: Method::Get, url: url.to_owned(), headers: Vec::new(), body: None };
            fetcher.fetch(request).await.expect_err(url).0
        };
        for url in [
            "http://169.254.169.254/latest",
            "http://[fe80::1]/",
            "http://0.0.0.0:1/",
            // Numbers that resolvers read as addresses.
            "http://2852039166/latest",
            "http://0xa9fea9fe/latest",
            "http://0251.0376.0251.0376/",
        ] {
            let error = error_at(url).await;
            assert!(error.contains("link-local"), "{url}: {error}");
        }
        for url in ["not a url", "http://"] {
            let error = error_at(url).await;
            assert!(error.contains("the address of its API is none"), "{url}: {error}");
        }
    }
}
