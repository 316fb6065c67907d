use serde_json::json;

use super::*;
use crate::deliver::fcm::fake;

fn problem(text: &str) -> KeyProblem {
    ServiceAccount::parse(text).expect_err("no key file").problem
}

#[test]
fn a_key_file_is_read_and_never_shown() {
    let account = ServiceAccount::parse(&fake::key_json("https://token.example/t")).expect("a key file");
    assert_eq!(account.project_id, "bongsu-test");
    assert_eq!(account.token_uri, "https://token.example/t");
    assert_eq!(account.private_key_id.as_deref(), Some("key-1"));
    let shown = format!("{account:?}");
    assert!(shown.contains("bongsu-test") && !shown.contains("BEGIN") && !shown.contains("MII"), "{shown}");
}

#[test]
fn a_key_file_survives_editors_and_shells() {
    let mut file = fake::key_file("https://token.example/t");
    file["private_key"] = fake::private_pem().replace('\n', "\\n").into();
    let with_mark = format!("\u{feff}\r\n{file}\r\n");
    ServiceAccount::parse(&with_mark).expect("still a key file");
    file["private_key"] = fake::private_pem().replace('\n', "\r\n").into();
    ServiceAccount::parse(&file.to_string()).expect("still a key file");
}

#[test]
fn old_files_without_token_uri_or_key_id_do() {
    let mut file = fake::key_file("x");
    let fields = file.as_object_mut().expect("an object");
    fields.remove("token_uri");
    fields.remove("private_key_id");
    let account = ServiceAccount::parse(&file.to_string()).expect("a key file");
    assert_eq!(account.token_uri, "https://oauth2.googleapis.com/token");
    assert_eq!(account.private_key_id, None);
}

#[test]
fn every_wrong_file_is_named() {
    for (text, name) in [
        (r#"{"project_info":{"project_id":"p"},"client":[]}"#, "google-services.json"),
        ("<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict/></plist>", "GoogleService-Info.plist"),
        (r#"{"apiKey":"k","authDomain":"p.firebaseapp.com","projectId":"p"}"#, "firebaseConfig"),
        ("const firebaseConfig = {\n  apiKey: \"k\",\n  authDomain: \"p\"\n};", "firebaseConfig"),
        (r#"{"installed":{"client_id":"c","client_secret":"s"}}"#, "OAuth client secret"),
        (r#"{"web":{"client_id":"c","client_secret":"s"}}"#, "OAuth client secret"),
        (r#"{"type":"authorized_user","client_id":"c","refresh_token":"r"}"#, "login of a person"),
        (r#"{"type":"external_account","audience":"a"}"#, "workload identity"),
        ("AAAAabcdefg:APA91bHun4MxP5egoKMwt2KZFBaFUH", "legacy server key"),
        ("AIzaSyA-1234567890", "API key"),
        ("-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----", "bare key"),
    ] {
        let error = ServiceAccount::parse(text).expect_err("no key file");
        assert!(matches!(error.problem, KeyProblem::WrongFile(_)), "{text}: {error}");
        assert!(error.to_string().contains(name), "{text}: {error}");
        assert!(error.to_string().contains("Generate new private key"), "{error}");
    }
}

#[test]
fn what_is_missing_or_broken_is_named() {
    assert_eq!(problem(""), KeyProblem::Empty);
    assert_eq!(problem(" \n"), KeyProblem::Empty);
    assert_eq!(problem("{\n \"type\": oops}"), KeyProblem::NotJson { line: 2, column: 10 });
    assert!(matches!(problem("[1]"), KeyProblem::WrongFile(_)));
    assert_eq!(problem("{}"), KeyProblem::Missing("type"));
    for field in ["type", "project_id", "client_email", "private_key"] {
        for value in [json!(null), json!(" "), json!(5)] {
            let mut file = fake::key_file("https://token.example/t");
            file[field] = value;
            assert_eq!(problem(&file.to_string()), KeyProblem::Missing(field));
        }
    }
    let pem = fake::private_pem();
    let half = pem.get(..pem.len() / 2).expect("ASCII");
    for (field, value, expected) in [
        ("type", "bad_type", KeyProblem::OtherType("bad_type".into())),
        ("project_id", "a/../b", KeyProblem::ProjectId),
        ("token_uri", "not a url", KeyProblem::TokenUri),
        ("token_uri", "file:///etc/passwd", KeyProblem::TokenUri),
        ("private_key", "<INSERT>", KeyProblem::PrivateKey),
        ("private_key", half, KeyProblem::PrivateKey),
        (
            "private_key",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            KeyProblem::PrivateKey,
        ),
    ] {
        let mut file = fake::key_file("https://token.example/t");
        file[field] = value.into();
        assert_eq!(problem(&file.to_string()), expected, "{field}");
    }
}
