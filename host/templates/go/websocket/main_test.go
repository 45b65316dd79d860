package main

import (
	"testing"

	"github.com/holdfast-host/holdfast/sdk/go/holdfasttest"
)

func TestMessagesAreCounted(t *testing.T) {
	ada, err := holdfasttest.New(t, nil).Connect("/")
	if err != nil {
		t.Fatal(err)
	}
	ada.Next()
	for _, expected := range []string{"1: you said hi", "2: you said hi"} {
		if err := ada.Say("hi"); err != nil {
			t.Fatal(err)
		}
		if found := ada.Next().String(); found != expected {
			t.Errorf("found %q, expected %q", found, expected)
		}
	}
}
