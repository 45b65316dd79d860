;; Traps in a function whose name would be lines of the log.
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $response))
  (core module $m
    (func $trap (@name "a\0a2026-01-01T00:00:00.000000Z ERROR guest: forged\0a\0d\1b[31m") (unreachable))
    (func (export "handle") (param i32 i32) (call $trap)))
  (core instance $i (instantiate $m))
  (func $handle (param "request" (own $request)) (param "response-out" (own $response))
    (canon lift (core func $i "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))
