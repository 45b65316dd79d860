;; Built against a version of our package which is not there yet.
(component
  (component $empty)
  (instance $empty (instantiate $empty))
  (export "holdfast:websocket/websocket-handler-sync@9.0.0" (instance $empty)))
