//! The WIT packages of ours that guests are built against, one module for each
//! published version: its types, its imports, its exports, and how they turn
//! into today's events and outcomes. No behaviour lives here.

pub(crate) mod websocket_0_1_0;
