package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
)

// Limits: bytes of a room's name, characters of a nickname, bytes of a key,
// characters of a text, members, messages that are kept, bytes of a POST.
const (
	roomLenMax    = 64
	nickLenMax    = 24
	keyLenMax     = 64
	textLenMax    = 1000
	membersMax    = 500
	historyLenMax = 50
	bodyBytesMax  = 16 << 10
)

const roomRule = "the name of a room has 1 to 64 letters (a to z, A to Z), digits, `-` and `_`"

// problem is what a client did wrong: a code for programs, a text for people, a
// status for HTTP.
type problem struct {
	code   string
	text   string
	status int
}

func (p *problem) Error() string { return p.text }

var (
	notJSON       = &problem{"not-json", "a message is a JSON object with a `type`", 400}
	unknownType   = &problem{"unknown-type", "the type of a message is `join` or `say`", 400}
	notJoined     = &problem{"not-joined", "join the room before you say something", 400}
	alreadyJoined = &problem{"already-joined", "you have joined this room already", 400}
	nickTaken     = &problem{"nick-taken", "somebody in this room has this nickname", 409}
	badKey        = &problem{"bad-key", "a key has up to 64 printable ASCII characters", 400}
	roomFull      = &problem{"room-full", "the room is full", 503}
	badBody       = &problem{"bad-body", "the body is a text, or JSON with `nick` and `text`, of up to 16 KiB", 400}
)

// clientMessage is what a client says. Members that are missing are empty.
type clientMessage struct {
	Type *string `json:"type"`
	Nick string  `json:"nick"`
	Key  string  `json:"key"`
	Text string  `json:"text"`
}

// said is what somebody said. Ids count up in each room from 1; times are
// milliseconds since 1970.
type said struct {
	Type string `json:"type,omitempty"`
	ID   uint64 `json:"id"`
	Nick string `json:"nick"`
	Text string `json:"text"`
	Time int64  `json:"time"`
}

type welcome struct {
	Type     string   `json:"type"`
	Room     string   `json:"room"`
	Nick     string   `json:"nick"`
	Members  []string `json:"members"`
	Messages []said   `json:"messages"`
}

// notice says that somebody has joined or left.
type notice struct {
	Type string `json:"type"`
	Nick string `json:"nick"`
	Time int64  `json:"time"`
}

type failure struct {
	Type string `json:"type"`
	Code string `json:"code"`
	Text string `json:"text"`
}

func failureOf(p *problem) failure { return failure{"error", p.code, p.text} }

// toJSON writes a message; `<` and the like stay as they are.
func toJSON(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	// Numbers and strings are always JSON.
	_ = encoder.Encode(value)
	return strings.TrimSuffix(text.String(), "\n")
}

func message(value any) holdfast.Message { return holdfast.Text(toJSON(value)) }

func isRoom(name string) bool {
	for _, char := range name {
		lower := char | 0x20
		if (lower < 'a' || lower > 'z') && (char < '0' || char > '9') && char != '-' && char != '_' {
			return false
		}
	}
	return len(name) >= 1 && len(name) <= roomLenMax
}

// isInvisible is about characters that can't be seen but change how others are: two
// nicknames that differ in them alone look the same.
func isInvisible(char rune) bool {
	return char == 0xAD || char == 0x61C || char == 0x180E || char == 0xFEFF ||
		(char >= 0x200B && char <= 0x200F) || (char >= 0x2028 && char <= 0x202E) ||
		(char >= 0x2060 && char <= 0x206F)
}

// checked trims a text and checks it.
func checked(what, text string, most int, isForbidden func(rune) bool) (string, error) {
	text = strings.TrimSpace(text)
	bad := func(why string) (string, error) {
		return "", &problem{"bad-" + what, fmt.Sprintf("the %s %s", map[string]string{"nick": "nickname", "text": "text"}[what], why), 400}
	}
	switch {
	case text == "":
		return bad("is empty")
	case utf8.RuneCountInString(text) > most:
		return bad(fmt.Sprintf("has more than %d characters", most))
	case strings.ContainsFunc(text, isForbidden):
		return bad("has control characters")
	}
	return text, nil
}

func checkNick(nick string) (string, error) {
	return checked("nick", nick, nickLenMax, func(char rune) bool {
		return unicode.IsControl(char) || isInvisible(char)
	})
}

func checkText(text string) (string, error) {
	return checked("text", text, textLenMax, func(char rune) bool {
		return unicode.IsControl(char) && char != '\n' && char != '\t'
	})
}

func checkKey(key string) error {
	isForbidden := func(char rune) bool { return char <= ' ' || char >= 0x7F }
	if len(key) > keyLenMax || strings.ContainsFunc(key, isForbidden) {
		return badKey
	}
	return nil
}
