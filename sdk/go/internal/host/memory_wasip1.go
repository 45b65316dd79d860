package host

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"unsafe"
)

// Memory which the host asks for: results of what is called, and arguments of
// what it calls.

// The adapter for WASI preview 1 asks for its own memory before the runtime is
// ready to allocate any: a stack, and its state, of 64 KiB each.
const earlyBytes = 256 << 10

var (
	early     [earlyBytes / 8]uint64
	earlyUsed uintptr
	ready     bool
	// What the host has written, until somebody has taken it: the garbage
	// collector does not see the host's own references.
	held [][]uint64
	// What an export has returned, until the next event.
	kept []any
	// Where the host writes the result of a call. One call is made at a time,
	// and this does not move when a stack grows.
	area [16]uint64
)

func init() {
	ready = true
}

// The garbage collector looks at the clock, and the component model forbids to
// call the host from here, so that the adapter has to remember the time.
//
//go:wasmimport wasi_snapshot_preview1 adapter_monotonic_clock_set_paused
func setClockPaused(paused int32)

//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, alignment, size uint32) unsafe.Pointer {
	words := (uintptr(size) + 7) / 8
	if !ready {
		place := unsafe.Pointer(&early[earlyUsed/8])
		earlyUsed += words * 8
		return place
	}
	setClockPaused(1)
	memory := make([]uint64, words+1)
	if old != nil {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&memory[0])), size), unsafe.Slice((*byte)(old), oldSize))
	}
	held = append(held, memory)
	setClockPaused(0)
	return unsafe.Pointer(&memory[0])
}

// release lets go of what the host has written: it has been taken.
func release() {
	clear(held)
	held = held[:0]
	collect()
}

// Garbage is collected where the host may be called: the end of a collection
// looks at the clock of the day, which a call of cabi_realloc must not. So none
// begins by itself, unless one event takes a lot of memory.
const (
	memoryUntilItDoes = 48 << 20
	garbageMin        = 4 << 20
	releasesUnlooked  = 16
)

var (
	releases  int
	allocated = []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	collected uint64
)

func init() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryUntilItDoes)
}

// collect collects garbage when there is about as much of it as of what lives.
func collect() {
	releases++
	if releases%releasesUnlooked != 0 {
		return
	}
	metrics.Read(allocated)
	since := allocated[0].Value.Uint64() - collected
	if since > max(garbageMin, allocated[1].Value.Uint64()) {
		runtime.GC()
		collected = allocated[0].Value.Uint64()
	}
}

// Numbers at a place in memory.

func byteAt(base unsafe.Pointer, offset uintptr) uint8 {
	return *(*uint8)(unsafe.Add(base, offset))
}

func u32At(base unsafe.Pointer, offset uintptr) uint32 {
	return *(*uint32)(unsafe.Add(base, offset))
}

func u64At(base unsafe.Pointer, offset uintptr) uint64 {
	return *(*uint64)(unsafe.Add(base, offset))
}

// at is where the host says that something is.
func at(address uint32) unsafe.Pointer {
	wide := uintptr(address)
	return *(*unsafe.Pointer)(unsafe.Pointer(&wide))
}

func stringOf(address, length uint32) string {
	return unsafe.String((*byte)(at(address)), length)
}

func bytesOf(address, length uint32) []byte {
	return unsafe.Slice((*byte)(at(address)), length)
}

// stringAt is the string whose address and length are at a place.
func stringAt(base unsafe.Pointer, offset uintptr) string {
	return stringOf(u32At(base, offset), u32At(base, offset+4))
}

func bytesAt(base unsafe.Pointer, offset uintptr) []byte {
	return bytesOf(u32At(base, offset), u32At(base, offset+4))
}

func result() unsafe.Pointer {
	return unsafe.Pointer(&area[0])
}

func text(s string) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.StringData(s)), uint32(len(s))
}

func list(b []byte) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b))
}
