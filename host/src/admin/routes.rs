//! Which request asks for what, by the table. Pure.

use hyper::Method;

use super::action::Action;
use super::table::{ROUTES, Route};

/// What a request is about.
pub(super) enum Found {
    /// What is asked for, and its line in the table.
    Action(Action, &'static Route),
    /// There is something at this path, by these methods.
    OtherMethods(Vec<Method>),
    Nothing,
}

/// Finds the action for a request.
pub(super) fn find(method: &Method, path: &str) -> Found {
    let mut others = Vec::new();
    for route in &ROUTES {
        let Some(names) = matched(route.path, path) else {
            continue;
        };
        if route.verb.method() != *method {
            others.push(route.verb.method());
        } else if let Some(action) = (route.action)(&names) {
            return Found::Action(action, route);
        }
    }
    match others.is_empty() {
        true => Found::Nothing,
        false => Found::OtherMethods(others),
    }
}

/// The segments for which `{…}` stands, if the path is of that form.
fn matched<'a>(form: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut names = Vec::new();
    let mut segments = path.split('/');
    for expected in form.split('/') {
        match (expected.starts_with('{'), segments.next()?) {
            (true, "") => return None,
            (true, name) => names.push(name),
            (false, segment) if expected == segment => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(names)
}

#[cfg(test)]
mod tests {
    use holdfast_core::manifest::Role;

    use super::*;
    use crate::fleet::Name;

    fn found(method: &Method, path: &str) -> Option<(Action, Option<Role>)> {
        match find(method, path) {
            Found::Action(action, route) => Some((action, route.role)),
            Found::OtherMethods(_) | Found::Nothing => None,
        }
    }

    #[test]
    fn a_request_is_found_by_its_path_and_method() {
        let (get, post) = (Method::GET, Method::POST);
        assert_eq!(found(&get, "/v1/health"), Some((Action::Health, None)));
        assert_eq!(
            found(&get, "/v1/status"),
            Some((Action::Status, Some(Role::ReadOnly)))
        );
        let path = "/v1/tenants/acme/plugins/chat/rollback";
        let name = Name {
            tenant: "acme".into(),
            plugin: "chat".into(),
        };
        assert_eq!(
            found(&post, path),
            Some((Action::Rollback(name.clone()), Some(Role::Deploy)))
        );
        assert!(matches!(
            find(&get, path),
            Found::OtherMethods(methods) if methods == [post]
        ));
        let id = "0123456789abcdef0123456789abcdef";
        let path = format!("/v1/tenants/acme/plugins/chat/connections/{id}");
        let action = Action::Connection(name, id.parse().unwrap());
        assert_eq!(found(&get, &path), Some((action, Some(Role::ReadOnly))));
        for path in [
            "/",
            "/v1",
            "/v1/status/",
            "/v1/tenants//plugins/chat/rollback",
            "/v1/tenants/acme/plugins/chat/rollback/x",
            "/v1/tenants/acme/plugins/chat/connections/0123",
        ] {
            assert!(matches!(find(&get, path), Found::Nothing), "{path}");
        }
    }
}
