//! How a plugin changes the format of its attachments.

use crate::Result;

/// The format of a plugin's attachments, and how to come to it from others.
///
/// Connections stay open when a plugin is deployed anew, and so the new code
/// meets attachments which the old one wrote. As long as both write the same
/// bytes there is nothing to do. To change the format:
///
/// 1. Give the new one a name, and implement this trait in the same deployment
///    that reads and writes it. Code without the trait has the format "".
/// 2. Have [`migrate`](Self::migrate) turn every format into it that may still be
///    about: an idle connection is not migrated before its next event, so it can
///    skip deployments.
/// 3. Think of the way back. When the plugin is rolled back, the code before is
///    asked to migrate attachments of the new format. If it returns an error, the
///    connection stays with the newer code until it closes; but code without the
///    trait is given every attachment as it is. So it is wise to implement the
///    trait some deployments before the first change.
///
/// The host calls `migrate` once for each connection, before its first event in
/// the new code. While it does, other handlers may still run in the old code. They
/// should give the version which they have seen to
/// [`Connection::set_attachment`](super::Connection::set_attachment), so that they
/// never overwrite an attachment that has been migrated.
///
/// ```
/// use holdfast::websocket::{Attachments, Connection, Message, WebSocket};
///
/// /// A name in UTF-8. Before, it was a name in Latin-1.
/// struct Name;
///
/// impl Attachments for Name {
///     const FORMAT: &'static str = "name-utf-8";
///
///     fn migrate(from: &str, attachment: &[u8]) -> holdfast::Result<Vec<u8>> {
///         match from {
///             "" => {
///                 let name: String = attachment.iter().copied().map(char::from).collect();
///                 Ok(name.into_bytes())
///             }
///             other => Err(holdfast::Error::msg(format!("no way from {other:?}"))),
///         }
///     }
/// }
///
/// struct Greeter;
///
/// impl WebSocket for Greeter {
///     fn receive(connection: &Connection, _: Message) -> holdfast::Result {
///         let name = std::str::from_utf8(connection.attachment())?;
///         connection.send(format!("Hello, {name}!"))?;
///         Ok(())
///     }
/// }
///
/// holdfast::export!(websocket = Greeter, attachments = Name);
/// # fn main() {
/// #     assert_eq!(Name::migrate("", b"Andr\xe9").unwrap(), "André".as_bytes());
/// #     assert!(Name::migrate("name-3", b"").is_err());
/// # }
/// ```
pub trait Attachments {
    /// The name of the format in which this code reads and writes attachments: at
    /// most 64 bytes. The host only compares it.
    const FORMAT: &'static str;

    /// Turns an attachment of the format `from` into one of [`Self::FORMAT`]. It is
    /// not called for attachments that have this format.
    ///
    /// It may be called again with a newer attachment if another handler has
    /// changed it meanwhile, so it only computes.
    ///
    /// # Errors
    /// An error leaves the connection with the code it had, until it closes or
    /// the plugin is deployed anew; its text shows in `holdfast status`.
    fn migrate(from: &str, attachment: &[u8]) -> Result<Vec<u8>>;
}
