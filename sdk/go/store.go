package holdfast

import (
	"errors"

	"github.com/holdfast-host/holdfast/sdk/go/internal/host"
)

// How often Update tries before it gives up.
const attemptsMax = 1000

// Store has keys and values which outlive connections, instances and versions of
// the plugin. Any instance may change a key at any time: where the new value
// depends on the old one, use Update or Increment.
//
// Errors are ErrNoSuchStore, ErrDenied, and what the host says.
type Store struct{ handle uint32 }

// OpenStore opens a store; "default" is there wherever stores are granted. Close it
// when it is not needed any more.
func OpenStore(name string) (*Store, error) {
	handle, failed := host.OpenStore(name)
	if failed != nil {
		return nil, storeFailure(failed)
	}
	return &Store{handle}, nil
}

// Close gives the store back.
func (s *Store) Close() {
	host.DropStore(s.handle)
}

// Get reads a value, and says whether there is one.
func (s *Store) Get(key string) ([]byte, bool, error) {
	value, found, failed := host.GetValue(s.handle, key)
	return value, found, storeFailure(failed)
}

// Set sets a value, whatever there was.
func (s *Store) Set(key string, value []byte) error {
	return storeFailure(host.SetValue(s.handle, key, value))
}

// Delete removes a key. Removing one that is not there is no error.
func (s *Store) Delete(key string) error {
	return storeFailure(host.DeleteValue(s.handle, key))
}

// Exists says whether a key has a value.
func (s *Store) Exists(key string) (bool, error) {
	found, failed := host.HasValue(s.handle, key)
	return found, storeFailure(failed)
}

// Keys lists all keys, in the order of the store.
func (s *Store) Keys() ([]string, error) {
	keys, cursor, failed := host.ListKeys(s.handle, nil)
	for failed == nil && cursor != nil {
		var more []string
		more, cursor, failed = host.ListKeys(s.handle, cursor)
		keys = append(keys, more...)
	}
	return keys, storeFailure(failed)
}

// Increment adds to a number, which is 0 where the key has no value, and returns
// the sum. No other change comes between.
func (s *Store) Increment(key string, delta int64) (int64, error) {
	sum, failed := host.Increment(s.handle, key, delta)
	return sum, storeFailure(failed)
}

// Update replaces a value by what change makes of it; found says whether there is
// one. No other change comes between: change is called again when one did, so it
// has to be free of effects. ErrContended comes after 1000 attempts.
func (s *Store) Update(key string, change func(old []byte, found bool) []byte) error {
	swap, failed := host.NewSwap(s.handle, key)
	for range attemptsMax {
		if failed != nil {
			return storeFailure(failed)
		}
		old, found, failed := host.CurrentValue(swap)
		if failed != nil {
			host.DropSwap(swap)
			return storeFailure(failed)
		}
		next, failed := host.Swap(swap, change(old, found))
		if next == 0 {
			return storeFailure(failed)
		}
		swap = next
	}
	host.DropSwap(swap)
	return ErrContended
}

func storeFailure(failed *host.StoreError) error {
	switch {
	case failed == nil:
		return nil
	case failed.Code == host.NoSuchStore:
		return ErrNoSuchStore
	case failed.Code == host.Denied:
		return ErrDenied
	default:
		return errors.New("the key-value store failed: " + failed.Text)
	}
}

// Config reads a setting which the operator has written for the plugin, and says
// whether it is set.
func Config(key string) (string, bool) {
	return host.Config(key)
}
