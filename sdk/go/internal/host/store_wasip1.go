package host

// storeError reads an error of wasi:keyvalue.
func storeError(offset uintptr) *StoreError {
	switch byteAt(result(), offset) {
	case 0:
		return &StoreError{Code: NoSuchStore}
	case 1:
		return &StoreError{Code: Denied}
	}
	text := stringAt(result(), offset+4)
	release()
	return &StoreError{Code: Failed, Text: text}
}

func isError() bool {
	return byteAt(result(), 0) != 0
}

// OpenStore opens a store.
func OpenStore(name string) (uint32, *StoreError) {
	nameData, nameLen := text(name)
	storeOpen(nameData, nameLen, result())
	if isError() {
		return 0, storeError(4)
	}
	return u32At(result(), 4), nil
}

// DropStore gives a store back.
func DropStore(store uint32) {
	bucketDrop(store)
}

// optional reads an option of a list.
func optional() ([]byte, bool) {
	if byteAt(result(), 4) == 0 {
		return nil, false
	}
	value := bytesAt(result(), 8)
	release()
	return value, true
}

// GetValue reads a value, if there is one.
func GetValue(store uint32, key string) ([]byte, bool, *StoreError) {
	keyData, keyLen := text(key)
	bucketGet(store, keyData, keyLen, result())
	if isError() {
		return nil, false, storeError(4)
	}
	value, found := optional()
	return value, found, nil
}

// SetValue sets a value.
func SetValue(store uint32, key string, value []byte) *StoreError {
	keyData, keyLen := text(key)
	valueData, valueLen := list(value)
	bucketSet(store, keyData, keyLen, valueData, valueLen, result())
	if isError() {
		return storeError(4)
	}
	return nil
}

// DeleteValue removes a key.
func DeleteValue(store uint32, key string) *StoreError {
	keyData, keyLen := text(key)
	bucketDelete(store, keyData, keyLen, result())
	if isError() {
		return storeError(4)
	}
	return nil
}

// HasValue says whether a key has a value.
func HasValue(store uint32, key string) (bool, *StoreError) {
	keyData, keyLen := text(key)
	bucketExists(store, keyData, keyLen, result())
	if isError() {
		return false, storeError(4)
	}
	return byteAt(result(), 4) != 0, nil
}

// ListKeys reads a page of keys, and where the next one begins, if there is one.
func ListKeys(store uint32, cursor *string) (keys []string, next *string, failed *StoreError) {
	if cursor == nil {
		bucketListKeys(store, 0, nil, 0, result())
	} else {
		cursorData, cursorLen := text(*cursor)
		bucketListKeys(store, 1, cursorData, cursorLen, result())
	}
	if isError() {
		return nil, nil, storeError(4)
	}
	base, count := u32At(result(), 4), u32At(result(), 8)
	keys = make([]string, count)
	for index := range keys {
		keys[index] = stringAt(at(base+uint32(index)*8), 0)
	}
	if byteAt(result(), 12) != 0 {
		text := stringAt(result(), 16)
		next = &text
	}
	release()
	return keys, next, nil
}

// Increment adds to a number.
func Increment(store uint32, key string, delta int64) (int64, *StoreError) {
	keyData, keyLen := text(key)
	atomicsIncrement(store, keyData, keyLen, delta, result())
	if isError() {
		return 0, storeError(8)
	}
	return int64(u64At(result(), 8)), nil
}

// NewSwap begins a compare-and-swap.
func NewSwap(store uint32, key string) (uint32, *StoreError) {
	keyData, keyLen := text(key)
	casNew(store, keyData, keyLen, result())
	if isError() {
		return 0, storeError(4)
	}
	return u32At(result(), 4), nil
}

// CurrentValue reads the value of a compare-and-swap.
func CurrentValue(swap uint32) ([]byte, bool, *StoreError) {
	casCurrent(swap, result())
	if isError() {
		return nil, false, storeError(4)
	}
	value, found := optional()
	return value, found, nil
}

// DropSwap gives a compare-and-swap up.
func DropSwap(swap uint32) {
	casDrop(swap)
}

// Swap tries to set the value. If another change came between, it returns the
// next compare-and-swap, which is not 0.
func Swap(swap uint32, value []byte) (uint32, *StoreError) {
	valueData, valueLen := list(value)
	atomicsSwap(swap, valueData, valueLen, result())
	switch {
	case !isError():
		return 0, nil
	case byteAt(result(), 4) == 0:
		return 0, storeError(8)
	default:
		return u32At(result(), 8), nil
	}
}
