#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| holdfast_edge::fuzzing::http1_framing(data));
