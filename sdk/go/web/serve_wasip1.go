package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"strconv"

	"github.com/holdfast-host/holdfast/sdk/go/internal/host"
)

// Parts of a body gather up to this.
const gatheredBytes = 16 << 10

//go:wasmexport wasi:http/incoming-handler@0.2.12#handle
func exportHandle(request, out uint32) {
	incoming := host.TakeRequest(request)
	defer incoming.Body.Close()
	response := &writer{out: out, header: http.Header{}, status: http.StatusOK}
	response.isHead = incoming.Method == http.MethodHead
	if err := serve(response, incoming); err != nil {
		response.fail(err)
	}
}

// serve calls the handler; a panic is logged with its stack, and an error.
func serve(response *writer, incoming host.Request) (err error) {
	defer func() {
		cause := recover()
		if cause == http.ErrAbortHandler {
			err = http.ErrAbortHandler
		} else if cause != nil {
			fmt.Fprintf(os.Stderr, "panic: %v\n%s", cause, debug.Stack())
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	request, err := requestOf(incoming)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	handler.ServeHTTP(response, request.WithContext(ctx))
	return response.finish()
}

func requestOf(incoming host.Request) (*http.Request, error) {
	target := incoming.PathWithQuery
	if target == "" {
		target = "/"
	}
	parsed, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, fmt.Errorf("the request's target: %w", err)
	}
	request := &http.Request{
		Method:        incoming.Method,
		URL:           parsed,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        headerOf(incoming.Fields),
		Body:          incoming.Body,
		ContentLength: -1,
		Host:          incoming.Authority,
		RequestURI:    target,
	}
	if length, err := strconv.ParseInt(request.Header.Get("content-length"), 10, 64); err == nil {
		request.ContentLength = length
	}
	return request, nil
}

// writer is the http.ResponseWriter.
type writer struct {
	out      uint32
	header   http.Header
	status   int
	isHead   bool
	isSet    bool
	gathered bytes.Buffer
	body     *host.Outgoing
	broken   error
}

func (w *writer) Header() http.Header {
	return w.header
}

func (w *writer) WriteHeader(status int) {
	if !w.isSet && status >= 200 {
		w.status, w.isSet = status, true
	}
}

func (w *writer) Write(data []byte) (int, error) {
	if !w.isSet {
		w.WriteHeader(http.StatusOK)
	}
	if w.gathered.Len()+len(data) > gatheredBytes {
		if err := w.send(); err != nil {
			return 0, err
		}
	}
	if len(data) > gatheredBytes {
		count, err := w.body.Write(data)
		w.broken = err
		return count, err
	}
	return w.gathered.Write(data)
}

// Flush sends what was written so far. An error shows at the next write.
func (w *writer) Flush() {
	_ = w.FlushError()
}

// FlushError is what http.ResponseController uses.
func (w *writer) FlushError() error {
	if err := w.send(); err != nil {
		return err
	}
	w.broken = w.body.Flush()
	return w.broken
}

// send sends the head, if it is not gone yet, and what was gathered.
func (w *writer) send() error {
	if w.broken != nil {
		return w.broken
	}
	if w.body == nil {
		if _, given := w.header["Content-Type"]; !given && w.gathered.Len() > 0 {
			w.header.Set("content-type", http.DetectContentType(w.gathered.Bytes()))
		}
		body, err := host.StartResponse(w.out, w.status, fields(w.header))
		if err != nil {
			return err
		}
		w.body = body
	}
	_, w.broken = w.body.Write(w.gathered.Bytes())
	w.gathered.Reset()
	return w.broken
}

func (w *writer) finish() error {
	hasBody := w.status != http.StatusNoContent && w.status != http.StatusNotModified
	if w.body == nil && hasBody && !w.isHead && w.header.Get("content-length") == "" {
		w.header.Set("content-length", strconv.Itoa(w.gathered.Len()))
	}
	err := w.send()
	if w.body == nil {
		return err
	}
	if err != nil {
		// The client has gone, which is no failure of the handler.
		w.body.Abandon()
		return nil
	}
	return w.body.Finish()
}

// fail answers with an error, or ends the body before its time.
func (w *writer) fail(err error) {
	if w.body == nil {
		host.FailResponse(w.out, err.Error())
		return
	}
	w.body.Abandon()
	if !errors.Is(err, http.ErrAbortHandler) {
		fmt.Fprintln(os.Stderr, "http:", err)
	}
}
