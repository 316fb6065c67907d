//! The house is as ARCHITECTURE.md says, and nobody imports upwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned()
}

/// Files without tests: what the file map names.
fn source_files() -> BTreeSet<String> {
    let files = rust_files(&root().join("src")).into_iter().map(|path| relative(&path));
    files
        .filter(|path| !path.contains("/tests") && !path.contains("conformance") && !path.contains("testing"))
        .collect()
}

#[test]
fn the_file_map_of_architecture_equals_the_tree() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let map =
        text.split("<!-- file map -->").nth(1).expect("a file map between two `<!-- file map -->` marks");
    let named: BTreeSet<String> = map
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(path, _)| path.to_owned()))
        .collect();
    let there = source_files();
    let missing: Vec<_> = there.difference(&named).collect();
    let gone: Vec<_> = named.difference(&there).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not in ARCHITECTURE.md: {missing:#?}\nnot in the tree: {gone:#?}"
    );
}

/// Who may import whom: each stage sees itself and what stands below it.
fn below(stage: &str) -> Vec<&'static str> {
    const GROUND: [&str; 5] = ["config", "clock", "chance", "signing", "telemetry"];
    let mut allowed: Vec<&'static str> = match stage {
        "alert" | "clock" | "chance" => return vec![],
        "config" | "signing" | "telemetry" => return vec!["alert"],
        "store" | "receive" | "plan" => vec!["alert"],
        "queue" | "record" => vec!["alert", "plan", "store"],
        // A transport never stores.
        "deliver" => vec!["alert", "plan"],
        "watch" => vec!["alert", "store", "queue", "deliver"],
        "dispatch" => vec!["alert", "plan", "store", "queue", "deliver", "watch"],
        "web" => vec!["alert", "store", "queue", "watch"],
        // Beside each other over `web`.
        "intake" => vec!["alert", "store", "queue", "receive", "watch", "web"],
        "api" => vec!["alert", "store", "queue", "receive", "record", "watch", "web"],
        "console" => vec!["alert", "record", "web"],
        "sandbox" => return vec!["alert", "clock"],
        "app" => vec![
            "alert", "plan", "store", "queue", "deliver", "dispatch", "watch", "web", "intake", "api",
            "console",
        ],
        "cli" => vec!["alert", "deliver", "sandbox", "app"],
        "main" => vec!["cli"],
        other => panic!("src/{other} is a new stage: say in tests/it/layout.rs what it may import"),
    };
    allowed.extend(GROUND);
    allowed
}

#[test]
fn imports_run_one_way() {
    let mut wrong = BTreeMap::new();
    for path in rust_files(&root().join("src")) {
        let name = relative(&path);
        let stage = name.trim_start_matches("src/").split(['/', '.']).next().expect("a name").to_owned();
        if stage == "lib" || name.contains("/tests") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        let imported = imports(&text);
        let allowed = below(&stage);
        let up: Vec<_> = imported
            .into_iter()
            .filter(|other| *other != stage && !allowed.contains(&other.as_str()))
            .collect();
        if !up.is_empty() {
            wrong.insert(name, up);
        }
    }
    assert!(wrong.is_empty(), "imports against the current: {wrong:#?}");
}

/// Stages named after `crate::`, also in a braced list.
fn imports(text: &str) -> BTreeSet<String> {
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut stages = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 1_usize;
            let mut item = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 1 => break,
                    '}' => depth -= 1,
                    ',' if depth == 1 => {
                        stages.insert(std::mem::take(&mut item));
                    }
                    c if depth == 1 => item.push(c),
                    _ => {}
                }
            }
            stages.insert(item);
        } else {
            stages.insert(rest.to_owned());
        }
    }
    let head = |text: String| {
        text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    stages
        .into_iter()
        .map(head)
        .filter(|stage| stage.chars().next().is_some_and(char::is_lowercase))
        .collect()
}

#[test]
fn the_pure_core_knows_no_async_no_engine_and_no_clock() {
    for stage in ["alert", "plan"] {
        for path in rust_files(&root().join("src").join(stage)) {
            let text = fs::read_to_string(&path).expect("a source file");
            for word in ["async ", "tokio", "axum", "sled", "reqwest", "Clock", "Timestamp::now"] {
                let used =
                    text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word));
                assert!(!used, "{} uses `{word}`", relative(&path));
            }
        }
    }
}

#[test]
fn only_the_store_names_an_engine_and_only_deliver_fcm_names_fcms_wire() {
    for path in rust_files(&root().join("src")) {
        let (name, text) = (relative(&path), fs::read_to_string(&path).expect("a source file"));
        assert!(!text.contains("sled::") || name.starts_with("src/store/"), "{name} names sled");
        let google = name.starts_with("src/deliver/fcm/") || name.starts_with("src/sandbox/");
        assert!(!text.contains("messages:send") || google, "{name} names FCM's endpoint");
    }
}

#[test]
fn no_file_outgrows_its_idea() {
    for path in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&path).expect("a source file");
        let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
        let name = relative(&path);
        let tests = name.contains("tests") || name.contains("conformance");
        assert!(lines <= 400 || tests, "{name} has {lines} lines: which idea is missing?");
    }
}
