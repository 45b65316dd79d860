use super::*;

#[cfg(unix)]
#[test]
fn a_folder_of_everybody_is_refused_and_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let mode_of = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let parent = std::env::temp_dir().join(format!("holdfast-cache-{}", std::process::id()));
    let folder = parent.join("made");
    Cache::open(folder.clone(), u64::MAX).unwrap();
    assert_eq!(mode_of(&folder), 0o700);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(Cache::open(folder.clone(), u64::MAX).is_err());
    assert_eq!(mode_of(&folder), 0o777);
    fs::remove_dir_all(&parent).unwrap();
}
