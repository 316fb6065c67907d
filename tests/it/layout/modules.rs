//! Which file uses what another one defines.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{in_brackets, split, without_tests, words};

const ITEMS: [&str; 8] = ["fn", "struct", "enum", "union", "trait", "type", "const", "static"];

/// Longest chain of re-exports that is followed.
const REEXPORTS_MAX: usize = 20;

/// The modules of a crate by path (`plan::digest`, empty for the root), as far as they are not for tests only.
#[derive(Default)]
pub(super) struct Crate {
    modules: BTreeMap<String, Module>,
}

#[derive(Default)]
struct Module {
    file: String,
    /// Modules in files of their own.
    children: Vec<String>,
    defined: BTreeSet<String>,
    /// Names that a `use` brings in, and the paths they stand for.
    imported: BTreeMap<String, Vec<String>>,
    /// Modules of which a `use` brings in everything.
    globs: Vec<Vec<String>>,
    /// Paths as they stand in imports and in code.
    paths: Vec<Vec<String>>,
}

/// What a path leads to.
enum Target<'a> {
    /// Something that this module defines.
    Item(&'a str),
    /// This module itself.
    Module(&'a str),
}

impl Crate {
    /// Follows the `mod` lines from this file on; `files` are texts by path.
    pub(super) fn read(files: &BTreeMap<String, String>, root: &str) -> Self {
        let mut all = Self::default();
        all.read_file(files, root, "");
        all
    }

    fn read_file(&mut self, files: &BTreeMap<String, String>, file: &str, path: &str) {
        let Some(text) = files.get(file) else { return };
        let words = words(text);
        self.read_module(file, path, &without_tests(&words));

        let children = self.modules.get(path).map(|module| module.children.clone()).unwrap_or_default();
        let folder = ["mod.rs", "lib.rs", "main.rs"].iter().find_map(|name| file.strip_suffix(name));
        let folder = folder.map_or_else(|| file.replace(".rs", "/"), str::to_owned);
        for name in children {
            for file in [format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")] {
                self.read_file(files, &file, &join(path, &name));
            }
        }
    }

    fn read_module(&mut self, file: &str, path: &str, words: &[&str]) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        let mut depth = 0_usize;
        let mut rest = words;
        let mut before = "";
        while let Some((word, after)) = rest.split_first() {
            let here = std::mem::replace(&mut rest, after);
            match (*word, after) {
                ("{", _) => depth += 1,
                ("}", _) => depth = depth.saturating_sub(1),
                ("mod", [name, ";", ..]) => module.children.push((*name).to_owned()),
                ("mod", [name, inside @ ..]) if depth == 0 => {
                    if let Some((inside, after)) = in_brackets(inside) {
                        self.read_module(file, &join(path, name), inside);
                        rest = after;
                    }
                }
                ("use", [name, ..]) if *name != "<" => {
                    let end = after.iter().position(|word| *word == ";").unwrap_or(after.len());
                    module.import(&[], after.get(..end).unwrap_or_default());
                    rest = after.get(end..).unwrap_or_default();
                }
                ("macro_rules", [_, name, ..]) => _ = module.defined.insert((*name).to_owned()),
                (item, [name, ..]) if depth == 0 && ITEMS.contains(&item) => {
                    module.defined.insert((*name).to_owned());
                }
                (_, ["::", ..]) if before != "::" => module.paths.extend(path_at(here)),
                _ => {}
            }
            before = word;
        }
        self.modules.insert(path.to_owned(), module);
    }

    /// The files, without those that are for tests only.
    pub(super) fn files(&self) -> BTreeSet<&str> {
        self.modules.values().map(|module| module.file.as_str()).collect()
    }

    /// For each file the ones that define what it uses, and the names. A child may use what its own ancestor's file
    /// defines, so that is not among them.
    pub(super) fn ties(&self) -> BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> {
        let mut ties: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
        for (name, module) in &self.modules {
            for path in &module.paths {
                let glob = path.last().is_some_and(|last| last == "*");
                let target = match self.target(name, path, REEXPORTS_MAX) {
                    Some(Target::Item(target)) => target,
                    Some(Target::Module(target)) if glob => target,
                    _ => continue,
                };
                let Some(defining) = self.modules.get(target) else { continue };
                let is_ancestor = target.is_empty() || name.starts_with(&format!("{target}::"));
                if defining.file != module.file && !is_ancestor {
                    let names = ties.entry(&module.file).or_default().entry(&defining.file).or_default();
                    names.extend(path.last().map(String::as_str));
                }
            }
        }
        ties
    }

    /// What a path means that stands in this module; `None` if it leads out of the crate.
    fn target(&self, module: &str, path: &[String], fuel: usize) -> Option<Target<'_>> {
        let (name, rest) = path.split_first()?;
        match name.as_str() {
            "crate" => self.below("", rest, fuel),
            "self" | "super" => self.below(module, path, fuel),
            _ => self.below(module, path, fuel.checked_sub(1)?),
        }
    }

    fn below(&self, module: &str, path: &[String], fuel: usize) -> Option<Target<'_>> {
        let (name, here) = self.modules.get_key_value(module)?;
        let Some((first, rest)) = path.split_first() else { return Some(Target::Module(name)) };
        match first.as_str() {
            "*" | "self" => return self.below(module, rest, fuel),
            "super" => {
                return self.below(module.rsplit_once("::").map_or("", |(parent, _)| parent), rest, fuel);
            }
            _ => {}
        }
        let child = join(module, first);
        if self.modules.contains_key(&child) {
            return self.below(&child, rest, fuel);
        }
        if here.defined.contains(first) {
            return Some(Target::Item(name));
        }
        if let Some(imported) = here.imported.get(first) {
            let whole: Vec<String> = imported.iter().chain(rest).cloned().collect();
            // A name that stands for itself comes from another crate: `use serde;`.
            return if whole == path { None } else { self.target(module, &whole, fuel.checked_sub(1)?) };
        }
        here.globs.iter().find_map(|glob| {
            let whole: Vec<String> = glob.iter().chain(path).cloned().collect();
            self.target(module, &whole, fuel.checked_sub(1)?)
        })
    }
}

