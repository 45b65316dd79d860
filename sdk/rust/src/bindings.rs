//! Generated from WIT, and seen by this crate only. What a plugin's author uses
//! are the modules beside this one, which convert. The functions here are
//! linked into a component only where something calls them, so that a component
//! imports what its code uses and nothing else.
#![allow(unsafe_code, unreachable_pub, missing_docs, clippy::all)]
// The lints of the host, where a panic would end everybody's connections.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

wit_bindgen::generate!({
    inline: "
        package holdfast:sdk;
        world capabilities {
            import holdfast:websocket/connections@0.1.0;
            import holdfast:websocket/topics@0.1.0;
            import wasi:config/store@0.2.0-rc.1;
            import wasi:keyvalue/atomics@0.2.0-draft2;
            import wasi:keyvalue/batch@0.2.0-draft2;
            import wasi:keyvalue/store@0.2.0-draft2;
            import wasi:logging/logging@0.1.0-draft;
        }
    ",
    path: [
        "../../wit/websocket-0.1.0",
        "wit/config-0.2.0-rc.1.wit",
        "wit/keyvalue-0.2.0-draft2.wit",
        "wit/logging-0.1.0-draft.wit",
    ],
    generate_all,
    generate_unused_types: true,
});

/// The WebSocket handlers in their async form.
pub mod waiting {
    wit_bindgen::generate!({
        world: "holdfast:websocket/plugin",
        path: "../../wit/websocket-0.1.0",
        with: {
            "holdfast:websocket/connections@0.1.0": super::holdfast::websocket::connections,
            "holdfast:websocket/topics@0.1.0": super::holdfast::websocket::topics,
            "holdfast:websocket/websocket-types@0.1.0": super::holdfast::websocket::websocket_types,
        },
        pub_export_macro: true,
        export_macro_name: "export_waiting",
        default_bindings_module: "holdfast::__private::waiting",
    });
}

/// The WebSocket handlers in their plain form.
pub mod plain {
    wit_bindgen::generate!({
        world: "holdfast:websocket/plugin-sync",
        path: "../../wit/websocket-0.1.0",
        with: {
            "holdfast:websocket/connections@0.1.0": super::holdfast::websocket::connections,
            "holdfast:websocket/topics@0.1.0": super::holdfast::websocket::topics,
            "holdfast:websocket/websocket-types@0.1.0": super::holdfast::websocket::websocket_types,
        },
        pub_export_macro: true,
        export_macro_name: "export_plain",
        default_bindings_module: "holdfast::__private::plain",
    });
}

/// What handlers of either form may export besides.
pub mod migration {
    wit_bindgen::generate!({
        world: "holdfast:websocket/migration",
        path: "../../wit/websocket-0.1.0",
        pub_export_macro: true,
        export_macro_name: "export_migration",
        default_bindings_module: "holdfast::__private::migration",
    });
}
