// Package attachments is for plugins that change the format of their attachments. A
// component that imports it names the format of its code, and says how attachments
// of other formats, which other code has written, become those of this one.
package attachments

import "fmt"

// Migrate makes an attachment of this format of one of another.
type Migrate func(fromFormat string, attachment []byte) ([]byte, error)

var (
	format  string
	migrate Migrate = func(from string, _ []byte) ([]byte, error) {
		return nil, fmt.Errorf("no way from %q", from)
	}
)

// Handle registers the format, a name of at most 64 bytes, and the way to it; to be
// called once, in an init function. An error leaves a connection with the generation
// it has.
func Handle(name string, m Migrate) {
	format, migrate = name, m
}

// migrated calls the function; a panic is an error.
func migrated(from string, attachment []byte) (result []byte, failure string) {
	defer func() {
		if cause := recover(); cause != nil {
			failure = fmt.Sprintf("panic: %v", cause)
		}
	}()
	result, err := migrate(from, attachment)
	if err != nil {
		return nil, "the attachment: " + err.Error()
	}
	return result, ""
}
