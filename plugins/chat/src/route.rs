//! What a path means.

use crate::limits::is_room;
use crate::page::Asset;

/// Where a path leads. Whatever stands in front of the last part that is ours
/// is ignored, so that the plugin works under any prefix.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    Front,
    Asset(Asset),
    Room(&'a str),
    Messages(&'a str),
    Members(&'a str),
    BadRoom,
    Unknown,
}

impl<'a> Route<'a> {
    pub(crate) fn of(path: &'a str) -> Self {
        let mut parts = path.rsplit('/');
        let last = parts.next().unwrap_or_default();
        let second = parts.next().unwrap_or_default();
        let third = parts.next().unwrap_or_default();
        let inside: Option<fn(&'a str) -> Self> = match last {
            "messages" => Some(Self::Messages),
            "members" => Some(Self::Members),
            _ => None,
        };
        match (third, second, inside) {
            ("rooms", room, Some(inside)) => Self::inside(room, inside),
            (_, "rooms", _) => Self::inside(last, Self::Room),
            _ => match last {
                "" => Self::Front,
                "page.css" => Self::Asset(Asset::Style),
                "page.js" => Self::Asset(Asset::Script),
                _ => Self::Unknown,
            },
        }
    }

    fn inside(room: &'a str, route: fn(&'a str) -> Self) -> Self {
        if is_room(room) {
            route(room)
        } else {
            Self::BadRoom
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_they_should() {
        for (path, route) in [
            ("/", Route::Front),
            ("/chat/", Route::Front),
            ("/page.css", Route::Asset(Asset::Style)),
            ("/chat/page.js", Route::Asset(Asset::Script)),
            ("/rooms/lobby", Route::Room("lobby")),
            ("/chat/rooms/lobby", Route::Room("lobby")),
            ("/rooms/messages", Route::Room("messages")),
            ("/rooms/rooms", Route::Room("rooms")),
            ("/rooms/lobby/messages", Route::Messages("lobby")),
            ("/rooms/lobby/members", Route::Members("lobby")),
            ("/rooms/members/members", Route::Members("members")),
            ("/rooms/", Route::BadRoom),
            ("/rooms/a%20b", Route::BadRoom),
            ("/rooms//messages", Route::BadRoom),
            ("/rooms", Route::Unknown),
            ("/rooms/lobby/other", Route::Unknown),
            ("/favicon.ico", Route::Unknown),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }
}
