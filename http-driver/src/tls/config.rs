//! Configurations of `rustls`, as HTTP needs them.

use core::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier};

/// The names of HTTP in ALPN (RFC 7301 §6).
const HTTP_1_1: &[u8] = b"http/1.1";
const HTTP_1_0: &[u8] = b"http/1.0";

/// What was given is no chain of certificates with its key, or no roots.
///
/// ```
/// let bad = http_driver::tls::server_config(b"no certificate", b"no key").unwrap_err();
/// assert_eq!(bad.to_string(), "no certificates with a key that fits them");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadPem;

impl fmt::Display for BadPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no certificates with a key that fits them")
    }
}

impl core::error::Error for BadPem {}

/// A server's configuration from PEM: the chain of certificates, the server's own first, and its key.
///
/// # Errors
/// [`BadPem`]
pub fn server_config(certificates: &[u8], key: &[u8]) -> Result<ServerConfig, BadPem> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates).collect::<Result<_, _>>().map_err(|_| BadPem)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| BadPem)?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| BadPem)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|_| BadPem)?;
    Ok(offering_http(config))
}

/// A client's configuration that trusts these roots, which are PEM, and no others.
///
/// # Errors
/// [`BadPem`]
pub fn client_config(roots: &[u8]) -> Result<ClientConfig, BadPem> {
    let mut store = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(roots) {
        store.add(root.map_err(|_| BadPem)?).map_err(|_| BadPem)?;
    }
    if store.is_empty() { Err(BadPem) } else { trusting(store) }
}

/// The configuration of a client that was given none: with the roots that are bundled, or else those of the platform,
/// or else with the platform's own judgement.
pub(crate) fn usual() -> Option<ClientConfig> {
    #[cfg(feature = "tls-webpki-roots")]
    return trusting(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()).ok();
    #[cfg(all(feature = "tls-native-roots", not(feature = "tls-webpki-roots")))]
    {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        trusting(store).ok()
    }
    #[cfg(all(
        feature = "tls-platform-verifier",
        not(any(feature = "tls-native-roots", feature = "tls-webpki-roots"))
    ))]
    {
        use rustls_platform_verifier::BuilderVerifierExt;
        let verified = builder().ok()?.with_platform_verifier().ok()?;
        Some(asking_for_http(verified.with_no_client_auth()))
    }
    #[cfg(not(any(feature = "tls-native-roots", feature = "tls-platform-verifier", feature = "tls-webpki-roots")))]
    None
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, BadPem> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    builder.with_safe_default_protocol_versions().map_err(|_| BadPem)
}

fn trusting(roots: RootCertStore) -> Result<ClientConfig, BadPem> {
    Ok(asking_for_http(builder()?.with_root_certificates(roots).with_no_client_auth()))
}

/// HTTP/1.1 is what is spoken here, so it is what is asked for, whatever else the configuration is for.
pub(crate) fn asking_for_http(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    config
}

/// Clients that name HTTP/1.0 alone are answered as those are that speak it in plain. Without it the handshake would
/// fail (RFC 7301 §3.2).
pub(super) fn offering_http(mut config: ServerConfig) -> ServerConfig {
    config.alpn_protocols = vec![HTTP_1_1.to_vec(), HTTP_1_0.to_vec()];
    config
}
