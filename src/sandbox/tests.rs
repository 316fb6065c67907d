use std::collections::HashMap;

use aws_lc_rs::hmac;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::*;
use crate::clock::ManualClock;

mod google;
mod page;
mod sms;

/// A sandbox, its clock, and a sender that behaves.
struct Scene {
    sandbox: Sandbox,
    clock: Arc<ManualClock>,
    client: reqwest::Client,
    stop: CancellationToken,
    tasks: TaskTracker,
}

type Reply = (u16, HashMap<String, String>, String);

impl Scene {
    async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    #[expect(clippy::disallowed_methods, reason = "the sandbox is tested without the sender it serves")]
    async fn start_with(options: Options) -> Self {
        let clock = ManualClock::at("2026-11-22T01:02:03Z".parse().expect("an instant"));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let sandbox = Sandbox::start(options, clock.clone(), &tasks, stop.clone()).await.expect("starts");
        let mut client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        if let Some(pem) = sandbox.ca_pem() {
            client = client.tls_certs_only([reqwest::Certificate::from_pem(pem.as_bytes()).expect("PEM")]);
        }
        let client = client.build().expect("a client");
        Self { sandbox, clock, client, stop, tasks }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url())
    }

    async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Reply, reqwest::Error> {
        let mut request = self.client.post(self.url(path)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send().await?).await
    }

    async fn get(&self, path: &str) -> Reply {
        let response = self.client.get(self.url(path)).send().await.expect("an answer");
        read(response).await.expect("a body")
    }

    async fn exchange(&self, change: impl FnOnce(&mut Value)) -> Reply {
        let file: Value = serde_json::from_str(&self.sandbox.service_account_json()).expect("JSON");
        self.exchange_with(file["private_key"].as_str().expect("a key"), change).await
    }

    async fn exchange_with(&self, pem: &str, change: impl FnOnce(&mut Value)) -> Reply {
        let file: Value = serde_json::from_str(&self.sandbox.service_account_json()).expect("JSON");
        let now = self.clock.now().as_second();
        let mut claims = json!({
            "iss": file["client_email"], "aud": file["token_uri"], "iat": now - 10, "exp": now + 3590,
            "scope": "https://www.googleapis.com/auth/firebase.messaging",
        });
        change(&mut claims);
        let mut header = Header::new(Algorithm::RS256);
        header.kid = file["private_key_id"].as_str().map(str::to_owned);
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).expect("an RSA key");
        let assertion = jsonwebtoken::encode(&header, &claims, &key).expect("signs");
        let form =
            format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.post("/token", &headers, form).await.expect("an answer")
    }

    async fn access_token(&self) -> String {
        let (status, _, body) = self.exchange(|_| {}).await;
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3600)));
        body["access_token"].as_str().expect("a token").to_owned()
    }

    async fn push(&self, token: &str, message: &Value) -> Result<Reply, reqwest::Error> {
        self.push_to(PROJECT, token, json!({ "message": message }).to_string()).await
    }

    async fn push_to(&self, project: &str, token: &str, body: String) -> Result<Reply, reqwest::Error> {
        let path = format!("/v1/projects/{project}/messages:send");
        let headers = [("authorization", &*format!("Bearer {token}")), ("content-type", "application/json")];
        self.post(&path, &headers, body).await
    }

    async fn text(&self, body: &Value) -> Reply {
        let headers = [("content-type", "application/json")];
        self.post("/sms/send", &headers, body.to_string()).await.expect("an answer")
    }

    async fn solapi(&self, date: Timestamp, salt: &str, message: &Value) -> Reply {
        let sms = self.sandbox.sms();
        let (api_key, secret) = sms.solapi_credentials();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{date}{salt}").as_bytes());
        let signature = hex::of(tag.as_ref());
        let authorization =
            format!("HMAC-SHA256 apiKey={api_key}, date={date}, salt={salt}, signature={signature}");
        let headers = [("authorization", &*authorization), ("content-type", "application/json")];
        let body = json!({ "messages": [message], "showMessageList": true }).to_string();
        self.post("/messages/v4/send-many/detail", &headers, body).await.expect("an answer")
    }
}

async fn read(response: reqwest::Response) -> Result<Reply, reqwest::Error> {
    let status = response.status().as_u16();
    let named = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap_or_default().to_owned())
    };
    let headers = response.headers().iter().map(named).collect();
    Ok((status, headers, response.text().await?))
}

fn disk_full(target: &str) -> Value {
    json!({
        "token": target,
        "data": {
            "alert_id": "0193", "state": "triggered", "severity": "disaster", "title": "disk <full>", "body": "on db1",
            "integration": "zabbix", "url": "https://alerts.example.org/alerts/0193",
            "ack_url": "javascript:alert(1)", "tag": "t1",
        },
        "android": { "priority": "HIGH", "ttl": "3600s" },
    })
}

fn error_of(body: &str) -> Value {
    serde_json::from_str::<Value>(body).expect("JSON")["error"].clone()
}
