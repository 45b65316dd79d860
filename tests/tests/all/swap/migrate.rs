//! Attachments are carried to the format of new code, each before the first event
//! of its connection there.

use holdfast_tests::build::{Build, format_name, put};
use holdfast_tests::host::Host;
use holdfast_tests::http::Client;
use holdfast_tests::place;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use holdfast_tests::status::Plugin;

use super::version_at;

in_both_forms!(
    attachments_are_carried_over_when_they_are_needed,
    attachments_of_the_same_format_stay_as_they_are,
    an_attachment_that_cannot_be_carried_over_keeps_its_code,
    a_migration_that_traps_or_never_ends_harms_nobody,
    code_without_migrations_gets_attachments_as_they_are,
    migrations_race_with_changes_from_elsewhere,
);

/// Deploys a build with attachments of another format.
async fn switch(host: &Host, form: &str, version: u32, format: char) {
    host.put(&Build::new(form, version).format(format));
    host.serves(version).await;
}

async fn note(socket: &mut Socket) -> String {
    let state = socket.ask("state me").await;
    let (note, _) = state.rsplit_once(" buffered=").unwrap();
    note.to_owned()
}

/// How often carrying over has failed, in all generations.
fn failures(plugin: &Plugin) -> (u64, String) {
    let generations = plugin.generations();
    let count = generations.iter().map(|it| it.migrations_failed).sum();
    let errors = generations
        .into_iter()
        .filter_map(|it| it.last_migration_error);
    (count, errors.collect())
}

async fn attachments_are_carried_over_when_they_are_needed(form: &str) {
    let host = Setup::of_build(&Build::new(form, 1)).start().await;
    let mut busy = Socket::open(&host, "/?note=busy").await;
    let mut silent = Socket::open(&host, "/?note=silent").await;
    switch(&host, form, 2, 'b').await;
    assert_eq!(note(&mut busy).await, "note=busy from a version=1");
    assert_eq!(note(&mut busy).await, "note=busy from a version=1", "once");
    // The code of the silent one is kept, since carrying over could fail.
    let generations = host.fixture().await.generations();
    let connections = generations.iter().map(|it| (it.number, it.connections));
    assert_eq!(connections.collect::<Vec<_>>(), [(1, 1), (2, 1)]);
    switch(&host, form, 3, 'c').await;
    assert_eq!(note(&mut silent).await, "note=silent from a version=1");
    let expected = "note=busy from a from b version=2";
    assert_eq!(note(&mut busy).await, expected);
    assert_eq!(version_at(&mut busy).await, 3);
    let plugin = host.settles().await;
    assert_eq!(plugin.generations()[0].connections, 2);
    assert_eq!(failures(&plugin), (0, String::new()));
    host.stop().await;
}

async fn attachments_of_the_same_format_stay_as_they_are(form: &str) {
    let host = Setup::of_build(&Build::new(form, 1)).start().await;
    let mut socket = Socket::open(&host, "/?note=mine&topic=news").await;
    host.switch(form, 2).await;
    // The old code has gone although the socket has been silent.
    host.settles().await;
    assert_eq!(note(&mut socket).await, "note=mine version=0");
    assert_eq!(socket.ask("count news").await, "1", "topics stay as well");
    host.stop().await;
}

async fn an_attachment_that_cannot_be_carried_over_keeps_its_code(form: &str) {
    let host = Setup::of_build(&Build::new(form, 1)).start().await;
    let mut stubborn = Socket::open(&host, "/?note=fail").await;
    let mut other = Socket::open(&host, "/?note=fine").await;
    switch(&host, form, 2, 'b').await;
    for _ in 0..5 {
        assert_eq!(version_at(&mut stubborn).await, 1);
    }
    assert_eq!(note(&mut stubborn).await, "note=fail version=0");
    assert_eq!(note(&mut other).await, "note=fine from a version=1");
    let plugin = host.fixture().await;
    let (count, error) = failures(&plugin);
    assert_eq!(count, 1, "it is not tried again at every message");
    assert!(error.contains("told to fail"), "{error}");
    assert_eq!(plugin.generation(), 2);
    // Code that understands the old attachment gets it.
    host.switch(form, 3).await;
    assert_eq!(version_at(&mut stubborn).await, 3);
    assert_eq!(note(&mut stubborn).await, "note=fail version=0");
    assert_eq!(note(&mut other).await, "note=fine from a from b version=2");
    host.settles().await;
    host.stop().await;
}

