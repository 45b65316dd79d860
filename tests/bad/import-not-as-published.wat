;; A known import of another type.
(component
  (import "holdfast:websocket/topics@0.1.0" (instance (export "count" (func (result u64)))))
  (component $empty)
  (instance $empty (instantiate $empty))
  (export "holdfast:websocket/websocket-handler-sync@0.1.0" (instance $empty)))
