//! TLS to targets, with an authority of our own.

use std::path::Path;
use std::sync::Arc;

use cache_tuner_exporter::reason::Reason;
use cache_tuner_exporter::scrape::client::Client;
use cache_tuner_exporter::scrape::client::ClientError;
use cache_tuner_exporter::scrape::config::ClientConfig;
use cache_tuner_exporter::scrape::config::Identity;
use cache_tuner_exporter::scrape::config::Source;
use cache_tuner_exporter::scrape::config::TlsConfig;
use cache_tuner_exporter::scrape::config::TlsVersion;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::DnType;
use rcgen::IsCa;
use rcgen::KeyPair;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::TLS12;
use tokio_rustls::rustls::version::TLS13;

use super::server::Answer;
use super::server::Server;
use super::server::scrape;

/// A certificate authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        // Two authorities of the same name would be taken for one whose signature is wrong.
        params.distinguished_name.push(DnType::CommonName, key.public_key_pem());
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// A certificate for `name` and its key.
    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }

    fn trusted(&self) -> TlsConfig {
        TlsConfig { ca: Some(Source::inline(self.0.pem())), ..TlsConfig::default() }
    }

    fn identity(&self) -> Identity {
        let (cert, key) = self.issue("tuner");
        Identity { cert: Source::inline(cert.pem()), key: Source::inline(key.serialize_pem()) }
    }

    /// A target with a certificate for `name`; with `clients`, only for those it signed.
    async fn server(&self, name: &str, old: bool, clients: Option<&Self>) -> Server {
        let provider = Arc::new(ring::default_provider());
        let versions = if old { vec![&TLS12] } else { vec![&TLS13, &TLS12] };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.0.der().clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let (cert, key) = self.issue(name);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = builder.with_single_cert(vec![cert.der().clone()], key).unwrap();
        Server::start_tls(TlsAcceptor::from(Arc::new(config))).await
    }
}

#[track_caller]
fn config(tls: TlsConfig) -> ClientConfig {
    ClientConfig { tls, ..ClientConfig::default() }
}

/// Scrapes and says how it failed, with the message, or `Ok` if it did not.
async fn outcome(server: &Server, tls: TlsConfig) -> Result<(), (Reason, String)> {
    match server.scrape(&config(tls)).await {
        Ok(body) => {
            assert_eq!(body.text, "up 1\n");
            Ok(())
        }
        Err(error) => Err((error.reason(), error.to_string())),
    }
}

#[tokio::test]
async fn an_own_authority_is_trusted_and_another_is_not() {
    let authority = Authority::new();
    let server = authority.server("127.0.0.1", false, None).await;
    assert_eq!(outcome(&server, authority.trusted()).await, Ok(()));
    let fault = outcome(&server, Authority::new().trusted()).await.unwrap_err();
    assert_eq!(fault.0, Reason::Tls);
    assert!(fault.1.contains("unknown authority"), "{}", fault.1);
    // The roots of this system do not know it either, whether there are any or not.
    assert_eq!(outcome(&server, TlsConfig::default()).await.unwrap_err().0, Reason::Tls);
}

#[tokio::test]
async fn insecure_skip_verify_takes_any_certificate() {
    let server = Authority::new().server("elsewhere", true, None).await;
    let tls = TlsConfig { insecure_skip_verify: true, ..TlsConfig::default() };
    assert_eq!(outcome(&server, tls).await, Ok(()));
}

#[tokio::test]
async fn server_name_stands_in_for_the_host() {
    let authority = Authority::new();
    let server = authority.server("cache.example", false, None).await;
    let named =
        |name: &str| TlsConfig { server_name: Some(name.to_owned()), ..authority.trusted() };
    assert_eq!(outcome(&server, named("cache.example")).await, Ok(()));
    assert_eq!(outcome(&server, named("other.example")).await.unwrap_err().0, Reason::Tls);
    assert_eq!(outcome(&server, authority.trusted()).await.unwrap_err().0, Reason::Tls);
}

#[tokio::test]
async fn min_version_is_held() {
    let authority = Authority::new();
    let server = authority.server("127.0.0.1", true, None).await;
    assert_eq!(outcome(&server, authority.trusted()).await, Ok(()));
    let tls = TlsConfig { min_version: TlsVersion::Tls13, ..authority.trusted() };
    assert_eq!(outcome(&server, tls).await.unwrap_err().0, Reason::Tls);
}

#[tokio::test]
async fn mutual_tls_shows_our_certificate() {
    let (authority, clients) = (Authority::new(), Authority::new());
    for old in [true, false] {
        let server = authority.server("127.0.0.1", old, Some(&clients)).await;
        let own = |identity| TlsConfig { identity, ..authority.trusted() };
        assert_eq!(outcome(&server, own(Some(clients.identity()))).await, Ok(()));
        for wrong in [None, Some(Authority::new().identity())] {
            assert_eq!(outcome(&server, own(wrong)).await.unwrap_err().0, Reason::Tls);
        }
    }
}

#[tokio::test]
async fn rotated_files_hold_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    let write = |path: &Path, authority: &Authority| {
        std::fs::write(path, authority.0.pem()).unwrap();
    };
    let authority = Authority::new();
    let server = authority.server("127.0.0.1", false, None).await;
    let tls = TlsConfig { ca: Some(Source::File(path.clone())), ..TlsConfig::default() };
    let client = Client::new(&config(tls)).unwrap();
    let reason = async || scrape(&client, &server.url).await.map_err(|error| error.reason()).err();
    assert_eq!(reason().await, Some(Reason::Credentials));
    write(&path, &Authority::new());
    assert_eq!(reason().await, Some(Reason::Tls));
    write(&path, &authority);
    assert_eq!(reason().await, None);
    std::fs::write(&path, "no certificate").unwrap();
    assert_eq!(reason().await, Some(Reason::Credentials));
}

#[tokio::test]
async fn tls_to_a_plain_target_is_named() {
    let server = Server::always(Answer::ok("", b"up 1\n")).await;
    let mut url = server.url.clone();
    url.set_scheme("https").unwrap();
    let client = Client::new(&ClientConfig::default()).unwrap();
    let error = scrape(&client, &url).await.unwrap_err();
    assert_eq!(error.reason(), Reason::Tls);
}

#[test]
fn faults_in_the_configuration_are_told_at_once() {
    let key = |tls| match Client::new(&config(tls)) {
        Err(ClientError::Tls { key, .. }) => key,
        other => panic!("{other:?}"),
    };
    let ca = Some(Source::inline("no certificate"));
    assert_eq!(key(TlsConfig { ca, ..TlsConfig::default() }), "ca");
    let server_name = Some("two words".to_owned());
    assert_eq!(key(TlsConfig { server_name, ..TlsConfig::default() }), "server_name");
    let identity = Some(Identity { key: Source::inline("x"), ..Authority::new().identity() });
    assert_eq!(key(TlsConfig { identity, ..TlsConfig::default() }), "key");
    let identity =
        Some(Identity { cert: Authority::new().identity().cert, ..Authority::new().identity() });
    assert_eq!(key(TlsConfig { identity, ..TlsConfig::default() }), "cert and key");
}
