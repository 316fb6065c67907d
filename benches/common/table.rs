//! The table that a bench ends with: figure, bar, and whether it is met.

use std::fmt;

/// Lines of a table.
#[derive(Default)]
pub(crate) struct Table(Vec<Line>);

struct Line {
    what: &'static str,
    figure: f64,
    unit: &'static str,
    bar: Option<Bar>,
}

/// What a figure is held against: a least value, or one to stay below.
#[derive(Clone, Copy)]
pub(crate) struct Bar {
    /// Where it is.
    pub(crate) at: f64,
    /// Whether a figure has to be below it.
    pub(crate) is_ceiling: bool,
}

/// A bar that a figure stays below.
pub(crate) fn below(at: f64) -> Option<Bar> {
    Some(Bar { at, is_ceiling: true })
}

impl Table {
    /// Adds a figure; without a bar it is only told.
    pub(crate) fn add(&mut self, what: &'static str, (figure, unit): (f64, &'static str), bar: Option<Bar>) {
        self.0.push(Line { what, figure, unit, bar });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<58} {:>16} {:>16}  met", "", "figure", "bar")?;
        for line in &self.0 {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, figure, unit, bar } = *self;
        write!(f, "{what:<58} {:>16}", with_unit(figure, unit))?;
        let Some(Bar { at, is_ceiling }) = bar else { return write!(f, " {:>16}", "-") };
        let (sign, is_met) = if is_ceiling { ("<", figure < at) } else { ("≥", at <= figure) };
        write!(f, " {:>16}", format!("{sign} {}", with_unit(at, unit)))?;
        if is_met {
            write!(f, "  yes")
        } else {
            write!(f, "  NO, by {:.0} %", (figure / at - 1.0).abs() * 100.0)
        }
    }
}

/// Three or four digits that matter.
fn with_unit(figure: f64, unit: &str) -> String {
    let decimals = if figure < 10.0 { 2 } else { usize::from(figure < 100.0) };
    format!("{figure:.decimals$} {unit}").trim_end().to_owned()
}
