#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| holdfast_runtime::fuzzing::allow_list(data));
