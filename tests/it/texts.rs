//! What arrives where somebody is texted, and what it costs.

use bongsu::deliver::sms::{Encoding, segments};

use crate::harness::{Harness, problem};

#[tokio::test]
async fn a_text_keeps_its_link_however_long_its_title_is_and_the_ledger_tells_its_price() {
    let h = Harness::start().await;
    for (id, title, beginning, price) in [
        ("1", "site down".to_owned(), "[Disaster] web01: site down https://", 1),
        ("2", "서버실 화재 ".repeat(100), "[Disaster] web01: 서버실 화재 서버실", 3),
    ] {
        let result = h.zabbix(problem(&title).severity(5).id(id)).await;
        h.settled().await;
        let text = h.texts().pop().expect("a text");
        let link = result["url"].as_str().expect("a link");
        assert!(text.starts_with(beginning) && text.ends_with(&format!(" {link}")), "{text}");
        let encoding = if text.is_ascii() { Encoding::Gsm7 } else { Encoding::Ucs2 };
        assert_eq!(segments(&text, encoding), price);
        let alert = h.alert(&result).await;
        let rows = alert["journal"].as_array().expect("a journal");
        let prices: Vec<_> = rows
            .iter()
            .filter(|row| row["entry"] == "attempt")
            .map(|row| (row["transport"].as_str(), row["segments"].as_u64()))
            .collect();
        assert!(prices.contains(&(Some("sms"), Some(u64::from(price)))), "{prices:?}");
        assert!(prices.contains(&(Some("push"), None)), "{prices:?}");
    }
}
