//! TLS to targets: our own verifier, for three things the HTTP library does not offer.
//!
//! The roots of the system are read when the first certificate has to be checked, so that a machine
//! without any still scrapes over plain HTTP; the name to check may be another than the URL's host;
//! and the files may change while we run.

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;

use rustls::CertificateError;
use rustls::DigitallySignedStruct;
use rustls::Error;
use rustls::RootCertStore;
use rustls::SignatureScheme;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::danger::ServerCertVerified;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;

use crate::scrape::config::TlsConfig;
use crate::scrape::config::TlsVersion;

/// What the files of a [`TlsConfig`] held when they were read last; equal material needs no new
/// client.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Material {
    /// Roots to trust, PEM.
    pub(super) ca: Option<Vec<u8>>,
    /// Certificate chain and private key, PEM.
    pub(super) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Material").finish_non_exhaustive()
    }
}

/// A fault in the certificates or the key: what it is in, and what it is.
pub(super) type Fault = (&'static str, String);

/// The TLS client for `config` with `material`.
pub(super) fn client_config(
    config: &TlsConfig,
    material: &Material,
) -> Result<rustls::ClientConfig, Fault> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions: &[&rustls::SupportedProtocolVersion] = match config.min_version {
        TlsVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        TlsVersion::Tls13 => &[&rustls::version::TLS13],
    };
    let verifier = Verifier {
        provider: Arc::clone(&provider),
        accept_all: config.insecure_skip_verify,
        name: config.server_name.as_deref().map(server_name).transpose()?,
        webpki: OnceLock::new(),
    };
    if let Some(pem) = &material.ca {
        let roots = own_roots(pem)?;
        let checker = verifier.webpki(roots).map_err(|error| ("ca", error.to_string()))?;
        // The cell is new, so it is empty.
        let _ = verifier.webpki.set(Ok(checker));
    }
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| ("min_version", error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some((cert, key)) = &material.identity else {
        return Ok(builder.with_no_client_auth());
    };
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| ("key", error.to_string()))?;
    builder
        .with_client_auth_cert(certificates(cert).map_err(|cause| ("cert", cause))?, key)
        .map_err(|error| ("cert and key", error.to_string()))
}

/// Reads a `server_name`.
pub(super) fn server_name(name: &str) -> Result<ServerName<'static>, Fault> {
    ServerName::try_from(name.to_owned())
        .map_err(|_| ("server_name", format!("`{name}` is neither a host name nor an IP address")))
}

fn own_roots(pem: &[u8]) -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem).map_err(|cause| ("ca", cause))? {
        roots.add(certificate).map_err(|error| ("ca", error.to_string()))?;
    }
    Ok(roots)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let list: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    if list.is_empty() { Err("no certificate in PEM".to_owned()) } else { Ok(list) }
}

/// Checks what a target shows.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    accept_all: bool,
    /// Stands in for the URL's host.
    name: Option<ServerName<'static>>,
    /// Filled from `ca`, or from the system at the first check.
    webpki: OnceLock<Result<Arc<WebPkiServerVerifier>, Error>>,
}

impl Verifier {
    fn webpki(&self, roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>, Error> {
        let provider = Arc::clone(&self.provider);
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| Error::General(error.to_string()))
    }

    fn system(&self) -> Result<Arc<WebPkiServerVerifier>, Error> {
        let mut roots = RootCertStore::empty();
        // Single unreadable roots are no obstacle; none at all is.
        let (good, _) =
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if good == 0 {
            return Err(Error::General(
                "this system has no CA certificates; name some with `ca_file`".to_owned(),
            ));
        }
        self.webpki(roots)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.accept_all {
            return Ok(ServerCertVerified::assertion());
        }
        let name = self.name.as_ref().unwrap_or(server_name);
        let webpki = self.webpki.get_or_init(|| self.system()).as_ref().map_err(Clone::clone)?;
        match webpki.verify_server_cert(end_entity, intermediates, name, ocsp_response, now) {
            // The library's word for it, `UnknownIssuer`, leaves the reader to guess.
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => Err(Error::General(
                "certificate is signed by an unknown authority; name it with `ca_file`".to_owned(),
            )),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
