;; Makes handles of a resource of its own without end: they are in no memory of
;; its own, but in tables of the engine.
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $response))
  (type $own (resource (rep i32)))
  (core func $new (canon resource.new $own))
  (core module $m
    (import "own" "new" (func $new (param i32) (result i32)))
    (func (export "handle") (param i32 i32)
      (loop
        (drop (call $new (i32.const 7)))
        (br 0))))
  (core instance $i (instantiate $m
    (with "own" (instance (export "new" (func $new))))))
  (func $handle (param "request" (own $request)) (param "response-out" (own $response))
    (canon lift (core func $i "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))
