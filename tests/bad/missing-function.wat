;; The handler's name, but none of its functions.
(component
  (component $empty)
  (instance $empty (instantiate $empty))
  (export "holdfast:websocket/websocket-handler-sync@0.1.0" (instance $empty)))
