package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holdfast-host/holdfast/sdk/go/holdfasttest"
)

func TestAMessageReachesEverybodyInTheRoom(t *testing.T) {
	host := holdfasttest.New(t, nil)
	if _, err := host.Connect("/rooms/a%20b"); err == nil {
		t.Error("a room has a plain name")
	}
	ada, _ := host.Connect("/rooms/lobby")
	bea, _ := host.Connect("/rooms/lobby")
	expect := func(client *holdfasttest.Client, expected string) {
		t.Helper()
		if found := client.Next().String(); !strings.Contains(found, expected) {
			t.Errorf("%s is not in %s", expected, found)
		}
	}
	ada.Say(`{"type":"join","nick":"Ada"}`)
	expect(ada, `"members":["Ada"]`)
	bea.Say(`{"type":"join","nick":"Ada"}`)
	expect(bea, "somebody here has this nickname")
	bea.Say(`{"type":"join","nick":"Bea"}`)
	expect(bea, `"type":"welcome"`)
	expect(ada, `"type":"joined"`)
	response := httptest.NewRecorder()
	routes().ServeHTTP(response, httptest.NewRequest("POST", "/rooms/lobby", strings.NewReader("hello")))
	expect(ada, `"id":1,"nick":"guest","text":"hello"`)
	ada.Disconnect(1000, "")
	expect(bea, `"text":"hello"`)
	expect(bea, `"type":"left"`)
}
