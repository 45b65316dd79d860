//! Which request asks for what: one table. Pure.

use holdfast_core::manifest::Role;
use hyper::Method;

use crate::fleet::Name;

/// What can be asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Whether the host runs.
    Health,
    /// What is deployed.
    Status,
    /// What is counted.
    Metrics,
    /// Look at the files now.
    Reload,
    /// Go back to an earlier generation.
    Rollback(Name),
    /// Let the canary serve everybody.
    Promote(Name),
    /// Keep the component in the body, and let it serve.
    Upload(Name),
    /// Let a component serve that is kept.
    Deploy(Name),
}

impl Action {
    /// Whose things it is about; none if it is about the host.
    pub(super) fn tenant(&self) -> Option<&str> {
        match self {
            Self::Health | Self::Status | Self::Metrics | Self::Reload => None,
            Self::Rollback(name)
            | Self::Promote(name)
            | Self::Upload(name)
            | Self::Deploy(name) => Some(&name.tenant),
        }
    }
}

/// One line of the table.
struct Route {
    method: Method,
    /// `{}` stands for any segment that is a name.
    path: &'static str,
    /// The least role for it; none if no token has to be shown.
    role: Option<Role>,
    /// Made of the segments for which `{}` stands.
    action: fn(&[&str]) -> Option<Action>,
}

const ROUTES: [Route; 8] = [
    Route {
        method: Method::GET,
        path: "/v1/health",
        // Whoever watches over the host needs nothing else of it.
        role: None,
        action: |_| Some(Action::Health),
    },
    Route {
        method: Method::GET,
        path: "/v1/status",
        role: Some(Role::ReadOnly),
        action: |_| Some(Action::Status),
    },
    Route {
        method: Method::GET,
        path: "/metrics",
        role: Some(Role::ReadOnly),
        action: |_| Some(Action::Metrics),
    },
    Route {
        method: Method::POST,
        path: "/v1/reload",
        role: Some(Role::Operator),
        action: |_| Some(Action::Reload),
    },
    Route {
        method: Method::POST,
        path: "/v1/tenants/{}/plugins/{}/rollback",
        role: Some(Role::Deploy),
        action: |names| name(names).map(Action::Rollback),
    },
    Route {
        method: Method::POST,
        path: "/v1/tenants/{}/plugins/{}/promote",
        role: Some(Role::Deploy),
        action: |names| name(names).map(Action::Promote),
    },
    Route {
        method: Method::PUT,
        path: "/v1/tenants/{}/plugins/{}/component",
        role: Some(Role::Deploy),
        action: |names| name(names).map(Action::Upload),
    },
    Route {
        method: Method::POST,
        path: "/v1/tenants/{}/plugins/{}/deploy",
        role: Some(Role::Deploy),
        action: |names| name(names).map(Action::Deploy),
    },
];

fn name(names: &[&str]) -> Option<Name> {
    let [tenant, plugin] = names else { return None };
    Some(Name {
        tenant: (*tenant).to_owned(),
        plugin: (*plugin).to_owned(),
    })
}

/// What a request is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// What is asked for, and the least role for it.
    Action {
        action: Action,
        role: Option<Role>,
    },
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
        if route.method != *method {
            others.push(route.method.clone());
        } else if let Some(action) = (route.action)(&names) {
            let role = route.role;
            return Found::Action { action, role };
        }
    }
    match others.is_empty() {
        true => Found::Nothing,
        false => Found::OtherMethods(others),
    }
}

/// The segments for which `{}` stands, if the path is of that form.
fn matched<'a>(form: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut names = Vec::new();
    let mut segments = path.split('/');
    for expected in form.split('/') {
        match (expected, segments.next()?) {
            ("{}", "") => return None,
            ("{}", name) => names.push(name),
            (expected, segment) if expected == segment => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_found_by_its_path_and_method() {
        let (get, post) = (Method::GET, Method::POST);
        let found = |action, role| Found::Action { action, role };
        assert_eq!(find(&get, "/v1/health"), found(Action::Health, None));
        assert_eq!(
            find(&get, "/v1/status"),
            found(Action::Status, Some(Role::ReadOnly))
        );
        let path = "/v1/tenants/acme/plugins/chat/rollback";
        let name = Name {
            tenant: "acme".into(),
            plugin: "chat".into(),
        };
        assert_eq!(
            find(&post, path),
            found(Action::Rollback(name), Some(Role::Deploy))
        );
        assert_eq!(find(&get, path), Found::OtherMethods(vec![post.clone()]));
        for path in [
            "/",
            "/v1",
            "/v1/status/",
            "/v1/tenants//plugins/chat/rollback",
            "/v1/tenants/acme/plugins/chat/rollback/x",
        ] {
            assert_eq!(find(&get, path), Found::Nothing, "{path}");
        }
    }
}
