package holdfast

import (
	"context"
	"log/slog"
	"strings"

	"github.com/holdfast-host/holdfast/sdk/go/internal/host"
)

// Levels which slog has no name for.
const (
	LevelTrace    = slog.Level(-8)
	LevelCritical = slog.Level(12)
)

// Log writes lines to the host's log, which adds the plugin and the tenant. What is
// printed to standard output and standard error is in the log, too.
var Log = slog.New(logHandler{})

type logHandler struct {
	prefix string
	// Attributes as they are written, each with a space before it.
	attributes string
}

func (h logHandler) Enabled(context.Context, slog.Level) bool {
	return true
}

func (h logHandler) Handle(_ context.Context, record slog.Record) error {
	line := record.Message + h.attributes
	record.Attrs(func(attribute slog.Attr) bool {
		line += h.write(attribute)
		return true
	})
	host.Log(level(record.Level), "", line)
	return nil
}

func (h logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	for _, attribute := range attributes {
		h.attributes += h.write(attribute)
	}
	return h
}

func (h logHandler) WithGroup(name string) slog.Handler {
	h.prefix += name + "."
	return h
}

func (h logHandler) write(attribute slog.Attr) string {
	return " " + h.prefix + attribute.Key + "=" + strings.TrimSpace(attribute.Value.String())
}

// level is that of wasi:logging.
func level(level slog.Level) uint8 {
	switch {
	case level < slog.LevelDebug:
		return 0
	case level < slog.LevelInfo:
		return 1
	case level < slog.LevelWarn:
		return 2
	case level < slog.LevelError:
		return 3
	case level < LevelCritical:
		return 4
	default:
		return 5
	}
}
