#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| bongsu_fuzz::read_manual(body));
