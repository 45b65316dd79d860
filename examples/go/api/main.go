// A JSON API for notes, kept in the key-value store: GET and POST /notes; GET, PUT
// and DELETE /notes/ID.
package main

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
	"github.com/holdfast-host/holdfast/sdk/go/web"
)

const (
	bodyBytesMax = 64 << 10
	// The key that counts notes, and that which the keys of notes begin with.
	counter = "next"
	prefix  = "note/"
)

type note struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

func answer(response http.ResponseWriter, status int, value any) {
	response.Header().Set("content-type", "application/json")
	response.WriteHeader(status)
	json.NewEncoder(response).Encode(value)
}

func refuse(response http.ResponseWriter, status int, why string) {
	answer(response, status, map[string]string{"error": why})
}

// must ends the handler with an error, which the host logs.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// textOf reads the text in a request's body.
func textOf(response http.ResponseWriter, request *http.Request) (string, bool) {
	var body struct {
		Text *string `json:"text"`
	}
	data, err := io.ReadAll(http.MaxBytesReader(response, request.Body, bodyBytesMax))
	if err != nil || json.Unmarshal(data, &body) != nil || body.Text == nil {
		refuse(response, http.StatusBadRequest, `the body is JSON with a text: {"text": "…"}`)
		return "", false
	}
	return *body.Text, true
}

func list(store *holdfast.Store, response http.ResponseWriter) {
	keys, err := store.Keys()
	must(err)
	notes := []note{}
	for _, key := range keys {
		id, isNote := strings.CutPrefix(key, prefix)
		if !isNote {
			continue
		}
		text, found, err := store.Get(key)
		must(err)
		// It may have been deleted meanwhile.
		if found {
			notes = append(notes, note{id, string(text)})
		}
	}
	slices.SortFunc(notes, func(one, other note) int {
		return cmp.Or(cmp.Compare(len(one.ID), len(other.ID)), cmp.Compare(one.ID, other.ID))
	})
	answer(response, http.StatusOK, notes)
}

func add(store *holdfast.Store, response http.ResponseWriter, request *http.Request) {
	text, ok := textOf(response, request)
	if !ok {
		return
	}
	number, err := store.Increment(counter, 1)
	must(err)
	id := strconv.FormatInt(number, 10)
	must(store.Set(prefix+id, []byte(text)))
	response.Header().Set("location", "/notes/"+id)
	answer(response, http.StatusCreated, note{id, text})
}

func one(store *holdfast.Store, id string, response http.ResponseWriter, request *http.Request) {
	text, found, err := store.Get(prefix + id)
	must(err)
	switch {
	case !slices.Contains([]string{"GET", "HEAD", "PUT", "DELETE"}, request.Method):
		response.Header().Set("allow", "GET, HEAD, PUT, DELETE")
		refuse(response, http.StatusMethodNotAllowed, "not this method")
	case !found:
		refuse(response, http.StatusNotFound, "there is no such note")
	case request.Method == http.MethodDelete:
		must(store.Delete(prefix + id))
		response.WriteHeader(http.StatusNoContent)
	case request.Method == http.MethodPut:
		if changed, ok := textOf(response, request); ok {
			must(store.Set(prefix+id, []byte(changed)))
			answer(response, http.StatusOK, note{id, changed})
		}
	default:
		answer(response, http.StatusOK, note{id, string(text)})
	}
}

func handle(response http.ResponseWriter, request *http.Request) {
	store, err := holdfast.OpenStore("default")
	must(err)
	defer store.Close()
	id, isOne := strings.CutPrefix(request.URL.Path, "/notes/")
	switch {
	case isOne && id != "":
		one(store, id, response, request)
	case request.URL.Path != "/notes":
		refuse(response, http.StatusNotFound, "notes are at /notes")
	case request.Method == http.MethodPost:
		add(store, response, request)
	case request.Method == http.MethodGet || request.Method == http.MethodHead:
		list(store, response)
	default:
		response.Header().Set("allow", "GET, HEAD, POST")
		refuse(response, http.StatusMethodNotAllowed, "not this method")
	}
}

func init() { web.HandleFunc(handle) }

func main() {}
