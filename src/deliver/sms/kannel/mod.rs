//! Kannel, the gateway of one's own: `GET …/cgi-bin/sendsms` of its smsbox (Kannel User Guide, "Using the
//! HTTP interface to send SMS messages").

use jiff::Timestamp;
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};

mod answer;

use super::{
    number,
    provider::{Built, Provider},
    setup::SetupProblem,
};
use crate::{
    config::Encoding,
    deliver::{
        Text,
        wire::{Answer, Reading, http_url},
    },
};

/// Which reports are asked for: delivered (1), failed (2), taken (8) and refused (16) by the network; not
/// "kept for later" (4), from which nothing follows.
const REPORTS: u8 = 1 + 2 + 8 + 16;
/// 7-bit letters, and 16-bit ones for everything else.
const CODING_GSM7: &str = "0";
const CODING_UCS2: &str = "2";

pub(super) struct Kannel {
    url: Url,
    username: String,
    password: SecretString,
    from: String,
}

impl Kannel {
    pub(super) fn new(
        url: &SecretString,
        username: &str,
        password: &SecretString,
        from: Option<&str>,
    ) -> Result<Self, SetupProblem> {
        let url =
            http_url(url.expose_secret()).ok_or_else(|| SetupProblem::field("url", "is no HTTP address"))?;
        let from = from.ok_or(SetupProblem::NoFrom)?.to_owned();
        Ok(Self { url, username: username.to_owned(), password: password.clone(), from })
    }

    /// Everything travels in the address, the password too: it must not be shown.
    fn address(&self, text: &Text) -> Url {
        let coding = match text.fitted.encoding {
            Encoding::Gsm7 => CODING_GSM7,
            Encoding::Ucs2 | Encoding::EucKr => CODING_UCS2,
        };
        // The placeholders are Kannel's: the state as a number, and the network's own words.
        let report_url = format!("{}&state=%d&answer=%A", text.report_url);
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("username", &self.username)
            .append_pair("password", self.password.expose_secret())
            .append_pair("from", &self.from)
            .append_pair("to", &number::to_digits(&text.to))
            .append_pair("text", &text.fitted.text)
            // Without it Kannel reads UCS-2 texts as UTF-16BE.
            .append_pair("charset", "UTF-8")
            .append_pair("coding", coding)
            .append_pair("dlr-mask", &REPORTS.to_string())
            .append_pair("dlr-url", &report_url);
        url
    }
}

impl Provider for Kannel {
    fn request(&self, client: &Client, text: &Text, _: Timestamp) -> Built {
        Ok(client.get(self.address(text)))
    }

    fn reading(&self, answer: &Answer, text: &Text) -> Reading {
        let secret = self.password.expose_secret();
        let private =
            [&self.username, secret, &self.from, &text.fitted.text, &text.report_url].map(str::to_owned);
        answer::classify(answer, &private)
    }
}

#[cfg(test)]
mod tests;
