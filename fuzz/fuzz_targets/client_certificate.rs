#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| holdfast_edge::fuzzing::client_certificate(data));
