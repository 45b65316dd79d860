;; The handler's functions, but not of its types.
(component
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func $f (canon lift (core func $i "f")))
  (instance $handler
    (export "accept" (func $f))
    (export "open" (func $f))
    (export "receive" (func $f))
    (export "close" (func $f)))
  (export "holdfast:websocket/websocket-handler-sync@0.1.0" (instance $handler)))
