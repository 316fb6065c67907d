//! A series is missing for a while, or Prometheus itself stands still: what fired is over, and then it fires again. People
//! are told of each once, whoever is between Prometheus and us.
//!
//! `BONGSU_GAP_SECONDS` says how long; `tests/long` waits ten minutes.

use std::{env, time::Duration};

use serde_json::{Value, json};

use crate::{
    bongsu_process::{Bongsu, Phones},
    prometheus_lab::{Alertmanager, Disks, Prometheus},
    prometheus_to_phone::{OFTEN, REPEATS, SOON, alerting, full, resolved, stage},
};

/// Five times as long as what a Prometheus says holds that repeats it every second.
const GAP_SECONDS: u64 = 20;

#[tokio::test]
async fn a_series_that_is_missing_for_a_while_is_told_by_prometheus_alone() {
    let (phones, bongsu, disks) = stage().await;
    let prometheus = Prometheus::start(&disks, OFTEN, &bongsu.setup(&["alertmanager", "--direct"])).await;
    let gap = Gap { phones, bongsu, disks, prometheus };
    gap.series_is_missing().await;
}

#[tokio::test]
async fn a_series_that_is_missing_for_a_while_is_told_by_an_alertmanager() {
    let (gap, _alertmanagers) = behind(1).await;
    gap.series_is_missing().await;
}

#[tokio::test]
async fn a_series_that_is_missing_for_a_while_is_told_by_a_pair_of_alertmanagers_once() {
    let (gap, _alertmanagers) = behind(2).await;
    gap.series_is_missing().await;
}

#[tokio::test]
async fn an_end_that_an_alertmanager_takes_back_is_told() {
    let (gap, _alertmanagers) = behind(1).await;
    gap.prometheus_stands_still().await;
}

#[tokio::test]
async fn an_end_that_a_pair_of_alertmanagers_takes_back_is_told_once() {
    let (gap, _alertmanagers) = behind(2).await;
    gap.prometheus_stands_still().await;
}

async fn behind(alertmanagers: usize) -> (Gap, Vec<Alertmanager>) {
    let (phones, bongsu, disks) = stage().await;
    let printed = bongsu.setup(&["alertmanager"]);
    let mut pair = Vec::new();
    for _ in 0..alertmanagers {
        pair.push(Alertmanager::start(&printed).await);
    }
    let targets: Vec<&Alertmanager> = pair.iter().collect();
    let prometheus = Prometheus::start(&disks, OFTEN, &alerting(&targets)).await;
    (Gap { phones, bongsu, disks, prometheus }, pair)
}

struct Gap {
    phones: Phones,
    bongsu: Bongsu,
    disks: Disks,
    prometheus: Prometheus,
}

impl Gap {
    async fn series_is_missing(self) {
        let first = self.fires().await;
        self.disks.hide("web01");
        self.is_over(&first).await;
        lasts().await;
        self.disks.set("web01", 97.0);
        self.fires_again(&first).await;
    }

    /// What it said holds no longer, so its Alertmanagers take it for over; then it says it with the start that it always
    /// had.
    async fn prometheus_stands_still(self) {
        let first = self.fires().await;
        self.prometheus.freeze();
        self.is_over(&first).await;
        lasts().await;
        self.prometheus.thaw();
        self.fires_again(&first).await;
    }

    async fn fires(&self) -> Value {
        self.disks.set("web01", 95.0);
        let first = self.bongsu.alert_that("the alert", SOON, full("web01")).await;
        self.phones.told(&first, &["triggered"]).await;
        first
    }

    async fn is_over(&self, first: &Value) {
        self.bongsu.same_alert_when(first, "it is over", SOON, resolved).await;
        self.phones.told(first, &["triggered", "resolved"]).await;
    }

    async fn fires_again(&self, first: &Value) {
        let fires = |alert: &Value| full("web01")(alert) && !resolved(alert);
        let again = self.bongsu.alert_that("it again", SOON, fires).await;
        assert_eq!((&again["dedup_key"], &again["round"]), (&first["dedup_key"], &json!(2)));
        self.bongsu.heard_again(&again, REPEATS, SOON).await;
        self.phones.told(&again, &["triggered"]).await;
        self.phones.told(first, &["triggered", "resolved"]).await;
        assert_eq!(self.bongsu.alerts().await.len(), 2);
    }
}

#[expect(clippy::disallowed_methods, reason = "real senders keep real time")]
async fn lasts() {
    let seconds = env::var("BONGSU_GAP_SECONDS").ok().map(|seconds| seconds.parse().unwrap());
    tokio::time::sleep(Duration::from_secs(seconds.unwrap_or(GAP_SECONDS))).await;
}
