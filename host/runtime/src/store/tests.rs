use super::*;

const MAX: u64 = 1000;

fn change(store: &Store, kind: Kind) -> Result<Changed, StoreError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(store.change(Change {
        bytes_max: MAX,
        kind,
    }))
}

fn set(store: &Store, key: Vec<u8>, value: &[u8]) -> Result<Changed, StoreError> {
    change(store, Kind::Set(vec![(key, value.to_vec())]))
}

#[test]
fn tenants_and_buckets_do_not_reach_each_other() {
    let store = Store::in_memory().unwrap();
    let scopes = [("a", "b"), ("a", "bb"), ("aa", "b"), ("", "ab"), ("ab", "")];
    let scopes = scopes.map(|(tenant, bucket)| Scope::new(tenant, bucket).unwrap());
    for (index, scope) in scopes.iter().enumerate() {
        for key in ["", "k", "b", "\u{0}"] {
            let value = format!("{index} {key}");
            set(&store, scope.key(key).unwrap(), value.as_bytes()).unwrap();
        }
    }
    for (index, scope) in scopes.iter().enumerate() {
        let value = store.get(&scope.key("k").unwrap()).unwrap();
        assert_eq!(value.unwrap(), format!("{index} k").into_bytes());
        let (keys, has_more) = store.keys(scope, None).unwrap();
        assert_eq!(keys, ["", "\u{0}", "b", "k"]);
        assert!(!has_more);
    }
}

#[test]
fn keys_come_in_pages() {
    let store = Store::in_memory().unwrap();
    let scope = Scope::new("t", "b").unwrap();
    let key = |index: usize| scope.key(&format!("{index:04}")).unwrap();
    let entries = (0..PAGE_LEN + 1)
        .map(|index| (key(index), Vec::new()))
        .collect();
    let kind = Kind::Set(entries);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let changed = store.change(Change {
        bytes_max: u64::MAX,
        kind,
    });
    runtime.block_on(changed).unwrap();
    let (first, has_more) = store.keys(&scope, None).unwrap();
    assert!(has_more);
    let (second, has_more) = store
        .keys(&scope, first.last().map(String::as_str))
        .unwrap();
    assert_eq!(second, [format!("{PAGE_LEN:04}")]);
    assert!(!has_more);
}

#[test]
fn a_tenant_has_no_more_than_its_limit() {
    let store = Store::in_memory().unwrap();
    let scope = Scope::new("t", "b").unwrap();
    let key = scope.key("k").unwrap();
    let room = MAX as usize - key.len();
    set(&store, key.clone(), &vec![0; room]).unwrap();
    for _ in 0..3 {
        assert!(matches!(
            set(&store, key.clone(), &vec![0; room + 1]),
            Err(StoreError::Full(MAX))
        ));
        set(&store, key.clone(), &vec![1; room]).unwrap();
    }
    let other = Scope::new("u", "b").unwrap().key("k").unwrap();
    set(&store, other, b"x").unwrap();
    change(&store, Kind::Delete(vec![key.clone()])).unwrap();
    set(&store, scope.key("l").unwrap(), &vec![0; room]).unwrap();
}

#[test]
fn a_key_that_is_set_twice_counts_once() {
    let store = Store::in_memory().unwrap();
    let scope = Scope::new("t", "b").unwrap();
    let key = scope.key("k").unwrap();
    let other = scope.key("l").unwrap();
    let room = MAX as usize - key.len() - other.len();
    let twice = |len: usize| {
        let entry = (key.clone(), vec![0; len]);
        change(&store, Kind::Set(vec![entry.clone(), entry]))
    };
    twice(room).unwrap();
    twice(1).unwrap();
    twice(1).unwrap();
    assert!(set(&store, other.clone(), &vec![0; room]).is_err());
    set(&store, other, &vec![0; room - 1]).unwrap();
}

#[test]
fn numbers_and_swaps() {
    let store = Store::in_memory().unwrap();
    let scope = Scope::new("t", "b").unwrap();
    let key = scope.key("n").unwrap();
    let add = |delta| change(&store, Kind::Increment(key.clone(), delta));
    assert_eq!(add(5).unwrap(), Changed::Number(5));
    assert_eq!(add(-7).unwrap(), Changed::Number(-2));
    assert!(matches!(add(i64::MIN), Err(StoreError::NotANumber)));
    let swap = |seen: Option<&[u8]>, value: &[u8]| {
        let (key, seen, value) = (key.clone(), Seen::of(seen), value.to_vec());
        change(&store, Kind::Swap { key, seen, value }).unwrap()
    };
    assert_eq!(swap(None, b"x"), Changed::Conflict(Seen::of(Some(b"-2"))));
    assert_eq!(swap(Some(b"-2"), b"x"), Changed::Done);
    assert!(matches!(add(1), Err(StoreError::NotANumber)));
    assert!(scope.key(&"k".repeat(KEY_BYTES_MAX + 1)).is_err());
}

#[test]
fn a_file_keeps_what_was_written() {
    let folder = std::env::temp_dir().join(format!("holdfast-store-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("store.redb");
    let key = Scope::new("t", "b").unwrap().key("k").unwrap();
    let store = Store::open(&path, SYNC).unwrap();
    set(&store, key.clone(), b"kept").unwrap();
    drop(store);
    let store = Store::open(&path, SYNC).unwrap();
    assert_eq!(store.get(&key).unwrap(), Some(b"kept".to_vec()));
    // What was counted before counts still.
    let room = vec![0; MAX as usize];
    assert!(set(&store, key, &room).is_err());
    drop(store);
    std::fs::remove_dir_all(&folder).unwrap();
}
