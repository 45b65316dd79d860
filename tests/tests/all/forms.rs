//! The two forms of the WebSocket handlers: what is promised holds for both.

/// Runs tests, each an `async fn(form: &str)`, with the fixture of either form.
macro_rules! in_both_forms {
    ($($name:ident),+ $(,)?) => {
        mod plain {
            $(#[tokio::test]
            async fn $name() {
                super::$name("plain").await;
            })+
        }

        mod waiting {
            $(#[tokio::test]
            async fn $name() {
                super::$name("waiting").await;
            })+
        }
    };
}