async fn a_migration_that_traps_or_never_ends_harms_nobody(form: &str) {
    for word in ["trap", "spin"] {
        let host = Setup::of_build(&Build::new(form, 1))
            .limit("event_timeout_ms", 1000)
            .start()
            .await;
        let mut socket = Socket::open(&host, &format!("/?note={word}")).await;
        let mut other = Socket::open(&host, "/?note=fine").await;
        switch(&host, form, 2, 'b').await;
        assert_eq!(version_at(&mut socket).await, 1, "{word}");
        assert_eq!(version_at(&mut other).await, 2, "{word}");
        let (count, error) = failures(&host.fixture().await);
        assert_eq!(count, 1, "{word}: {error}");
        assert!(!error.is_empty(), "{word}");
        // The old code goes with its last socket.
        socket.close(1000, "").await;
        assert_eq!(host.settles().await.generation(), 2);
        host.stop().await;
    }
}

async fn code_without_migrations_gets_attachments_as_they_are(form: &str) {
    let host = Setup::of_build(&Build::new(form, 1)).start().await;
    let mut socket = Socket::open(&host, "/?note=mine").await;
    put(
        &host.component(),
        std::fs::read(place::guest("echo")).unwrap(),
    );
    host.becomes("the second generation", |plugin| plugin.generation() == 2)
        .await;
    assert_eq!(socket.ask("state me").await, "state me", "the echo answers");
    let plugin = host.settles().await;
    assert_eq!(plugin.generations()[0].connections, 1);
    assert_eq!(failures(&plugin), (0, String::new()));
    host.stop().await;
}

async fn migrations_race_with_changes_from_elsewhere(form: &str) {
    const NOTES: u32 = 300;
    const RELOADS: u32 = 10;
    let host = Setup::of_build(&Build::new(form, 0)).start().await;
    let mut socket = Socket::open(&host, "/?note=0").await;
    let id = socket.ask("id").await;
    let mut client = Client::connect(&host).await;
    let mut changes = 0;
    // Each of the three goes as fast as it can: notes from HTTP, messages, code.
    let writing = async {
        for number in 1..=NOTES {
            let response = client.get(&format!("/note/{id}/{number}")).await.unwrap();
            assert_eq!(response.status, 200, "{}", response.text());
        }
    };
    let asking = async {
        let mut last = 0;
        while last < NOTES {
            let note = note(&mut socket).await;
            assert!(
                !note.contains("written as"),
                "a mixed-up attachment: {note}"
            );
            let number = note.trim_start_matches("note=").split(' ').next().unwrap();
            let number = number.parse().unwrap();
            assert!(last <= number, "a change was lost: {number} after {last}");
            last = number;
            changes += 1;
        }
    };
    let reloading = async {
        for reload in 1..=RELOADS {
            let format = if reload % 2 == 0 { 'a' } else { 'b' };
            switch(&host, form, reload, format).await;
        }
    };
    tokio::join!(writing, asking, reloading);
    assert_eq!(version_at(&mut socket).await, RELOADS);
    let last = note(&mut socket).await;
    let (_, version) = last.rsplit_once("version=").unwrap();
    let version: u32 = version.parse().unwrap();
    // Every note, and at most one migration for each reload.
    assert!((NOTES..=NOTES + RELOADS).contains(&version), "{last}");
    let plugin = host.settles().await;
    let (count, error) = failures(&plugin);
    assert_eq!(count, 0, "{error}, after {changes} messages");
    assert!(!error.contains(&format_name('a')), "{error}");
    host.stop().await;
}
