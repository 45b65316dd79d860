;; An import that nobody grants.
(component
  (import "acme:clock/ticks@1.0.0" (instance (export "now" (func (result u64)))))
  (component $empty)
  (instance $empty (instantiate $empty))
  (export "holdfast:websocket/websocket-handler-sync@0.1.0" (instance $empty)))