impl Module {
    /// Takes in what stands between `use` and `;`, or one branch of it below `before`.
    fn import(&mut self, before: &[String], tree: &[&str]) {
        // Another crate's.
        if tree.first() == Some(&"::") {
            return;
        }
        let mut path = before.to_vec();
        for (at, word) in tree.iter().enumerate() {
            match *word {
                "::" => {}
                "{" => {
                    if let Some((branches, _)) = tree.get(at..).and_then(in_brackets) {
                        for branch in split(branches, ",") {
                            self.import(&path, branch);
                        }
                    }
                    return;
                }
                "*" => {
                    self.globs.push(path.clone());
                    path.push("*".to_owned());
                    self.paths.push(path);
                    return;
                }
                "as" => {
                    let name = tree.get(at + 1).map(|name| (*name).to_owned());
                    return self.import_as(name, path);
                }
                word => path.push(word.to_owned()),
            }
        }
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        self.import_as(path.last().cloned(), path);
    }

    fn import_as(&mut self, name: Option<String>, path: Vec<String>) {
        if let Some(name) = name.filter(|_| !path.is_empty()) {
            self.imported.insert(name, path.clone());
            self.paths.push(path);
        }
    }
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

/// The path that these words begin with: `a::b::c`.
fn path_at(words: &[&str]) -> Option<Vec<String>> {
    let is_name = |word: &str| word.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let mut path = Vec::new();
    for pair in words.chunks(2) {
        let (name, after) = (pair.first()?, pair.get(1));
        if !is_name(name) {
            break;
        }
        path.push((*name).to_owned());
        if after != Some(&"::") {
            break;
        }
    }
    (!path.is_empty()).then_some(path)
}
