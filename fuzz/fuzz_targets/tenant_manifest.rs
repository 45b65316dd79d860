#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| holdfast_core::fuzzing::tenant_manifest(data));
