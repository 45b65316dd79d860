package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
	"github.com/holdfast-host/holdfast/sdk/go/web"
)

// The most that is read of what is to be sent on, and of another server's answer.
const textBytesMax = 1 << 20

func plain(response http.ResponseWriter, text string) {
	response.Header().Set("content-type", "text/plain")
	io.WriteString(response, text)
}

// handle does what a request asks by its path.
func handle(response http.ResponseWriter, request *http.Request) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/")
	number, err := strconv.Atoi(rest)
	hasNumber := err == nil && number >= 0
	switch {
	case name == "hello":
		plain(response, "hello")
	case name == "echo":
		response.Header().Set("content-type", request.Header.Get("content-type"))
		io.Copy(response, request.Body)
	case name == "method":
		plain(response, request.Method)
	case name == "head":
		plain(response, head(request.Header))
	case name == "query":
		plain(response, request.URL.RawQuery)
	case name == "increment":
		plain(response, must(inStore(increment)(&call{rest: rest + " 1"})))
	case name == "publish":
		plain(response, must(delivered(holdfast.Publish(rest, holdfast.Text(body(request))))))
	case name == "send":
		plain(response, must(sendTo(rest, body(request))))
	case name == "config":
		plain(response, config(rest))
	case name == "fetch":
		plain(response, fetch(request.URL.Query().Get("url")))
	case name == "fail":
		panic("told to fail")
	case name == "trap":
		trap()
	case name == "status" && hasNumber:
		response.WriteHeader(number)
	case name == "large" && hasNumber:
		plain(response, strings.Repeat("x", number))
	case name == "events" && hasNumber:
		events(response, number)
	case name == "sleep" && hasNumber:
		time.Sleep(time.Duration(number) * time.Millisecond)
		plain(response, "slept")
	default:
		response.WriteHeader(http.StatusNotFound)
		io.WriteString(response, "no such command")
	}
}

// must ends the handler with an error, which the host logs.
func must(answer string, err error) string {
	if err != nil {
		panic(err)
	}
	return answer
}

func body(request *http.Request) string {
	bytes, err := io.ReadAll(io.LimitReader(request.Body, textBytesMax))
	return must(string(bytes), err)
}

func head(header http.Header) string {
	var lines []string
	for name, values := range header {
		for _, value := range values {
			lines = append(lines, fmt.Sprintf("%s: %s\n", strings.ToLower(name), value))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func events(response http.ResponseWriter, count int) {
	response.Header().Set("content-type", "text/event-stream")
	controller := http.NewResponseController(response)
	for number := range count {
		fmt.Fprintf(response, "data: %d\n\n", number)
		if controller.Flush() != nil {
			return
		}
	}
}

func fetch(url string) string {
	response, err := web.Client.Get(url)
	if err != nil {
		return fmt.Sprintf("error: %v", err)
	}
	defer response.Body.Close()
	bytes, err := io.ReadAll(io.LimitReader(response.Body, textBytesMax))
	if err != nil {
		return fmt.Sprintf("error: %v", err)
	}
	return fmt.Sprintf("%d %s", response.StatusCode, bytes)
}
