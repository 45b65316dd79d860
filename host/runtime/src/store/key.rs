//! Keys of the database: tenant, bucket and key, so made that no tenant and no
//! bucket can reach into another's.

use super::{KEY_BYTES_MAX, StoreError};

/// A bucket of a tenant: what its keys begin with.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    prefix: Vec<u8>,
}

impl Scope {
    /// The bucket of this name. Names carry their length, so that none can be
    /// the beginning of another.
    pub(crate) fn new(tenant: &str, bucket: &str) -> Result<Self, StoreError> {
        let mut prefix = Vec::with_capacity(4 + tenant.len() + bucket.len());
        push(&mut prefix, tenant)?;
        push(&mut prefix, bucket)?;
        Ok(Self { prefix })
    }

    /// The database's key for a key of this bucket.
    pub(crate) fn key(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        if key.len() > KEY_BYTES_MAX {
            return Err(StoreError::KeyTooLong);
        }
        Ok([self.prefix.as_slice(), key.as_bytes()].concat())
    }

    /// The smallest of the database's keys behind this key of the bucket.
    pub(super) fn after(&self, key: Option<&str>) -> Result<Vec<u8>, StoreError> {
        match key {
            Some(key) => {
                let mut after = self.key(key)?;
                after.push(0);
                Ok(after)
            }
            None => Ok(self.prefix.clone()),
        }
    }

    /// The key of this bucket, if it is one.
    pub(super) fn strip(&self, key: &[u8]) -> Option<String> {
        let key = key.strip_prefix(self.prefix.as_slice())?;
        Some(String::from_utf8_lossy(key).into_owned())
    }
}

/// The tenant's part of any of the database's keys.
pub(super) fn tenant(key: &[u8]) -> &[u8] {
    let len = match key {
        [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    key.get(..2 + len).unwrap_or(key)
}

fn push(prefix: &mut Vec<u8>, name: &str) -> Result<(), StoreError> {
    if name.len() > KEY_BYTES_MAX {
        return Err(StoreError::KeyTooLong);
    }
    let len = u16::try_from(name.len()).map_err(|_| StoreError::KeyTooLong)?;
    prefix.extend_from_slice(&len.to_be_bytes());
    prefix.extend_from_slice(name.as_bytes());
    Ok(())
}
