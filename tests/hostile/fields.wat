;; Makes header fields without end, and keeps them.
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))
    (export "fields" (type $fields (sub resource)))
    (export "[constructor]fields" (func (result (own $fields))))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $response))
  (core func $make (canon lower (func $types "[constructor]fields")))
  (core module $m
    (import "fields" "make" (func $make (result i32)))
    (func (export "handle") (param i32 i32)
      (loop
        (drop (call $make))
        (br 0))))
  (core instance $i (instantiate $m
    (with "fields" (instance (export "make" (func $make))))))
  (func $handle (param "request" (own $request)) (param "response-out" (own $response))
    (canon lift (core func $i "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))
