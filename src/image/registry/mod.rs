//! The client's side of the OCI distribution specification: manifests and blobs, both ways.
//!
//! Everything that a registry sends is untrusted: each body has a limit, content with a digest is
//! checked against it, and a secret is sent to no other host than its own (CVE-2020-15157).
//! Requests are made on separate threads: a caller that is interrupted returns immediately, and the
//! connections are shut.
//!
//! Reading order: `client` is the connection; `exchange` sends one request and handles its answer;
//! `policy` is all rules of security in one place; `authentication` (`challenge`, `rights`,
//! `credentials`, `credential_helper`) authorizes requests; `manifest` reads the documents;
//! `connection` joins the two; `tags` lists a repository;
//! `download` and `upload` transfer blobs; `pull`, `push` and `login` are the verbs; `tls` decides
//! which certificates are trusted; `failure` turns failures into errors.

mod address;
mod agent;
mod authentication;
mod base;
mod challenge;
mod client;
pub(crate) mod connection;
mod credential;
mod credential_helper;
pub(crate) mod credentials;
mod download;
mod exchange;
mod failure;
mod least_speed;
pub(crate) mod login;
pub(crate) mod manifest;
mod policy;
mod pull;
mod push;
mod response;
mod retry;
mod rights;
pub(crate) mod tags;
mod tls;
mod upload;
mod waiting;
