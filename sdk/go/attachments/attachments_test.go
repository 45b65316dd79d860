package attachments

import (
	"fmt"
	"testing"
)

func TestAttachmentsAreMigratedByName(t *testing.T) {
	Handle("doubled", func(from string, attachment []byte) ([]byte, error) {
		if from != "" {
			return nil, fmt.Errorf("no way from %q", from)
		}
		return append(attachment, attachment...), nil
	})
	result, failure := migrated("", []byte("ab"))
	if string(result) != "abab" || failure != "" || format != "doubled" {
		t.Errorf("found %q, %q, %q", result, failure, format)
	}
	if _, failure = migrated("v2", nil); failure != `the attachment: no way from "v2"` {
		t.Errorf("found %q", failure)
	}
}
