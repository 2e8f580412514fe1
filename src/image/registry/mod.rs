//! The client's side of the OCI distribution specification: manifests and blobs, both ways.
//!
//! Everything that a registry says is hostile: each body has a limit, what has a digest is
//! checked against it, and a secret goes to no other host than the one it is for
//! (CVE-2020-15157). Requests are made on threads of their own: a caller that is interrupted
//! leaves at once, and the connections are shut behind it.
//!
//! Reading order: `client` is the connection; `exchange` sends one request and follows what it
//! answers; `policy` is all rules of security in one place; `authentication` (`challenge`,
//! `rights`, `credentials`, `credential_helper`) says who asks; `manifest` reads the documents;
//! `download` and `upload` move blobs; `pull`, `push` and `login` are the verbs; `tls` says which
//! certificates are trusted; `failure` puts what went wrong into words.

mod address;
mod agent;
mod authentication;
mod base;
mod challenge;
mod client;
mod credential;
mod credential_helper;
mod credentials;
mod download;
mod exchange;
mod failure;
pub(crate) mod login;
mod manifest;
mod policy;
mod pull;
mod push;
mod response;
mod retry;
mod rights;
mod tls;
mod upload;
mod waiting;
