//! What holds for every file of the tree: who may import whom, how large it is, that it says what it is for.

mod arguments;
mod circles;
mod code;
mod modules;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use self::modules::Crate;

/// Most lines of a file, without its tests.
const FILE_LINES_MAX: usize = 400;

/// Most bytes of ARCHITECTURE.md: what it says must be read before the first change, in one sitting.
const ARCHITECTURE_BYTES_MAX: u64 = 16 * 1024;

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

/// Every text below src, by path.
fn texts() -> BTreeMap<String, String> {
    let files = rust_files(&root().join("src")).into_iter();
    files.map(|path| (relative(&path), fs::read_to_string(&path).expect("a source file"))).collect()
}

/// The texts that are not for tests only.
fn shipped() -> BTreeMap<String, String> {
    let mut texts = texts();
    let (library, program) = (Crate::read(&texts, "src/lib.rs"), Crate::read(&texts, "src/main.rs"));
    texts.retain(|path, _| [&library, &program].iter().any(|tree| tree.files().contains(path.as_str())));
    texts
}

/// Who may import whom: each stage sees itself and what stands below it.
fn below(stage: &str) -> Vec<&'static str> {
    const GROUND: [&str; 6] = ["config", "clock", "chance", "roster", "signing", "telemetry"];
    let mut allowed: Vec<&'static str> = match stage {
        "alert" | "chance" => return vec![],
        "clock" => return vec!["chance"],
        "config" => return vec!["alert", "roster"],
        "roster" | "signing" | "telemetry" => return vec!["alert"],
        "store" | "receive" | "plan" => vec!["alert"],
        "queue" | "record" => vec!["alert", "plan", "store"],
        // A transport never stores.
        "deliver" => vec!["alert", "plan"],
        "watch" => vec!["alert", "plan", "store", "queue", "deliver"],
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
fn no_circle_between_files() {
    let circles = circles::between_files(&Crate::read(&texts(), "src/lib.rs"));
    assert!(circles.is_empty(), "{} circles between files:\n\n{}", circles.len(), circles.join("\n\n"));
}

#[test]
fn no_argument_is_a_tuple() {
    let found: Vec<_> = shipped()
        .iter()
        .flat_map(|(name, text)| {
            arguments::that_are_tuples(text).into_iter().map(move |at| format!("{name}: {at}"))
        })
        .collect();
    assert!(found.is_empty(), "{} tuples where a struct with named fields is meant: {found:#?}", found.len());
}

#[test]
fn no_file_outgrows_its_idea() {
    let lines = shipped().into_iter().map(|(name, text)| (name, lines_without_tests(&text)));
    let large: Vec<_> = lines.filter(|(_, lines)| *lines > FILE_LINES_MAX).collect();
    assert!(large.is_empty(), "which idea is missing? {large:#?}");
}

/// Lines before the tests that stand in the file itself; `mod tests;` at the top ends nothing.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let starts_tests = |rest: &[&str]| {
        let mut rest = rest.iter().skip_while(|line| line.starts_with("#["));
        rest.next().is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
    };
    let tests = (0..lines.len()).find(|at| {
        let rest = lines.get(*at..).unwrap_or_default();
        rest.first() == Some(&"#[cfg(test)]") && starts_tests(rest)
    });
    tests.unwrap_or(lines.len())
}

#[test]
fn only_tests_in_the_file_itself_are_not_counted() {
    assert_eq!(lines_without_tests("//! A.\n#[cfg(test)]\nmod tests;\nfn a() {}\nfn b() {}\n"), 5);
    assert_eq!(lines_without_tests("//! A.\nfn a() {}\n#[cfg(test)]\nmod tests {\n}\n"), 2);
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<_> = shipped().into_iter().filter(|(_, text)| !text.starts_with("//! ")).collect();
    let silent: Vec<_> = silent.into_iter().map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "these do not begin with a `//!` line: {silent:#?}");
}

#[test]
fn the_architecture_can_be_read_in_one_sitting() {
    let bytes = fs::metadata(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md").len();
    assert!(bytes <= ARCHITECTURE_BYTES_MAX, "ARCHITECTURE.md has {bytes} bytes");
}
