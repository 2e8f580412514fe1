//! Trusted certificates, and TLS with them.
//!
//! As in Go's programs, a server's own certificate is trusted if it is listed itself: webpki takes
//! a listed certificate only for that of an authority, and refuses a self-signed one.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore,
    SignatureScheme, StreamOwned,
};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use crate::model::error::Context;
use crate::model::{Error, Kind, Result};

/// Returns the certificates that the host trusts, and those that Docker would trust for this
/// registry.
pub(super) fn listed(domain: &str) -> Result<Vec<CertificateDer<'static>>> {
    // Certificates that cannot be read are skipped: then the registry is not trusted.
    let mut all = rustls_native_certs::load_native_certs().certs;
    let directory = Path::new("/etc/docker/certs.d").join(domain);
    for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "crt") {
            let what = || format!("cannot read the certificate `{}`", path.display());
            let text = std::fs::read(&path).context(what)?;
            for certificate in CertificateDer::pem_slice_iter(&text) {
                let unreadable =
                    |error| Error::new(Kind::Invalid, what()).cause(format!("{error}"));
                all.push(certificate.map_err(unreadable)?);
            }
        }
    }
    Ok(all)
}

/// Returns TLS that trusts the listed certificates.
pub(super) fn connector(listed: Vec<CertificateDer<'static>>) -> Result<Tls> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(listed.iter().cloned());
    let unusable = |error: &dyn fmt::Display| {
        Error::new(Kind::System, "cannot prepare TLS").cause(error.to_string())
    };
    // Without any certificate no server is trusted.
    let authorities = match roots.is_empty() {
        true => None,
        false => Some(
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .build()
                .map_err(|error| unusable(&error))?,
        ),
    };
    let schemes = provider.signature_verification_algorithms.supported_schemes();
    let verifier = Verifier { authorities, listed, schemes };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Tls(Arc::new(config)))
}

/// A verifier that trusts listed authorities, and listed servers.
#[derive(Debug)]
struct Verifier {
    authorities: Option<Arc<WebPkiServerVerifier>>,
    listed: Vec<CertificateDer<'static>>,
    schemes: Vec<SignatureScheme>,
}

impl Verifier {
    fn authorities(&self) -> Result<&WebPkiServerVerifier, rustls::Error> {
        let unknown_issuer = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        self.authorities.as_deref().ok_or(unknown_issuer)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let authorities = self.authorities()?;
        match authorities.verify_server_cert(server, between, name, ocsp, now) {
            // These errors come after the check of the dates; the name is checked last.
            Err(rustls::Error::InvalidCertificate(why))
                if (why == CertificateError::UnknownIssuer || is_of_authority(&why))
                    && self.listed.iter().any(|listed| listed == server) =>
            {
                let parsed = ParsedCertificate::try_from(server)?;
                rustls::client::verify_server_name(&parsed, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities()?.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities()?.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// Returns whether a server uses the certificate of an authority. rustls has no error of its own
/// for this and passes that of webpki on.
fn is_of_authority(why: &CertificateError) -> bool {
    matches!(why, CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity")
}

/// Explains a certificate error, with a hint.
pub(super) fn explain(why: &CertificateError, registry: &str) -> (String, String) {
    let place = format!("/etc/docker/certs.d/{registry}");
    let authority = format!("put the certificate of its authority into `{place}/ca.crt`");
    let clock = "check the clock of the host, or renew the registry's certificate";
    let renew = "renew the registry's certificate";
    let (words, hint) = match why {
        CertificateError::UnknownIssuer => {
            ("certificate signed by unknown authority", authority.as_str())
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("its certificate has expired", clock)
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("its certificate is not valid yet", clock)
        }
        CertificateError::NotValidForName => {
            ("its certificate is for another name", "use the name of the certificate")
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = presented.iter().map(|name| plain_name(name)).collect::<Vec<_>>();
            let words = match names.is_empty() {
                true => "its certificate names no host in its subjectAltName".to_owned(),
                false => format!("its certificate is for {}", names.join(", ")),
            };
            return (words, "use a name of the certificate".to_owned());
        }
        CertificateError::Revoked => ("its certificate was revoked", renew),
        CertificateError::BadEncoding => ("its certificate cannot be read", renew),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            ("its certificate is not for servers", renew)
        }
        _ if is_of_authority(why) => {
            let words = "its certificate is that of an authority that the host does not list";
            let hint = format!("put this certificate into `{place}/ca.crt`");
            return (words.to_owned(), hint);
        }
        CertificateError::Other(other) => {
            return (
                format!("its certificate is refused: {}", spelled(&other.to_string())),
                authority,
            );
        }
        other => return (format!("its certificate is refused: {other}"), authority),
    };
    (words.to_owned(), hint.to_owned())
}

/// Formats `DnsName("localhost")` and `IpAddress(127.0.0.1)`, as webpki writes names, without the
/// type.
fn plain_name(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    let bare = inner.unwrap_or(name).trim_matches('"');
    format!("`{}`", bare.chars().filter(|c| !c.is_control()).take(200).collect::<String>())
}

/// Splits `UnsupportedCertVersion` into words.
fn spelled(name: &str) -> String {
    name.chars().fold(String::new(), |mut words, c| {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
        words
    })
}

/// A connector with TLS; the rest of the chain is ureq's own.
#[derive(Debug)]
pub(super) struct Tls(Arc<ClientConfig>);

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, Wrapped>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| ureq::Error::Tls("the host is not a valid name of a certificate"))?;
        let mut connection = ClientConnection::new(self.0.clone(), name)?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(details.timeout);
        connection.complete_io(&mut socket)?;
        let sizes = (details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(Wrapped {
            buffers: LazyBuffers::new(sizes.0, sizes.1),
            stream: StreamOwned::new(connection, socket),
        })))
    }
}

/// A connection with TLS.
pub(super) struct Wrapped {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapped").finish_non_exhaustive()
    }
}

impl Transport for Wrapped {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
