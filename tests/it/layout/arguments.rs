//! Arguments that are tuples: they hide how many there are, and two of one type can be swapped unseen.

use super::code::{in_brackets, split, without_tests, words};

/// The functions of this text, outside its tests, that take a tuple, and the parameter.
pub(super) fn that_are_tuples(text: &str) -> Vec<String> {
    let words = words(text);
    let words = without_tests(&words);
    let mut found = Vec::new();
    let mut rest = words.as_slice();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let (Some(name), "fn") = (after.first(), *first) else { continue };
        // Else it is the type of a function.
        if *name == "(" {
            continue;
        }
        let Some(mut head) = after.get(1..) else { continue };
        if head.first() == Some(&"<") {
            head = in_brackets(head).map_or(head, |(_, after)| after);
        }
        let Some((parameters, _)) = in_brackets(head) else { continue };
        for parameter in split(parameters, ",") {
            if split(parameter, ":").into_iter().take(2).any(is_tuple) {
                found.push(format!("fn {name}({})", parameter.join(" ")));
            }
        }
    }
    found
}

/// A pattern or a type, perhaps behind references: `(a, b)`, `&mut (A, B)`; not `(dyn A + B)` and not `()`.
fn is_tuple(words: &[&str]) -> bool {
    let at = words.iter().position(|word| !["&", "mut", "ref"].contains(word)).unwrap_or(0);
    let Some(words) = words.get(at..).filter(|words| words.first() == Some(&"(")) else { return false };
    in_brackets(words).is_some_and(|(inside, _)| split(inside, ",").len() > 1)
}

#[test]
fn a_tuple_among_the_arguments_is_found() {
    let found = that_are_tuples(
        "fn plain(&self, a: A, b: Vec<(A, B)>, c: &(dyn Fn(A, B) -> C + Send)) {}
         impl X { pub async fn late<F: Fn((A, B)) -> C>(self, (since, now): (At, At), zone: &Zone) {} }
         trait Y { fn behind(&mut self, pair: &'a mut (A, B)); fn of_type(f: fn((A, B))); }
         fn mutable(mut all: (A, Option<B>), &(c, d): &(C, D)) { let f = |(a, b)| a; }
         #[cfg(test)] mod tests { fn free(pair: (A, B)) {} }",
    );
    assert_eq!(
        found,
        [
            "fn late(( since , now ) : ( At , At ))",
            "fn behind(pair : & mut ( A , B ))",
            "fn mutable(mut all : ( A , Option < B > ))",
            "fn mutable(& ( c , d ) : & ( C , D ))",
        ]
    );
}
