;; Polls one timer, named some millions of times in one list: the host would look
;; at each of them without a pause.
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $response))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $pollable))
    (export "pollable" (type (eq $pollable)))
    (export "subscribe-duration" (func (param "when" u64) (result (own 1))))))
  (core module $memory
    (memory (export "memory") 600)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
  (core instance $memory (instantiate $memory))
  (alias core export $memory "memory" (core memory $mem))
  (alias core export $memory "realloc" (core func $realloc))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $poll (canon lower (func $poll "poll")
    (memory $mem) (realloc $realloc)))
  (core module $m
    (import "memory" "memory" (memory 600))
    (import "clock" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "clock" "poll" (func $poll (param i32 i32 i32)))
    (func (export "handle") (param i32 i32)
      (local $timer i32) (local $at i32)
      (local.set $timer (call $subscribe (i64.const 3600000000000)))
      (local.set $at (i32.const 1024))
      (loop
        (i32.store (local.get $at) (local.get $timer))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br_if 0 (i32.lt_u (local.get $at) (i32.const 36000000))))
      (call $poll (i32.const 1024) (i32.const 8000000) (i32.const 0))))
  (core instance $i (instantiate $m
    (with "memory" (instance $memory))
    (with "clock" (instance
      (export "subscribe" (func $subscribe))
      (export "poll" (func $poll))))))
  (func $handle (param "request" (own $request)) (param "response-out" (own $response))
    (canon lift (core func $i "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))
