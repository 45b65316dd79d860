;; A component that exports something else.
(component
  (component $empty)
  (instance $empty (instantiate $empty))
  (export "acme:clock/ticks@1.0.0" (instance $empty)))
