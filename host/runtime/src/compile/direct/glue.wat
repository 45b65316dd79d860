;; Hands one message to a guest, in one call from the host: room for the
;; connection's id, its attachment and the text, the handler, its outcome, and
;; the handler's end. Several calls from the host would need a stack each.
(module
  (import "guest" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
  (import "guest" "receive"
    (func $receive (param i32 i32 i32 i32 i64 i64 i32 i32 i32) (result i32)))
  (import "guest" "receive-end" (func $receive_end (param i32)))
  (import "holdfast:direct" "fill" (func $fill (param i32 i32 i32)))
  (import "holdfast:direct" "outcome" (func $outcome (param i32)))
  (import "holdfast:direct" "wanted" (func $wanted (param i32) (result i32)))

  (func $room (param $len i32) (result i32)
    (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (local.get $len)))

  ;; Makes room for several values. The host says how much each wants, and whether
  ;; it is aligned to four bytes, or -1 when there is room for all.
  (func (export "make-room")
    (local $at i32) (local $wants i32)
    ;; There is none before the first.
    (local.set $at (i32.const -1))
    (loop $next
      (local.set $wants (call $wanted (local.get $at)))
      (if (i32.ne (local.get $wants) (i32.const -1))
        (then
          (local.set $at
            (call $realloc (i32.const 0) (i32.const 0)
              (i32.add (i32.const 1)
                (i32.mul (i32.const 3) (i32.and (local.get $wants) (i32.const 1))))
              (i32.shr_u (local.get $wants) (i32.const 1))))
          (br $next)))))

  (func (export "receive")
    (param $id_len i32) (param $attachment_len i32) (param $version i64) (param $buffered i64)
    (param $kind i32) (param $message_len i32)
    (local $id i32) (local $attachment i32) (local $message i32) (local $result i32)
    (local.set $id (call $room (local.get $id_len)))
    (local.set $attachment (call $room (local.get $attachment_len)))
    (local.set $message (call $room (local.get $message_len)))
    (call $fill (local.get $id) (local.get $attachment) (local.get $message))
    (local.set $result
      (call $receive
        (local.get $id) (local.get $id_len)
        (local.get $attachment) (local.get $attachment_len)
        (local.get $version) (local.get $buffered)
        (local.get $kind) (local.get $message) (local.get $message_len)))
    (call $outcome (local.get $result))
    (call $receive_end (local.get $result))))
