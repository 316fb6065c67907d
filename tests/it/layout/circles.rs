//! Circles: files that need each other, directly or round a corner, are one idea in several places.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::Crate;

/// Each circle with the ties that make it.
pub(super) fn between_files(tree: &Crate) -> Vec<String> {
    let ties = tree.ties();
    let mut circles: BTreeSet<BTreeSet<&str>> = BTreeSet::new();
    let needs: BTreeMap<&str, BTreeSet<&str>> = ties.keys().map(|file| (*file, reach(&ties, file))).collect();
    for (file, needed) in &needs {
        let back = |other: &&&str| needs.get(**other).is_some_and(|needed| needed.contains(file));
        let circle: BTreeSet<&str> = needed.iter().filter(back).copied().collect();
        if !circle.is_empty() {
            circles.insert(circle);
        }
    }
    circles.iter().map(|circle| describe(circle, &ties)).collect()
}

type Ties<'a> = BTreeMap<&'a str, BTreeMap<&'a str, BTreeSet<&'a str>>>;

/// All files that this one needs, directly or through others.
fn reach<'a>(ties: &Ties<'a>, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut ahead = vec![file];
    while let Some(file) = ahead.pop() {
        for next in ties.get(file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(*next) {
                ahead.push(next);
            }
        }
    }
    reached
}

fn describe(circle: &BTreeSet<&str>, ties: &Ties<'_>) -> String {
    let mut lines = Vec::new();
    for file in circle {
        for (other, names) in
            ties.get(file).into_iter().flatten().filter(|(other, _)| circle.contains(*other))
        {
            let names: Vec<_> = names.iter().copied().collect();
            lines.push(format!("{file} → {other} ({})", names.join(", ")));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        between_files(&Crate::read(&files, "src/lib.rs"))
    }

    #[test]
    fn a_circle_is_found_whatever_way_the_names_take() {
        let found = circles(&[
            ("src/lib.rs", "pub mod plan; mod wire;"),
            ("src/plan/mod.rs", "mod digest; mod settle; mod desk; pub struct Plan;"),
            ("src/plan/digest.rs", "use super::{Plan, settle}; pub fn count() { settle::record(1); }"),
            ("src/plan/settle.rs", "use crate::plan::desk::{self, Desk as Table}; pub fn record(_: u8) {}"),
            ("src/plan/desk.rs", "pub struct Desk; fn f() { super::digest::count() }"),
            ("src/wire.rs", "use crate::plan::Plan;"),
        ]);
        assert_eq!(
            found,
            ["src/plan/desk.rs → src/plan/digest.rs (count)\n\
              src/plan/digest.rs → src/plan/settle.rs (record)\n\
              src/plan/settle.rs → src/plan/desk.rs (Desk)"]
        );
    }

    #[test]
    fn a_circle_through_a_re_export_is_found() {
        let found = circles(&[
            ("src/lib.rs", "pub mod a;"),
            ("src/a.rs", "mod b; mod c; pub use b::*; pub use self::c::{Name as Title};"),
            ("src/a/b.rs", "use super::Title; pub struct Book { title: Title }"),
            ("src/a/c.rs", "use crate::a::Book; pub struct Name(Box<Book>);"),
        ]);
        assert_eq!(found, ["src/a/b.rs → src/a/c.rs (Title)\nsrc/a/c.rs → src/a/b.rs (Book)"]);
    }

    #[test]
    fn children_parents_tests_and_other_crates_make_no_circle() {
        let found = circles(&[
            ("src/lib.rs", "pub mod a; pub const LIMIT: u8 = 1;"),
            ("src/a/mod.rs", "mod b; mod c; #[cfg(test)] mod tests; use self::b::B; pub fn shared(b: B) {}"),
            ("src/a/b.rs", "use super::shared; use crate::LIMIT; pub struct B; // super::c::C"),
            ("src/a/c.rs", "use super::b::B; use ::b::Other; pub struct C; const S: &str = \"crate::a\";"),
            ("src/a/tests.rs", "use super::c::C;"),
        ]);
        assert!(found.is_empty(), "{found:#?}");
    }
}
