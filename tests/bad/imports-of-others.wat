;; What Spin and wasmCloud provide on their own, and a draft.
(component
  (import "fermyon:spin/key-value@2.0.0" (instance))
  (import "wasmcloud:messaging/consumer@0.2.0" (instance))
  (import "wasi:http/types@0.2.0-rc-2023-11-10" (instance))
  (component $empty)
  (instance $empty (instantiate $empty))
  (export "wasi:http/incoming-handler@0.2.0" (instance $empty)))
