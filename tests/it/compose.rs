//! `docker/compose.yaml` fits the configurations that it mounts: names, ports, keys, addresses.

use std::{collections::BTreeSet, fs, path::Path};

use bongsu::{
    cli::setup::{Inputs, Sheet, write},
    config::{self, Config, IntegrationKind},
};
use serde_norway::Value;

fn docker(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(name: &str) -> Value {
    let mut value: Value = serde_norway::from_str(&docker(name)).expect("YAML");
    value.apply_merge().expect("anchors that are there");
    value
}

fn service(name: &str) -> Value {
    let service = yaml("compose.yaml")["services"][name].clone();
    assert!(service.is_mapping(), "no service {name}");
    service
}

fn texts(list: &Value) -> Vec<String> {
    list.as_sequence().into_iter().flatten().map(|one| one.as_str().expect("a text").to_owned()).collect()
}

/// The port inside the container of `ADDRESS:PORT:PORT` or `PORT:PORT`.
fn inner_port(service: &Value) -> u16 {
    let ports = texts(&service["ports"]);
    ports[0].rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

/// Bongsu's configuration as the container sees it: only the variables that compose passes on.
fn configuration() -> Config {
    let folder = tempfile::tempdir().expect("a folder");
    let key_file = folder.path().join("firebase.json");
    fs::write(&key_file, "{}").expect("a key file");
    let text = docker("compose.bongsu.toml");
    let mounted = "/etc/bongsu/firebase.json";
    assert!(text.contains(mounted));
    let text = text.replace(mounted, key_file.to_str().expect("UTF-8"));
    let passed = service("bongsu")["environment"].clone();
    let environment = move |name: &str| passed.get(name).map(|_| format!("a-secret-that-is-{name}"));
    config::parse(&text, Path::new("/etc/bongsu/bongsu.toml"), &environment)
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_configuration_starts_and_listens_where_compose_looks() {
    let config = configuration();
    let bongsu = service("bongsu");
    assert_eq!(config.server.listen.port(), inner_port(&bongsu));
    assert!(config.server.listen.ip().is_unspecified(), "other containers come in from outside");
    let mounts = texts(&bongsu["volumes"]);
    for path in ["/etc/bongsu/bongsu.toml", "/etc/bongsu/firebase.json", "/data"] {
        assert!(mounts.iter().any(|mount| mount.split(':').nth(1) == Some(path)), "{path}: {mounts:?}");
    }
    assert!(docker("Dockerfile").contains(r#"CMD ["serve", "--config", "/etc/bongsu/bongsu.toml"]"#));
    assert!(matches!(&config.store.engine, config::StoreEngine::Sled(path) if path.starts_with("/data")));
}

#[test]
fn grafana_is_provisioned_with_what_setup_prints() {
    let config = configuration();
    let integration = config
        .integrations
        .iter()
        .find(|one| one.kind == IntegrationKind::Grafana)
        .expect("an integration of kind grafana");
    let base_url = format!("http://bongsu:{}", config.server.listen.port());
    let inputs = Inputs::new(&integration.name, base_url, Some("the-key".into()));
    let mut printed = Vec::new();
    write(Sheet::Grafana, &mut printed, &mut std::io::sink(), &inputs).expect("a contact point");
    let mut printed: Value = serde_norway::from_slice(&printed).expect("YAML");
    let settings = &mut printed["contactPoints"][0]["receivers"][0]["settings"];
    settings["authorization_credentials"] = "$BONGSU_GRAFANA_KEY".into();
    assert_eq!(yaml("compose.grafana.yaml"), printed);

    let (grafana, bongsu) = (service("grafana"), service("bongsu"));
    let variable = "BONGSU_GRAFANA_KEY";
    assert_eq!(grafana["environment"][variable], bongsu["environment"][variable]);
    let mounts = texts(&grafana["volumes"]);
    assert!(
        mounts
            .contains(&"./compose.grafana.yaml:/etc/grafana/provisioning/alerting/bongsu.yaml:ro".to_owned()),
        "{mounts:?}"
    );
}

#[test]
fn zabbix_and_its_web_share_one_database() {
    let database = service("zabbix-database");
    for name in ["zabbix-server", "zabbix-web"] {
        let zabbix = service(name);
        assert_eq!(zabbix["environment"]["DB_SERVER_HOST"], "zabbix-database");
        for variable in ["POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"] {
            assert_eq!(
                zabbix["environment"][variable], database["environment"][variable],
                "{name} {variable}"
            );
        }
    }
    assert_eq!(service("zabbix-web")["environment"]["ZBX_SERVER_HOST"], "zabbix-server");
    let zone = |config: &Config| config.integrations[0].time_zone.iana_name().map(str::to_owned);
    let php = service("zabbix-web")["environment"]["PHP_TZ"].as_str().map(str::to_owned);
    assert_eq!(zone(&configuration()), php, "times without offset are of one zone");
}

#[test]
fn images_are_pinned_volumes_declared_and_ports_not_taken_twice() {
    let compose = yaml("compose.yaml");
    let mut ports = BTreeSet::new();
    for (name, service) in compose["services"].as_mapping().expect("services") {
        let image = service["image"].as_str().expect("an image");
        let (_, tag) = image.rsplit_once(':').unwrap_or_else(|| panic!("{image} has no tag"));
        assert!(!tag.contains("latest") && tag.contains('.'), "{image} is not one version");
        for mount in texts(&service["volumes"]) {
            let source = mount.split(':').next().expect("a source");
            match source.strip_prefix("./") {
                Some("firebase.json") => {} // the operator's
                Some(file) => assert!(!docker(file).is_empty(), "{name:?}"),
                None => assert!(compose["volumes"].get(source).is_some(), "{source} is not declared"),
            }
        }
        for port in texts(&service["ports"]) {
            let (outer, _) = port.rsplit_once(':').expect("OUTER:INNER");
            assert!(ports.insert(outer.to_owned()), "{outer} twice");
        }
    }
    assert_eq!(service("bongsu")["image"], concat!("bongsu:", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        service("zabbix-server")["image"].as_str().map(version),
        service("zabbix-web")["image"].as_str().map(version)
    );
}

fn version(image: &str) -> &str {
    image.rsplit(':').next().unwrap_or_default()
}

#[test]
fn every_variable_is_in_the_sample_and_no_sample_is_a_secret() {
    let (compose, sample) = (docker("compose.yaml"), docker("compose.env"));
    let lines =
        || sample.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| !name.starts_with('#'));
    let used: BTreeSet<_> =
        compose.split("${").skip(1).map(|rest| rest.split([':', '}']).next().expect("a name")).collect();
    let offered: BTreeSet<_> = lines().map(|(name, _)| name).collect();
    assert_eq!(used, offered);
    assert!(lines().all(|(_, value)| value == "change-me"), "{sample}");
    // Without a value compose stops and says where to look.
    assert_eq!(compose.matches("${").count(), compose.matches(":?see compose.env}").count());
}
