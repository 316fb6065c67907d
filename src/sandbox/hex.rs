//! Hexadecimal digits, lower case.

use std::{fmt::Write, io};

pub(super) fn random<const N: usize>() -> io::Result<String> {
    let mut bytes = [0_u8; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gave no random bytes"))?;
    Ok(of(&bytes))
}

pub(super) fn of(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}
